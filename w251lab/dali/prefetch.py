"""What batches that are made ahead of time save: the times of an epoch, computed from those of its batches.

As DALI does it with ``prefetch_queue_depth``: the k-th call of ``run()`` has the batches k to k + depth - 1 in the
making, one after the other, and returns when batch k is made. With a depth of 1 nothing is made while the model works.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from w251lab.dali import checks
from w251lab.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence


class Epoch(NamedTuple):
    """When what happened, in seconds from the first call of ``run()``.

    Attributes:
        called: When the model asked for each batch.
        made: When each batch was made.
        done: When the model was done with each batch.
    """

    called: tuple[float, ...]
    made: tuple[float, ...]
    done: tuple[float, ...]

    @property
    def seconds(self) -> float:
        """Of the whole epoch."""
        return self.done[-1]

    @property
    def waited(self) -> float:
        """Seconds in which the model waited for batches."""
        return sum(max(made - called, 0.0) for called, made in zip(self.called, self.made, strict=True))


def epoch(load: Sequence[float], step: Sequence[float], depth: int) -> Epoch:
    """Follow an epoch batch by batch.

    Args:
        load: Seconds that each batch takes to be made.
        step: Seconds that the model works on each.
        depth: ``prefetch_queue_depth``; ``depth - 1`` batches at most are made ahead.

    Raises:
        UsageError: No batches, not as many steps as batches, a time that is no number from 0, or a depth below 1.
    """
    checks.whole(depth, "depth")
    if not len(load) or len(load) != len(step):
        raise UsageError(
            f"{len(load)} batches are made and {len(step)} worked on", "give a time of each for each batch"
        )
    if not all(math.isfinite(each) and each >= 0 for each in (*load, *step)):
        raise UsageError("a batch takes less than no time, or for ever", "give seconds from 0")
    called: list[float] = []
    made: list[float] = []
    done: list[float] = []
    for number, works in enumerate(step):
        called.append(done[-1] if done else 0.0)
        for ahead in range(len(made), min(number + depth, len(load))):
            made.append(max(called[-1], made[-1] if made else 0.0) + load[ahead])
        done.append(max(called[-1], made[number]) + works)
    return Epoch(tuple(called), tuple(made), tuple(done))
