"""Prediction on the workers: what one machine does, for each part where it lies."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from w251lab.errors import UsageError
from w251lab.rapids import boosting, kmeans
from w251lab.rapids.scaling import parts

if TYPE_CHECKING:
    from w251lab.rapids.boosting import Boosted
    from w251lab.rapids.kmeans import KMeansResult
    from w251lab.rapids.scaling.workers import Cluster


def predict(cluster: Cluster, model: KMeansResult | Boosted, rows: Any) -> Any:
    """What a model says of each row: the cluster, int32 [rows]; or what the trees predict, float32 [rows].

    Args:
        cluster: The workers.
        model: Of :func:`w251lab.rapids.scaling.kmeans` or :func:`w251lab.rapids.scaling.boosting`, or of one machine.
        rows: A dask array [rows, features].

    Returns:
        A dask array [rows] on the workers; ``cluster.to_host`` brings it here.

    Raises:
        UsageError: Another model, or rows that are in no dask array divided by rows.
        W251Error: The rows are not fit for it, the model is on another device, or a worker died.
    """
    if isinstance(model, kmeans.KMeansResult):
        # The labels of the rows that it was fitted to would be sent along.
        sent: Any = dataclasses.replace(model, labels=None)
        dtype = "int32"
    elif isinstance(model, boosting.Boosted):
        sent, dtype = model, "float32"
    else:
        raise UsageError(
            f"{type(model).__qualname__} is no model of K-means or of boosting", "give what one of them returned"
        )
    with cluster.working("predicting"):
        found = parts.of(cluster, rows)
        shared = cluster.client.scatter(sent, broadcast=False, hash=False)
        futures = parts.each(cluster, apply, found, shared)
        shape = cluster.client.gather(cluster.client.submit(shape_of_row, futures[0], pure=False))
        made = [parts.Part(future, part.worker, part.start) for future, part in zip(futures, found, strict=True)]
        return parts.assemble(cluster, made, 0, rows.chunks[0], shape=shape, dtype=dtype)


def apply(rows: Any, model: Any) -> tuple[Any]:
    """On a worker: the prediction for its part."""
    function: Any = kmeans.predict if isinstance(model, kmeans.KMeansResult) else boosting.predict
    return (function(model, rows),)


def shape_of_row(made: tuple[Any]) -> tuple[int, ...]:
    """On a worker: the shape of what is predicted for one row: (), or (classes,)."""
    return tuple(made[0].shape[1:])
