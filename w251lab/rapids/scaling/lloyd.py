"""Lloyd's K-means over parts of the points: the workers assign and add up, this process moves the centroids.

One iteration sends the centroids to every part and brings back sums and counts, a few kilobytes, however many points
there are. The result is that of Lloyd's algorithm ("Least squares quantization in PCM", 1982) on all points together,
from the same start; only the order of the additions differs.

The start is found by K-means on a sample of the points (Bradley and Fayyad, "Refining initial points for K-means
clustering", 1998).
"""

from __future__ import annotations

import warnings
from functools import reduce
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from w251lab.rapids import arrays, checks
from w251lab.rapids.scaling import parts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from w251lab.rapids.scaling.parts import Part
    from w251lab.rapids.scaling.workers import Cluster

_BLOCK: Final = 1 << 16  # rows whose copy in float64 is added up at a time
_SAMPLE: Final = 10_000  # points that the start is sought among, and
_SAMPLE_EACH: Final = 100  # at least so many for each cluster
_STARTS: Final = 5  # of K-means on the sample, which costs little


class Summary(NamedTuple):
    """Of each column: what tells whether and how much it varies.

    Attributes:
        rows: How many rows.
        mean: float64 [columns].
        squares: Sum of the squared distances from the mean, float64 [columns].
        lowest: float64 [columns].
        highest: float64 [columns].
    """

    rows: int
    mean: Any
    squares: Any
    lowest: Any
    highest: Any


class Sums(NamedTuple):
    """What a part brings to the next centroids.

    Attributes:
        total: Sum of the points of each cluster, float64 [clusters, columns].
        count: How many there are, int64 [clusters].
        inertia: Sum of the squared distances to the centroids.
    """

    total: Any
    count: Any
    inertia: float


class Far(NamedTuple):
    """Points far from their centroids: rows [n, columns], squared distances [n], clusters [n]."""

    rows: Any
    squared: Any
    cluster: Any


def summarize(points: Any, name: str) -> Summary:
    """On a worker: check a part (on either device) and describe its columns.

    Raises:
        W251Error: It holds what is no number (see :func:`w251lab.rapids.checks.features`).
    """
    array = checks.features(points, name=name, allow_constant=True)
    mean = array.mean(axis=0, dtype="float64")
    squares = array.var(axis=0, dtype="float64") * len(array)
    found = (mean, squares, array.min(axis=0), array.max(axis=0))
    return Summary(len(array), *(np.asarray(arrays.to_host(values), dtype=np.float64) for values in found))


def merge(first: Summary, second: Summary) -> Summary:
    """The summary of both together (Chan, Golub and LeVeque, "Algorithms for computing the sample variance", 1983)."""
    rows = first.rows + second.rows
    apart = second.mean - first.mean
    return Summary(
        rows,
        first.mean + apart * (second.rows / rows),
        first.squares + second.squares + apart**2 * (first.rows * second.rows / rows),
        np.minimum(first.lowest, second.lowest),
        np.maximum(first.highest, second.highest),
    )


def sample(points: Any, rows: int, seed: int) -> Any:
    """On a worker: ``rows`` of the points, drawn without replacement."""
    random = np.random.default_rng(seed)
    return points[np.sort(random.choice(len(points), min(rows, len(points)), replace=False))]


def add_up(points: Any, centroids: Any) -> Sums:
    """On a worker: assign the points to the centroids and add up each cluster."""
    from scipy.sparse import csr_array  # takes time to import  # noqa: PLC0415

    total, count, inertia = np.zeros(centroids.shape), np.zeros(len(centroids), dtype=np.int64), 0.0
    for start in range(0, len(points), _BLOCK):
        block = points[start : start + _BLOCK]
        labels, squared = nearest(block, centroids)
        members = csr_array(
            (np.ones(len(block)), labels, np.arange(len(block) + 1)), shape=(len(block), len(centroids))
        )
        total += members.T @ block
        count += np.bincount(labels, minlength=len(centroids))
        inertia += float(squared.sum(dtype=np.float64))
    return Sums(total, count, inertia)


