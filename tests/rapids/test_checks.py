from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import sklearn

from w251lab.errors import UsageError, W251Error
from w251lab.rapids import arrays, checks


def table(rows: int = 50, columns: int = 3, dtype: str = "float32") -> Any:
    return np.random.default_rng(0).normal(size=(rows, columns)).astype(dtype)


def test_what_is_right_passes_as_it_is() -> None:
    for dtype in ("float32", "float64"):
        array = table(dtype=dtype)
        assert checks.features(array) is array


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [
        ("int8", "float32"),
        ("int16", "float32"),
        ("bool", "float32"),
        ("float16", "float32"),
        ("int32", "float64"),
        ("int64", "float64"),
    ],
)
def test_other_numbers_become_the_smaller_type_that_holds_them(dtype: str, expected: str) -> None:
    array = (table() > 0).astype(dtype)
    assert checks.features(array).dtype == expected
    assert checks.features(pd.DataFrame(array)).dtype == expected
    assert checks.features(array, dtype="float32").dtype == "float32"


def test_nothing_of_the_data_is_changed() -> None:
    array = table()
    before = array.copy()
    checks.features(array)
    np.testing.assert_array_equal(array, before)


@pytest.mark.parametrize("order", ["C", "F"])
def test_any_layout_passes(order: Any) -> None:
    checks.features(np.asarray(table(), order=order))
    checks.features(table(100)[::2, ::-1])


def test_a_frame_with_missing_values_and_types_that_know_them() -> None:
    frame = pd.DataFrame(
        {"a": pd.array([1, None, 3], dtype="Int64"), "b": [1.0, 2.0, np.nan], "c": [True, False, True]}
    )
    array = checks.features(frame, allow_missing=True)
    np.testing.assert_array_equal(array, [[1, 1, 1], [np.nan, 2, 0], [3, np.nan, 1]])
    with pytest.raises(W251Error, match=r"contain nan: column 'a' \(number 0\), first in row 1"):
        checks.features(frame)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize(("row", "column"), [(0, 0), (1500, 2), (2999, 1)])
def test_the_first_bad_number_is_named(bad: float, row: int, column: int) -> None:
    array = table(3000)
    array[row, column] = bad
    array[2999, 2] = bad
    with pytest.raises(W251Error, match=f"contain {bad}: column {column}, first in row {row:,}"):
        checks.features(array)


def test_bad_numbers_in_late_blocks_and_opposite_infinities_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "_BLOCK", 30)
    array = table(100)
    array[77, 1], array[78, 1] = np.inf, -np.inf
    with pytest.raises(W251Error, match="contain inf: column 1, first in row 77"):
        checks.features(array)


def test_a_sum_that_overflows_is_no_fault() -> None:
    checks.features(np.array([[3e38, 1], [3e38, 2], [3e38 / 2, 3]], dtype="float32"))


def test_missing_values_pass_where_they_are_allowed_and_infinity_never() -> None:
    array = table()
    array[3, 1] = np.nan
    assert checks.features(array, allow_missing=True) is array
    array[9, 2] = np.inf
    with pytest.raises(W251Error, match="contain inf: column 2, first in row 9"):
        checks.features(array, allow_missing=True)


def test_constant_columns_are_named() -> None:
    frame = pd.DataFrame(table(), columns=["a", "b", "c"]).assign(year=2013, b=1.5)
    with pytest.raises(W251Error, match=r"column 'b' \(number 1\), column 'year' \(number 3\), so nothing") as error:
        checks.features(frame)
    assert "allow_constant=True" in error.value.remedy
    assert checks.features(frame, allow_constant=True).shape == (50, 4)


def test_a_column_that_varies_late_is_not_constant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "_BLOCK", 1000)
    array = table(5000)
    array[:, 1] = 7
    with pytest.raises(W251Error, match="in every row of column 1,"):
        checks.features(array)
    array[4999, 1] = 8
    assert checks.features(array) is array


def test_missing_values_do_not_make_a_column_vary() -> None:
    array = table()
    array[:, 1] = 4
    array[::2, 1] = np.nan
    array[:, 2] = np.nan
    with pytest.raises(W251Error, match="column 1, column 2, so"):
        checks.features(array, allow_missing=True)
    array[:, 1:] = table()[:, 1:]
    array[0, 1] = np.nan
    assert checks.features(array, allow_missing=True) is array


def test_only_a_few_constant_columns_are_listed() -> None:
    with pytest.raises(W251Error, match="column 4 and 5 more, so"):
        checks.features(np.ones((3, 10)))


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (np.ones(3), r"have rows and columns, and have the shape \(3,\)"),
        (np.ones((2, 2, 2)), r"the shape \(2, 2, 2\)"),
        (np.ones((0, 3)), "are empty"),
        (np.ones((3, 0)), "are empty"),
        (pd.DataFrame({"a": []}), "are empty"),
        (pd.Series([1.0, 2.0]), "have rows and columns"),
        ([[1, 2], [3]], "make no array"),
        (np.ones((2, 2), dtype=complex), "dtype of the features is complex128"),
        (scipy.sparse.eye(3), "neither an array nor a data frame"),
    ],
)
def test_what_is_no_table_is_refused(value: Any, said: str) -> None:
    with pytest.raises(W251Error, match=said):
        checks.features(value)


