"""A curve in words and figures: a table for a terminal or for Markdown, with the hardware and the versions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from w251lab.rapids.curves import CURVES
from w251lab.timing.timing import seconds

if TYPE_CHECKING:
    from rich.table import Table

    from w251lab.timing import Comparison, Timing

_NOT: Final = "-"


def header(comparison: Comparison) -> list[str]:
    """The table's columns."""
    cpu, gpu = _contenders(comparison)
    if gpu is None:
        return [comparison.unit, cpu]
    return [comparison.unit, cpu, gpu, "speed-up", f"{gpu}, from host", "speed-up"]


def rows(comparison: Comparison) -> list[list[str]]:
    """One row for each size: the medians, and what follows from them; a ``*`` marks one that did not settle."""
    cpu, gpu = _contenders(comparison)
    points = {(point.size, point.contender): point for point in comparison.points}
    resident: dict[int, float] = {} if gpu is None else dict(comparison.speedup(cpu, gpu).items())  # type: ignore[arg-type]
    copied: dict[int, float] = (
        {} if gpu is None else dict(comparison.speedup(cpu, gpu, from_host=True).items())  # type: ignore[arg-type]
    )
    made = []
    for size in sorted({point.size for point in comparison.points}):
        slow = points.get((size, cpu))
        row = [f"{size:,}", _said(slow.resident if slow else None)]
        if gpu is not None:
            fast = points.get((size, gpu))
            row += [
                _said(fast.resident if fast else None),
                _ratio(resident.get(size)),
                _said(fast.from_host if fast else None),
                _ratio(copied.get(size)),
            ]
        made.append(row)
    return made


def remarks(comparison: Comparison) -> list[str]:
    """What belongs under the table: the crossover, failures, what did not settle, hardware, versions."""
    cpu, gpu = _contenders(comparison)
    said = []
    if gpu is not None:
        said.append(
            f"{gpu} is ahead {_crossover(comparison, cpu, gpu, from_host=False)}; with the copy from host memory "
            f"{_crossover(comparison, cpu, gpu, from_host=True)}."
        )
    said += [
        f"{failure.contender} stopped at {failure.size:,} {comparison.unit}: {failure.reason}."
        for failure in comparison.failures
    ]
    timings = [t for point in comparison.points for t in (point.resident, point.from_host) if t is not None]
    if not all(timing.settled for timing in timings):
        said.append("* not settled: fewer than three samples, or a spread above what the budget asks for.")
    for contender in comparison.contenders:
        timing = comparison.of(contender)[0].resident
        versions = ", ".join(f"{name} {version}" for name, version in timing.versions.items())
        said.append(f"{contender} on {timing.hardware} ({versions}).")
    return said


def note(name: str) -> str:
    """What is not the same on both devices in the curve of that name."""
    return CURVES[name].note


def table(comparison: Comparison) -> Table:
    """For a terminal."""
    from rich.table import Table  # Markdown needs none  # noqa: PLC0415

    view = Table(title=comparison.title, title_justify="left", title_style="bold")
    for column in header(comparison):
        view.add_column(column, justify="right", no_wrap=True)
    for row in rows(comparison):
        view.add_row(*row)
    return view


def markdown(comparison: Comparison, name: str) -> str:
    """For the docs: the table, and what belongs under it as a list."""
    columns = header(comparison)
    lines = [f"| {' | '.join(columns)} |", f"|{' ---: |' * len(columns)}"]
    lines += [f"| {' | '.join(row)} |" for row in rows(comparison)]
    lines += ["", *(f"- {said}" for said in [*remarks(comparison), note(name)])]
    return "\n".join(lines)


def _contenders(comparison: Comparison) -> tuple[str, str | None]:
    """The first, which the other is compared with, and the one on a GPU."""
    first, *others = comparison.contenders
    return first, others[0] if others else None


def _said(timing: Timing | None) -> str:
    return _NOT if timing is None else seconds(timing.median) + ("" if timing.settled else " *")


def _ratio(value: float | None) -> str:
    return _NOT if value is None else f"{value:.1f}"


def _crossover(comparison: Comparison, cpu: str, gpu: str, *, from_host: bool) -> str:
    size = comparison.crossover(cpu, gpu, from_host=from_host)
    if size is None:
        return "at none of these sizes"
    first = comparison.speedup(cpu, gpu, from_host=from_host).index[0]
    if size == first:
        return "from the smallest size on"
    return f"from {float(f'{size:.2g}'):,.0f} {comparison.unit} on"
