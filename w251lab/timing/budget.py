"""How long to measure: until the spread is small, or the time is spent."""

from __future__ import annotations

import math
from dataclasses import dataclass

from w251lab.errors import UsageError


@dataclass(frozen=True)
class Budget:
    """When a measurement ends.

    It ends when ``at_least`` samples are there and either their spread is at most ``spread``, or ``seconds`` are spent,
    or ``at_most`` samples are there. ``at_least`` comes first: work of 10 s takes 50 s with 5 samples whatever
    ``seconds`` says. The warm-up is not counted.

    Attributes:
        seconds: Time for the samples, with what is prepared for each.
        spread: Interquartile range over median that counts as small: 0.05 for 5 %.
        at_least: Samples to take in any case.
        at_most: Samples to stop after.
    """

    seconds: float = 2.0
    spread: float = 0.05
    at_least: int = 5
    at_most: int = 200

    def __post_init__(self) -> None:
        """Raises UsageError for a value that cannot be meant."""
        for name in ("seconds", "spread"):
            value = getattr(self, name)
            if not _is_number(value) or not value > 0 or math.isinf(value):
                raise UsageError(f"budget: {name}={value!r} is no length of time or share", "give a number above 0")
        for name in ("at_least", "at_most"):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise UsageError(f"budget: {name}={value!r} is no number of samples", "give a whole number from 1")
        if self.at_least > self.at_most:
            raise UsageError(
                f"budget: at_least={self.at_least} is more than at_most={self.at_most}",
                "raise at_most or lower at_least",
            )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
