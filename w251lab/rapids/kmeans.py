"""K-means: scikit-learn's on the CPU, cuML's on the GPU.

The two are set to do the same work: one start (``n_init=1``), the same limit of Lloyd's iterations, the same tolerance.
They differ in how they start. scikit-learn chooses centres one after the other (greedy k-means++); cuML chooses many
candidates at once and reduces them ("scalable k-means++", k-means||; Bahmani et al., 2012): of each of its rounds it
takes ``oversampling`` times the number of clusters.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from w251lab.errors import W251Error
from w251lab.rapids import arrays, checks, memory

if TYPE_CHECKING:
    from w251lab.accelerator import Device


@dataclass(frozen=True, eq=False)
class KMeansResult:
    """A clustering.

    Attributes:
        centroids: [clusters, features], of the points' type, on the device where they were found.
        labels: The cluster of each row, int32 [rows], there too.
        inertia: Sum of the squared distances of the points to their centroid.
        iterations: Lloyd's iterations that it took.
        device: Where it was computed.
        model: The fitted estimator, scikit-learn's or cuML's.
    """

    centroids: Any
    labels: Any
    inertia: float
    iterations: int
    device: Device
    model: Any


def fit(
    points: Any,
    clusters: int,
    *,
    seed: int = 0,
    n_init: int = 1,
    max_iter: int = 300,
    tol: float = 1e-4,
    oversampling: float = 2.0,
    allow_constant: bool = False,
) -> KMeansResult:
    """Find ``clusters`` centroids such that the points are near to them, on the device where the points lie.

    Args:
        points: Array or data frame of numbers [rows, features].
        clusters: How many.
        seed: Of the random start.
        n_init: Random starts; the one with the least inertia is kept.
        max_iter: Lloyd's iterations at most.
        tol: It ends when the centroids move less.
        oversampling: On the GPU: candidates in each round of k-means||, as a multiple of the clusters.
        allow_constant: Let columns pass that have one value only.

    Raises:
        UsageError: A count below 1.
        W251Error: The points are not fit for it (see :func:`w251lab.rapids.checks.features`), fewer of them (or fewer
            different ones) than clusters, or not enough memory.
    """
    clusters, n_init, max_iter = (
        checks.whole(clusters, "clusters"),
        checks.whole(n_init, "n_init"),
        checks.whole(max_iter, "max_iter"),
    )
    device, rows = arrays.device_of(points), checks.rows_of(points, "the points")
    if clusters > rows > 0:
        raise W251Error(
            f"{rows:,} rows cannot make {clusters:,} clusters", "ask for at most as many clusters as there are rows"
        )
    with memory.guard(device, "checking the points"):
        array = checks.features(points, name="the points", allow_constant=allow_constant)
    memory.require(_needed(array, device), device, f"K-means of {rows:,} rows and {array.shape[1]:,} features")
    same = {"n_clusters": clusters, "random_state": seed, "n_init": n_init, "max_iter": max_iter, "tol": tol}
    model = _estimator(device, oversampling, same)
    with memory.guard(device, "running K-means"), checks.checked(), warnings.catch_warnings():
        # It is an error below, on either device.
        warnings.filterwarnings("ignore", "Number of distinct clusters")
        model.fit(array)
        result = KMeansResult(
            model.cluster_centers_, model.labels_, float(model.inertia_), int(model.n_iter_), device, model
        )
    refuse_collapsed(result.centroids, clusters)
    return result


def predict(result: KMeansResult, points: Any) -> Any:
    """The nearest centroid of each point, int32 [rows], on the device where both lie.

    Args:
        result: Of :func:`fit`.
        points: [rows, features], on the same device.

    Raises:
        W251Error: They lie on different devices, or are not fit for it.
    """
    checks.one_device(points=points, centroids=result.centroids)
    array = checks.features(points, name="the points", dtype=str(result.centroids.dtype), allow_constant=True)
    _same_width(array, result.centroids.shape[1])
    with memory.guard(result.device, "assigning points to centroids"), checks.checked():
        return result.model.predict(array)


def _estimator(device: Device, oversampling: float, same: dict[str, Any]) -> Any:
    if device == "gpu":
        from cuml.cluster import KMeans as OnGpu  # absent without a GPU  # noqa: PLC0415

        return OnGpu(**same, init="scalable-k-means++", oversampling_factor=oversampling, output_type="cupy")
    from sklearn.cluster import KMeans  # takes a second to import  # noqa: PLC0415

    return KMeans(**same, init="k-means++")


def _needed(array: Any, device: Device) -> int:
    """Bytes beside the points: labels, norms, and the copy that scikit-learn centres, or cuML's of another layout."""
    copies = device == "cpu" or not array.flags.c_contiguous
    return int(array.nbytes * copies + len(array) * (4 + array.itemsize))


def _same_width(array: Any, expected: int) -> None:
    if array.shape[1] != expected:
        raise W251Error(
            f"the rows have {array.shape[1]:,} features, and the model was trained on {expected:,}",
            "give the same columns in the same order",
        )


def refuse_collapsed(centroids: Any, clusters: int) -> None:
    """Two centroids in one place mean that there are fewer different points than clusters.

    Args:
        centroids: [clusters, features], on either device.
        clusters: How many were asked for.

    Raises:
        W251Error: Two are the same, or one is not finite.
    """
    found = np.asarray(arrays.to_host(centroids))
    if not np.isfinite(found).all():
        raise W251Error("K-means ended with centroids that are not finite", "scale the features to about -1 to 1 first")
    different = len(set(map(tuple, found.tolist())))  # a tenth of the time of numpy.unique
    if different < clusters:
        raise W251Error(
            f"the points make {different:,} different centroids, not {clusters:,}: many points are the same",
            f"ask for at most {different:,} clusters",
        )
