"""Pictures in and out: whatever a person has becomes uint8 RGB of shape (height, width, 3), and back into a file."""

from __future__ import annotations

import contextlib
import io
import os
import struct
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from w251lab.errors import UsageError
from w251lab.faces import arguments
from w251lab.faces.errors import PictureError
from w251lab.faces.files import write_whole

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

#: What :func:`read_picture` takes.
Source = str | os.PathLike[str] | bytes | bytearray | memoryview | Image.Image | np.ndarray
#: More pixels than this are refused before they are decoded: they would need gigabytes of memory.
MOST_PIXELS: Final = 178_956_970
#: The bundled portraits; their source and licence are in ``portraits/PROVENANCE.md``.
PORTRAITS: Final = ("collins", "hopper")

_FOLDER: Final = Path(__file__).parent / "portraits"
_FORMATS: Final = "a JPEG, PNG, WebP, TIFF, GIF or BMP picture"
_SUFFIXES: Final = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG", ".webp": "WEBP", ".bmp": "BMP", ".tif": "TIFF"}
_WHITE: Final = (255, 255, 255, 255)
# What Pillow raises on damaged data and on what is no picture.
_UNREADABLE: Final = (OSError, SyntaxError, ValueError, EOFError, IndexError, TypeError, OverflowError, struct.error)


def read_picture(source: Source, *, largest: int | None = None) -> NDArray[np.uint8]:
    """A picture as uint8 RGB.

    A picture is turned upright as its EXIF orientation says, 16 bits a channel become 8, what is transparent is laid
    on white, CMYK, palette and gray become RGB, and of an animation the first frame is taken.

    Args:
        source: A file's path, a file's content, a Pillow picture, or an array: uint8, uint16 (0..65535), or floats in
            0..1, of shape (height, width), or (height, width, channels) with 1 (gray), 3 (RGB) or 4 (RGBA) channels.
        largest: Shrink a picture whose longer side has more pixels than this, keeping its shape. None: leave it.

    Returns:
        uint8 (height, width, 3), C-contiguous, and never the memory of ``source``.

    Raises:
        PictureError: It is missing, no picture, damaged, cut short, of a form that cannot be meant, holds numbers that
            are not finite, or has more than `MOST_PIXELS`.
        UsageError: ``largest`` is no positive whole number.
    """
    limit: object = largest
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 1):
        raise UsageError(f"largest is {largest!r}", "give a whole number of pixels, at least 1, or None")
    if isinstance(source, np.ndarray):
        picture = _from_array(source)
    elif isinstance(source, Image.Image):
        picture = _decoded(source, "the picture", None)  # a draft would change the caller's own
    else:
        content, name = _content(source)
        with _opened(content, name) as opened:
            picture = _decoded(opened, name, largest)
    if largest is not None and max(picture.size) > largest:
        scale = largest / max(picture.size)
        size = max(round(picture.width * scale), 1), max(round(picture.height * scale), 1)
        picture = picture.resize(size, Image.Resampling.LANCZOS)
    return np.array(picture, dtype=np.uint8)


def write_picture(picture: NDArray[np.uint8], path: str | os.PathLike[str], *, quality: int = 95) -> Path:
    """Write a picture to a file whose name says the format; a file of that name is replaced only by a whole one.

    Args:
        picture: uint8 (height, width, 3), RGB.
        path: With the suffix .png, .jpg, .jpeg, .webp, .bmp or .tif. Its folder is made where it is missing.
        quality: Of JPEG and WebP, 1..100.

    Returns:
        The path.

    Raises:
        UsageError: The suffix is another, or the quality is out of range.
        PictureError: It is no picture, is larger than the format allows, or cannot be written: a folder without
            permission, a full disk.
    """
    target = Path(path).expanduser()
    kind = _SUFFIXES.get(target.suffix.lower())
    if kind is None:
        raise UsageError(f"cannot tell a picture's format from the name {target.name!r}", f"end it with {_suffixes()}")
    check_picture(picture)
    content = _encoded(picture, kind, arguments.whole(quality, "quality", least=1, most=100))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        write_whole(target, content)
    except OSError as error:
        raise PictureError(
            f"the picture cannot be written to {target}: {error.strerror or error}",
            "name a file in a folder that you may write to, on a disk with enough space",
        ) from error
    return target


