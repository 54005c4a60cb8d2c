"""Reading pictures: any file, bytes, array or PIL image becomes an upright 8-bit picture, or one clear error."""

from __future__ import annotations

import difflib
import io
import struct
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from w251lab.errors import W251Error

if TYPE_CHECKING:
    import os

# Formats of photographs. Pillow reads many more, and some of them (EPS) run another program to do so.
FORMATS: Final = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "JPEG2000")

# What Pillow's decoders raise on damaged data, beside OSError.
_DAMAGED: Final = (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, struct.error, zlib.error)
_BOMB: Final = (Image.DecompressionBombError, Image.DecompressionBombWarning)

_SAVE_AGAIN: Final = f"Save it again as one of {', '.join(FORMATS)} with a program that can still show it."


def load_image(source: str | os.PathLike[str] | bytes | np.ndarray[Any, Any] | Image.Image) -> Image.Image:
    """Read a picture.

    Args:
        source: A path, the bytes of an image file, a PIL image, or an array of shape H x W, H x W x 1, H x W x 3
            (RGB) or H x W x 4 (RGBA). Array types: bool, float in 0..1, uint16 (0..65535), any other
            integer type in 0..255.

    Returns:
        A picture of mode ``"L"`` or ``"RGB"``, 8 bits a channel, upright (EXIF orientation applied), its
        transparent parts laid on white; of several frames, the first.

    Raises:
        W251Error: If there is no such file, or it is a directory, empty, damaged, no image of the formats in
            :data:`FORMATS`, or has more pixels than Pillow's ``Image.MAX_IMAGE_PIXELS``; if an array has another
            shape, or a value that is NaN, infinite or out of range.
    """
    if isinstance(source, Image.Image):
        return to_eight_bit(source)
    if isinstance(source, np.ndarray):
        return to_eight_bit(_from_array(source))
    if isinstance(source, bytes | bytearray | memoryview):
        return _decode(io.BytesIO(source), f"the given {len(source)} bytes", len(source))
    path = Path(source).expanduser()
    _check_path(path)
    return _decode(path, f"the file {path}", path.stat().st_size)


def to_eight_bit(image: Image.Image) -> Image.Image:
    """An upright ``"L"`` or ``"RGB"`` picture from a PIL image of any mode.

    Transparency is laid on white. 16-bit gray is divided by 257. Of the modes that do not say their range,
    32-bit integers in 0..65535 are taken as 16-bit and floats in 0..1 or 0..255 as such; anything else is
    stretched from its smallest value to its largest.

    Raises:
        W251Error: If the pixels are damaged or hold NaN, or Pillow has no conversion from the mode to RGB.
    """
    try:
        upright = ImageOps.exif_transpose(image)
        if upright.mode.startswith("I") or upright.mode == "F":
            return Image.fromarray(_stretch(np.asarray(upright)))
        if upright.has_transparency_data:
            layer = upright.convert("RGBA")
            white = Image.new("RGBA", layer.size, "white")
            return Image.alpha_composite(white, layer).convert("RGB")
        return upright.convert("L" if upright.mode in {"1", "L"} else "RGB")
    except _DAMAGED as error:
        raise W251Error(
            f"The picture ({image.mode}, {image.width} x {image.height}) cannot be turned into RGB: {error}.",
            _SAVE_AGAIN,
        ) from error


def _check_path(path: Path) -> None:
    """Refuse what is not a readable file with something in it."""
    try:
        if path.is_dir():
            raise W251Error(f"{path} is a directory, not a picture.", "Name a picture inside it.")
        if not path.exists():
            raise W251Error(f"There is no file {path}.", _nearest(path))
        if not path.is_file():
            raise W251Error(f"{path} is not a regular file.", "Name an image file.")
        if path.stat().st_size == 0:
            raise W251Error(f"The file {path} has 0 bytes.", "It was probably not copied to its end: copy it again.")
    except (OSError, ValueError) as error:  # a part of the path may not be entered; a name with a NUL
        raise W251Error(f"{path!s} cannot be looked at: {error}.", "Check the name and its permissions.") from error


