from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from w251lab.errors import W251Error
from w251lab.rapids import arrays
from w251lab.rapids.columns_only import ColumnsOnly, columns_only, released


def table() -> pd.DataFrame:
    return pd.DataFrame({"key": ["a", "b", "a", None], "x": [1.0, 2.0, None, 4.0], "n": [1, 2, 3, 4]})


LIMIT = 2.0
WHOLE: dict[str, Any] = {
    "a column": lambda f: f["x"],
    "a column as an attribute": lambda f: f.x,
    "columns": lambda f: f[["key", "x"]],
    "rows by a mask": lambda f: f[f["x"] > 1],
    "rows by a mask, with loc": lambda f: f.loc[~f["x"].isna(), ["n"]],
    "rows by a function of the frame": lambda f: f.loc[lambda g: g["n"] > 2],
    "some rows": lambda f: f.iloc[1:3],
    "arithmetic": lambda f: -(1 - f["x"] * 2) / 3 + f["n"] % 2 + abs(f["x"]) ** 2,
    "masks": lambda f: f[(f["x"] >= 1) & (f["n"] != 3) | (f["n"] == 2) ^ (f["n"] < 0)],
    "mask": lambda f: f["key"].mask(f["x"].isna(), "none"),
    "where, with a function of the column": lambda f: f["x"].where(lambda column: column > 1, 0.0),
    "text": lambda f: f["key"].str.upper() + "!",
    "a part of the text": lambda f: f["key"].str[:1],
    "numpy's arithmetic": lambda f: np.minimum(f["x"], 2.0),
    "named aggregation": lambda f: f.groupby("key").agg(n=("n", "sum"), x=("x", "mean")).reset_index(),
    "pandas' own named tuple": lambda f: f.groupby("key").agg(n=pd.NamedAgg("n", "sum")),
    "size of a group": lambda f: f.groupby("key").size(),
    "a method with a dictionary": lambda f: f["key"].map({"a": "A"}),
    "join": lambda f: f.merge(f[["key", "n"]], on="key", how="left"),
    "join of indexes": lambda f: f.set_index("n").join(f.set_index("n")[["x"]], rsuffix="_2"),
    "assign": lambda f: f.assign(y=1, z=lambda g: g["x"] + g["y"], w=f["n"]),
    "pipe": lambda f: f.pipe(lambda g: g.sort_values("n", ascending=False)),
    "rename by a function of the name": lambda f: f.rename(columns=str.upper),
    "names": lambda f: f[[name for name in f if "x" in f and name in f.columns]],
    "rolling": lambda f: f["n"].rolling(2).mean(),
    "query": lambda f: f.query("x >= @LIMIT"),
    "a number": lambda f: f["x"].sum() + len(f) + f.shape[0],
    "types": lambda f: f["x"].astype("float32").fillna(0),
}


@pytest.mark.parametrize("name", WHOLE)
def test_whole_columns_work_as_they_do_without_it(name: str) -> None:
    expected, found = WHOLE[name](table()), WHOLE[name](columns_only(table()))
    if isinstance(expected, (pd.DataFrame, pd.Series)):
        assert isinstance(found, ColumnsOnly), "it has left the wrapper"
        pd.testing.assert_frame_equal(pd.DataFrame(released(found)), pd.DataFrame(expected))
    else:
        assert found == expected


REFUSED: dict[str, Any] = {
    "apply to rows": lambda f: f.apply(lambda row: row["x"], axis=1),
    "apply to a column": lambda f: f["x"].apply(str),
    "map with a function": lambda f: f["x"].map(str),
    "map with a function, by name": lambda f: f["x"].map(func=str),
    "a function for each group": lambda f: f.groupby("key").agg({"x": [lambda group: group.max()]}),
    "a function for each group, named": lambda f: f.groupby("key").agg(x=("x", max)),
    "rows": lambda f: list(f.iterrows()),
    "tuples": lambda f: list(f.itertuples()),
    "a loop over a column": lambda f: [x for x in f["x"]],  # noqa: C416  # the loop is the point
    "a loop over groups": lambda f: [key for key, _ in f.groupby("key")],
    "list": lambda f: list(f["x"]),
    "zip": lambda f: list(zip(f["x"], f["n"], strict=True)),
    "one value": lambda f: f["x"][0],
    "one row": lambda f: f.iloc[0],
    "one row, by a function": lambda f: f.loc[lambda g: len(g) - 1],
    "a loop in a function of the frame": lambda f: f.loc[lambda g: [x > 1 for x in g["x"]]],
    "one place": lambda f: f.loc[0, "x"],
    "at": lambda f: f.at[0, "x"],
    "values": lambda f: f["x"].values,  # what is refused
    "to_numpy": lambda f: f["x"].to_numpy(),
    "tolist": lambda f: f["x"].tolist(),
    "case_when": lambda f: f["x"].case_when([(f["x"] > 1, 0.0)]),
    "to_pandas": lambda f: f.to_pandas(),
    "numpy.where": lambda f: np.where(f["x"] > 1, "a", "b"),
    "numpy.select": lambda f: np.select([f["x"] > 1], ["a"], "b"),
    "numpy.asarray": lambda f: np.asarray(f["x"]),
    "numpy.vectorize": lambda f: np.vectorize(str)(f["x"]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_leaves_the_columns_is_refused(name: str) -> None:
    with pytest.raises(W251Error) as caught:
        REFUSED[name](columns_only(table()))
    assert caught.value.remedy


def test_functions_of_pandas_do_not_take_it() -> None:
    frame = columns_only(table())
    for function in (lambda: pd.merge(frame, frame, on="key"), lambda: pd.concat([frame, frame])):
        with pytest.raises(TypeError):
            function()


def test_a_truth_value_is_refused_as_pandas_does() -> None:
    with pytest.raises(ValueError, match="ambiguous"):
        bool(columns_only(table())["x"] > 1)


def test_what_is_assigned_stays_in_the_wrapper() -> None:
    plain = table()
    frame = columns_only(plain)
    frame["y"] = frame["x"] + 1
    frame.loc[frame["x"].isna(), "x"] = 0.0
    frame.columns = ["a", "b", "c", "d"]
    assert list(released(frame)["b"]) == [1.0, 2.0, 0.0, 4.0]
    assert list(plain.columns) == ["key", "x", "n"]
    assert plain["x"].isna().sum() == 1


def test_it_shows_what_is_in_it() -> None:
    assert "key" in repr(columns_only(table()))


@pytest.mark.gpu
@pytest.mark.parametrize("name", sorted(WHOLE.keys() - {"a number"}))
def test_cudf_does_what_is_allowed(name: str) -> None:
    found = WHOLE[name](columns_only(arrays.to_device(table(), "gpu")))
    assert arrays.device_of(released(found)) == "gpu"