def portrait(name: str = "collins") -> NDArray[np.uint8]:
    """A bundled portrait in the public domain.

    Args:
        name: One of `PORTRAITS`.

    Raises:
        UsageError: Another name.
        PictureError: The installation is without them.
    """
    if name not in PORTRAITS:
        raise UsageError(f"there is no portrait {name!r}", f"use one of {', '.join(PORTRAITS)}")
    return read_picture(portrait_path(name))


def portrait_path(name: str = "collins") -> Path:
    """The JPEG file of a bundled portrait; see :func:`portrait`."""
    path = _FOLDER / f"{name}.jpg"
    if not path.is_file():
        raise PictureError(
            f"the bundled portrait is not at {path}",
            "install w251lab again; in a checkout: git checkout -- w251lab/faces/portraits",
        )
    return path


def check_picture(picture: object, name: str = "the picture") -> None:
    """Refuse what is not uint8 (height, width, 3) with at least one pixel.

    Raises:
        PictureError: It is something else.
    """
    arguments.pixels(picture, name, gray=False)


def _encoded(picture: NDArray[np.uint8], kind: str, quality: int) -> bytes:
    """The file's content."""
    file = io.BytesIO()
    try:
        Image.fromarray(picture).save(file, kind, quality=quality)
    except (OSError, ValueError) as error:  # JPEG ends at 65,500 pixels a side, WebP at 16,383
        raise PictureError(
            f"{picture.shape[1]} x {picture.shape[0]} pixels cannot be written as {kind}: {error}",
            "write a PNG file, or a smaller picture",
        ) from error
    return file.getvalue()


def _content(source: object) -> tuple[bytes, str]:
    """The bytes of a file, and what to call it."""
    if isinstance(source, (bytes, bytearray, memoryview)):
        content, name = bytes(source), "the picture"
    elif isinstance(source, (str, os.PathLike)):
        name = os.fsdecode(source)
        try:
            content = Path(name).expanduser().read_bytes()
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise PictureError(f"{name!r} cannot be read: {reason}", "give the path of a picture file") from error
        name = repr(name)
    else:
        raise PictureError(
            f"a picture cannot be made of a {type(source).__name__}",
            "give a path, a file's bytes, a Pillow picture or a NumPy array",
        )
    if not content:
        raise PictureError(f"{name} is empty", f"give {_FORMATS}")
    return content, name


@contextlib.contextmanager
def _opened(content: bytes, name: str) -> Iterator[Image.Image]:
    with _readable(name):
        opened = Image.open(io.BytesIO(content))
    with opened:
        yield opened


@contextlib.contextmanager
def _readable(name: str) -> Iterator[None]:
    """Turn what Pillow raises, or only warns of, into one sentence."""
    try:
        with warnings.catch_warnings():
            # Its size is looked at here; damaged metadata does not matter to the pixels.
            warnings.simplefilter("ignore")
            yield
    except Image.DecompressionBombError as error:
        raise _too_large(name) from error
    except UnidentifiedImageError as error:
        raise PictureError(f"{name} is no picture that can be read", f"give {_FORMATS}") from error
    except _UNREADABLE as error:
        raise PictureError(
            f"{name} is damaged or cut short: {error}", "get the file again, or open and save it in a picture editor"
        ) from error


def _too_large(name: str, pixels: str = "") -> PictureError:
    return PictureError(
        f"{name} has {pixels or 'too many pixels'}; {MOST_PIXELS:,} are the limit",
        "scale it down in a picture editor first: faces need no more than a few thousand pixels a side",
    )


