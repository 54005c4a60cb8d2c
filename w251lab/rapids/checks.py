"""What is looked at before the work starts; each fault is an error that names the column and the first bad row.

A check reads the data once and waits for the GPU once. scikit-learn and cuML are told that this was done
(:func:`checked`), so they do not read it a second time.
"""

from __future__ import annotations

import contextlib
import math
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from w251lab.errors import UsageError, W251Error
from w251lab.rapids import arrays

if TYPE_CHECKING:
    from collections.abc import Iterator

    from w251lab.accelerator import Device

_NUMBERS: Final = "biuf"
_NUMBER_TYPES: Final = (bool, int, float, np.number, np.bool_)
_HEAD: Final = 1024  # rows that tell nearly every column that varies
_BLOCK: Final = 1 << 24  # numbers that are looked at together where each one matters
_SHOWN: Final = 5
_INT32: Final = 1 << 31


class Labels(NamedTuple):
    """Checked labels.

    Attributes:
        values: int32 or (of a regression) float32 [rows], where they were given.
        lowest: The smallest.
        highest: The largest.
    """

    values: Any
    lowest: float
    highest: float


def features(
    value: Any,
    *,
    name: str = "the features",
    dtype: str | None = None,
    allow_missing: bool = False,
    allow_constant: bool = False,
) -> Any:
    """The numbers to learn from, as a two-dimensional array on the device where they were given.

    Args:
        value: An array [rows, columns], or a data frame of numbers.
        name: What to call it in an error.
        dtype: ``float32`` or ``float64``; None keeps either and makes the smaller that holds the numbers of the rest.
        allow_missing: NaN stands for a missing value. Infinity never passes.
        allow_constant: Let columns pass that have the same value in every row; nothing can be learned from them.

    Returns:
        float32 or float64 [rows, columns]; ``value`` itself where it is that already.

    Raises:
        W251Error: Nothing in it, of another rank, text where numbers belong, NaN, infinity, a constant column.
    """
    device = arrays.device_of(value)
    names = [str(column) for column in value.columns] if hasattr(value, "columns") else None
    array = _as_array(value, name, dtype) if names is None else _frame_as_array(value, name, dtype, device)
    if array.ndim != 2:
        raise W251Error(
            f"{name} must have rows and columns, and have the shape {tuple(array.shape)}",
            "give two dimensions: reshape(-1, 1) makes a single feature of one column, a frame takes [[column]]",
        )
    if 0 in array.shape:
        raise W251Error(f"{name} are empty: the shape is {tuple(array.shape)}", "give at least one row and one column")
    _scan(array, name, names, allow_missing=allow_missing, allow_constant=allow_constant)
    return array


def labels(value: Any, rows: int, *, name: str = "the labels", classes: bool = True) -> Labels:
    """One label for each row.

    Args:
        value: An array [rows] or a column of a data frame.
        rows: How many there must be.
        name: What to call it in an error.
        classes: They are classes: whole numbers, at least two different ones.

    Raises:
        W251Error: Another length or rank, text, NaN, infinity; of classes: a fraction, only one class.
    """
    arrays.device_of(value)
    if hasattr(value, "columns"):
        raise W251Error(f"{name} are a data frame; one column is expected", "pick the column: frame['label']")
    dtype = None if hasattr(value, "dtype") else "float64"
    array = _as_array(value, name, dtype, keep_integers=True)
    if array.ndim != 1:
        raise W251Error(
            f"{name} must have one dimension, and have the shape {tuple(array.shape)}", "ravel() flattens one column"
        )
    if len(array) != rows:
        raise W251Error(
            f"there are {len(array):,} labels for {rows:,} rows of features",
            "give one label for each row, in the same order",
        )
    xp = arrays.namespace(array)
    fractions = array.dtype.kind == "f" and classes
    found = [array.min(), array.max(), (xp.floor(array) != array).any() if fractions else xp.zeros((), dtype=bool)]
    lowest, highest, fraction = (
        float(number) for number in _host(xp.stack([xp.asarray(n, dtype="float64") for n in found]))
    )
    if not (math.isfinite(lowest) and math.isfinite(highest)):
        row = int(xp.argmax(~xp.isfinite(array)))
        raise W251Error(
            f"{name} contain {_number(array[row])}, first in row {row:,}", "leave out the rows without a label"
        )
    if classes and fraction:
        row = int(xp.argmax(xp.floor(array) != array))
        raise W251Error(
            f"{name} must be classes, whole numbers; row {row:,} has {_number(array[row])}",
            "number the classes from 0 on",
        )
    if classes and not -_INT32 <= lowest <= highest < _INT32:
        raise W251Error(
            f"{name} run from {lowest:.0f} to {highest:.0f}, and classes are 32-bit numbers", "number them from 0 on"
        )
    if classes and lowest == highest:
        raise W251Error(
            f"{name} have one class only: {_number(lowest)} in all {rows:,} rows",
            "give rows of at least two classes; when a table is sorted by class, shuffle before splitting it",
        )
    return Labels(array.astype("int32" if classes else "float32", copy=False), lowest, highest)


