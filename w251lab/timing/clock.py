"""Time, and waiting for what a GPU has still to do."""

from __future__ import annotations

import time
from typing import Protocol

from w251lab.timing import cuda


class Clock(Protocol):
    """What a measurement reads; a test brings one that it moves by hand."""

    def now(self) -> float:
        """Seconds since some moment; it never goes back."""

    def synchronize(self) -> None:
        """Return when every GPU has done what this process gave it to do; at once where it gave none."""


class WallClock:
    """The machine's own clock of the highest resolution, and its GPUs."""

    def now(self) -> float:
        """Seconds since some moment."""
        return time.perf_counter()

    def synchronize(self) -> None:
        """Wait for the GPUs that this process computes on.

        Raises:
            W251Error: Work that a GPU was given before has failed.
        """
        cuda.synchronize()
