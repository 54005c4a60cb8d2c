"""The vintage filter: a photograph damaged as an old one is, and the single steps that it is made of.

The filter's steps are, in this order: gray, brightness, salt and pepper, box blur. So the specks are blurred too, as on
a print that was photographed again. A preset is the strength of each.

Every step takes a picture in colour, (height, width, 3), or in gray, (height, width), of any size from 1 x 1, and gives
a new one of the same shape. What is random takes a seed: one seed gives the same bytes on every machine.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import reduce
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image

from w251lab.errors import UsageError
from w251lab.faces import arguments
from w251lab.faces.ageing import compose, downsample, fade, grain, jpeg, scratches, sepia

if TYPE_CHECKING:
    from w251lab.faces.arguments import Picture

__all__ = [
    "PRESETS",
    "Preset",
    "at",
    "box_blur",
    "brighten",
    "compose",
    "downsample",
    "fade",
    "grain",
    "gray",
    "jpeg",
    "luma",
    "preset",
    "renamed",
    "salt_and_pepper",
    "scratches",
    "sepia",
    "vintage",
]


@dataclass(frozen=True)
class Preset:
    """How strong each step of the filter is.

    Attributes:
        name: What it is called.
        brightness: Factor on each level; 1 leaves it.
        noise: Probability of a black pixel, and again of a white one: the share of corrupted pixels is twice this.
        blur: Side of the box in pixels; 1 leaves the picture.
    """

    name: str
    brightness: float
    noise: float
    blur: int

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        arguments.number(self.brightness, "brightness", least=0)
        arguments.number(self.noise, "noise", least=0, most=0.5)
        arguments.whole(self.blur, "blur", least=1)

    @property
    def corrupted(self) -> float:
        """The share of pixels that salt and pepper replace: ``2 * noise``."""
        return 2 * self.noise

    def __str__(self) -> str:
        """Name and settings, for a picture's caption."""
        return f"{self.name}: brightness {self.brightness:g}, noise {self.noise:g}, blur {self.blur}"


#: From hardly old to hardly a face.
PRESETS: Final = {
    preset.name: preset
    for preset in (
        Preset("slight", 1.2, 0.01, 3),
        Preset("safe", 1.6, 0.04, 5),
        Preset("adventurous", 2.0, 0.07, 6),
        Preset("lucky", 2.3, 0.10, 8),
    )
}
_LIGHTEST: Final = Preset("none", 1.0, 0.0, 1)


def preset(settings: str | Preset) -> Preset:
    """The preset of a name; a preset is itself.

    Raises:
        UsageError: There is none of that name.
    """
    if isinstance(settings, Preset):
        return settings
    if settings not in PRESETS:
        raise UsageError(
            f"there is no preset {settings!r}", f"use one of {', '.join(PRESETS)}, or Preset(name, brightness, ...)"
        )
    return PRESETS[settings]


def at(strength: float) -> Preset:
    """Settings between no damage (0) and those of the preset "lucky" (1), each on a straight line.

    Args:
        strength: 0..1.

    Raises:
        UsageError: It is not in 0..1.
    """
    share = arguments.number(strength, "strength", least=0, most=1)
    low, high = _LIGHTEST, PRESETS["lucky"]
    return Preset(
        f"strength {share:g}",
        low.brightness + share * (high.brightness - low.brightness),
        low.noise + share * (high.noise - low.noise),
        round(low.blur + share * (high.blur - low.blur)),
    )


def vintage(picture: Picture, settings: str | Preset = "safe", *, seed: int = 0, color: bool = False) -> Picture:
    """The filter: gray, brightness, salt and pepper, box blur.

    Args:
        picture: uint8, (height, width, 3) or (height, width).
        settings: A preset or its name.
        seed: Of the specks.
        color: Leave the first step out, so that the picture keeps its colours.

    Returns:
        uint8 of the same shape.

    Raises:
        PictureError: It is no picture.
        UsageError: There is no such preset, or the seed is no whole number from 0.
    """
    chosen = preset(settings)
    # In gray all steps do the same to the three channels: they work on one.
    changed = arguments.pixels(picture) if color else luma(picture)
    changed = brighten(changed, chosen.brightness)
    changed = salt_and_pepper(changed, chosen.noise, seed=seed)
    changed = box_blur(changed, chosen.blur)
    return changed if changed.ndim == picture.ndim else _three(changed)


