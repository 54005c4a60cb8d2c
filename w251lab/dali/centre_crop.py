"""The validation recipe as operators of DALI, in one function that needs nothing but DALI.

It is called by :mod:`w251lab.dali.operators`, and its text is copied into the ``dali.py`` of a model repository
(:mod:`w251lab.dali.serving.source`), where there is no w251lab: so it imports nothing, takes DALI as an argument, and
uses only what DALI 1.35 and later have (Triton 24.10 carries 1.42).
"""

from __future__ import annotations

from typing import Any


def centre_crop(
    dali: Any,
    encoded: Any,
    *,
    decoder: str,
    to_gpu: bool,
    resize: int,
    crop: int,
    interpolation: str,
    antialias: bool,
    mean: list[float],
    std: list[float],
) -> Any:
    """The centre of each resized picture, normalised.

    The size and the crop's place are torchvision's: the longer side is ``int(resize * long / short)``, and the crop
    starts at ``round((side - crop) / 2)``.

    Args:
        dali: The package ``nvidia.dali``, with ``fn``, ``types`` and ``math`` loaded.
        encoded: Node of encoded pictures, uint8 [bytes] each, in the computer's memory.
        decoder: The decoder's device: ``cpu``, or ``mixed`` for the GPU.
        to_gpu: Copy the decoded pictures to the GPU, and go on there.
        resize: Length of the shorter side in pixels.
        crop: Height and width of the result in pixels.
        interpolation: Name in ``dali.types.DALIInterpType``.
        antialias: Widen the filter where the picture is made smaller.
        mean: Subtracted from red, green and blue in 0..255.
        std: Divides the result.

    Returns:
        Node of float32 [3, crop, crop].
    """
    fn, types = dali.fn, dali.types
    # The GPU's decoder interpolates the colours of a JPEG as the CPU's does, and Pillow's, if it is told to.
    images = fn.decoders.image(encoded, device=decoder, output_type=types.RGB, jpeg_fancy_upsampling=True)
    # From the header, not from the decoded pixels: those may be on the GPU, and this waits for nothing.
    sides = fn.slice(fn.peek_image_shape(encoded), 0, 2, axes=[0])
    resized = resize * sides // fn.reductions.min(sides, axes=[0])
    free = resized - crop
    half = free // 2
    odd = free - 2 * half
    # Of two whole numbers that are equally near, Python's round takes the even one.
    start = half + odd * (half - 2 * (half // 2))
    place = fn.cast(start, dtype=types.FLOAT) / dali.math.max(fn.cast(free, dtype=types.FLOAT), 1.0)
    images = fn.resize(
        images.gpu() if to_gpu else images,
        size=fn.cast(resized, dtype=types.FLOAT),
        interp_type=getattr(types.DALIInterpType, interpolation),
        antialias=antialias,
    )
    # Place as DALI takes it: 0 is top or left, 1 the end.
    return fn.crop_mirror_normalize(
        images,
        crop=(crop, crop),
        crop_pos_y=place[0],
        crop_pos_x=place[1],
        dtype=types.FLOAT,
        output_layout="CHW",
        mean=mean,
        std=std,
    )
