"""A comparison: timings of contenders over sizes, as a table, and what follows from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from w251lab.errors import UsageError
from w251lab.timing import ratios

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from w251lab.timing.timing import Timing


@dataclass(frozen=True)
class Point:
    """One contender at one size.

    Attributes:
        size: How much data: rows, or whatever the comparison's unit is.
        contender: Its name.
        resident: With the data where the work finds it: in the memory of its device.
        from_host: With the data in host memory, the copy to the device inside; None where that was not measured.
    """

    size: int
    contender: str
    resident: Timing
    from_host: Timing | None = None


@dataclass(frozen=True)
class Failure:
    """A size at which a contender failed; it took no part in larger ones.

    Attributes:
        size: How much data.
        contender: Its name.
        reason: What it said, in one line.
    """

    size: int
    contender: str
    reason: str


@dataclass(frozen=True)
class Comparison:
    """Timings of contenders over sizes.

    Attributes:
        title: What is compared.
        unit: What a size counts.
        points: In the order in which they were measured: by size, then by contender.
        made: The day, as ``YYYY-MM-DD``.
        failures: Where a contender had to give up.
        recorded: Whether it was read from a file, and so may be of another machine.
    """

    title: str
    unit: str
    points: tuple[Point, ...]
    made: str
    failures: tuple[Failure, ...] = ()
    recorded: bool = field(default=False, compare=False)

    @property
    def contenders(self) -> tuple[str, ...]:
        """Their names, in order."""
        return tuple(dict.fromkeys(point.contender for point in self.points))

    def of(self, contender: str) -> tuple[Point, ...]:
        """The points of one contender, by size.

        Raises:
            UsageError: There is no such contender.
        """
        if contender not in self.contenders:
            raise UsageError(
                f"{self.title}: there is no contender {contender!r}", f"use one of {', '.join(self.contenders)}"
            )
        return tuple(point for point in self.points if point.contender == contender)

    def frame(self) -> pd.DataFrame:
        """One row for each timing: size, contender, device, copies, seconds, how sure, hardware."""
        import pandas as pd  # noqa: PLC0415  # half a second that only a table needs

        rows = []
        for point in self.points:
            for timing in (point.resident, point.from_host):
                if timing is None:
                    continue
                low, high = timing.quartiles
                rows.append(
                    {
                        "size": point.size,
                        "contender": point.contender,
                        "device": timing.device,
                        "copies": timing.copies,
                        "median_s": timing.median,
                        "quartile1_s": low,
                        "quartile3_s": high,
                        "first_call_s": timing.cold,
                        "samples": len(timing.samples),
                        "calls_per_sample": timing.calls_per_sample,
                        "settled": timing.settled,
                        "hardware": timing.hardware,
                    }
                )
        return pd.DataFrame(rows)

    def medians(self, contender: str, *, from_host: bool = False) -> dict[int, float]:
        """Seconds by size.

        Args:
            contender: Its name.
            from_host: From host memory, where that was measured; of a contender that copies nothing, as it is.

        Raises:
            UsageError: There is no such contender.
        """
        points = self.of(contender)
        if not from_host or all(point.from_host is None for point in points):
            return {point.size: point.resident.median for point in points}
        return {point.size: point.from_host.median for point in points if point.from_host is not None}

    def speedup(self, slow: str, fast: str, *, from_host: bool = False) -> pd.Series[float]:
        """How many times faster ``fast`` is than ``slow``, by size, where both were measured.

        Args:
            slow: The one that is compared against.
            fast: The other.
            from_host: With the copy of the data to the device counted, for the contenders that have one.

        Raises:
            UsageError: There is no such contender, or neither was measured from host memory.
        """
        import pandas as pd  # noqa: PLC0415

        ratio = self._speedup(slow, fast, from_host=from_host)
        index = pd.Index(list(ratio), name=self.unit, dtype="int64")
        return pd.Series(list(ratio.values()), index=index, name="speedup", dtype="float64")

    def crossover(self, slow: str, fast: str, *, from_host: bool = False) -> float | None:
        """From which size on ``fast`` stays ahead; see :func:`w251lab.timing.crossover`.

        Args:
            slow: The one that is compared against.
            fast: The other.
            from_host: As in :meth:`speedup`.

        Returns:
            The size; the smallest that was measured where ``fast`` is ahead at all of them; None where it is behind at
            the largest.

        Raises:
            UsageError: As in :meth:`speedup`, or the two have no size in common.
        """
        ratio = self._speedup(slow, fast, from_host=from_host)
        if not ratio:
            raise UsageError(
                f"{self.title}: {slow!r} and {fast!r} have no size in common", "compare them at the same sizes"
            )
        return ratios.crossover(list(ratio), list(ratio.values()))

    def _speedup(self, slow: str, fast: str, *, from_host: bool) -> dict[int, float]:
        points = (*self.of(slow), *self.of(fast))
        if from_host and all(point.from_host is None for point in points):
            raise UsageError(
                f"{self.title}: neither {slow!r} nor {fast!r} was measured from host memory",
                "give the contender to_host and to_device",
            )
        denominator = self.medians(fast, from_host=from_host)
        return {
            size: ratios.speedup(seconds, denominator[size])
            for size, seconds in self.medians(slow, from_host=from_host).items()
            if size in denominator
        }

    def save(self, path: str | Path) -> Path:
        """Write it as JSON, in one piece: a file that is there before is replaced or stays whole.

        Raises:
            W251Error: The file cannot be written.
        """
        from w251lab.timing import storage  # noqa: PLC0415  # it builds on this class

        return storage.save(self, path)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read what :meth:`save` wrote. It is ``recorded``: of this machine or another, at the time that it says.

        Raises:
            W251Error: The file cannot be read, is no comparison, or a later version wrote it.
        """
        from w251lab.timing import storage  # noqa: PLC0415

        return cls(**storage.load(path), recorded=True)
