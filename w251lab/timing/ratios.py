"""Speed-up and crossover, as plain functions of numbers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, overload

import numpy as np

from w251lab.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt


@overload
def speedup(slow_seconds: float, fast_seconds: float) -> float: ...


@overload
def speedup(slow_seconds: npt.ArrayLike, fast_seconds: npt.ArrayLike) -> float | npt.NDArray[np.float64]: ...


def speedup(slow_seconds: npt.ArrayLike, fast_seconds: npt.ArrayLike) -> float | npt.NDArray[np.float64]:
    """How many times faster: ``slow_seconds / fast_seconds``. Below 1, the "fast" one is the slower.

    Args:
        slow_seconds: Of the one that is compared against; one number, or one for each size.
        fast_seconds: Of the other; as many.

    Returns:
        One number for two numbers, else an array (float64).

    Raises:
        UsageError: A time is not a number above 0, or there are not as many of the one as of the other.
    """
    slow, fast = _positive(slow_seconds, "slow_seconds"), _positive(fast_seconds, "fast_seconds")
    if slow.shape != fast.shape and slow.ndim and fast.ndim:
        raise UsageError(f"{slow.size} times against {fast.size}", "give one time of each for every size")
    ratio = slow / fast
    return ratio if ratio.ndim else float(ratio)


def crossover(sizes: Sequence[float], ratios: Sequence[float]) -> float | None:
    """From which size on the faster one stays ahead.

    Between two sizes the logarithm of the ratio is taken as a straight line over the logarithm of the size, as the plot
    draws it. Where the ratio goes through 1 more than once, the last crossing counts.

    Args:
        sizes: Ascending, above 0.
        ratios: The speed-up at each size.

    Returns:
        The size at which the ratio reaches 1 for good; the smallest size where it is above 1 at all of them (the
        crossover is there or below); None where it is not above 1 at the largest.

    Raises:
        UsageError: No sizes, not ascending, not above 0, or not as many of the one as of the other.
    """
    x, y = _positive(sizes, "sizes"), _positive(ratios, "ratios")
    if x.ndim != 1 or x.shape != y.shape or not x.size:
        raise UsageError(f"{x.size} sizes against {y.size} ratios", "give one ratio for every size")
    if np.any(np.diff(x) <= 0):
        raise UsageError("the sizes are not ascending", "sort them, each once, and the ratios with them")
    behind = np.flatnonzero(y <= 1)
    if not behind.size:
        return float(x[0])
    last = int(behind[-1])
    if last == x.size - 1:
        return None
    (x0, x1), (y0, y1) = np.log(x[last : last + 2]), np.log(y[last : last + 2])
    return math.exp(x0 - y0 * (x1 - x0) / (y1 - y0)) if y0 < 0 else float(x[last])


def _positive(values: npt.ArrayLike, name: str) -> npt.NDArray[np.float64]:
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise UsageError(f"{name} = {values!r} are no numbers", "give numbers above 0") from error
    if not np.all(np.isfinite(array) & (array > 0)):
        raise UsageError(
            f"{name} = {values!r}: each has to be a finite number above 0", "measure again, or leave it out"
        )
    return array
