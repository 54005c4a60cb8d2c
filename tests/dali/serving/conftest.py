"""One server for the tests that only ask it something, and bytes that no decoder can make a picture of."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from w251lab.dali import serving
from w251lab.triton import server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from w251lab.dali.sources import Source
    from w251lab.triton.embedded import EmbeddedServer


#: Kinds of :func:`undecodable` that pass for whole once zeros follow: these formats have no end mark.
WITHOUT_END = {"BMP, cut", "WebP, cut", "TIFF, cut"}


@pytest.fixture(scope="session")
def padded_undecodable(undecodable: dict[str, tuple[bytes, str]]) -> dict[str, tuple[bytes, str]]:
    """Those of :func:`undecodable` that are known for what they are with zeros after them, too."""
    return {name: item for name, item in undecodable.items() if name not in WITHOUT_END}


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    """The embedded server with the three models, in a folder with a space in its name."""
    folder = serving.write(tmp_path_factory.mktemp("models of dali"))
    with server.start(folder) as started:
        yield started


@pytest.fixture(scope="session")
def contents(photographs: Source) -> list[bytes]:
    """The photographs as the bytes of their files."""
    return [photographs.read(index) for index in range(len(photographs))]


def claiming(content: bytes, height: int, width: int) -> bytes:
    """A JPEG whose header claims another size."""
    changed = bytearray(content)
    at = changed.index(b"\xff\xc0")
    changed[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(changed)


def _png_claiming(content: bytes, height: int, width: int) -> bytes:
    """A PNG whose header claims another size, with the right checksum."""
    header = b"IHDR" + struct.pack(">II", width, height) + content[24:29]
    return content[:12] + header + struct.pack(">I", zlib.crc32(header)) + content[33:]


def _flipped(content: bytes, at: int) -> bytes:
    changed = bytearray(content)
    changed[at] ^= 0xFF
    return bytes(changed)


CODE_STREAM = b"\xff\x4f\xff\x51"


def _without(jpeg_2000: bytes, at: int, count: int) -> bytes:
    """With zeros so many bytes behind the beginning of the pixels."""
    at += jpeg_2000.index(CODE_STREAM)
    return jpeg_2000[:at] + bytes(count) + jpeg_2000[at + count :]


@pytest.fixture(scope="session")
def undecodable(contents: list[bytes], encode: Callable[..., bytes]) -> dict[str, tuple[bytes, str]]:
    """Bytes that no decoder can make a picture of, and what the error must say of them."""
    jpeg = contents[1]
    noise = np.random.default_rng(0).integers(0, 256, (90, 120, 3), np.uint8)
    picture = Image.fromarray(noise)
    png, bitmap, webp, tiff, jp2 = (encode(picture, kind) for kind in ("PNG", "BMP", "WEBP", "TIFF", "JPEG2000"))
    progressive = encode(picture, "JPEG", progressive=True)
    tables = jpeg.index(b"\xff\xc4")
    damaged = "damaged or cut short"
    return {
        "nothing": (b"", "0 bytes"),
        "zeros": (bytes(500), "0 bytes"),
        "text": (b"no picture\nat all\n", "it is text"),
        "HTML": (b"<!DOCTYPE html><html><body>404</body></html>", "HTML or XML"),
        "SVG": (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "HTML or XML"),
        "PDF": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n" + jpeg, "a PDF document"),
        "ZIP": (b"PK\x03\x04" + jpeg, "a ZIP archive"),
        "gzip": (b"\x1f\x8b\x08" + jpeg, "a gzip archive"),
        "GIF": (encode(picture, "GIF"), "a GIF file"),
        "random bytes": (noise.tobytes(), "binary data"),
        "JPEG, wrong magic": (b"\xff\x00" + jpeg[2:], "binary data"),
        "JPEG, only its start": (b"\xff\xd8", damaged),
        "JPEG, random after the start": (b"\xff\xd8" + noise.tobytes(), damaged),
        "JPEG, cut in the header": (jpeg[:100], damaged),
        "JPEG, cut in the middle": (jpeg[: len(jpeg) // 2], damaged),
        "JPEG, without its last bytes": (jpeg[:-20], damaged),
        "JPEG, impossible Huffman table": (jpeg[: tables + 5] + b"\xff" * 16 + jpeg[tables + 21 :], damaged),
        "JPEG, no pixels": (claiming(jpeg, 0, 0), "0 x 0 pixels"),
        "JPEG, 30,000 x 30,000": (claiming(jpeg, 30_000, 30_000), "30000 x 30000 pixels, more than the"),
        "JPEG, long and thin": (claiming(jpeg, 1, 65_000), "65000 x 1 pixels, too long and thin"),
        "progressive JPEG, cut": (progressive[: len(progressive) // 2], damaged),
        "PNG, cut": (png[: len(png) // 2], damaged),
        "PNG, wrong checksum of pixels": (_flipped(png, png.index(b"IDAT") + 500), damaged),
        "PNG, wrong checksum of the header": (_flipped(png, 29), damaged),
        "PNG, 60,000 x 60,000": (_png_claiming(png, 60_000, 60_000), "60000 x 60000 pixels, more than the"),
        "BMP, cut": (bitmap[: len(bitmap) // 2], damaged),
        "WebP, cut": (webp[: len(webp) // 2], damaged),
        "TIFF, cut": (tiff[: len(tiff) // 2], damaged),
        "JPEG 2000, tiles of no width": (_without(jp2, 24, 4), damaged),
        "JPEG 2000, tiles of no height": (_without(jp2, 28, 4), damaged),
        "JPEG 2000, no components": (_without(jp2[jp2.index(CODE_STREAM) :], 40, 2), damaged),
        "JPEG 2000, only its start": (CODE_STREAM + b"\0\x2f", damaged),
        "JPEG 2000, cut": (jp2[: len(jp2) // 3], damaged),
    }


@pytest.fixture
def dali_py(tmp_path: Path) -> Path:
    """The pipeline as a file."""
    file = tmp_path / "dali.py"
    file.write_text(serving.text())
    return file


@pytest.fixture(
    params=[
        ([], "no pictures"),
        (b"one", "one picture"),
        ("path.jpg", "one picture"),
        (["path.jpg"], "str"),
        ([np.zeros(3)], "float64"),
        ([np.zeros((2, 2), np.uint8)], r"uint8 \[2, 2\]"),
    ],
    ids=["none", "bytes", "path", "paths", "floats", "decoded"],
)
def no_pictures(request: pytest.FixtureRequest) -> tuple[Any, str]:
    """Something else than the bytes of pictures, and a word of what is said to it."""
    found: tuple[Any, str] = request.param
    return found
