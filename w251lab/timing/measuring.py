"""Measure one callable: what a stop-watch around it would miss is done here.

The first call is warm-up: it imports, compiles, allocates. Around every call on a GPU the device is waited for, since
its work is queued and a call returns early. A call too short for the clock is repeated within a sample. Samples are
taken until they agree, and their median is told with their quartiles. Python's cyclic garbage collector rests while
the clock runs, as in `timeit`, so that no sample pays for the garbage of another; between samples it may work.
"""

from __future__ import annotations

import contextlib
import math
from typing import TYPE_CHECKING, Any, TypeVar, get_args, overload

from w251lab import accelerator
from w251lab.accelerator import Device
from w251lab.errors import UsageError, W251Error
from w251lab.timing.budget import Budget
from w251lab.timing.clock import Clock, WallClock
from w251lab.timing.placement import quoted, ran_on
from w251lab.timing.quiet import alone, no_collection
from w251lab.timing.timing import COPIES, Copies, Timing, spread
from w251lab.timing.versions import versions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_Prepared = TypeVar("_Prepared")

_SAMPLE = 0.005  # seconds that a sample should last: many times what reading the clock and waiting for a device cost
_MOST_CALLS = 10**6  # in one sample
_ENOUGH = 3  # samples below which a spread says nothing


@overload
def measure(
    work: Callable[[], object],
    *,
    prepare: None = None,
    device: Device | None = None,
    name: str = "",
    copies: Copies = "none",
    warmup: int = 1,
    budget: Budget | None = None,
    clock: Clock | None = None,
) -> Timing: ...


@overload
def measure(
    work: Callable[[_Prepared], object],
    *,
    prepare: Callable[[], _Prepared],
    device: Device | None = None,
    name: str = "",
    copies: Copies = "none",
    warmup: int = 1,
    budget: Budget | None = None,
    clock: Clock | None = None,
) -> Timing: ...


def measure(
    work: Callable[..., object],
    *,
    prepare: Callable[[], Any] | None = None,
    device: Device | None = None,
    name: str = "",
    copies: Copies = "none",
    warmup: int = 1,
    budget: Budget | None = None,
    clock: Clock | None = None,
) -> Timing:
    """Measure how long a call of ``work`` takes.

    Args:
        work: What is measured. It returns what it computed, because the result shows on which device that happened
            (see :func:`w251lab.timing.device_of`).
        prepare: Called before every call of ``work``, outside the clock; ``work`` gets what it returns. For work that
            changes its input, or that would find the answer of the call before.
        device: Where the work is expected to run. A result from elsewhere is an error, and so is ``"gpu"`` with a
            result that does not show it. Where it is not given, the result decides; an array in host memory counts as
            the CPU's, so keep what a GPU computed there (``XGBClassifier.predict`` copies it back, for one).
        name: What to call it in messages and figures.
        copies: Whether copies between host and device memory are inside; for the record.
        warmup: Calls that do not count. The first of them is timed on its own, as ``cold``. With 0 the cold call is the
            first sample, which is fair only to work that is done once.
        budget: When to stop; by default :class:`Budget`.
        clock: Another clock than the machine's, for tests.

    Raises:
        UsageError: An argument cannot be meant.
        W251Error: The work ran elsewhere than expected, or it cannot be told where; it computed nothing (a generator);
            it took no time that the clock can see; or a measurement is running already, around this one or in another
            thread.
        Exception: What ``work`` or ``prepare`` raised, unchanged, with a note that says in which call.
    """
    budget = Budget() if budget is None else budget
    _check(device, copies, warmup)
    with alone(name):
        measurement = _Measurement(work, prepare, device, name, clock or WallClock())
        cold, found = measurement.first()
        hardware = _hardware(found)
        measurement.waits = found == "gpu"
        for _ in range(warmup - 1):
            measurement.sample(1)
        samples, calls = measurement.samples(budget, [cold] if warmup == 0 else [])
        return Timing(
            name=name,
            device=found,
            hardware=hardware,
            copies=copies,
            samples=tuple(samples),
            cold=cold,
            calls_per_sample=calls,
            settled=_settled(samples, budget),
            versions=versions(found),
        )


def _check(device: object, copies: object, warmup: object) -> None:
    if device is not None and device not in get_args(Device):
        raise UsageError(f"unknown device {device!r}", "use cpu or gpu; accelerator.resolve_device decides about auto")
    if copies not in COPIES:
        raise UsageError(f"unknown word for the copies {copies!r}", f"use {', '.join(COPIES)}")
    if not isinstance(warmup, int) or isinstance(warmup, bool) or warmup < 0:
        raise UsageError(f"warmup={warmup!r} is no number of calls", "give a whole number from 0")


