"""The five stages of loading a batch, and laps: clocks inside a loader that is Python all the way."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Literal, get_args

if TYPE_CHECKING:
    from collections.abc import Iterator

StageName = Literal["read", "decode", "augment", "normalise", "copy"]
#: In the order in which a picture goes through them.
STAGES: Final[tuple[StageName, ...]] = get_args(StageName)
#: What each of them is, for a table's legend.
MEANING: Final[dict[StageName, str]] = {
    "read": "the bytes of the files",
    "decode": "JPEG to pixels",
    "augment": "random window, resized; mirrored by chance",
    "normalise": "float32, mean and standard deviation, channels first",
    "copy": "into one contiguous batch, and to the device where there is one",
}


class Laps:
    """Seconds by stage, added up over the pictures of a batch.

    Attributes:
        seconds: A stage -> seconds so far.
    """

    def __init__(self) -> None:
        self.seconds: dict[StageName, float] = dict.fromkeys(STAGES, 0.0)

    @contextmanager
    def lap(self, stage: StageName) -> Iterator[None]:
        """Add what happens inside to ``stage``; two readings of the clock, under a microsecond together."""
        begin = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] += time.perf_counter() - begin

    def add(self, others: dict[StageName, float], share: float = 1.0) -> None:
        """Add ``share`` of another's seconds."""
        for stage, seconds in others.items():
            self.seconds[stage] += share * seconds
