"""The recipes as operators of a DALI graph: called while a pipeline is defined, on nodes of it.

The size and the place of the centre crop are computed as torchvision computes them. DALI's own ``resize_shorter``
rounds the longer side where torchvision cuts it, and its centre crop rounds halves up where Python rounds to even: a
pixel here and there, and the largest part of the difference between the two (see :mod:`w251lab.dali.parity`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, get_args

import numpy as np

from w251lab.dali import installed
from w251lab.dali.centre_crop import centre_crop
from w251lab.dali.recipes import Pictures, Training, Validation

if TYPE_CHECKING:
    from w251lab.accelerator import Device
    from w251lab.dali.recipes import Recipe

#: After which of a training recipe's steps a graph may end: encoded pictures, windows, windows of the model's size.
Step = Literal["read", "decode", "augment"]
STEPS: Final = get_args(Step)

_DECODER: Final = {"cpu": "cpu", "gpu": "mixed"}
#: Name in DALI's ``DALIInterpType`` of each interpolation of a recipe.
FILTERS: Final = {
    "nearest": "INTERP_NN",
    "bilinear": "INTERP_LINEAR",
    "bicubic": "INTERP_CUBIC",
    "lanczos": "INTERP_LANCZOS3",
}
# torchvision's RandomResizedCrop draws a window ten times before it takes the centre.
_ATTEMPTS: Final = 10


def apply(recipe: Recipe, encoded: Any, *, device: Device, decode: Device, seed: int, until: Step | None = None) -> Any:
    """What ``recipe`` does to encoded pictures.

    Args:
        recipe: Of :mod:`w251lab.dali.recipes`.
        encoded: Node of encoded pictures, uint8 [bytes] each, in the computer's memory.
        device: Where the work after decoding is done; the result lies there.
        decode: Where pictures are decoded; ``gpu`` is DALI's "mixed", the entropy decoding on the CPU or on the GPU's
            JPEG engine. A GPU's pictures are not brought back: with ``gpu``, ``device`` is ``gpu`` too.
        seed: Of everything random, from 0. Each operator has one of its own made from it, and not from its place in the
            graph: so both devices draw the same windows and angles.
        until: Of :class:`Training` alone: end after this step, to see or to time what the steps before it make. The
            picture is mirrored while it is normalised, so ``augment`` ends before that.

    Returns:
        Node of float32 [3, crop, crop], normalised; of :class:`Pictures`, uint8 [height, width, 3].
    """
    if isinstance(recipe, Training):
        return train(recipe, encoded, device=device, decode=decode, seed=seed, until=until)
    if isinstance(recipe, Validation):
        return validate(recipe, encoded, device=device, decode=decode)
    return show(recipe, encoded, device=device, decode=decode, seed=seed)


def train(
    recipe: Training, encoded: Any, *, device: Device, decode: Device, seed: int, until: Step | None = None
) -> Any:
    """A random window, resized, turned, mirrored and normalised: float32 [3, crop, crop]; see :func:`apply`."""
    if until == "read":
        return encoded
    dali = installed.dali()
    window, angle, mirror = _seeds(seed)
    images = dali.fn.decoders.image_random_crop(
        encoded,
        random_area=list(recipe.area),
        random_aspect_ratio=list(recipe.aspect),
        num_attempts=_ATTEMPTS,
        seed=window,
        **_decoding(decode),
    )
    images = _moved(images, device, decode)
    if until == "decode":
        return images
    images = _resized(recipe, images, [recipe.crop, recipe.crop])
    images = _turned(images, recipe.rotation, angle, keep_size=True)
    if until == "augment":
        return images
    return _normalised(recipe, images, mirror=dali.fn.random.coin_flip(probability=recipe.flip, seed=mirror))


def validate(recipe: Validation, encoded: Any, *, device: Device, decode: Device) -> Any:
    """The centre of the resized picture, normalised: float32 [3, crop, crop]; see :func:`apply`."""
    return centre_crop(
        installed.dali(),
        encoded,
        decoder=_DECODER[decode],
        to_gpu=device == "gpu" and decode == "cpu",
        resize=recipe.resize,
        crop=recipe.crop,
        interpolation=FILTERS[recipe.interpolation],
        antialias=recipe.antialias,
        mean=list(recipe.mean),
        std=list(recipe.std),
    )


def show(recipe: Pictures, encoded: Any, *, device: Device, decode: Device, seed: int) -> Any:
    """Decoded pictures, turned where the recipe says so: uint8 [height, width, 3]; see :func:`apply`."""
    images = installed.dali().fn.decoders.image(encoded, **_decoding(decode))
    _, angle, _ = _seeds(seed)
    return _turned(_moved(images, device, decode), recipe.rotation, angle, keep_size=False)


def _decoding(decode: Device) -> dict[str, Any]:
    return {
        "device": _DECODER[decode],
        "output_type": installed.dali().types.RGB,
        # The GPU's decoder then interpolates the colours of a JPEG as the CPU's does, and Pillow's.
        "jpeg_fancy_upsampling": True,
    }


def _moved(images: Any, device: Device, decode: Device) -> Any:
    """Decoded on the CPU, worked on by the GPU: the pixels are copied, which are many more than the encoded bytes."""
    return images.gpu() if device == "gpu" and decode == "cpu" else images


def _resized(recipe: Training, images: Any, size: Any) -> Any:
    """Resized to exactly ``size`` (height, width), to whole levels of 0..255 as Pillow does."""
    dali = installed.dali()
    return dali.fn.resize(
        images,
        size=size,
        interp_type=getattr(dali.types, FILTERS[recipe.interpolation]),
        antialias=recipe.antialias,
    )


def _seeds(seed: int) -> tuple[int, int, int]:
    """Of the window, the angle and the mirror: independent streams (NumPy's SeedSequence), as DALI takes them."""
    window, angle, mirror = np.random.SeedSequence(seed).generate_state(3) & 0x7FFFFFFF
    return int(window), int(angle), int(mirror)


def _turned(images: Any, degrees: float, seed: int, *, keep_size: bool) -> Any:
    if not degrees:
        return images
    fn = installed.dali().fn
    angle = fn.random.uniform(range=[-degrees, degrees], seed=seed)
    return fn.rotate(images, angle=angle, keep_size=keep_size, fill_value=0)


def _normalised(recipe: Training, images: Any, **how: Any) -> Any:
    dali = installed.dali()
    return dali.fn.crop_mirror_normalize(
        images,
        crop=(recipe.crop, recipe.crop),
        dtype=dali.types.FLOAT,
        output_layout="CHW",
        mean=list(recipe.mean),
        std=list(recipe.std),
        **how,
    )