def _nearest(path: Path) -> str:
    """What to do about a file that is not there: the nearest name in its folder."""
    if not path.parent.is_dir():
        return f"There is no folder {path.parent} either (the current one is {Path.cwd()})."
    near = difflib.get_close_matches(path.name, [entry.name for entry in path.parent.iterdir()], n=1)
    return f"Did you mean {path.parent / near[0]}?" if near else f"Look with: ls {path.parent}"


def _decode(file: Path | io.BytesIO, what: str, size: int) -> Image.Image:
    """Decode one image file to its pixels; ``what`` names it in errors."""
    if size == 0:
        raise W251Error("The picture has 0 bytes.", "Give the whole content of an image file.")
    Image.init()
    formats: list[str] = [name for name in FORMATS if name in Image.OPEN]
    try:
        with Image.open(file, formats=formats) as image:
            limit = Image.MAX_IMAGE_PIXELS
            if limit is not None and image.width * image.height > limit:
                raise Image.DecompressionBombError(f"{image.width} x {image.height} pixels")
            image.load()
            return to_eight_bit(image)
    except _BOMB as error:
        raise W251Error(
            f"The picture in {what} is too large to decode safely: {error}.",
            f"Scale it down below {Image.MAX_IMAGE_PIXELS} pixels.",
        ) from error
    except UnidentifiedImageError as error:
        raise W251Error(f"In {what} there is no picture that can be read.", _SAVE_AGAIN) from error
    except PermissionError as error:
        raise W251Error(f"You may not read {what}.", "Check its permissions with: ls -l") from error
    except _DAMAGED as error:
        raise W251Error(f"The picture in {what} is damaged or cut short: {error}.", _SAVE_AGAIN) from error


def _from_array(array: np.ndarray[Any, Any]) -> Image.Image:
    """A PIL image of an array of pixels."""
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.size == 0 or not (array.ndim == 2 or (array.ndim == 3 and array.shape[2] in {3, 4})):
        remedy = "Give H x W (gray), H x W x 3 (RGB) or H x W x 4 (RGBA)"
        first = array.ndim == 3 and array.shape[0] in {1, 3, 4}
        raise W251Error(
            f"An array of shape {array.shape} is no picture.",
            f"{remedy}; this one has its channels first: array.transpose(1, 2, 0)."
            if first
            else f"{remedy}, not empty.",
        )
    return Image.fromarray(_to_bytes(array))


def _to_bytes(array: np.ndarray[Any, Any]) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """An array's values as 0..255, by its type's own range."""
    if array.dtype.kind not in "buif":
        raise W251Error(f"An array of {array.dtype} is no picture.", "Give uint8, or float in 0..1.")
    top = 1.0 if array.dtype.kind in "bf" else 65535.0 if array.dtype == np.uint16 else 255.0
    _refuse_nan(array)
    low, high = float(array.min()), float(array.max())
    if low < 0 or high > top:
        raise W251Error(
            f"A picture of {array.dtype} has values from {low:g} to {high:g}.",
            f"They lie in 0..{top:g}" + (": divide by 255, or give uint8." if array.dtype.kind == "f" else "."),
        )
    return np.rint(array * (255.0 / top)).astype(np.uint8)


def _stretch(values: np.ndarray[Any, Any]) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Pixels of more than 8 bits as 0..255; the rule is in :func:`to_eight_bit`."""
    _refuse_nan(values)
    exact = values.astype(np.float64)
    low, high = float(exact.min()), float(exact.max())
    if values.dtype.kind == "f":
        bottom, top = (0.0, 1.0 if high <= 1 else 255.0) if low >= 0 and high <= 255 else (low, high)
    else:
        bottom, top = (0.0, 65535.0) if low >= 0 and high <= 65535 else (low, high)
    span = top - bottom or 1.0  # one value everywhere: black
    return np.rint((exact - bottom) * (255.0 / span)).astype(np.uint8)


def _refuse_nan(values: np.ndarray[Any, Any]) -> None:
    """Refuse NaN and infinity: no pixel has them, and a model would answer NaN for every class."""
    bad = int(values.size - np.isfinite(values).sum())
    if bad:
        raise W251Error(f"{bad} of {values.size} values of the picture are NaN or infinite.", "Repair them first.")
