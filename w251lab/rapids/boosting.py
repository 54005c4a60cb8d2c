"""Gradient-boosted trees with XGBoost, on the CPU and on the GPU, by histograms on both."""

from __future__ import annotations

import contextlib
import json
import re
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from w251lab.errors import UsageError, W251Error
from w251lab.rapids import arrays, checks, memory
from w251lab.rapids.matrices import Matrix, matrix, same_shape

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from w251lab.accelerator import Device

__all__ = ["Boosted", "Matrix", "load", "matrix", "predict", "save", "to_device", "train"]

_XGBOOST: Final[dict[str, str]] = {"cpu": "cpu", "gpu": "cuda"}
#: Parameters that :func:`train` sets itself, from where the data lie or from its own arguments.
_OWN: Final = frozenset(
    {"device", "tree_method", "max_bin", "max_depth", "eta", "learning_rate", "objective", "eval_metric", "seed"}
)


@dataclass(frozen=True, eq=False)
class Boosted:
    """Trained trees.

    Attributes:
        booster: xgboost's Booster.
        device: Where it predicts.
        trained_on: Where it was trained.
        features: How many columns it was trained on.
        rounds: How many rounds predict: all, or those up to the best one where the training stopped early.
        history: The metric after each round, for ``train`` and (where rows were given for it) ``evaluation``.
    """

    booster: Any
    device: Device
    trained_on: Device
    features: int
    rounds: int
    history: dict[str, list[float]] = field(default_factory=dict)


def train(
    data: Any,
    labels: Any = None,
    *,
    rounds: int = 100,
    depth: int = 8,
    learning_rate: float = 0.3,
    objective: str = "binary:logistic",
    eval_metric: str = "auc",
    evaluation: tuple[Any, Any] | Matrix | None = None,
    early_stopping: int | None = None,
    max_bin: int = 256,
    seed: int = 0,
    parameters: Mapping[str, Any] | None = None,
    allow_constant: bool = False,
) -> Boosted:
    """Train trees on the device where the data lie.

    Args:
        data: A :class:`Matrix`, or features [rows, columns] of which a ``quantile`` one is made first.
        labels: [rows], with features; None with a :class:`Matrix`.
        rounds: Of boosting, at most.
        depth: Of each tree, at most.
        learning_rate: What each round's trees count for.
        objective: XGBoost's name of what is learned.
        eval_metric: XGBoost's name of what is measured after each round where there is ``evaluation``.
        evaluation: (features, labels) or a matrix that is not trained on; on the same device.
        early_stopping: Stop when the metric on ``evaluation`` has not improved for so many rounds.
        max_bin: Into how many bins a feature is divided.
        seed: Of what is drawn at random.
        parameters: More of XGBoost's parameters, by its names.
        allow_constant: Let columns pass that have one value only.

    Raises:
        UsageError: An argument that cannot be meant.
        W251Error: As of :func:`matrix`, or XGBoost refuses or fails.
    """
    import xgboost as xgb  # takes a second to import  # noqa: PLC0415

    rounds, depth = checks.whole(rounds, "rounds"), checks.whole(depth, "depth")
    _check_options(learning_rate, early_stopping, evaluation, parameters)
    made = _matrix_of(data, labels, None, objective, max_bin, allow_constant=allow_constant)
    watched: list[tuple[Any, str]] = []
    if evaluation is not None:
        rows, known = (evaluation, None) if isinstance(evaluation, Matrix) else evaluation
        held_out = _matrix_of(rows, known, made, objective, max_bin, allow_constant=True)
        same_shape(held_out.features, held_out.device, made)
        watched = [(made.matrix, "train"), (held_out.matrix, "evaluation")]
    settings: dict[str, Any] = {
        "device": _XGBOOST[made.device], "tree_method": "hist", "max_bin": made.max_bin, "max_depth": depth,
        "learning_rate": learning_rate, "objective": objective,
        "eval_metric": eval_metric, "seed": seed, **(parameters or {}),
    }  # fmt: skip
    history: dict[str, dict[str, list[float]]] = {}
    with memory.guard(made.device, "training with XGBoost"), _known_parameters():
        booster = xgb.train(
            settings, made.matrix, num_boost_round=rounds, evals=watched, evals_result=history, verbose_eval=False,
            early_stopping_rounds=early_stopping,
        )  # fmt: skip
    _refuse_other_device(booster, made.device)
    used = booster.best_iteration + 1 if early_stopping is not None else booster.num_boosted_rounds()
    measured = {name: next(iter(metrics.values())) for name, metrics in history.items()}
    return Boosted(booster, made.device, made.device, made.features, int(used), measured)


def predict(model: Boosted, features: Any) -> Any:
    """What the objective predicts for each row, on the model's device.

    Of a binary one it is the probability of class 1, float32 [rows].

    Args:
        model: Of :func:`train` or :func:`load`.
        features: [rows, columns], on the model's device; NaN is a missing value. :func:`to_device` brings a model
            elsewhere.

    Raises:
        W251Error: They lie elsewhere, have other columns, or are not fit for it.
    """
    place = arrays.device_of(features)
    if place != model.device:
        raise W251Error(
            f"the model is on the {model.device.upper()} and the rows are on the {place.upper()}",
            f"boosting.to_device(model, {place!r}) brings the model to the rows; then XGBoost copies nothing unseen",
        )
    table = checks.features(features, allow_missing=True, allow_constant=True)
    if table.shape[1] != model.features:
        raise W251Error(
            f"the rows have {table.shape[1]:,} features, and the model was trained on {model.features:,}",
            "give the same columns in the same order",
        )
    with memory.guard(model.device, "predicting with XGBoost"):
        return model.booster.inplace_predict(table, iteration_range=(0, model.rounds))


