"""Photographs, pictures that tell where a window of them was taken, and files that are none."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from w251lab.dali import sources

if TYPE_CHECKING:
    from collections.abc import Callable

    from w251lab.dali.sources import Source

PHOTOGRAPHS = Path(__file__).parents[2] / "solutions" / "01_triton_quickstart" / "images"


@pytest.fixture(scope="session")
def photographs() -> Source:
    """Ten JPEG files, one of them gray, of different sizes."""
    return sources.folder(PHOTOGRAPHS)


@pytest.fixture(scope="session")
def encode() -> Callable[..., bytes]:
    """A PIL image as the bytes of a file."""

    def save(picture: Image.Image, kind: str = "PNG", **how: object) -> bytes:
        file = io.BytesIO()
        picture.save(file, kind, **how)
        return file.getvalue()

    return save


@pytest.fixture(scope="session")
def plane(encode: Callable[..., bytes]) -> bytes:
    """512 x 512 pixels whose red says where they are from left to right, and whose green from top to bottom."""
    place = np.arange(512) // 2
    values = np.zeros((512, 512, 3), np.uint8)
    values[:, :, 0], values[:, :, 1] = place[np.newaxis, :], place[:, np.newaxis]
    return encode(Image.fromarray(values))


@pytest.fixture
def flat(encode: Callable[..., bytes]) -> Callable[..., Source]:
    """Makes a source of so many pictures in memory, picture i of one gray level i, labelled 10 i."""

    def make(count: int) -> Source:
        contents = [encode(Image.new("RGB", (8, 8), (level,) * 3)) for level in range(count)]
        return sources.encoded(contents, labels=[10 * level for level in range(count)])

    return make


@pytest.fixture
def on_disk(tmp_path: Path) -> Callable[[Source], Source]:
    """The same source as files, in a folder with a space in its name."""

    def write(source: Source) -> Source:
        folder = tmp_path / "pictures on disk ü"
        folder.mkdir()
        paths = [folder / f"{index:03d}.png" for index in range(len(source))]
        for index, path in enumerate(paths):
            path.write_bytes(source.read(index))
        return sources.files(paths, labels=source.labels)

    return write


@pytest.fixture(params=["half", "text", "zeros"])
def broken(request: pytest.FixtureRequest, photographs: Source) -> bytes:
    """What no decoder can read, in three ways."""
    whole = photographs.read(0)
    found: bytes = {"half": whole[: len(whole) // 2], "text": b"no picture", "zeros": bytes(5000)}[request.param]
    return found
