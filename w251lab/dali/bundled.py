"""The photographs that are shipped with the package, and larger ones made from them for benchmarks.

Their sources and licences are in ``PROVENANCE.md`` of their folder.
"""

from __future__ import annotations

import io
import random
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PIL import Image, ImageOps

from w251lab.dali import checks, sources
from w251lab.errors import UsageError, W251Error

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from w251lab.dali.sources import Source

_FOLDER: Final = Path(__file__).parent / "pictures"
_REINSTALL: Final = "install w251lab again; in a checkout: git checkout -- w251lab/dali/pictures"
#: The longest side of a JPEG file that Pillow writes.
_LONGEST: Final = 65500
_SMALLEST_WINDOW: Final = 0.7


def folder() -> Path:
    """The folder of the shipped photographs, with a folder for each class.

    64 JPEG files in five classes, upright and lying, 362 to 800 pixels long; five of them are gray, the others RGB.

    Raises:
        W251Error: The installation is without them.
    """
    if not _FOLDER.is_dir():
        raise W251Error(f"the shipped pictures are not in {_FOLDER}", _REINSTALL)
    return _FOLDER


def source() -> Source:
    """The shipped photographs with their classes.

    Raises:
        W251Error: The installation is without them.
    """
    return sources.folder(folder())


def photographs(count: int = 64, size: tuple[int, int] = (1024, 768), *, quality: int = 90) -> Source:
    """RGB JPEG files of one size in memory, made from the shipped photographs.

    They are for benchmarks: as many and as large as you like, but no new photographs. Each is a window of a shipped
    one, scaled with Lanczos and compressed a second time, so it has less detail, and fewer bytes, than a camera's
    picture of the same size. The first of each photograph is its largest centred window; those after it are smaller
    windows at other places, every other one mirrored. The classes take turns. The same arguments give the same bytes
    with the same version of Pillow.

    Args:
        count: How many.
        size: Width and height in pixels.
        quality: Of the JPEG compression, 1..100.

    Returns:
        With the labels and classes of :func:`source`, and names such as ``"animals/cat.jpg #1"``.

    Raises:
        UsageError: A number that cannot be meant.
        W251Error: The installation is without the pictures.
    """
    _check(count, size, quality, least=1)
    made = list(_photographs(count, size, quality))
    shipped = source()
    return sources.Source(
        names=tuple(f"{Path(shipped.names[index]).relative_to(folder())} #{turn + 1}" for index, turn, _ in made),
        labels=tuple(shipped.labels[index] for index, _, _ in made),
        classes=shipped.classes,
        contents=tuple(content for _, _, content in made),
    )


def write(
    path: str | os.PathLike[str], count: int = 64, size: tuple[int, int] = (1024, 768), *, quality: int = 90
) -> Source:
    """The pictures of :func:`photographs` as files, in a folder for each class.

    Args:
        path: A folder that is empty or not there yet.
        count: How many; at least one for each class.
        size: Width and height in pixels.
        quality: Of the JPEG compression, 1..100.

    Returns:
        ``sources.folder(path)``.

    Raises:
        UsageError: A number that cannot be meant.
        W251Error: The folder is not empty or cannot be written; the installation is without the pictures.
    """
    shipped = source()
    _check(count, size, quality, least=len(shipped.classes))
    root = Path(path).expanduser()
    try:
        root.mkdir(parents=True, exist_ok=True)
        if any(root.iterdir()):
            raise W251Error(f"the folder {root} is not empty", "name a new one, or remove what is in it")
        for index, turn, content in _photographs(count, size, quality):
            original = Path(shipped.names[index])
            target = root / original.parent.name / f"{original.stem}_{turn + 1:05d}.jpg"
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(content)
    except OSError as error:
        raise W251Error(
            f"the pictures cannot be written to {root}: {error.strerror}",
            "name a folder that you may write to, with enough space",
        ) from error
    return sources.folder(root)


def _check(count: int, size: tuple[int, int], quality: int, *, least: int) -> None:
    checks.whole(count, "count", least=least)
    checks.whole(quality, "quality", most=100)
    one: object = size
    if not isinstance(one, (tuple, list)) or len(one) != 2:
        raise UsageError(f"size is {size!r}", "give (width, height) in pixels")
    for side in size:
        checks.whole(side, "size", most=_LONGEST)


def _photographs(count: int, size: tuple[int, int], quality: int) -> Iterator[tuple[int, int, bytes]]:
    """For each picture: the index of the shipped one, how many were made of it before, and the bytes."""
    shipped = source()
    order = _taking_turns(shipped)
    for place in range(count):
        turn, index = place // len(order), order[place % len(order)]
        yield index, turn, _window(shipped.read(index), size, turn, seed=f"{index} {turn}", quality=quality)


def _taking_turns(shipped: Source) -> list[int]:
    """The indices of the pictures: the first of each class, the second of each, and so on."""
    classes = [
        [index for index, label in enumerate(shipped.labels) if label == number]
        for number in range(len(shipped.classes))
    ]
    return [index for row in zip_longest(*classes) for index in row if index is not None]


def _window(content: bytes, size: tuple[int, int], turn: int, *, seed: str, quality: int) -> bytes:
    with Image.open(io.BytesIO(content)) as opened:
        picture = opened.convert("RGB")
    # The largest window of the wanted shape, and from the second turn on a part of it.
    chance = random.Random(seed)  # the same numbers on every machine and version of Python
    share = 1.0 if turn == 0 else chance.uniform(_SMALLEST_WINDOW, 1.0)
    scale = share * min(picture.width / size[0], picture.height / size[1])
    # Rounding may make it a hair larger than the picture, which Pillow refuses.
    width, height = min(size[0] * scale, picture.width), min(size[1] * scale, picture.height)
    across, down = (0.5, 0.5) if turn == 0 else (chance.random(), chance.random())
    left, top = across * (picture.width - width), down * (picture.height - height)
    box = (left, top, min(left + width, picture.width), min(top + height, picture.height))
    made = picture.resize(size, Image.Resampling.LANCZOS, box=box)
    file = io.BytesIO()
    (ImageOps.mirror(made) if turn % 2 else made).save(file, "JPEG", quality=quality)
    return file.getvalue()
