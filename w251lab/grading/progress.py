"""How far a class is graded and when it will be done: a bar with an ETA that uneven submissions do not mislead."""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from rich.console import Console

    from w251lab.grading.job import Graded, Job

_ENOUGH = 3  # of a kind finished, before its own mean is used


@dataclass
class _Kind:
    """The submissions of one notebook: how many there are, and what is known of how long one takes."""

    total: int = 0
    begun: int = 0
    finished: int = 0
    seconds: float = 0.0


@dataclass
class Estimate:
    """When a number of tasks will be done that are worked on several at a time and take unequal times.

    The mean duration is estimated from all time spent so far, also on what is still under way, over the number of
    finished tasks: the estimate of maximum likelihood for durations that are cut off at the time of looking (Epstein
    and Sobel, Life testing, J. Amer. Statist. Assoc. 48, 1953). Finished ones alone would make the mean too short,
    because the short ones are finished first. Each kind (notebook) has a mean of its own once three of it are finished.

    Args:
        totals: Kind -> number of tasks.
        places: How many are worked on at a time, as far as it is known.
        clock: Seconds.
    """

    totals: dict[str, int]
    places: int = 1
    clock: Callable[[], float] = time.monotonic
    _kinds: dict[str, _Kind] = field(default_factory=lambda: defaultdict(_Kind))
    _since: dict[str, tuple[str, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Enter the kinds."""
        for kind, total in self.totals.items():
            self._kinds[kind].total = total

    def started(self, name: str, kind: str) -> None:
        """A task was begun; once more if it is tried again."""
        self._kinds[kind].begun += 1
        self._since[name] = (kind, self.clock())

    def stopped(self, name: str, *, finished: bool) -> None:
        """A task came to its end, or to nothing (its worker was lost; it is begun again later)."""
        kind, since = self._since.pop(name)
        self._kinds[kind].seconds += self.clock() - since
        if finished:
            self._kinds[kind].finished += 1
        else:
            self._kinds[kind].begun -= 1

    def remove(self, kind: str) -> None:
        """One task of a kind turned out to be none."""
        self.totals[kind] -= 1
        self._kinds[kind].total -= 1

    @property
    def finished(self) -> int:
        """How many are done."""
        return sum(kind.finished for kind in self._kinds.values())

    def seconds_left(self) -> float | None:
        """Seconds until all are done, None before anything is known."""
        now = self.clock()
        ages: dict[str, list[float]] = defaultdict(list)
        for kind, since in self._since.values():
            ages[kind].append(now - since)
        spent = sum(kind.seconds for kind in self._kinds.values()) + sum(map(sum, ages.values()))
        if not self.finished:
            return None
        overall = spent / self.finished
        work, longest = 0.0, 0.0
        for name, known in self._kinds.items():
            mean = (known.seconds + sum(ages[name])) / known.finished if known.finished >= _ENOUGH else overall
            # Of those under way what is left of a mean one; one that is older than that, as much again.
            left = [mean - age if age < mean else mean for age in ages[name]]
            work += (known.total - known.begun) * mean + sum(left)
            longest = max([longest, *left])
        waiting = sum(kind.total - kind.begun for kind in self._kinds.values())
        busy = max(self.places if waiting else min(self.places, len(self._since)), 1)
        return max(work / busy, longest)


class ClassProgress:
    """A bar for the whole class. Use it as a context manager; without a terminal it draws nothing and only counts.

    Args:
        console: Where to draw; lines that are printed on it stay above the bar.
    """

    def __init__(self, console: Console) -> None:
        self.console = console
        self.estimate: Estimate | None = None
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}"),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._progress.add_task("reading", total=None, left="")
        self._silent_since = 0.0

    def begin(self, lab: str, totals: dict[str, int]) -> None:
        """What there is to do: notebook -> submissions."""
        self.estimate = Estimate(totals)
        self._progress.update(self._task, description=lab, total=sum(totals.values()), completed=0)

    def places(self, number: int) -> None:
        """See `w251lab.grading.schedule.Watch`. While all workers are lost, their number is what it will be again."""
        assert self.estimate is not None
        self.estimate.places = number or self.estimate.places

    def started(self, job: Job) -> None:
        """See `w251lab.grading.schedule.Watch`."""
        assert self.estimate is not None
        self.estimate.started(job.name, job.notebook)
        self._draw()

    def finished(self, job: Job, graded: Graded) -> None:  # noqa: ARG002
        """See `w251lab.grading.schedule.Watch`."""
        assert self.estimate is not None
        self.estimate.stopped(job.name, finished=True)
        self._draw()

    def decided(self, kind: str) -> None:
        """A submission of this notebook needed no worker."""
        assert self.estimate is not None
        self.estimate.remove(kind)
        self._progress.update(self._task, total=sum(self.estimate.totals.values()))

    def lost(self, job: Job, worker: str, *, again: bool) -> None:
        """See `w251lab.grading.schedule.Watch`. Said on the terminal, too: it is no student's everyday mistake."""
        assert self.estimate is not None
        self.estimate.stopped(job.name, finished=False)
        if not again:
            self.estimate.started(job.name, job.notebook)
        what = "it is tried again" if again else "for the second time: it is ungradable"
        self.console.print(f"{job.name}: the worker {worker} was lost while it graded this, {what}.", markup=False)

    def waiting(self, seconds: float) -> None:
        """See `w251lab.grading.schedule.Watch`."""
        if seconds - self._silent_since > 15:
            self._silent_since = seconds
            self.console.print(f"No worker for {seconds:.0f} seconds; still waiting for one.", markup=False)

    def _draw(self) -> None:
        assert self.estimate is not None
        left = self.estimate.seconds_left()
        said = "" if left is None else f"about {spoken(left)} left"
        self._progress.update(self._task, completed=self.estimate.finished, left=said)

    def __enter__(self) -> Self:
        """Start drawing."""
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Take the bar away."""
        self._progress.stop()


def spoken(seconds: float) -> str:
    """Seconds as people say them: ``40 s``, ``12 min``, ``3 h 20 min``."""
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{max(round(seconds), 1)} s"
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"
