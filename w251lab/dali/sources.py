"""Which pictures a pipeline takes: files, or encoded bytes that are in memory already."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from w251lab.dali import checks
from w251lab.errors import UsageError, W251Error

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Sequence

#: Endings of the files that :func:`folder` takes: the formats that DALI decodes.
ENDINGS: Final = (
    *(".jpg", ".jpeg", ".jp2", ".png", ".bmp", ".tif", ".tiff"),
    *(".pnm", ".ppm", ".pgm", ".pbm", ".webp"),
)
_INT32: Final = 2**31 - 1


@dataclass(frozen=True)
class Source:
    """Encoded pictures with their labels. Made by :func:`folder`, :func:`files` or :func:`encoded`.

    Attributes:
        names: What to call each picture: the path of its file, or the name that was given.
        labels: The class of each, a number from 0.
        classes: The name of each class; empty where the labels came without names.
        contents: The bytes of each picture, or None where ``names`` are the files to read them from.
    """

    names: tuple[str, ...]
    labels: tuple[int, ...]
    classes: tuple[str, ...] = ()
    contents: tuple[bytes, ...] | None = None

    def __len__(self) -> int:
        """How many pictures."""
        return len(self.names)

    def __repr__(self) -> str:
        """Short: not the bytes of all pictures."""
        kind = "files" if self.contents is None else "in memory"
        return f"Source({len(self):,} pictures, {kind}, {len(set(self.labels)):,} labels)"

    def read(self, index: int) -> bytes:
        """The encoded bytes of one picture.

        Raises:
            W251Error: Its file cannot be read any more.
        """
        if self.contents is not None:
            return self.contents[index]
        try:
            return Path(self.names[index]).read_bytes()
        except OSError as error:
            raise W251Error(f"the picture {self.names[index]} cannot be read: {error.strerror}", _LOOK) from error


_LOOK: Final = "check the path and its permissions with: ls -l"


def folder(path: str | os.PathLike[str]) -> Source:
    """All pictures of a folder, in the order of their paths.

    A folder of folders is a data set with classes: each of its folders is one, in alphabetical order, with all pictures
    in and below it. A folder of pictures is one class. What begins with a dot is passed over, and so is what has none
    of the endings in :data:`ENDINGS`.

    Args:
        path: The folder.

    Raises:
        W251Error: It is not there, is no folder, may not be read, or holds no pictures; a class is empty; pictures lie
            beside the folders of classes; a file has 0 bytes.
    """
    root = Path(path).expanduser()
    if not root.is_dir():
        raise W251Error(f"{root} is {'not a folder' if root.exists() else 'not there'}", _nearest(root))
    try:
        pictures = [item for item in sorted(root.rglob("*")) if _is_picture(item, root)]
    except OSError as error:
        raise W251Error(f"the folder {root} cannot be read: {error}", _LOOK) from error
    if not pictures:
        raise W251Error(f"the folder {root} holds no pictures", f"put files into it that end in {', '.join(ENDINGS)}")
    groups = [item.relative_to(root).parts for item in pictures]
    flat = [parts for parts in groups if len(parts) == 1]
    if len(flat) == len(groups):
        return _with_files(pictures, (0,) * len(pictures), (root.resolve().name,))
    if flat:
        raise W251Error(
            f"the folder {root} holds both pictures ({flat[0][0]}) and folders of pictures ({groups[-1][0]})",
            "put each picture into the folder of its class, or name one class's folder",
        )
    classes = _classes(root)
    number = {name: index for index, name in enumerate(classes)}
    if empty := sorted(number.keys() - {parts[0] for parts in groups}):
        raise W251Error(
            f"the folder of the class {empty[0]!r} in {root} holds no pictures", "put pictures into it, or remove it"
        )
    return _with_files(pictures, tuple(number[parts[0]] for parts in groups), classes)


def files(paths: Iterable[str | os.PathLike[str]], labels: Sequence[int] | None = None) -> Source:
    """A list of picture files.

    Args:
        paths: The files, whatever their endings.
        labels: The class of each, from 0; None for 0 everywhere.

    Raises:
        UsageError: Not as many labels as files, or a label that is no number from 0.
        W251Error: No files, a file that is not there or no file, or one of 0 bytes.
    """
    one: object = paths
    if isinstance(one, (str, bytes)):
        raise UsageError(f"{paths!r} is one path", "give a list of paths, or use w251lab.dali.sources.folder")
    found = [Path(path).expanduser() for path in paths]
    if not found:
        raise W251Error("the list of pictures is empty", "name at least one file")
    return _with_files(found, _labels(labels, len(found)), ())


def encoded(
    contents: Iterable[bytes], labels: Sequence[int] | None = None, names: Sequence[str] | None = None
) -> Source:
    """Pictures that are in memory as the bytes of their files.

    Args:
        contents: The bytes of each.
        labels: The class of each, from 0; None for 0 everywhere.
        names: What to call each in an error; None for "picture 0" and so on.

    Raises:
        UsageError: Not as many labels or names as pictures, something other than bytes, or a label that is no number
            from 0.
        W251Error: No pictures, or one of 0 bytes.
    """
    one: object = contents
    if isinstance(one, (bytes, bytearray, str)):
        raise UsageError("one picture was given", "give a list of pictures: [content]")
    given = list(contents)
    if not given:
        raise W251Error("the list of pictures is empty", "give the bytes of at least one picture")
    called = tuple(f"picture {index}" for index in range(len(given))) if names is None else tuple(map(str, names))
    if len(called) != len(given):
        raise UsageError(f"{len(called):,} names for {len(given):,} pictures", "give one name for each")
    for name, item in zip(called, given, strict=True):
        if not isinstance(item, (bytes, bytearray, memoryview)):
            raise UsageError(f"{name} is of type {type(item).__name__}", "give the bytes of its file")
        if not len(item):
            raise W251Error(f"{name} has 0 bytes", "give the whole content of its file")
    return Source(called, _labels(labels, len(given)), (), tuple(map(bytes, given)))


def _with_files(paths: Sequence[Path], labels: tuple[int, ...], classes: tuple[str, ...]) -> Source:
    for path in paths:
        try:
            size = path.stat().st_size
        except (OSError, ValueError) as error:  # not there, or a folder that may not be entered; a name with a NUL
            raise W251Error(f"the picture {path} cannot be read: {error}", _nearest(path)) from error
        if not path.is_file():
            raise W251Error(f"{path} is not a file", "name picture files, or use w251lab.dali.sources.folder")
        if not size:
            raise W251Error(f"the picture {path} has 0 bytes", "copy it again, or remove it")
    return Source(tuple(str(path.absolute()) for path in paths), labels, classes)


def _is_picture(item: Path, root: Path) -> bool:
    hidden = any(part.startswith(".") for part in item.relative_to(root).parts)
    return not hidden and item.suffix.lower() in ENDINGS and item.is_file()


def _classes(root: Path) -> tuple[str, ...]:
    return tuple(sorted(item.name for item in root.iterdir() if item.is_dir() and not item.name.startswith(".")))


def _labels(labels: Sequence[int] | None, count: int) -> tuple[int, ...]:
    if labels is None:
        return (0,) * count
    if len(labels) != count:
        raise UsageError(f"{len(labels):,} labels for {count:,} pictures", "give one label for each")
    return tuple(
        checks.whole(label, f"the label of picture {index}", least=0, most=_INT32) for index, label in enumerate(labels)
    )


def _nearest(path: Path) -> str:
    parent = path.parent
    if not parent.is_dir():
        return f"there is no folder {parent} either (the current one is {Path.cwd()})"
    near = difflib.get_close_matches(path.name, [item.name for item in parent.iterdir()], n=1)
    return f"did you mean {parent / near[0]}?" if near and near[0] != path.name else _LOOK