def rows_of(value: Any, name: str) -> int:
    """How many rows there are.

    Raises:
        UsageError: It is nothing that has rows.
    """
    arrays.device_of(value)
    if not hasattr(value, "__len__") or getattr(value, "ndim", 1) == 0 or isinstance(value, (str, bytes)):
        raise UsageError(f"{name} are {value!r}", "give an array or a data frame with rows and columns")
    return len(value)


def one_device(**values: Any) -> Device:
    """The device where all of these lie.

    Raises:
        W251Error: They lie on different ones.
    """
    places = {name: arrays.device_of(value) for name, value in values.items() if value is not None}
    if len(set(places.values())) > 1:
        said = ", ".join(f"{name} on the {place.upper()}" for name, place in places.items())
        raise W251Error(
            f"not everything lies on one device: {said}",
            "copy it where you want to compute: arrays.to_device(value, 'gpu') or arrays.to_host(value)",
        )
    return next(iter(places.values()))


def whole(value: Any, name: str, *, at_least: int = 1) -> int:
    """A count.

    Raises:
        UsageError: It is no whole number, or too small.
    """
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)) or value < at_least:
        raise UsageError(f"{name} is {value!r}", f"give a whole number, at least {at_least}")
    return int(value)


@contextlib.contextmanager
def checked() -> Iterator[None]:
    """Inside, scikit-learn and cuML trust that the numbers are finite: :func:`features` has read them already."""
    import sklearn  # takes a second to import  # noqa: PLC0415

    with sklearn.config_context(assume_finite=True):
        yield


def _as_array(value: Any, name: str, dtype: str | None, *, keep_integers: bool = False) -> Any:
    """An array of numbers from an array, a column or a list."""
    if hasattr(value, "to_cupy"):
        value = value.to_cupy() if _is_number(value.dtype) else value.to_pandas()
    if hasattr(value, "to_numpy") and _is_number(value.dtype) and not isinstance(value.dtype, np.dtype):
        value = value.to_numpy(dtype="float64", na_value=np.nan)  # pandas' types that know missing values
    try:
        array = value if hasattr(value, "__cuda_array_interface__") else np.asarray(value)
    except ValueError as error:  # lists of different lengths
        raise W251Error(f"{name} make no array: {error}", "give rows of equal length") from error
    if not _is_number(array.dtype):
        raise _no_number(array, array.dtype, name, None)
    if keep_integers and array.dtype.kind in "iu":
        return array
    return array.astype(dtype or _smallest([array.dtype]), copy=False)


def _frame_as_array(frame: Any, name: str, dtype: str | None, device: Device) -> Any:
    for position, kind in enumerate(frame.dtypes):
        if not _is_number(kind):
            column = np.asarray(arrays.to_host(frame.iloc[:, position]))
            raise _no_number(column, kind, name, str(frame.columns[position]))
    target = dtype or _smallest(list(frame.dtypes))
    if device == "gpu":
        return frame.astype(target).to_cupy()
    return frame.to_numpy(dtype=target, na_value=np.nan)


def _is_number(dtype: Any) -> bool:
    return getattr(dtype, "kind", "O") in _NUMBERS


def _smallest(dtypes: list[Any]) -> str:
    """float32 where it holds every value of these types, else float64."""
    exact = all(
        (dtype.kind == "f" and dtype.itemsize <= 4) or dtype.kind == "b" or dtype.itemsize <= 2 for dtype in dtypes
    )
    return "float32" if exact else "float64"


