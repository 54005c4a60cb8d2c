"""How far DALI's pixels are from Pillow's and torchvision's.

Mean absolute difference, in levels of 0..255, of the 224 x 224 centre crop after the shorter side was resized to 256:
over ten photographs (the Triton lab's), and in brackets of the one that differs most. DALI 2.4.0 on a CPU, Pillow
13.0.0, torchvision 0.29.2; ``benchmarks/dali_parity.py`` measures it again, on a GPU too.

============================  ================  ================  =================  ====================
DALI                          torchvision on    the same,         torchvision on     the same,
                              Pillow, bilinear  bicubic           tensors, bilinear  no antialias
============================  ================  ================  =================  ====================
bilinear, antialias           **0.14** (0.19)   1.13 (2.18)       **0.14** (0.19)    1.64 (3.94)
bilinear, no antialias        1.61 (3.93)       1.24 (2.74)       1.61 (3.93)        **0.16** (0.41)
bicubic, antialias            1.12 (2.18)       **0.14** (0.20)   1.12 (2.18)        1.26 (2.75)
bicubic, no antialias         2.45 (5.68)       1.74 (4.25)       2.45 (5.68)        0.92 (1.81)
lanczos, antialias            1.70 (3.42)       0.70 (1.38)       1.70 (3.42)        1.55 (3.08)
nearest                       3.78 (7.64)       3.48 (7.00)       3.78 (7.64)        2.81 (5.21)
bilinear, antialias,          2.46 (11.62)      3.17 (12.91)      2.46 (11.62)       3.59 (13.87)
DALI's own size and crop
============================  ================  ================  =================  ====================

The first row is the default of :class:`w251lab.dali.recipes.Validation`. The last one has the same filter, and DALI's
``resize_shorter`` and centred crop in place of torchvision's arithmetic: a shift of one pixel costs more than the wrong
filter does.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from PIL import Image, ImageOps

from w251lab.dali import iterators, pipelines
from w251lab.dali.recipes import Validation

if TYPE_CHECKING:
    import numpy.typing as npt

    from w251lab.dali.sources import Source

_FILTERS: Final = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}


def reference(picture: Image.Image, recipe: Validation | None = None) -> npt.NDArray[np.uint8]:
    """What torchvision's Resize and CenterCrop make of a Pillow picture.

    torchvision hands Pillow pictures to Pillow, whose filters are always antialiased. Sizes as in torchvision's
    ``transforms.functional``: the longer side is cut to whole pixels, and the crop starts at Python's ``round`` of half
    of what is left over.

    Args:
        picture: Of any size and mode; its EXIF orientation is applied, as DALI does.
        recipe: Its ``resize``, ``crop`` and ``interpolation`` are used; None for the usual values.

    Returns:
        uint8 [crop, crop, 3], not normalised.
    """
    recipe = recipe or Validation()
    upright = ImageOps.exif_transpose(picture).convert("RGB")
    short = min(upright.size)
    width, height = (int(recipe.resize * side / short) for side in upright.size)
    resized = upright.resize((width, height), _FILTERS[recipe.interpolation])
    left, upper = (round((side - recipe.crop) / 2.0) for side in (width, height))
    return np.asarray(resized.crop((left, upper, left + recipe.crop, upper + recipe.crop)))


def pixels(source: Source, recipe: Validation | None = None, *, device: str = "cpu") -> npt.NDArray[np.uint8]:
    """The same by DALI, of every picture of ``source`` in its order.

    Args:
        source: The pictures; all of them in memory at once, 150 kB each at the usual crop.
        recipe: Its mean and standard deviation are left out; None for the usual values.
        device: ``cpu``, ``gpu`` or ``auto``.

    Returns:
        uint8 [pictures, crop, crop, 3].

    Raises:
        W251Error: There is no DALI or no such device here, or a picture cannot be decoded.
    """
    bare = replace(recipe or Validation(), mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))
    built = pipelines.validation(source, bare, batch_size=min(len(source), 16), device=device)
    found = np.concatenate([batch.images for batch in iterators.NumpyBatches(built)])
    return found.transpose(0, 2, 3, 1).astype(np.uint8)


def difference(found: npt.NDArray[Any], expected: npt.NDArray[Any]) -> float:
    """Mean absolute difference of two pictures of the same shape, in levels of 0..255.

    Args:
        found: Pixels, uint8 or float.
        expected: Of the same shape.
    """
    return float(np.abs(found.astype(np.float64) - expected.astype(np.float64)).mean())
