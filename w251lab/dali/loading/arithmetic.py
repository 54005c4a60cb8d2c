"""What work on one stage of a loader gains: its share of the whole, and Amdahl's law.

Everywhere ``stages`` is a mapping from a stage to its milliseconds for a picture.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from w251lab.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping


def share(stages: Mapping[str, float], stage: str) -> float:
    """The part of the sum that one stage takes, in 0..1.

    Raises:
        UsageError: No stages, times that cannot be, or no such stage.
    """
    times = _checked(stages)
    if stage not in times:
        raise UsageError(f"there is no stage {stage!r}", f"use one of {', '.join(times)}")
    return times[stage] / sum(times.values())


def amdahl(share: float, factor: float) -> float:
    """How many times as fast the whole is when a part of it becomes ``factor`` times as fast (Amdahl, 1967).

    Args:
        share: The part of the time that it takes, in 0..1.
        factor: How many times as fast it becomes; ``math.inf`` for a part that takes no time any more.

    Returns:
        ``1 / ((1 - share) + share / factor)``; ``math.inf`` where nothing is left.

    Raises:
        UsageError: A share outside 0..1, or a factor that is not above 0.
    """
    if not _is_number(share) or not 0 <= share <= 1:
        raise UsageError(f"share is {share!r}", "give a number in 0..1")
    if not _is_number(factor) or not factor > 0:
        raise UsageError(f"factor is {factor!r}", "give a number above 0")
    left = (1 - share) + share / factor
    return 1 / left if left > 0 else math.inf


def speedup_if_faster(stages: Mapping[str, float], stage: str, factor: float) -> float:
    """How many times as fast the loader is when one stage becomes ``factor`` times as fast, one after the other.

    Raises:
        UsageError: As of :func:`share` and :func:`amdahl`.
    """
    return amdahl(share(stages, stage), factor)


def speedup_if_free(stages: Mapping[str, float], stage: str) -> float:
    """How many times as fast the loader is when one stage takes no time: the most that work on it can gain.

    Raises:
        UsageError: As of :func:`share`.
    """
    return speedup_if_faster(stages, stage, math.inf)


def _checked(stages: Mapping[str, float]) -> dict[str, float]:
    """The times, where a stage slightly below 0 counts as 0: a difference of two measurements, within their noise."""
    for stage, time in stages.items():
        if not _is_number(time) or not math.isfinite(time):
            raise UsageError(f"the time of {stage!r} is {time!r}", "give milliseconds")
    times = {stage: max(float(time), 0.0) for stage, time in stages.items()}
    if not sum(times.values()) > 0:
        raise UsageError(f"the stages {dict(stages)!r} take no time", "give each stage's milliseconds")
    return times


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and not math.isnan(value)