@pytest.mark.parametrize(
    ("column", "said"),
    [
        (["1", "2", "x7"], r"dtype of column 'a' of the features is str: row 2 has 'x7'"),
        (["1", None, "2"], "row 0 has '1'"),
        (pd.to_datetime(["2013-01-01"] * 3), "is datetime64"),
        (pd.Categorical(["u", "v", "u"]), "is category: row 0 has 'u'"),
        (pd.Series([1, 2, 3], dtype=object), "is object\n.*astype"),
        ([1, object, 2], "row 1 has <class 'object'>"),
    ],
)
def test_text_where_numbers_belong_is_shown(column: Any, said: str) -> None:
    with pytest.raises(W251Error, match=said):
        checks.features(pd.DataFrame({"b": [1, 2, 3], "a": column}))


def test_text_in_an_array_is_shown() -> None:
    with pytest.raises(W251Error, match=r"the features is <U\d+: row 1 has 'JFK'"):
        checks.features(np.array([["1", "2"], ["3", "JFK"]]))
    with pytest.raises(W251Error, match="row 1 has 'JFK'"):
        checks.features([[1, 2], [3, "JFK"]])


def test_labels_of_every_kind_become_int32() -> None:
    for value in (
        [0, 1, 1],
        np.array([0, 1, 1], dtype="int64"),
        pd.Series([0, 1, 1], dtype="Int64"),
        np.array([0.0, 1, 1]),
        np.array([False, True, True]),
    ):
        found = checks.labels(value, 3)
        assert found.values.dtype == "int32"
        assert (found.lowest, found.highest) == (0, 1)
        assert list(found.values) == [0, 1, 1]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ([0, 1], "2 labels for 3 rows"),
        ([[0], [1], [1]], "must have one dimension"),
        ([1, 1, 1], "one class only: 1 in all 3 rows"),
        ([0, 1.5, 1], "row 1 has 1.5"),
        ([0, 1, np.nan], "contain nan, first in row 2"),
        ([0, np.inf, 1], "contain inf, first in row 1"),
        ([0, 1, 2**40], "run from 0 to 1099511627776"),
        (pd.Series(["no", "yes", "no"]), "row 0 has 'no'"),
        (["no", "yes", "no"], "row 0 has 'no'"),
        (pd.Series([0, None, 1], dtype="Int64"), "contain nan, first in row 1"),
        (pd.DataFrame({"a": [0, 1, 1]}), "pick the column"),
    ],
)
def test_labels_that_are_not_fit_for_it(value: Any, said: str) -> None:
    with pytest.raises(W251Error, match=said):
        checks.labels(value, 3)


def test_labels_of_a_regression_may_be_anything_finite() -> None:
    found = checks.labels([1.5, 1.5], 2, classes=False)
    assert found.values.dtype == "float32"
    with pytest.raises(W251Error, match="first in row 0"):
        checks.labels([np.nan, 1.5], 2, classes=False)


def test_different_devices_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert checks.one_device(a=np.ones(1), b=[1], c=None) == "cpu"
    monkeypatch.setattr(arrays, "device_of", lambda value: "gpu" if isinstance(value, list) else "cpu")
    with pytest.raises(W251Error, match="features on the CPU, labels on the GPU"):
        checks.one_device(features=np.ones(1), labels=[1])


@pytest.mark.parametrize("value", [0, -1, 1.5, "3", True, None, np.nan])
def test_a_count_is_a_whole_number(value: Any) -> None:
    with pytest.raises(UsageError, match="trees is"):
        checks.whole(value, "trees")
    assert checks.whole(np.int64(3), "trees") == 3


@pytest.mark.parametrize("value", [5, "text", np.float32(1), np.array(1.0)])
def test_what_has_no_rows_is_refused(value: Any) -> None:
    with pytest.raises(UsageError, match="the points are"):
        checks.rows_of(value, "the points")


def test_the_libraries_are_told_that_the_numbers_were_read() -> None:
    with checks.checked():
        assert sklearn.get_config()["assume_finite"]
    assert not sklearn.get_config()["assume_finite"]


@pytest.mark.gpu
def test_the_same_faults_have_the_same_words_on_the_gpu() -> None:
    nan, constant, text = table(3000), table(), pd.DataFrame({"a": [1.0, 2.0], "b": ["x", "y"]})
    nan[1500, 2] = np.nan
    constant[:, 1] = 3
    nulls = pd.DataFrame({"a": [1.0, None, 3.0], "b": [1, 2, 4]})
    for value in (nan, constant, text, nulls, np.ones((0, 2)), np.ones(3)):
        with pytest.raises(W251Error) as on_cpu:
            checks.features(value)
        with pytest.raises(W251Error) as on_gpu:
            checks.features(arrays.to_device(value, "gpu"))
        assert on_gpu.value.remedy == on_cpu.value.remedy
        if value is not text:  # the two libraries name the type of text differently
            assert on_gpu.value.what == on_cpu.value.what
    assert arrays.device_of(checks.features(arrays.to_device(nulls, "gpu"), allow_missing=True)) == "gpu"
    for labels in ([1, 1, 1], [0, 1.5, 1], [0, 1, np.nan]):
        with pytest.raises(W251Error) as on_cpu:
            checks.labels(np.array(labels), 3)
        with pytest.raises(W251Error) as on_gpu:
            checks.labels(arrays.to_device(np.array(labels), "gpu"), 3)
        assert on_gpu.value.what == on_cpu.value.what
    with pytest.raises(W251Error, match="not everything lies on one device"):
        checks.one_device(features=arrays.to_device(constant, "gpu"), labels=np.ones(50))