def _no_number(array: Any, dtype: Any, name: str, column: str | None) -> W251Error:
    """The error for text, dates or objects; names the first value that is no number."""
    import pandas as pd  # takes half a second to import  # noqa: PLC0415

    table = array.reshape(len(array), -1) if array.ndim else array.reshape(1, 1)
    kinds = [item for item in table.flat if not isinstance(item, _NUMBER_TYPES) and not pd.isna(item)]
    # Beside real text, a number that is written as text is not what anybody looks for.
    bad = next((item for item in kinds if not _reads_as_number(item)), kinds[0] if kinds else None)
    where = ""
    if bad is not None:
        row = next(row for row, items in enumerate(table) if any(item is bad or item == bad for item in items))
        where = f": row {row:,} has {bad.item() if isinstance(bad, np.generic) else bad!r}"
    of = f"column {column!r} of {name}" if column is not None else name
    remedy = "leave it out, or make numbers of it: categories with factorize(), dates as days since a first one"
    if bad is None and array.dtype == object:
        remedy = "its values are numbers: astype('float32') makes a column of numbers of it"
    return W251Error(f"numbers are expected, and the dtype of {of} is {dtype}{where}", remedy)


def _reads_as_number(item: Any) -> bool:
    try:
        float(item)
    except (TypeError, ValueError):
        return False
    return True


def _scan(array: Any, name: str, names: list[str] | None, *, allow_missing: bool, allow_constant: bool) -> None:
    """One pass over everything for NaN and infinity, and a look at a few rows for columns that do not vary.

    The sum of finite numbers is finite unless it overflows; only where it is not are the numbers looked at one by one.
    Where the first and the last row differ in every column, no more rows are looked at: each kernel that is started on
    a GPU costs as much as the clustering of a few thousand points.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        total = float(array.sum())
    ends = _host(array[:: max(len(array) - 1, 1)])
    if math.isfinite(total) and (allow_constant or bool((ends[0] != ends[-1]).all())):
        return
    if not math.isfinite(total):
        _refuse_not_finite(array, name, names, allow_missing=allow_missing)
    if not allow_constant:
        head = array[:_HEAD]
        suspects = _host(~(head.max(axis=0) > head.min(axis=0)))
        if suspects.any():
            _refuse_constant(array, suspects.nonzero()[0], name, names)


def _refuse_not_finite(array: Any, name: str, names: list[str] | None, *, allow_missing: bool) -> None:
    xp = arrays.namespace(array)
    for start, block in _blocks(array, range(array.shape[1])):
        bad = xp.isinf(block) if allow_missing else ~xp.isfinite(block)
        if not bool(bad.any()):
            continue
        row = int(xp.argmax(bad.any(axis=1)))
        column = int(xp.argmax(bad[row]))
        remedy = "leave out such rows (dropna), or fill them in (fillna)"
        raise W251Error(
            f"{name} contain {_number(block[row, column])}: {_column(column, names)}, first in row {start + row:,}",
            remedy if not allow_missing else "NaN may stand for a missing value, infinity may not: replace it",
        )


def _refuse_constant(array: Any, suspects: Any, name: str, names: list[str] | None) -> None:
    """Follow the columns that looked constant in the first rows until they vary."""
    xp = arrays.namespace(array)
    low, high = np.full(len(suspects), math.inf), np.full(len(suspects), -math.inf)
    for _, block in _blocks(array, suspects):
        missing = xp.isnan(block)
        low = np.minimum(low, _host(xp.where(missing, math.inf, block).min(axis=0)))
        high = np.maximum(high, _host(xp.where(missing, -math.inf, block).max(axis=0)))
        if bool((low < high).all()):
            return
    constant = [int(column) for column, fixed in zip(suspects, low >= high, strict=True) if fixed]
    shown = ", ".join(_column(column, names) for column in constant[:_SHOWN])
    more = f" and {len(constant) - _SHOWN:,} more" if len(constant) > _SHOWN else ""
    raise W251Error(
        f"{name} have the same value in every row of {shown}{more}, so nothing can be learned from it",
        "leave such columns out, or say allow_constant=True",
    )


def _blocks(array: Any, columns: Any) -> Iterator[tuple[int, Any]]:
    """(first row, rows of these columns) from top to bottom, each small enough to be copied."""
    xp = arrays.namespace(array)
    step = max(1, _BLOCK // max(1, len(columns)))
    for start in range(0, len(array), step):
        block = array[start : start + step]
        yield start, block if len(columns) == array.shape[1] else block[:, xp.asarray(columns)]


def _column(position: int, names: list[str] | None) -> str:
    return f"column {position}" if names is None else f"column {names[position]!r} (number {position})"


def _number(value: Any) -> str:
    number = float(value)
    return str(int(number)) if math.isfinite(number) and number == int(number) else str(number)


def _host(array: Any) -> Any:
    return array.get() if hasattr(array, "get") else array
