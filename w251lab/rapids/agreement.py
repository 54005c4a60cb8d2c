"""Do two devices agree? Results are compared by what they mean, not bit by bit.

Floating-point sums depend on their order, and the GPU adds in another order than the CPU; the two libraries also draw
different random numbers. So clusters are compared whatever their numbers are, and accuracies within a tolerance.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from w251lab.errors import UsageError, W251Error
from w251lab.rapids import arrays

if TYPE_CHECKING:
    import numpy.typing as npt


@dataclass(frozen=True)
class Agreement:
    """Whether two results agree, in a word and in a sentence; true in an ``if`` where they do.

    Attributes:
        agrees: Whether they do.
        says: What was compared, and how far apart it is.
    """

    agrees: bool
    says: str

    def __bool__(self) -> bool:
        """Whether they agree."""
        return self.agrees

    def __str__(self) -> str:
        """The sentence."""
        return self.says


@dataclass(frozen=True)
class Matching:
    """Centroids of two clusterings in pairs.

    Attributes:
        order: For each centroid of the first clustering, the number of its partner in the second, int [clusters].
        distances: How far the two of each pair are apart, float64 [clusters].
    """

    order: npt.NDArray[np.int64]
    distances: npt.NDArray[np.float64]


def rand_index(first: Any, second: Any) -> float:
    """The adjusted Rand index of two clusterings of the same rows.

    1 where they are the same but for the clusters' numbers, about 0 where they have no more to do with each other than
    chance, below 0 where less (Hubert and Arabie, "Comparing partitions", 1985).

    Args:
        first: The cluster of each row, whole numbers [rows], on any device.
        second: The same of the other clustering.

    Raises:
        W251Error: They are not of the same rows.
    """
    from sklearn.metrics import adjusted_rand_score  # takes a second to import  # noqa: PLC0415

    one, other = _pair(first, second)
    return float(adjusted_rand_score(one, other))


def same_clusters(first: Any, second: Any, *, tolerance: float = 0.01) -> Agreement:
    """Whether two clusterings are the same but for the clusters' numbers.

    It takes the distance of the adjusted Rand index from 1 in absolute value. Without the absolute value the index
    minus 1 is never above a tolerance, and every result passes, however bad.

    Args:
        first: The cluster of each row [rows], on any device.
        second: The same of the other clustering.
        tolerance: How far from 1 the index may be.

    Raises:
        W251Error: They are not of the same rows.
    """
    return within(1.0, rand_index(first, second), tolerance, what="adjusted Rand index", names=("wanted", "found"))


def match_centroids(first: Any, second: Any) -> Matching:
    """Pair the centroids of two clusterings so that the sum of the distances in the pairs is smallest.

    A clustering's numbers mean nothing, so the pairs are found by the assignment that is best (``scipy``'s
    ``linear_sum_assignment``, the "Hungarian" problem).

    Args:
        first: Centroids [clusters, features], on any device.
        second: As many, on any device.

    Raises:
        W251Error: They are not as many of as many features.
    """
    from scipy.optimize import linear_sum_assignment  # noqa: PLC0415
    from scipy.spatial.distance import cdist  # noqa: PLC0415

    one, other = (np.asarray(arrays.to_host(points), dtype=np.float64) for points in (first, second))
    if one.ndim != 2 or one.shape != other.shape:
        raise W251Error(
            f"centroids of the shapes {one.shape} and {other.shape} cannot be paired",
            "give two arrays [clusters, features] of the same shape",
        )
    apart = cdist(one, other)
    rows, columns = linear_sum_assignment(apart)
    return Matching(np.asarray(columns, dtype=np.int64), np.asarray(apart[rows, columns], dtype=np.float64))


def centroid_distance(first: Any, second: Any) -> float:
    """The largest distance between two centroids of a pair, in the unit of the data; see :func:`match_centroids`."""
    return float(match_centroids(first, second).distances.max())


def accuracy(truth: Any, predicted: Any) -> float:
    """Share of the rows that are predicted right.

    Raises:
        W251Error: They are not of the same rows, or there is none.
    """
    one, other = _pair(truth, predicted)
    return float((one == other).mean())


def auc(truth: Any, scores: Any) -> float:
    """Area under the ROC curve: how often a row of class 1 has a higher score than a row of class 0.

    Args:
        truth: 0 or 1 [rows], on any device.
        scores: The higher, the more likely class 1 [rows], on any device.

    Raises:
        W251Error: They are not of the same rows, or all rows are of one class, which leaves nothing to tell apart.
    """
    from sklearn.metrics import roc_auc_score  # takes a second to import  # noqa: PLC0415

    one, other = _pair(truth, scores)
    if not set(np.unique(one)) == {0, 1}:
        raise W251Error(
            f"the AUC needs labels 0 and 1, and these have {', '.join(map(str, np.unique(one)[:5]))}",
            "give rows of both classes",
        )
    return float(roc_auc_score(one, other))


def within(
    first: float, second: float, tolerance: float, *, what: str = "result", names: tuple[str, str] = ("CPU", "GPU")
) -> Agreement:
    """Whether two numbers are at most ``tolerance`` apart, in absolute value; NaN agrees with nothing.

    Args:
        first: A figure of one device, such as an accuracy.
        second: The same of the other.
        tolerance: How far apart they may be, in their unit.
        what: What the figures are.
        names: Where they come from.

    Raises:
        UsageError: The tolerance is negative or not a number.
    """
    if not tolerance >= 0:
        raise UsageError(f"tolerance is {tolerance!r}", "give 0 or more")
    apart = abs(float(first) - float(second))
    agrees = apart <= tolerance and math.isfinite(apart)
    word = "agree" if agrees else "do not agree"
    says = (
        f"{what}: {names[0]} {float(first):.6g} and {names[1]} {float(second):.6g} {word} "
        f"({apart:.2g} apart, {tolerance:.2g} allowed)"
    )
    return Agreement(agrees, says)


def _pair(first: Any, second: Any) -> tuple[Any, Any]:
    """Two columns of the same rows, on the host."""
    one, other = (np.asarray(arrays.to_host(values)) for values in (first, second))
    if one.ndim != 1 or one.shape != other.shape or not one.size:
        raise W251Error(
            f"two columns of the same rows are expected; these have the shapes {one.shape} and {other.shape}",
            "give one value for each row, in the same order",
        )
    return one, other
