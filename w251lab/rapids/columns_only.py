"""A data frame for exercises: it does whole-column operations, and refuses to leave the GPU.

Code that is written for pandas leaves the GPU in ways that a machine without one does not show: a Python function for
every row, a loop, a copy to host memory, a function of pandas or NumPy in place of the frame's own method. A frame that
:func:`columns_only` has wrapped has the methods of the frame inside and refuses these, on every machine.
"""

from __future__ import annotations

import inspect
import operator
from typing import TYPE_CHECKING, Any, Final, NoReturn

from w251lab.errors import W251Error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: What calls Python for every value, or hands the values to Python one by one.
_ROW_BY_ROW: Final = frozenset({"apply", "applymap", "iterrows", "itertuples", "items", "at", "iat", "item"})
#: What copies the values into the computer's memory, and what only pandas has.
_TO_HOST: Final = frozenset(
    {"values", "array", "to_numpy", "to_list", "tolist", "to_dict", "to_records", "to_pandas", "to_arrow", "to_json"}
    | {
        "to_csv",
        "to_string",
        "values_host",
        "to_cupy",
        "__array__",
        "__array_interface__",
        "__arrow_c_stream__",
        "case_when",
    }
)
#: Whole-column operations, unless they are given a Python function.
_WITHOUT_FUNCTION: Final = frozenset({"map", "agg", "aggregate", "transform", "filter", "combine"})
#: Where a function is no more than another way to write the argument: it gets the frame, once.
_CALLED_ONCE: Final = frozenset({"where", "mask", "assign"})
_INDEXERS: Final = frozenset({"loc", "iloc"})
#: About the frame, and not in it: as they are.
_PLAIN: Final = frozenset({"columns", "dtypes", "dtype", "shape", "size", "ndim", "name", "names", "empty"})

_WHOLE: Final = "write it with operations on whole columns: comparisons, &, ~, .where, .mask, .isna, arithmetic, .str"
_STAY: Final = "use the methods of the frame and its columns: they work where the frame lies"


def columns_only(frame: Any) -> Any:
    """``frame`` with its own methods, except for those that work row by row or leave the device.

    Args:
        frame: A pandas or cuDF data frame or column. What is assigned to columns later changes a shallow copy of it.

    Returns:
        A wrapper; what its methods return is wrapped, too. :func:`released` takes it off.
    """
    return ColumnsOnly(frame.copy(deep=False))


def released(value: Any) -> Any:
    """What :func:`columns_only` has wrapped, as a plain frame or column; anything else as it is."""
    if isinstance(value, ColumnsOnly):
        return object.__getattribute__(value, "_inner")
    if isinstance(value, (list, tuple)):
        parts = [released(each) for each in value]
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
    if isinstance(value, dict):
        return {key: released(each) for key, each in value.items()}
    if isinstance(value, slice):
        return slice(released(value.start), released(value.stop), value.step)
    return value


