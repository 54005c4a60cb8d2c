"""One picture in the many forms that a server is sent: sizes, colour models, file formats, orientations."""

from __future__ import annotations

import io
from typing import Any, Final

from PIL import Image, ImageOps

from w251lab.dali import checks, damage
from w251lab.errors import W251Error

#: Lengths of the longest side, in pixels, that :func:`every` makes.
SIZES: Final = (50, 224, 500, 1000, 2000, 4000)
JPEG_MODES: Final = ("RGB", "L", "CMYK")
PNG_MODES: Final = ("RGB", "RGBA", "P", "L")

_ORIENTATION: Final = 0x0112  # the tag's number in EXIF
# What has to be done to an upright picture, so that what the tag asks for makes it upright again.
_STORED: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def jpeg(
    content: bytes,
    *,
    size: int | None = None,
    mode: str = "RGB",
    orientation: int | None = None,
    progressive: bool = False,
    quality: int = 90,
) -> bytes:
    """The picture as a JPEG file.

    Args:
        content: The bytes of any picture that Pillow reads.
        size: Pixels of the longest side, scaled up or down; None for as it is.
        mode: ``"RGB"`` (stored as YCbCr), ``"L"`` (gray) or ``"CMYK"``.
        orientation: The EXIF orientation, 1..8: the pixels are stored turned or mirrored, so that a reader that obeys
            it sees the picture upright. None for no EXIF.
        progressive: Stored in passes, from coarse to fine.
        quality: Of the compression, 1..100.

    Raises:
        UsageError: A number or a mode that there is not.
        W251Error: ``content`` is no picture, or is damaged.
    """
    checks.one_of(mode, "mode", JPEG_MODES)
    checks.whole(quality, "quality", most=100)
    options: dict[str, Any] = {"quality": quality, "progressive": progressive}
    if orientation is not None:
        checks.whole(orientation, "orientation", most=8)
        exif = Image.Exif()
        exif[_ORIENTATION] = orientation
        options["exif"] = exif
    picture = _read(content, size).convert(mode)
    if orientation in _STORED:
        picture = picture.transpose(_STORED[orientation])
    return _save(picture, "JPEG", options)


def png(content: bytes, *, size: int | None = None, mode: str = "RGB") -> bytes:
    """The picture as a PNG file.

    Args:
        content: The bytes of any picture that Pillow reads.
        size: Pixels of the longest side, scaled up or down; None for as it is.
        mode: ``"RGB"``, ``"RGBA"`` (clear on the left, opaque on the right), ``"P"`` (a palette of 256 colours) or
            ``"L"`` (gray).

    Raises:
        UsageError: A number or a mode that there is not.
        W251Error: ``content`` is no picture, or is damaged.
    """
    checks.one_of(mode, "mode", PNG_MODES)
    picture = _read(content, size)
    if mode == "RGBA":
        ramp = Image.linear_gradient("L").transpose(Image.Transpose.ROTATE_90)
        picture.putalpha(ramp.resize(picture.size))
    elif mode == "P":
        picture = picture.quantize(256)
    else:
        picture = picture.convert(mode)
    return _save(picture, "PNG", {})


def every(content: bytes) -> dict[str, bytes]:
    """All forms of a picture by name: 21 files.

    Their names are ``"50 px"`` to ``"4000 px"`` (:data:`SIZES`), ``"gray JPEG"``, ``"CMYK JPEG"``,
    ``"progressive JPEG"``, ``"orientation 1"`` to ``"orientation 8"``, ``"RGB PNG"``, ``"RGBA PNG"``, ``"palette PNG"``
    and ``"gray PNG"``.

    Args:
        content: The bytes of any picture that Pillow reads.

    Raises:
        W251Error: ``content`` is no picture, or is damaged.
    """
    made = {f"{size} px": jpeg(content, size=size) for size in SIZES}
    made |= {"gray JPEG": jpeg(content, mode="L"), "CMYK JPEG": jpeg(content, mode="CMYK")}
    made["progressive JPEG"] = jpeg(content, progressive=True)
    made |= {f"orientation {number}": jpeg(content, orientation=number) for number in range(1, 9)}
    kinds = {"RGB": "RGB", "RGBA": "RGBA", "palette": "P", "gray": "L"}
    return made | {f"{name} PNG": png(content, mode=mode) for name, mode in kinds.items()}


def _read(content: bytes, size: int | None) -> Image.Image:
    """The picture, upright and RGB, scaled to ``size``."""
    if size is not None:
        checks.whole(size, "size", most=65500)
    try:
        with Image.open(io.BytesIO(content)) as opened:
            picture = ImageOps.exif_transpose(opened).convert("RGB")
    except damage.UNREADABLE as error:
        raise W251Error(
            f"the given {len(content):,} bytes are no picture that Pillow can read: {error}", _WHOLE
        ) from error
    if size is None:
        return picture
    scale = size / max(picture.size)
    shape = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    return picture.resize(shape, Image.Resampling.LANCZOS)


_WHOLE: Final = "give the whole content of a picture's file"


def _save(picture: Image.Image, kind: str, options: dict[str, Any]) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()
