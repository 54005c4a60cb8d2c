"""K-means on the workers: cuML's for several GPUs, or Lloyd's iterations over the parts on a CPU."""

from __future__ import annotations

import dataclasses
from functools import reduce
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from w251lab.errors import W251Error
from w251lab.rapids import arrays, checks
from w251lab.rapids.kmeans import KMeansResult, refuse_collapsed
from w251lab.rapids.scaling import lloyd, parts
from w251lab.rapids.scaling.prediction import predict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from w251lab.rapids.scaling.lloyd import Summary
    from w251lab.rapids.scaling.parts import Part
    from w251lab.rapids.scaling.workers import Cluster


def kmeans(
    cluster: Cluster,
    points: Any,
    clusters: int,
    *,
    seed: int = 0,
    max_iter: int = 300,
    tol: float = 1e-4,
    oversampling: float = 2.0,
    allow_constant: bool = False,
) -> KMeansResult:
    """Find ``clusters`` centroids such that the points are near to them, on all the workers together.

    Args:
        cluster: The workers.
        points: A dask array of numbers [rows, features], such as ``cluster.blobs`` makes; on GPUs float32 or float64.
        clusters: How many.
        seed: Of the random start.
        max_iter: Lloyd's iterations at most.
        tol: It ends when the centroids move less; on a CPU, as in scikit-learn, relative to the features' variance.
        oversampling: On GPUs: candidates in each round of k-means||, as a multiple of the clusters.
        allow_constant: Let columns pass that have one value only.

    Returns:
        As of :func:`w251lab.rapids.kmeans.fit`, with the centroids in this process (on its GPU) and the labels in a
        dask array on the workers. ``model`` is a fitted estimator of one machine with these centroids.

    Raises:
        UsageError: A count below 1, or points that are in no dask array divided by rows.
        W251Error: The points are not fit for it, fewer of them (or fewer different ones) than clusters, not enough
            memory, or a worker died.
    """
    options = _Options(checks.whole(clusters, "clusters"), seed, checks.whole(max_iter, "max_iter"), tol, oversampling)
    with cluster.working("running K-means"):
        if isinstance(getattr(points, "dtype", None), np.dtype) and points.dtype.name not in {"float32", "float64"}:
            points = points.astype(np.float64)
        found = parts.of(cluster, points)
        summary = _summary(cluster, found)
        _check(summary, clusters, allow_constant=allow_constant)
        if cluster.device == "gpu":
            return _on_gpus(cluster, points, options)
        return _on_cpu(cluster, points, found, summary, options)


class _Options(NamedTuple):
    """The arguments of :func:`kmeans` that say how."""

    clusters: int
    seed: int
    max_iter: int
    tol: float
    oversampling: float


def _on_cpu(cluster: Cluster, points: Any, found: Sequence[Part], summary: Summary, options: _Options) -> KMeansResult:
    begin = lloyd.start(cluster, found, summary, options.clusters, options.seed)
    variance = float((summary.squares / summary.rows).mean())
    exact, iterations = lloyd.run(
        cluster, found, begin, dtype=points.dtype, max_iter=options.max_iter, tol=options.tol * variance
    )
    centroids = exact.astype(points.dtype)
    refuse_collapsed(centroids, options.clusters)
    labelled = parts.each(cluster, lloyd.label, found, centroids)
    made = [parts.Part(future, part.worker, part.start) for future, part in zip(labelled, found, strict=True)]
    inertia = float(sum(cluster.client.gather(parts.each(cluster, parts.element, made, 1))))
    labels = parts.assemble(cluster, made, 0, points.chunks[0], shape=(), dtype="int32")
    return KMeansResult(centroids, labels, inertia, iterations, "cpu", _estimator(centroids, inertia, iterations))


def _estimator(centroids: Any, inertia: float, iterations: int) -> Any:
    """scikit-learn's, fitted to its own centroids, where it stays: it can predict like any other."""
    from sklearn.cluster import KMeans  # takes a second to import  # noqa: PLC0415

    model = KMeans(len(centroids), init=centroids, n_init=1, max_iter=1).fit(centroids)
    model.cluster_centers_, model.inertia_, model.n_iter_ = centroids, inertia, iterations
    del model.labels_  # they would be the centroids' own
    return model


def _on_gpus(cluster: Cluster, points: Any, options: _Options) -> KMeansResult:
    from cuml.dask.cluster import KMeans  # absent without a GPU  # noqa: PLC0415

    fitted = KMeans(
        client=cluster.client, n_clusters=options.clusters, random_state=options.seed, n_init=1,
        max_iter=options.max_iter, tol=options.tol, init="scalable-k-means++", oversampling_factor=options.oversampling,
    )  # fmt: skip
    fitted.fit(points)
    model = fitted.get_combined_model()
    centroids = arrays.to_device(model.cluster_centers_, "gpu")
    refuse_collapsed(centroids, options.clusters)
    found = KMeansResult(centroids, None, float(fitted.inertia_), int(model.n_iter_), "gpu", model)
    # cuML joins the labels in the order in which it found the parts; these are in the order of the points.
    return dataclasses.replace(found, labels=predict(cluster, found, points))


def _summary(cluster: Cluster, found: Sequence[Part]) -> Summary:
    """Check every part and describe the whole."""
    summaries = [
        cluster.client.submit(
            lloyd.summarize, part.future, f"the points from row {part.start:,} on", workers=[part.worker], pure=False
        )
        for part in found
    ]
    described: list[Summary] = cluster.client.gather(summaries)
    return reduce(lloyd.merge, described)


def _check(summary: Summary, clusters: int, *, allow_constant: bool) -> None:
    if clusters > summary.rows:
        raise W251Error(
            f"{summary.rows:,} rows cannot make {clusters:,} clusters",
            "ask for at most as many clusters as there are rows",
        )
    constant = np.flatnonzero(summary.lowest == summary.highest)
    if len(constant) and not allow_constant:
        shown = ", ".join(map(str, constant[:5])) + (f" and {len(constant) - 5:,} more" if len(constant) > 5 else "")
        raise W251Error(
            f"the points have the same value in every row of column {shown}, so nothing can be learned from it",
            "leave such columns out, or say allow_constant=True",
        )
