"""The files of a run of the curves: JSON and PNG for each, nothing of an earlier run lost."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from w251lab.errors import UsageError, W251Error
from w251lab.rapids import bench
from w251lab.timing import Comparison, plot

if TYPE_CHECKING:
    from collections.abc import Sequence

_PREVIOUS: Final = "previous"
_DPI: Final = 150


def make_room(folder: Path, names: Sequence[str]) -> list[Path]:
    """Move what an earlier run left in ``folder`` aside: ``NAME.json`` becomes ``NAME.previous.json``.

    Called before anything is measured, so that a folder that cannot be used is known at once.

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
            Comparison.load(file)
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


def write(found: Comparison, folder: Path, name: str) -> None:
    """``NAME.json`` and ``NAME.png``; a CPU's curve is drawn beside a GPU's recorded one, if there is one.

    Raises:
        W251Error: They cannot be written.
    """
    file = found.save(folder / f"{name}.json")
    beside = None
    if len(found.contenders) == 1 and (bench.folder() / f"{name}.json").is_file():
        beside = bench.recorded(name)
    try:
        plot(found, beside).savefig(file.with_suffix(".png"), dpi=_DPI)
    except OSError as error:
        raise W251Error(f"{file.with_suffix('.png')} cannot be written: {error.strerror}", "make room") from error


def ship(found: Comparison, name: str) -> Path:
    """Put a curve where :func:`w251lab.rapids.bench.recorded` finds it.

    Raises:
        W251Error: It is not a whole curve of both devices, or the package is not a checkout that can be written to.
    """
    on_cpu, on_gpu = bench.contenders(name)
    sizes = bench.find(name).sizes["full"]
    whole = found.contenders == (on_cpu, on_gpu) and all(
        tuple(point.size for point in found.of(who)) == sizes for who in (on_cpu, on_gpu)
    )
    if not whole:
        raise W251Error(
            f"the curve of {name} is not recorded: it is not of both devices at all the sizes of scale full",
            "; ".join(failure.reason for failure in found.failures) or "run it with --device gpu --scale full",
        )
    return found.save(Path(str(bench.folder())) / f"{name}.json")
