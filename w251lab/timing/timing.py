"""What a measurement found: seconds per call, on what, and how sure it is."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, Self, get_args

import numpy as np

from w251lab.accelerator import Device
from w251lab.errors import W251Error

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

#: Copies between host and device memory: there are none (the data never moves), they are outside the clock, or inside.
Copies = Literal["none", "excluded", "included"]
COPIES: tuple[Copies, ...] = get_args(Copies)
_SAID = {"none": "no copies", "excluded": "copies not counted", "included": "copies from the host counted"}


def quartiles(samples: Sequence[float]) -> tuple[float, float]:
    """Below which a quarter, and three quarters, of the samples lie (interpolated linearly)."""
    low, high = np.quantile(samples, [0.25, 0.75])
    return float(low), float(high)


def spread(samples: Sequence[float]) -> float:
    """Interquartile range over median."""
    low, high = quartiles(samples)
    return (high - low) / float(np.median(samples))


@dataclass(frozen=True)
class Timing:
    """How long one call takes.

    Attributes:
        name: What was measured.
        device: Where it ran: ``cpu`` or ``gpu``.
        hardware: That device's name; of a processor with the number of cores that the process may use.
        copies: Whether copies between host and device memory are inside.
        samples: Seconds per call, one for each sample, in the order in which they were taken.
        cold: Seconds of the very first call, which loads, compiles and allocates what later calls find ready.
        calls_per_sample: Calls over which each sample is the mean.
        settled: Whether the spread came under the budget's.
        versions: Of Python and the libraries that were loaded; on a GPU of the driver and its CUDA as well.
    """

    name: str
    device: Device
    hardware: str
    copies: Copies
    samples: tuple[float, ...]
    cold: float
    calls_per_sample: int
    settled: bool
    versions: dict[str, str]

    @property
    def median(self) -> float:
        """The middle sample, in seconds: one outlier does not move it."""
        return float(np.median(self.samples))

    @property
    def quartiles(self) -> tuple[float, float]:
        """Seconds below which a quarter, and three quarters, of the samples lie (interpolated linearly)."""
        return quartiles(self.samples)

    @property
    def iqr(self) -> float:
        """The interquartile range, in seconds."""
        low, high = self.quartiles
        return high - low

    @property
    def spread(self) -> float:
        """Interquartile range over median."""
        return spread(self.samples)

    def __str__(self) -> str:
        """One line: how long, how sure, on what."""
        low, high = self.quartiles
        calls = f" of {self.calls_per_sample} calls" if self.calls_per_sample > 1 else ""
        samples = f"{len(self.samples)} {'sample' if len(self.samples) == 1 else 'samples'}{calls}"
        doubt = "" if self.settled else f"; NOT SETTLED: the spread is {self.spread:.0%}"
        if len(self.samples) < 2:
            doubt = "; NOT SETTLED: one sample says nothing of the spread"
        name = f"{self.name}: " if self.name else ""
        return (
            f"{name}{seconds(self.median)} per call on {self.device} ({self.hardware}); middle half {seconds(low)} to "
            f"{seconds(high)}, {samples}; first call {seconds(self.cold)}; {_SAID[self.copies]}{doubt}"
        )

    def to_dict(self) -> dict[str, Any]:
        """As plain values for JSON; :meth:`from_dict` reads it."""
        return asdict(self) | {"samples": list(self.samples)}

    @classmethod
    def from_dict(cls, values: object) -> Self:
        """Read what :meth:`to_dict` wrote.

        Raises:
            W251Error: It is no timing: a value is missing, of another type, or cannot be.
        """
        wrong = "this is not a timing: {}"
        if not isinstance(values, dict):
            raise W251Error(wrong.format(f"{values!r} is no table of values"), _REMEDY)
        for name, fits in _FITS.items():
            if name not in values:
                raise W251Error(wrong.format(f"{name!r} is missing"), _REMEDY)
            if not fits(values[name]):
                raise W251Error(wrong.format(f"{name} = {values[name]!r} cannot be"), _REMEDY)
        if unknown := sorted(str(name) for name in values.keys() - _FITS.keys()):
            raise W251Error(wrong.format(f"{unknown[0]!r} is unknown"), _REMEDY)
        return cls(**(values | {"samples": tuple(map(float, values["samples"])), "cold": float(values["cold"])}))


_REMEDY = "read a file that w251lab wrote, with the version that wrote it or a later one"


def _is_duration(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value > 0


# For each field of a timing, what a value read from a file has to be.
_FITS: dict[str, Callable[[Any], bool]] = {
    "name": lambda value: isinstance(value, str),
    "device": lambda value: value in get_args(Device),
    "hardware": lambda value: isinstance(value, str) and bool(value),
    "copies": lambda value: value in COPIES,
    "samples": lambda value: isinstance(value, list) and bool(value) and all(map(_is_duration, value)),
    "cold": lambda value: value == 0 or _is_duration(value),
    "calls_per_sample": lambda value: isinstance(value, int) and not isinstance(value, bool) and value >= 1,
    "settled": lambda value: isinstance(value, bool),
    "versions": lambda value: (
        isinstance(value, dict)
        and all(isinstance(name, str) and isinstance(version, str) for name, version in value.items())
    ),
}


def seconds(value: float) -> str:
    """A length of time with three digits and the unit that suits it."""
    if value >= 999.5:
        return f"{value:.0f} s"
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if value >= scale * 0.9995:
            return f"{value / scale:#.3g}".rstrip(".") + f" {unit}"
    return f"{value / 1e-9:.3g} ns"