def gray(picture: Picture) -> Picture:
    """Without colours: each pixel's luma in all three channels.

    The luma is ``0.299 R + 0.587 G + 0.114 B`` (ITU-R BT.601) in whole numbers, by Pillow's ``convert("L")``:
    ``(19595 R + 38470 G + 7471 B + 32768) >> 16``.
    """
    levels = arguments.pixels(picture)
    if levels.ndim == 2:
        return levels.copy()
    return _three(luma(levels))


def luma(picture: Picture) -> Picture:
    """The gray levels of a picture, uint8 (height, width)."""
    levels = arguments.pixels(picture)
    if levels.ndim == 2:
        return levels
    return np.array(Image.fromarray(levels).convert("L"))


def brighten(picture: Picture, factor: float) -> Picture:
    """Each level times ``factor``, rounded (halves to even), at most 255."""
    levels = arguments.pixels(picture)
    scale = arguments.number(factor, "factor", least=0)
    table = np.clip(np.rint(np.arange(256) * scale), 0, 255).astype(np.uint8)
    brighter: Picture = table[levels]
    return brighter


def salt_and_pepper(picture: Picture, probability: float, *, seed: int = 0) -> Picture:
    """Some pixels black, as many white.

    One number u in [0, 1) is drawn for each pixel, in rows from the top: the pixel becomes black where
    ``u < probability`` and white where ``u >= 1 - probability``. So the corrupted share is ``2 * probability``.

    Args:
        picture: uint8, in colour or gray.
        probability: Of black, and again of white: 0..0.5.
        seed: u are ``numpy.random.default_rng(seed).random((height, width))``.
    """
    levels = arguments.pixels(picture)
    share = arguments.number(probability, "probability", least=0, most=0.5)
    drawn = arguments.generator(seed).random(levels.shape[:2])
    if levels.ndim == 3:
        drawn = drawn[:, :, None]
    salted = np.where(drawn >= 1 - share, np.uint8(255), levels)
    return np.where(drawn < share, np.uint8(0), salted)


def box_blur(picture: Picture, size: int) -> Picture:
    """Each level becomes the mean over a box of ``size`` x ``size`` pixels around it.

    An odd box has the pixel in its middle. An even one cannot: it reaches one pixel further up and left than down and
    right, from ``-size // 2`` to ``size // 2 - 1``, so its picture moves by half a pixel down and right. (OpenCV's and
    SciPy's box filters put their even boxes likewise.) Beyond the edge the picture is mirrored about its outermost
    pixels: 3 2 | 1 2 3. Means are taken in whole numbers and rounded, halves up.
    """
    levels = arguments.pixels(picture)
    side = arguments.whole(size, "size", least=1)
    if side == 1:
        return levels.copy()
    before, area = side // 2, side * side
    margins = [(before, side - 1 - before)] * 2 + [(0, 0)] * (levels.ndim - 2)
    # The narrowest type that holds every sum: most of the time goes into moving them.
    total = np.pad(levels, margins, mode="reflect").astype(np.min_scalar_type(area * 256))
    total = reduce(np.add, (total[place : place + levels.shape[0]] for place in range(side)))
    total = reduce(np.add, (total[:, place : place + levels.shape[1]] for place in range(side)))
    total += area // 2
    total //= area
    return total.astype(np.uint8)


def renamed(settings: str | Preset, **changes: float) -> Preset:
    """A preset with other settings, called "NAME, changed"; for instance ``renamed("safe", noise=0)``.

    Raises:
        UsageError: There is no such preset, or a setting cannot be meant.
    """
    chosen = preset(settings)
    if unknown := set(changes) - {"brightness", "noise", "blur"}:
        raise UsageError(f"a preset has no {', '.join(sorted(unknown))}", "change brightness, noise or blur")
    return replace(chosen, name=f"{chosen.name}, changed", **changes)  # type: ignore[arg-type]  # it looks at them


def _three(levels: Picture) -> Picture:
    """Gray levels as equal red, green and blue."""
    return np.array(Image.fromarray(levels).convert("RGB"))