def nearest(points: Any, centroids: Any) -> tuple[Any, Any]:
    """(the nearest centroid of each point, its squared distance), by scikit-learn."""
    from sklearn.metrics import pairwise_distances_argmin_min  # takes a second to import  # noqa: PLC0415

    with checks.checked():
        labels, squared = pairwise_distances_argmin_min(points, centroids, metric="sqeuclidean")
    return labels, squared


def label(points: Any, centroids: Any) -> tuple[Any, float]:
    """On a worker: (the cluster of each point int32 [rows], the inertia)."""
    labels, squared = nearest(points, centroids)
    return labels.astype(np.int32), float(squared.sum(dtype=np.float64))


def farthest(points: Any, centroids: Any, wanted: int) -> Far:
    """On a worker: the ``wanted`` points that are farthest from their centroids."""
    labels, squared = nearest(points, centroids)
    chosen = np.argsort(squared)[::-1][:wanted]
    return Far(points[chosen], squared[chosen], labels[chosen])


def start(cluster: Cluster, found: Sequence[Part], summary: Summary, clusters: int, seed: int) -> Any:
    """Centroids to begin with, float64 [clusters, columns]."""
    from sklearn.cluster import KMeans  # takes a second to import  # noqa: PLC0415

    wanted = max(_SAMPLE, _SAMPLE_EACH * clusters)
    sizes = cluster.client.gather(parts.each(cluster, len, found))
    drawn = [
        cluster.client.submit(
            sample, part.future, -(-wanted * size // summary.rows), seed + number, workers=[part.worker], pure=False
        )
        for number, (part, size) in enumerate(zip(found, sizes, strict=True))
    ]
    chosen = np.concatenate(cluster.client.gather(drawn)).astype(np.float64)
    model = KMeans(clusters, init="k-means++", n_init=_STARTS, random_state=seed)
    with checks.checked(), warnings.catch_warnings():
        # Fewer different points than clusters are an error once all points were looked at.
        warnings.filterwarnings("ignore", "Number of distinct clusters")
        return model.fit(chosen).cluster_centers_


def run(
    cluster: Cluster, found: Sequence[Part], centroids: Any, *, dtype: Any, max_iter: int, tol: float
) -> tuple[Any, int]:
    """Move the centroids until they stand still.

    Args:
        cluster: The workers.
        found: The parts of the points.
        centroids: The start, float64 [clusters, columns].
        dtype: Of the points, which the centroids that are sent around take too.
        max_iter: Iterations at most.
        tol: It ends when the sum of the centroids' squared moves is at most this.

    Returns:
        (centroids float64 [clusters, columns], iterations)
    """
    iteration = 0
    for iteration in range(1, max_iter + 1):  # noqa: B007  # the count is part of the result
        sent = centroids.astype(dtype)
        sums = _add(cluster.client.gather(parts.each(cluster, add_up, found, sent)))
        if not sums.count.all():
            sums = _refill(cluster, found, sent, sums)
        # A cluster that is empty still has nothing to move to: every point is at a centroid.
        filled = sums.count > 0
        moved = centroids.copy()
        moved[filled] = sums.total[filled] / sums.count[filled, None]
        shift = float(((moved - centroids) ** 2).sum())
        centroids = moved
        if shift <= tol:
            break
    return centroids, iteration


def _add(sums: Sequence[Sums]) -> Sums:
    return reduce(
        lambda one, other: Sums(one.total + other.total, one.count + other.count, one.inertia + other.inertia), sums
    )


def _refill(cluster: Cluster, found: Sequence[Part], centroids: Any, sums: Sums) -> Sums:
    """Give each empty cluster the point that is farthest from its centroid, as scikit-learn does."""
    empty = np.flatnonzero(sums.count == 0)
    candidates = cluster.client.gather(parts.each(cluster, farthest, found, centroids, len(empty)))
    far = Far(*(np.concatenate(values) for values in zip(*candidates, strict=True)))
    order = np.argsort(far.squared)[::-1][: len(empty)]
    total, count = sums.total.copy(), sums.count.copy()
    for target, chosen in zip(empty, order, strict=False):
        left = far.cluster[chosen]
        # A cluster's last point stays with it, or another one would be empty.
        if far.squared[chosen] > 0 and count[left] > 1:
            total[left] -= far.rows[chosen]
            count[left] -= 1
            total[target], count[target] = far.rows[chosen], 1
    return Sums(total, count, sums.inertia)