def to_device(model: Boosted, device: str) -> Boosted:
    """The same trees, predicting on ``device``; the model that is given stays where it is.

    Args:
        model: Of :func:`train` or :func:`load`.
        device: ``cpu``, ``gpu`` or ``auto``.

    Raises:
        UsageError: Another word.
        W251Error: No such device.
    """
    where: Device = "gpu" if arrays.libraries(device).xp.__name__ == "cupy" else "cpu"
    booster = model.booster.copy()
    booster.set_param({"device": _XGBOOST[where]})
    return Boosted(booster, where, model.trained_on, model.features, model.rounds, model.history)


def save(model: Boosted, path: str | Path) -> Path:
    """Write the trees in XGBoost's own format, which every machine and later version reads.

    Args:
        model: From either device.
        path: A file that ends in ``.json`` or ``.ubj`` (binary).

    Raises:
        UsageError: Another ending.
        W251Error: It cannot be written there.
    """
    target = Path(path)
    if target.suffix not in {".json", ".ubj"}:
        raise UsageError(
            f"{target.name} ends in {target.suffix or 'nothing'}", "name the file .ubj (small) or .json (to read)"
        )
    booster = model.booster.copy()
    booster.set_attr(w251lab_rounds=str(model.rounds), w251lab_trained_on=model.trained_on)
    try:
        target.write_bytes(booster.save_raw(raw_format=target.suffix.removeprefix(".")))
    except OSError as error:
        raise W251Error(
            f"the trees cannot be written to {target}: {error.strerror}", "name a file in a folder that is there"
        ) from error
    return target


def load(path: str | Path, device: str = "cpu") -> Boosted:
    """Read trees that :func:`save` wrote.

    Args:
        path: The file.
        device: ``cpu``, ``gpu`` or ``auto``: where they are to predict.

    Raises:
        UsageError: An unknown device.
        W251Error: It is not there, no such file, or there is no such device.
    """
    import xgboost as xgb  # takes a second to import  # noqa: PLC0415

    source = Path(path)
    if not source.is_file() or source.suffix not in {".json", ".ubj"}:
        missing = "is not there" if source.suffix in {".json", ".ubj"} else "does not end in .json or .ubj"
        raise W251Error(f"{source} {missing}", "give a file that boosting.save wrote")
    try:
        booster = xgb.Booster(model_file=source)
    except xgb.core.XGBoostError as error:
        raise W251Error(
            f"{source} holds no trees that XGBoost {xgb.__version__} reads", "give a file that boosting.save wrote"
        ) from error
    trained_on: Device = "gpu" if booster.attr("w251lab_trained_on") == "gpu" else "cpu"
    rounds = int(booster.attr("w251lab_rounds") or booster.num_boosted_rounds())
    return to_device(Boosted(booster, "cpu", trained_on, int(booster.num_features()), rounds), device)


def _matrix_of(
    data: Any, labels: Any, reference: Matrix | None, objective: str, max_bin: int, *, allow_constant: bool
) -> Matrix:
    if isinstance(data, Matrix):
        if labels is not None:
            raise UsageError("labels were given beside a matrix, which has its own", "leave them out")
        return data
    if labels is None:
        raise UsageError("features were given without labels", "give both, or a boosting.matrix")
    return matrix(
        data, labels, max_bin=max_bin, objective=objective, reference=reference, allow_constant=allow_constant
    )


def _check_options(
    learning_rate: float, early_stopping: int | None, evaluation: Any, parameters: Mapping[str, Any] | None
) -> None:
    if not 0 < learning_rate <= 1:
        raise UsageError(f"learning_rate is {learning_rate!r}", "give a number above 0 and at most 1")
    if early_stopping is not None:
        checks.whole(early_stopping, "early_stopping")
        if evaluation is None:
            raise UsageError("early stopping needs rows that are not trained on", "give evaluation=(features, labels)")
    if twice := sorted(_OWN & set(parameters or {})):
        raise UsageError(
            f"parameters has {', '.join(twice)}",
            "give it as the argument of train that sets it, or by the data's device",
        )


@contextlib.contextmanager
def _known_parameters() -> Iterator[None]:
    """XGBoost only warns of a parameter that it does not know; here it is an error. Its other warnings pass."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    for warning in caught:
        said = str(warning.message)
        if unknown := re.search(r"Parameters: \{ (.*) \} are not used", said):
            raise UsageError(
                f"XGBoost knows no parameter {unknown[1]} for this work", "see XGBoost's list of parameters"
            )
        warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)


def _refuse_other_device(booster: Any, device: Device) -> None:
    """XGBoost without CUDA, or without a GPU, trains on the CPU and only warns: its configuration tells."""
    used = str(json.loads(booster.save_config())["learner"]["generic_param"]["device"])
    if used.partition(":")[0] != _XGBOOST[device]:
        raise W251Error(
            f"XGBoost was to train on the {device.upper()}, and trained on {used}",
            "install the XGBoost with CUDA: `make env DEVICE=gpu`",
        )