class ColumnsOnly:
    """See :func:`columns_only`.

    Raises:
        W251Error: Whenever something is asked of it that works row by row or leaves the device.
    """

    __slots__ = ("_inner",)
    __hash__ = None  # type: ignore[assignment]  # == compares whole columns

    def __init__(self, inner: Any) -> None:
        object.__setattr__(self, "_inner", inner)

    def __repr__(self) -> str:
        """What the frame shows."""
        return f"whole columns only:\n{self._inner!r}"

    def __getattr__(self, name: str) -> Any:
        """Pass on what keeps to whole columns."""
        if name in _ROW_BY_ROW:
            _refuse(f".{name} takes one row or value after the other, in Python", _WHOLE)
        if name in _TO_HOST:
            _refuse(f".{name} wants the data in the computer's memory", _STAY)
        if name.startswith("_"):
            raise AttributeError(name)
        found = getattr(self._inner, name)
        if name in _PLAIN and not callable(found):  # a group-by has a method .size
            return found
        if name in _INDEXERS:
            return _Indexer(self, found)
        if name == "pipe":
            return lambda function, *args, **kwargs: function(self, *args, **kwargs)
        if name == "assign":
            return self._assign
        if name == "query":
            return self._query
        return _method(self, name, found) if callable(found) else _wrapped(found)

    def __setattr__(self, name: str, value: Any) -> None:
        """Such as ``.columns``."""
        setattr(self._inner, name, released(value))

    def __getitem__(self, key: Any) -> Any:
        """Columns of a frame; rows by a mask."""
        if _is_column(self._inner) and not isinstance(key, (slice, list, ColumnsOnly)):
            _refuse(f"[{key!r}] takes one value out of a column", _WHOLE)
        return _wrapped(self._inner[released(key)])

    def __setitem__(self, key: Any, value: Any) -> None:
        """A new column."""
        self._inner[released(key)] = released(value)

    def __len__(self) -> int:
        """Rows."""
        return len(self._inner)

    def __bool__(self) -> bool:
        """Of a column there is none: pandas and cuDF refuse it themselves."""
        return bool(self._inner)

    def __contains__(self, key: object) -> bool:
        """Whether there is such a column."""
        return key in self._inner

    def __iter__(self) -> Iterator[Any]:
        """The names of a frame's columns."""
        if getattr(self._inner, "ndim", 0) != 2 or not hasattr(self._inner, "columns"):
            _refuse("a loop takes one value after the other, in Python", _WHOLE)
        return iter(self._inner.columns)

    def __array__(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        """Refused."""
        _refuse("NumPy and pandas would copy the column into the computer's memory", _STAY)

    def __array_function__(self, function: Callable[..., Any], *_args: Any) -> NoReturn:
        """Refused."""
        _refuse(f"numpy.{function.__name__} works in the computer's memory", _STAY)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        """NumPy's arithmetic, which cuDF's columns take as well."""
        return _wrapped(getattr(ufunc, method)(*released(inputs), **kwargs))

    def _assign(self, **columns: Any) -> ColumnsOnly:
        made = self
        for name, value in columns.items():  # a function sees the columns before it, as in pandas
            made = _wrapped(made._inner.assign(**{name: released(value(made) if callable(value) else value)}))
        return made

    def _query(self, expression: str, **options: Any) -> Any:
        frame = inspect.currentframe()
        caller = frame.f_back if frame else None
        if caller is not None:  # pandas would look for an @name in this function
            options.setdefault("local_dict", caller.f_globals | caller.f_locals)
        return _wrapped(self._inner.query(expression, **options))


class _Indexer:
    """``.loc`` and ``.iloc``."""

    __slots__ = ("_frame", "_inner")

    def __init__(self, frame: ColumnsOnly, inner: Any) -> None:
        self._frame, self._inner = frame, inner

    def __getitem__(self, key: Any) -> Any:
        return _wrapped(self._inner[self._key(key)])

    def __setitem__(self, key: Any, value: Any) -> None:
        self._inner[self._key(key)] = released(value)

    def _key(self, key: Any) -> Any:
        parts = key if isinstance(key, tuple) else (key,)
        parts = tuple(part(self._frame) if callable(part) else part for part in parts)
        if not isinstance(parts[0], (slice, list, ColumnsOnly)):
            _refuse(f"[{parts[0]!r}] takes one row out of a frame", _WHOLE)
        return released(parts if isinstance(key, tuple) else parts[0])


def _method(wrapper: ColumnsOnly, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        if name in _WITHOUT_FUNCTION and _holds_function([*args, *kwargs.values()]):
            _refuse(f".{name} with a Python function calls it for every value or group", _WHOLE)
        if name in _CALLED_ONCE:
            args = tuple(each(wrapper) if callable(each) else each for each in args)
            kwargs = {key: each(wrapper) if callable(each) else each for key, each in kwargs.items()}
        return _wrapped(function(*released(args), **released(kwargs)))

    return call


def _holds_function(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return any(map(_holds_function, value))
    if isinstance(value, dict):
        return any(map(_holds_function, value.values()))
    return callable(value)


def _is_column(inner: Any) -> bool:
    return getattr(inner, "ndim", 0) == 1


def _wrapped(value: Any) -> Any:
    """Wrap a frame, a column, or what belongs to one (``.str``, a group-by); numbers, text and types stay plain."""
    library = type(value).__module__.partition(".")[0]
    belongs = library in {"pandas", "cudf"} and (
        hasattr(value, "groupby") or hasattr(value, "ngroups") or hasattr(value, "_parent") or hasattr(value, "obj")
    )
    return ColumnsOnly(value) if belongs else value


def _refuse(what: str, remedy: str) -> NoReturn:
    raise W251Error(what, remedy)


def _define_operators() -> None:
    def binary(function: Callable[[Any, Any], Any], *, reflected: bool) -> Callable[[Any, Any], Any]:
        def method(self: ColumnsOnly, other: Any) -> Any:
            pair = (self._inner, released(other))
            return _wrapped(function(*(reversed(pair) if reflected else pair)))

        return method

    def unary(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
        return lambda self: _wrapped(function(self._inner))

    for name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "and_", "or_", "xor"):
        function = getattr(operator, name)
        plain = name.removesuffix("_")
        setattr(ColumnsOnly, f"__{plain}__", binary(function, reflected=False))
        setattr(ColumnsOnly, f"__r{plain}__", binary(function, reflected=True))
    for name in ("eq", "ne", "lt", "le", "gt", "ge"):
        setattr(ColumnsOnly, f"__{name}__", binary(getattr(operator, name), reflected=False))
    for name in ("neg", "pos", "abs", "invert"):
        setattr(ColumnsOnly, f"__{name}__", unary(getattr(operator, name)))


_define_operators()
