"""Gradient-boosted trees on the workers, by ``xgboost.dask`` on CPUs and GPUs alike."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from w251lab.errors import UsageError, W251Error
from w251lab.rapids import arrays, checks
from w251lab.rapids.boosting import Boosted
from w251lab.rapids.scaling import parts
from w251lab.rapids.scaling.starting import HOST

if TYPE_CHECKING:
    from collections.abc import Iterator

    from w251lab.rapids.scaling.workers import Cluster

_XGBOOST: Final[dict[str, str]] = {"cpu": "cpu", "gpu": "cuda"}


class Seen(NamedTuple):
    """Of the labels of a part: the lowest, the highest, and whether all are whole numbers."""

    lowest: float
    highest: float
    whole: bool


def boosting(
    cluster: Cluster,
    features: Any,
    labels: Any,
    *,
    rounds: int = 100,
    depth: int = 8,
    learning_rate: float = 0.3,
    objective: str = "binary:logistic",
    eval_metric: str = "auc",
    evaluation: tuple[Any, Any] | None = None,
    early_stopping: int | None = None,
    max_bin: int = 256,
    seed: int = 0,
) -> Boosted:
    """Train trees on all the workers together.

    Args:
        cluster: The workers.
        features: A dask array [rows, columns], such as ``cluster.clicks`` makes; NaN is a missing value.
        labels: A dask array [rows], in parts of the same rows.
        rounds: Of boosting, at most.
        depth: Of each tree, at most.
        learning_rate: What each round's trees count for.
        objective: XGBoost's name of what is learned.
        eval_metric: XGBoost's name of what is measured after each round where there is ``evaluation``. Over several
            workers XGBoost's AUC is the mean of the workers' own; the exact one comes from predictions.
        evaluation: (features, labels) that are not trained on.
        early_stopping: Stop when the metric on ``evaluation`` has not improved for so many rounds.
        max_bin: Into how many bins a feature is divided.
        seed: Of what is drawn at random.

    Returns:
        As of :func:`w251lab.rapids.boosting.train`: every worker ends with the same trees, and one copy comes here.

    Raises:
        UsageError: An argument that cannot be meant.
        W251Error: The data are not fit for it, not enough memory, XGBoost refuses, or a worker died.
    """
    rounds, depth = checks.whole(rounds, "rounds"), checks.whole(depth, "depth")
    max_bin = checks.whole(max_bin, "max_bin", at_least=2)
    if not 0 < learning_rate <= 1:
        raise UsageError(f"learning_rate is {learning_rate!r}", "give a number above 0 and at most 1")
    if early_stopping is not None:
        checks.whole(early_stopping, "early_stopping")
        if evaluation is None:
            raise UsageError("early stopping needs rows that are not trained on", "give evaluation=(features, labels)")
    settings = {
        "device": _XGBOOST[cluster.device], "tree_method": "hist", "max_bin": max_bin, "max_depth": depth,
        "learning_rate": learning_rate, "objective": objective, "eval_metric": eval_metric, "seed": seed,
    }  # fmt: skip
    with cluster.working("training with XGBoost"):
        _check(cluster, features, labels, objective, "the features")
        if evaluation is not None:
            _check(cluster, *evaluation, objective, "the features to evaluate on")
            if evaluation[0].shape[1] != features.shape[1]:
                raise W251Error(
                    f"the rows to evaluate on have {evaluation[0].shape[1]:,} features, those to train on "
                    f"{features.shape[1]:,}",
                    "give the same columns in the same order",
                )
        trained = _train(
            cluster, settings, features, labels, rounds, evaluation=evaluation, early_stopping=early_stopping
        )
    booster, history = trained["booster"], trained["history"]
    # The workers' threads are few; this process may use all cores again.
    booster.set_param({"nthread": 0})
    used = booster.best_iteration + 1 if early_stopping is not None else booster.num_boosted_rounds()
    measured = {name: [float(value) for value in next(iter(metrics.values()))] for name, metrics in history.items()}
    return Boosted(booster, cluster.device, cluster.device, int(features.shape[1]), int(used), measured)


def _train(
    cluster: Cluster, settings: dict[str, Any], features: Any, labels: Any, rounds: int, *,
    evaluation: tuple[Any, Any] | None, early_stopping: int | None,
) -> Any:  # fmt: skip
    from xgboost import dask as dxgb  # takes a second to import  # noqa: PLC0415
    from xgboost.collective import Config  # noqa: PLC0415

    bins = settings["max_bin"]
    made = dxgb.DaskQuantileDMatrix(cluster.client, features, labels, max_bin=bins)
    watched = []
    if evaluation is not None:
        held_out = dxgb.DaskQuantileDMatrix(cluster.client, *evaluation, max_bin=bins, ref=made)
        watched = [(made, "train"), (held_out, "evaluation")]
    with _quiet(cluster):
        return dxgb.train(
            cluster.client, settings, made, num_boost_round=rounds, evals=watched, verbose_eval=False,
            early_stopping_rounds=early_stopping,
            # XGBoost would else listen on the address with which this machine reaches the internet.
            coll_cfg=Config(tracker_host_ip=HOST),
        )  # fmt: skip


@contextlib.contextmanager
def _quiet(cluster: Cluster) -> Iterator[None]:
    """Each worker of XGBoost prints its number at every training, whatever the verbosity; failures are raised."""
    kept = cluster.client.run(_mute)
    try:
        yield
    finally:
        for worker in kept.keys() & set(cluster.alive()):
            cluster.client.run(_unmute, kept[worker], workers=[worker], on_error="ignore")


def _mute() -> int:
    """On a worker: send what native code prints as an error to nowhere; the descriptor that brings it back."""
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    return kept


def _unmute(kept: int) -> None:
    os.dup2(kept, 2)
    os.close(kept)


def look_at(features: Any, labels: Any, name: str) -> Seen:
    """On a worker: check its part of the features, and say what its labels are.

    Raises:
        W251Error: They are not fit for it.
    """
    checks.features(features, name=name, allow_missing=True, allow_constant=True)
    found = checks.labels(labels, len(features), classes=False)
    xp = arrays.namespace(found.values)
    return Seen(found.lowest, found.highest, bool((xp.floor(found.values) == found.values).all()))


def _check(cluster: Cluster, features: Any, labels: Any, objective: str, name: str) -> None:
    rows, known = parts.of(cluster, features), parts.of(cluster, labels)
    if features.ndim != 2 or labels.ndim != 1:
        raise W251Error(
            f"features [rows, columns] and labels [rows] are expected; the shapes are {features.shape} and "
            f"{labels.shape}",
            "give one column of labels",
        )
    if features.chunks[0] != labels.chunks[0]:
        raise W251Error(
            f"{name} have {features.shape[0]:,} rows in {len(rows)} parts, the labels {labels.shape[0]:,} in "
            f"{len(known)}",
            "give as many labels as rows, divided alike: labels.rechunk((features.chunks[0],))",
        )
    futures = [
        cluster.client.submit(
            look_at, one.future, other.future, f"{name} from row {one.start:,} on", workers=[one.worker], pure=False
        )
        for one, other in zip(rows, known, strict=True)
    ]
    seen = cluster.client.gather(futures)
    lowest, highest = min(part.lowest for part in seen), max(part.highest for part in seen)
    binary = objective.startswith("binary:")
    if not binary and not objective.startswith("multi:"):
        return
    if not all(part.whole for part in seen):
        raise W251Error("the labels must be classes, whole numbers", "number the classes from 0 on")
    if lowest == highest:
        raise W251Error(f"the labels have one class only: {lowest:g} in all rows", "give rows of at least two classes")
    if binary and not np.array_equal((lowest, highest), (0, 1)):
        raise W251Error(
            f"{objective} needs the labels 0 and 1; these run from {lowest:g} to {highest:g}",
            "number the classes 0 and 1: (labels == positive).astype('int32')",
        )