class _Measurement:
    """One callable while it is measured: makes the calls and reads the clock."""

    def __init__(
        self,
        work: Callable[..., object],
        prepare: Callable[[], Any] | None,
        expected: Device | None,
        name: str,
        clock: Clock,
    ) -> None:
        self.work, self.prepare, self.expected, self.name, self.clock = work, prepare, expected, name, clock
        self.waits = True  # until it is known that no GPU takes part
        self.calls = 0

    def first(self) -> tuple[float, Device]:
        """The cold call: seconds, and where it ran.

        Only its result shows whether a GPU takes part. Looking for one that is not there takes longer than a short call
        does, so that is not counted for the CPU.
        """
        arguments = self._prepared()
        with self._noted("in"), no_collection():
            self.clock.synchronize()
            begin = self.clock.now()
            self.calls += 1
            result = self.work(*arguments)
            returned = self.clock.now()
            self.clock.synchronize()
            done = self.clock.now()
        found = ran_on(result, self.expected, self.name)
        return (done if found == "gpu" else returned) - begin, found

    def sample(self, calls: int) -> float:
        """Seconds of ``calls`` calls together.

        Raises:
            W251Error: The last of them ran elsewhere than it should.
        """
        seconds, result = self._timed(calls)
        found = ran_on(result, self.expected, self.name)
        if (found == "gpu") != self.waits:
            raise W251Error(
                f"{quoted(self.name)} does not always run on the same device: call {self.calls} ran on the {found}",
                "measure work that stays on one device",
            )
        return seconds

    def samples(self, budget: Budget, taken: list[float]) -> tuple[list[float], int]:
        """Samples (seconds per call) until the budget ends, and the calls in each.

        Args:
            budget: When to stop.
            taken: What counts as a sample already, of one call each.
        """
        begin = self.clock.now()
        calls, samples = (1, list(taken)) if taken else self._calibrate(budget)
        while not _is_over(samples, self.clock.now() - begin, budget):
            seconds = self.sample(calls)
            if seconds > 0:
                samples.append(seconds / calls)
            else:  # a tick of the clock is longer than a sample
                calls, samples = self._more(calls), []
        if min(samples) <= 0:
            raise self._no_time()
        return samples, calls

    def _calibrate(self, budget: Budget) -> tuple[int, list[float]]:
        """How many calls a sample needs so that the clock can measure it, and the first such sample."""
        share = budget.seconds / budget.at_least  # of the time for a sample, what is prepared for it included
        target = min(_SAMPLE, share)
        calls = 1
        while True:
            begin = self.clock.now()
            seconds = self.sample(calls)
            took = self.clock.now() - begin
            if seconds >= target or (seconds > 0 and (calls == _MOST_CALLS or 2 * took > share)):
                return calls, [seconds / calls]
            growth = min(1.2 * target / seconds, share / took) if seconds > 0 else 10
            calls = self._more(calls, min(max(math.ceil(growth), 2), 10))

    def _more(self, calls: int, growth: int = 10) -> int:
        if calls >= _MOST_CALLS:
            raise self._no_time()
        return min(calls * growth, _MOST_CALLS)

    def _no_time(self) -> W251Error:
        return W251Error(
            f"{quoted(self.name)} takes no time that the clock can see",
            "measure more work in one call, or a larger size",
        )

    def _timed(self, calls: int) -> tuple[float, object]:
        """Seconds of ``calls`` calls together, and what the last of them returned."""
        if self.prepare is None:
            return self._stretch(calls, ())
        total, result = 0.0, None
        for _ in range(calls):
            del result  # before the next call needs the memory
            seconds, result = self._stretch(1, self._prepared())
            total += seconds
        return total, result

    def _prepared(self) -> tuple[Any, ...]:
        if self.prepare is None:
            return ()
        with self._noted("in what prepares"):
            return (self.prepare(),)

    def _stretch(self, calls: int, arguments: tuple[Any, ...]) -> tuple[float, object]:
        """The clock runs in here, and nowhere else."""
        work, now, waits, synchronize = self.work, self.clock.now, self.waits, self.clock.synchronize
        result: object = None
        with self._noted("in"), no_collection():
            if waits:
                synchronize()
            begin = now()
            for _ in range(calls):
                self.calls += 1
                result = None  # a short call can still allocate much
                result = work(*arguments)
                if waits:
                    synchronize()
            return now() - begin, result

    @contextlib.contextmanager
    def _noted(self, where: str) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            number = self.calls + (where != "in")
            error.add_note(f"raised while {quoted(self.name)} was measured, {where} call {number}")
            raise


def _hardware(device: Device) -> str:
    """The device's name.

    Raises:
        W251Error: A GPU's is wanted where there is none: a CPU's name would stand in its place.
    """
    if device == "gpu" and not accelerator.devices():
        machine = accelerator.describe()
        raise W251Error(f"the result says that it was computed on a GPU, but {machine.why_no_gpu}", machine.gpu_remedy)
    return accelerator.label(device)


def _is_over(samples: list[float], spent: float, budget: Budget) -> bool:
    if len(samples) < budget.at_least:
        return False
    return len(samples) >= budget.at_most or spent >= budget.seconds or _settled(samples, budget)


def _settled(samples: list[float], budget: Budget) -> bool:
    return len(samples) >= _ENOUGH and spread(samples) <= budget.spread
