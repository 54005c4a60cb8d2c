"""Gradient-boosted trees with XGBoost, on the CPU and on the GPU, by histograms on both."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from w251lab.errors import UsageError, W251Error
from w251lab.rapids import arrays, checks, memory

if TYPE_CHECKING:
    from collections.abc import Mapping

    from w251lab.accelerator import Device

Kind = Literal["quantile", "plain"]
_XGBOOST: Final[dict[str, str]] = {"cpu": "cpu", "gpu": "cuda"}
#: Parameters that :func:`train` sets itself, from where the data lie or from its own arguments.
_OWN: Final = frozenset(
    {"device", "tree_method", "max_bin", "max_depth", "eta", "learning_rate", "objective", "eval_metric", "seed"}
)


@dataclass(frozen=True, eq=False)
class Matrix:
    """Data in the form in which XGBoost trains.

    Attributes:
        matrix: xgboost's QuantileDMatrix or DMatrix.
        device: Where the data lay.
        kind: ``quantile``: the features are replaced by the numbers of their bins at once, and no copy of them is kept.
            ``plain``: the features are copied, and binned when the training begins.
        rows: How many.
        features: How many columns.
        max_bin: Into how many bins a feature is divided.
    """

    matrix: Any
    device: Device
    kind: Kind
    rows: int
    features: int
    max_bin: int


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


def matrix(
    features: Any,
    labels: Any,
    *,
    kind: Kind = "quantile",
    max_bin: int = 256,
    objective: str = "binary:logistic",
    reference: Matrix | None = None,
    allow_constant: bool = False,
) -> Matrix:
    """Check the data and bring them into XGBoost's form, on the device where they lie.

    Args:
        features: Array or data frame of numbers [rows, columns]; NaN is a missing value.
        labels: [rows], on the same device: 0 and 1 for ``binary:`` objectives.
        kind: See :class:`Matrix`.
        max_bin: See :class:`Matrix`.
        objective: XGBoost's name of what is learned; decides what labels are allowed.
        reference: Of rows to evaluate on: the matrix that is trained on, whose bins they share.
        allow_constant: Let columns pass that have one value only.

    Raises:
        UsageError: An unknown kind, or a count that cannot be meant.
        W251Error: The data are not fit for it (see :func:`w251lab.rapids.checks.features` and
            :func:`w251lab.rapids.checks.labels`), lie on different devices, or do not fit into memory.
    """
    import xgboost as xgb  # takes a second to import  # noqa: PLC0415

    if kind not in {"quantile", "plain"}:
        raise UsageError(f"unknown kind of matrix {kind!r}", "use quantile or plain")
    max_bin = checks.whole(max_bin, "max_bin", at_least=2)
    device = checks.one_device(features=features, labels=labels)
    with memory.guard(device, "checking the rows"):
        table = checks.features(features, allow_missing=True, allow_constant=allow_constant or reference is not None)
        target = _labels(labels, len(table), objective)
    rows, columns = table.shape
    _same_shape(columns, device, reference)
    memory.require(
        rows * columns * (1 if kind == "quantile" else 4) + rows * 8, device, f"XGBoost's matrix of {rows:,} rows"
    )
    with memory.guard(device, "building XGBoost's matrix"):
        if kind == "quantile":
            shared = None if reference is None else reference.matrix
            made: Any = xgb.QuantileDMatrix(table, label=target, max_bin=max_bin, ref=shared)
        else:
            made = xgb.DMatrix(table, label=target)
    return Matrix(made, device, kind, rows, columns, max_bin)


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
        _same_shape(held_out.features, held_out.device, made)
        watched = [(made.matrix, "train"), (held_out.matrix, "evaluation")]
    settings: dict[str, Any] = {
        "device": _XGBOOST[made.device], "tree_method": "hist", "max_bin": made.max_bin, "max_depth": depth,
        "learning_rate": learning_rate, "objective": objective,
        "eval_metric": eval_metric, "seed": seed, **(parameters or {}),
    }  # fmt: skip
    history: dict[str, dict[str, list[float]]] = {}
    with memory.guard(made.device, "training with XGBoost"):
        booster = xgb.train(
            settings, made.matrix, num_boost_round=rounds, evals=watched, evals_result=history, verbose_eval=False,
            early_stopping_rounds=early_stopping,
        )  # fmt: skip
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
    if not source.is_file():
        raise W251Error(f"{source} is not there", "give a file that boosting.save wrote")
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


def _labels(labels: Any, rows: int, objective: str) -> Any:
    binary = objective.startswith("binary:")
    found = checks.labels(labels, rows, classes=binary or objective.startswith("multi:"))
    if binary and (found.lowest, found.highest) != (0, 1):
        raise W251Error(
            f"{objective} needs the labels 0 and 1; these run from {found.lowest:g} to {found.highest:g}",
            "number the classes 0 and 1: (labels == positive).astype('int32')",
        )
    return found.values


def _same_shape(columns: int, device: Device, reference: Matrix | None) -> None:
    if reference is None:
        return
    if device != reference.device:
        raise W251Error(
            f"the rows to evaluate on are on the {device.upper()}, those to train on on the {reference.device.upper()}",
            "copy them: arrays.to_device(value, 'gpu') or arrays.to_host(value)",
        )
    if columns != reference.features:
        raise W251Error(
            f"the rows to evaluate on have {columns:,} features, those to train on {reference.features:,}",
            "give the same columns in the same order",
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
