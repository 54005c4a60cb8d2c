"""The files of a run of the curves: JSON and PNG for each, nothing of an earlier run lost."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from w251lab.bench import files
from w251lab.errors import W251Error
from w251lab.rapids import bench
from w251lab.timing import Comparison, plot

if TYPE_CHECKING:
    from collections.abc import Sequence


def make_room(folder: Path, names: Sequence[str]) -> list[Path]:
    """Move what an earlier run left in ``folder`` aside; see :func:`w251lab.bench.files.make_room`.

    Raises:
        UsageError: It is no folder, or a file in it has a curve's name and is none.
        W251Error: It cannot be written to.
    """
    return files.make_room(folder, names, Comparison.load)


def write(found: Comparison, folder: Path, name: str) -> None:
    """``NAME.json`` and ``NAME.png``; a CPU's curve is drawn beside a GPU's recorded one, if there is one.

    Raises:
        W251Error: They cannot be written.
    """
    file = found.save(folder / f"{name}.json")
    beside = None
    if len(found.contenders) == 1 and (bench.folder() / f"{name}.json").is_file():
        beside = bench.recorded(name)
    files.draw(plot(found, beside), file)


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
