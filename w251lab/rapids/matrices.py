"""Data in the form in which XGBoost trains: checked, on the device where they lie, and binned or not yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from w251lab.errors import UsageError, W251Error
from w251lab.rapids import checks, memory

if TYPE_CHECKING:
    from w251lab.accelerator import Device

Kind = Literal["quantile", "plain"]


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
    same_shape(columns, device, reference)
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


def _labels(labels: Any, rows: int, objective: str) -> Any:
    binary = objective.startswith("binary:")
    found = checks.labels(labels, rows, classes=binary or objective.startswith("multi:"))
    if binary and (found.lowest, found.highest) != (0, 1):
        raise W251Error(
            f"{objective} needs the labels 0 and 1; these run from {found.lowest:g} to {found.highest:g}",
            "number the classes 0 and 1: (labels == positive).astype('int32')",
        )
    return found.values


def same_shape(columns: int, device: Device, reference: Matrix | None) -> None:
    """Hold rows to evaluate on against the matrix that is trained on.

    Raises:
        W251Error: They lie on another device, or have other columns.
    """
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