def _decoded(opened: Image.Image, name: str, largest: int | None) -> Image.Image:
    """Upright RGB of a Pillow picture."""
    if opened.width * opened.height > MOST_PIXELS:
        raise _too_large(name, f"{opened.width} x {opened.height} pixels")
    if not opened.width or not opened.height:
        raise PictureError(f"{name} has no pixels", f"give {_FORMATS}")
    with _readable(name):
        if largest is not None:
            opened.draft(None, (largest, largest))  # a JPEG file is decoded at a part of its size, no smaller than that
        opened.load()
        return _rgb(ImageOps.exif_transpose(opened))


def _rgb(picture: Image.Image) -> Image.Image:
    if picture.mode == "RGB":
        return picture
    if picture.mode == "F" or picture.mode.startswith("I"):
        return _from_array(_sixteen_bits(picture))
    if picture.has_transparency_data:
        white = Image.new("RGBA", picture.size, _WHITE)
        return Image.alpha_composite(white, picture.convert("RGBA")).convert("RGB")
    return picture.convert("RGB")


def _sixteen_bits(picture: Image.Image) -> NDArray[Any]:
    """Gray pixels of a mode that Pillow would cut off at 255 in place of scaling."""
    pixels = np.asarray(picture)
    if picture.mode == "F":
        return pixels
    if pixels.min() < 0 or pixels.max() > 65535:
        raise ValueError(f"its numbers reach from {pixels.min()} to {pixels.max()}, beyond 16 bits")
    return pixels.astype(np.uint16)


def _from_array(pixels: NDArray[Any]) -> Image.Image:
    if pixels.ndim == 2:
        pixels = pixels[..., None]
    if pixels.ndim != 3 or pixels.shape[2] not in {1, 3, 4}:
        hint = " (transpose it: array.transpose(1, 2, 0))" if pixels.ndim == 3 and pixels.shape[0] in {1, 3, 4} else ""
        raise PictureError(
            f"an array of shape {pixels.shape} is no picture",
            f"give (height, width), or (height, width, channels) with 1, 3 or 4 channels{hint}",
        )
    if not pixels.size:
        raise PictureError(f"an array of shape {pixels.shape} has no pixels", "give a picture of at least one pixel")
    if pixels.shape[0] * pixels.shape[1] > MOST_PIXELS:
        raise _too_large("the array", f"{pixels.shape[1]} x {pixels.shape[0]} pixels")
    levels = _levels(pixels)
    if levels.shape[2] == 4:
        return _rgb(Image.fromarray(levels))
    return Image.fromarray(np.ascontiguousarray(np.broadcast_to(levels, (*levels.shape[:2], 3))))


def _levels(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    """Numbers of any allowed type as levels 0..255, rounded to the nearest."""
    if pixels.dtype == np.uint8:
        return np.ascontiguousarray(pixels)
    if pixels.dtype == np.uint16:
        return ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)
    if not np.issubdtype(pixels.dtype, np.floating):
        raise PictureError(
            f"an array of {pixels.dtype} is no picture", "give uint8 in 0..255, uint16 in 0..65535, or floats in 0..1"
        )
    unknown = int(np.count_nonzero(~np.isfinite(pixels)))
    if unknown:
        raise PictureError(
            f"{unknown:,} of the array's {pixels.size:,} numbers are NaN or infinite",
            "correct what made them, or replace them with numpy.nan_to_num",
        )
    low, high = float(pixels.min()), float(pixels.max())
    if low < 0 or high > 1:
        raise PictureError(
            f"the array's numbers reach from {low:g} to {high:g}",
            "give floats in 0..1 (divide levels by 255), or uint8 in 0..255",
        )
    return np.rint(pixels.astype(np.float64) * 255).astype(np.uint8)


def _suffixes() -> str:
    return ", ".join(_SUFFIXES)
