"""Compare implementations over a range of sizes, each measured in the same way."""

from __future__ import annotations

import contextlib
import datetime as dt
import gc
import itertools
import operator
import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from w251lab import accelerator
from w251lab.errors import UsageError, W251Error
from w251lab.timing.comparison import Comparison, Failure, Point
from w251lab.timing.measuring import measure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from w251lab.accelerator import Device
    from w251lab.timing.budget import Budget
    from w251lab.timing.clock import Clock
    from w251lab.timing.timing import Copies, Timing

    Progress = Callable[[int, int, str], None]


_REASON = 200  # characters of a failure's reason


@dataclass(frozen=True)
class Contender:
    """One way of doing the work.

    Attributes:
        name: As tables and figures show it.
        device: Where it runs; a result from elsewhere is an error.
        make: From a size, the data, in the memory in which the work finds it. Not timed.
        run: From the data, the result, as it lies on the device (that shows where it was computed). Timed.
        to_device: From the host's copy of the data, the data as ``run`` wants it. With it and ``to_host``, a second
            timing is taken that has this copy inside. The result stays on the device.
        to_host: From the data, its copy in host memory. Not timed.
    """

    name: str
    device: Device
    make: Callable[[int], Any]
    run: Callable[[Any], object]
    to_device: Callable[[Any], Any] | None = None
    to_host: Callable[[Any], Any] | None = None

    def __post_init__(self) -> None:
        """Raises UsageError for what cannot be meant."""
        if not self.name:
            raise UsageError("a contender has no name", "name it after its library")
        if self.device not in ("cpu", "gpu"):
            raise UsageError(f"contender {self.name!r}: unknown device {self.device!r}", "use cpu or gpu")
        if (self.to_device is None) != (self.to_host is None):
            raise UsageError(
                f"contender {self.name!r} has one of to_device and to_host, but not the other",
                "give both, to measure with the copy from host memory, or neither",
            )


def compare(
    contenders: Sequence[Contender],
    sizes: Sequence[int],
    *,
    title: str,
    unit: str = "rows",
    budget: Budget | None = None,
    progress: bool | Progress = True,
    clock: Clock | None = None,
) -> Comparison:
    """Measure every contender at every size, size by size.

    At each size the contenders take turns, so that a machine that slows down slows all of them. The data of one is
    freed before the next is made. A contender that fails (out of memory) keeps the sizes that it managed, and its
    failure is recorded with its reason; one that fails at the smallest size has nothing to keep, and what it raised
    comes through.

    Args:
        contenders: One or more, with different names.
        sizes: Ascending whole numbers.
        title: What is compared.
        unit: What a size counts.
        budget: Of each measurement.
        progress: True for a progress bar on a terminal, False for none, or a function that is called with the
            measurements done, how many there are, and what comes next.
        clock: As in :func:`w251lab.timing.measure`.

    Raises:
        UsageError: No contenders, two of one name, or sizes that cannot be meant.
        W251Error: A contender is for the GPU and there is none, or it ran elsewhere than it says.
    """
    sizes = _check_sizes(sizes)
    names = [contender.name for contender in contenders]
    if not names or len(set(names)) != len(names):
        raise UsageError(f"the contenders {names!r} cannot be told apart", "give one or more, each with its own name")
    for contender in contenders:
        accelerator.resolve_device(contender.device)  # before the others have worked for minutes
    points: list[Point] = []
    failures: list[Failure] = []
    with shown(progress) as show:
        for done, (size, contender) in enumerate((size, contender) for size in sizes for contender in contenders):
            show(done, len(sizes) * len(contenders), f"{contender.name}, {size:,} {unit}")
            if contender.name in {failure.contender for failure in failures}:
                continue
            try:
                points.append(_measure_point(contender, size, unit, budget, clock))
            except Exception as error:
                if size == sizes[0]:
                    error.add_note(f"raised for contender {contender.name!r} at the smallest size, {size:,} {unit}")
                    raise
                failures.append(Failure(size, contender.name, _reason(error)))
            _free()
        show(len(sizes) * len(contenders), len(sizes) * len(contenders), "done")
    today = dt.datetime.now(tz=dt.UTC).date().isoformat()
    return Comparison(title, unit, tuple(points), today, tuple(failures))


def _check_sizes(sizes: Sequence[int]) -> list[int]:
    try:
        whole = [operator.index(size) for size in sizes]
    except TypeError as error:
        raise UsageError(
            f"sizes {list(sizes)!r} are not all whole numbers", "give whole numbers, such as 10_000"
        ) from error
    if not whole or whole[0] < 1 or any(first >= second for first, second in itertools.pairwise(whole)):
        raise UsageError(f"sizes {whole!r} are not ascending from 1", "give each once, the smallest first")
    return whole


def _measure_point(contender: Contender, size: int, unit: str, budget: Budget | None, clock: Clock | None) -> Point:
    """Both timings of a contender at a size. Its data lives no longer than this call."""
    name = f"{contender.name}, {size:,} {unit}"
    held = [contender.make(size)]  # a list, so that the data can be let go while the function below still names it
    to_device, to_host = contender.to_device, contender.to_host

    def timing(run: Callable[[], object], name: str, copies: Copies) -> Timing:
        return measure(run, device=contender.device, name=name, copies=copies, budget=budget, clock=clock)

    if to_device is None or to_host is None:
        return Point(size, contender.name, timing(lambda: contender.run(held[0]), name, "none"))
    resident = timing(lambda: contender.run(held[0]), name, "excluded")
    held[0] = to_host(held[0])
    _free()  # the copies to come need the place of the data
    copied = timing(lambda: contender.run(to_device(held[0])), f"{name}, from host memory", "included")
    return Point(size, contender.name, resident, copied)


def _free() -> None:
    """Give back what nobody holds any more: CuPy keeps freed device memory, which cuDF and XGBoost cannot use then."""
    gc.collect()
    cupy = sys.modules.get("cupy")
    if cupy is not None and accelerator.devices():
        cupy.get_default_memory_pool().free_all_blocks()


def _reason(error: Exception) -> str:
    """What an exception says, in one line; the exception itself would keep the data alive."""
    said = error.what if isinstance(error, W251Error) else str(error).strip()
    first = said.splitlines()[0] if said else ""
    # Messages of CUDA libraries name source files by their full path, which is of no use elsewhere.
    first = re.sub(r"(?:/[\w.+-]+)+/([\w.+-]+)", r"\1", first)[:_REASON]
    kind = "" if isinstance(error, W251Error) else type(error).__name__
    return ": ".join(part for part in (kind, first) if part)


@contextlib.contextmanager
def shown(progress: bool | Progress) -> Iterator[Progress]:
    """The function that is told how far it is; with a bar on a terminal, if there is one."""
    if callable(progress):
        yield progress
    elif not progress:
        yield lambda _done, _total, _what: None
    else:
        from w251lab.timing.progress import MeasurementProgress  # noqa: PLC0415  # only where it is seen

        with MeasurementProgress() as bar:
            yield bar
