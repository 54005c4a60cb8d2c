"""The files of a run: JSON and PNG for each result, nothing of an earlier run lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from w251lab.errors import UsageError, W251Error

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from matplotlib.figure import Figure

_PREVIOUS: Final = "previous"
_DPI: Final = 150


def make_room(folder: Path, names: Sequence[str], load: Callable[[Path], object]) -> list[Path]:
    """Move what an earlier run left in ``folder`` aside: ``NAME.json`` becomes ``NAME.previous.json``.

    Called before anything is measured, so that a folder that cannot be used is known at once.

    Args:
        folder: Where the results go; made where it is missing.
        names: Of the results.
        load: Reads a result, and raises W251Error for what is none.

    Returns:
        What lies there now of the run before; that of the run before that is gone.

    Raises:
        UsageError: It is no folder, or a file in it has a result's name and is none.
        W251Error: It cannot be written to.
    """
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"--output {folder} is not a folder", "name a folder")
    earlier = [folder / f"{name}.json" for name in names if (folder / f"{name}.json").exists()]
    for file in earlier:
        try:
            load(file)
        except W251Error as error:
            raise UsageError(
                f"{file} is not from an earlier run, and the result would overwrite it ({error.what})",
                "name another folder with --output, or move it away",
            ) from error
    moved = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file in earlier:
            moved.append(file.replace(file.with_name(f"{file.stem}.{_PREVIOUS}.json")))
            if (picture := file.with_suffix(".png")).exists():
                picture.replace(picture.with_name(f"{file.stem}.{_PREVIOUS}.png"))
    except OSError as error:
        raise W251Error(
            f"{folder} cannot be written to: {error.strerror}", "name another folder with --output"
        ) from error
    return moved


def draw(figure: Figure, file: Path) -> Path:
    """Write a figure beside the JSON file ``file``, as PNG.

    Raises:
        W251Error: It cannot be written.
    """
    picture = file.with_suffix(".png")
    try:
        figure.savefig(picture, dpi=_DPI)
    except OSError as error:
        raise W251Error(f"{picture} cannot be written: {error.strerror}", "make room") from error
    return picture
