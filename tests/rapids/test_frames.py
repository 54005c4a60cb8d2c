from __future__ import annotations

import hashlib
import math
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from w251lab.errors import UsageError, W251Error
from w251lab.rapids import arrays, frames

if TYPE_CHECKING:
    from pathlib import Path

    from w251lab.rapids.frames import Flights


def test_the_tables_are_whole_and_join(flights: Flights) -> None:
    assert [len(table) for table in flights] == [336_776, 16, 1458, 3322]
    assert set(flights.flights["carrier"]) == set(flights.airlines["carrier"])
    assert flights.flights["arr_delay"].isna().sum() == 9430
    assert flights.flights["distance"].max() == 4983
    assert set(flights.flights["origin"]) == {"EWR", "JFK", "LGA"} <= set(flights.airports["faa"])
    assert flights.planes["tailnum"].is_unique


def test_the_files_are_those_of_the_provenance_and_small() -> None:
    provenance = (frames._FOLDER / "PROVENANCE.md").read_text()
    for path in frames.paths().values():
        content = path.read_bytes()
        assert f"| `{path.name}` |" in provenance
        assert f"{len(content):,} | `{hashlib.sha256(content).hexdigest()}`" in provenance
    assert sum(path.stat().st_size for path in frames.paths().values()) < 4_000_000


@pytest.mark.network
def test_the_files_are_made_from_the_package_again(root: Path) -> None:
    done = subprocess.run(
        [sys.executable, root / "benchmarks" / "reproduce_flights.py"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("the same") == 4


def test_another_archive_is_refused(root: Path, tmp_path: Path) -> None:
    (tmp_path / "other.tar.gz").write_bytes(b"no archive")
    script = root / "benchmarks" / "reproduce_flights.py"
    done = subprocess.run(
        [sys.executable, script, "--write", "--archive", tmp_path / "other.tar.gz"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "other.tar.gz has the SHA-256" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_missing_or_damaged_file_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(frames, "_FOLDER", tmp_path)
    with pytest.raises(W251Error, match=r"flights\.parquet, airlines\.parquet, airports\.parquet, planes\.parquet"):
        frames.load()
    for name in frames.Flights._fields:
        (tmp_path / f"{name}.parquet").write_bytes(b"PAR1 and nothing else")
    with pytest.raises(W251Error, match="refused while reading the flights"):
        frames.load()


def test_delays_by_airline_are_those_that_a_loop_counts(flights: Flights) -> None:
    found = frames.delays_by_airline(flights)
    assert list(found.columns) == ["carrier", "name", "flights", "mean_delay", "late"]
    assert len(found) == 16
    assert list(found["late"]) == sorted(found["late"])
    hawaiian = found[found["carrier"] == "HA"].iloc[0]
    pairs = zip(flights.flights["carrier"], flights.flights["arr_delay"], strict=True)
    arrived = [delay for carrier, delay in pairs if carrier == "HA" and not math.isnan(delay)]
    assert hawaiian["name"] == "Hawaiian Airlines Inc."
    assert hawaiian["flights"] == len(arrived)
    assert hawaiian["mean_delay"] == pytest.approx(np.mean(arrived), rel=1e-5)
    assert hawaiian["late"] == pytest.approx(np.mean([delay >= 15 for delay in arrived]), rel=1e-5)
    assert found["flights"].sum() == 336_776 - 9430


def test_delays_by_age_join_each_flight_with_its_plane(flights: Flights) -> None:
    few = flights._replace(
        flights=pd.DataFrame(
            {"tailnum": ["A", "A", "B", "C", "X", None], "arr_delay": [10.0, None, 20.0, 5.0, 1.0, 2.0]}
        ),
        planes=pd.DataFrame({"tailnum": ["A", "B", "C"], "year": [2010.0, 2009.0, None], "seats": [100, 50, 7]}),
    )
    found = frames.delays_by_age(few)
    assert found.to_dict("list") == {"age": [0], "flights": [2], "mean_delay": [15.0], "seats": [75.0]}
    yearly = frames.delays_by_age(few, step=1)
    assert yearly.to_dict("list") == {
        "age": [3, 4],
        "flights": [1, 1],
        "mean_delay": [10.0, 20.0],
        "seats": [100.0, 50.0],
    }
    with pytest.raises(UsageError, match="step is 0"):
        frames.delays_by_age(few, step=0)


def test_a_question_does_not_change_the_tables(flights: Flights) -> None:
    before = flights.flights.copy()
    frames.delays_by_airline(flights)
    frames.delays_by_age(flights)
    pd.testing.assert_frame_equal(before, flights.flights)


def test_repeated_flights_have_their_own_planes_and_the_same_answers(flights: Flights) -> None:
    three = frames.repeat(flights, 3)
    assert len(three.flights) == 3 * len(flights.flights)
    assert three.planes["tailnum"].is_unique
    assert three.flights["tailnum"].isna().sum() == 3 * 2512
    assert three.airlines is flights.airlines
    assert (three.flights.dtypes == flights.flights.dtypes).all()
    for question in (frames.delays_by_airline, frames.delays_by_age):
        once, thrice = question(flights), question(three)
        assert frames.same(once.assign(flights=3 * once["flights"]), thrice)
    assert frames.repeat(flights, 1) is flights
    for times in (0, 2.0, -1):
        with pytest.raises(UsageError, match="times is"):
            frames.repeat(flights, times)  # type: ignore[arg-type]
    with pytest.raises(W251Error, match="a table of 336,776,000,000 flights needs at least"):
        frames.repeat(flights, 1_000_000)


LEFT = pd.DataFrame({"k": ["a", "b", None], "n": [1, 2, 3], "x": [0.5, np.nan, 2.0]})


@pytest.mark.parametrize(
    "right",
    [
        LEFT,
        LEFT.iloc[::-1],
        LEFT.assign(n=LEFT["n"].astype("float32"), x=LEFT["x"] * (1 + 1e-7)),
        LEFT.assign(n=LEFT["n"].astype("Int16"), x=pd.array([0.5, None, 2.0], dtype="Float64")),
        LEFT.assign(k=LEFT["k"].astype(object).where(LEFT["k"].notna(), np.nan)),
        LEFT.assign(k=LEFT["k"].astype("category")),
        LEFT.set_index(pd.Index([7, 8, 9])),
        LEFT.set_index("k"),
    ],
)
def test_frames_that_say_the_same_are_the_same(right: pd.DataFrame) -> None:
    found = frames.same(LEFT, right)
    assert found, found.says
    assert "3 rows of 3 columns" in found.says
    assert frames.same(right, LEFT)


@pytest.mark.parametrize(
    ("right", "said"),
    [
        (LEFT.assign(x=[0.5, np.nan, 2.001]), "column 'x' differs, first in row 2 after sorting: .*2.0.* and .*2.001"),
        (LEFT.assign(x=[0.5, 0.0, 2.0]), "column 'x' differs, first in row 1"),
        (LEFT.assign(k=["a", "b", "c"]), "column 'k' differs, first in row 2 after sorting: None and 'c'"),
        (LEFT.assign(k=[1, 2, 3]), "column 'k' differs"),
        (LEFT.head(2), "3 rows, the second 2"),
        (LEFT[["n", "k", "x"]], "their order differs"),
        (LEFT.rename(columns={"x": "y"}), r"missing in the second: \['x'\]; only there: \['y'\]"),
        (pd.concat([LEFT.head(2), LEFT.head(1)]), "differs"),
    ],
)
def test_what_differs_is_said(right: pd.DataFrame, said: str) -> None:
    found = frames.same(LEFT, right)
    assert not found
    assert pd.Series([found.says]).str.contains(said).all(), found.says
    assert not frames.same(right, LEFT)


def test_the_order_matters_where_it_is_asked_for() -> None:
    assert frames.same(LEFT, LEFT.copy(), ordered=True)
    assert "first in row 0: 'a' and None" in str(frames.same(LEFT, LEFT.iloc[::-1], ordered=True))


def test_small_differences_do_not_reorder_rows() -> None:
    left = pd.DataFrame({"mean": [1.00000001, 1.0], "key": ["b", "a"]})
    right = pd.DataFrame({"mean": [1.0, 1.00000001], "key": ["b", "a"]})
    assert frames.same(left, right)
    assert frames.same(left, right, by=["key"])
    assert not frames.same(left, right, by=["mean"])


def test_columns_and_unusual_names_are_compared_too() -> None:
    assert frames.same(LEFT["n"], LEFT["n"])
    assert frames.same(pd.DataFrame({0: ["x"], 1: [2]}), pd.DataFrame({0: ["x"], 1: [2]}))
    assert frames.same(LEFT.head(0), LEFT.head(0))
    with pytest.raises(UsageError, match="two columns have the same name"):
        frames.same(pd.DataFrame([[1, 2]], columns=["a", "a"]), LEFT)
    with pytest.raises(UsageError, match="there is no column 'z'"):
        frames.same(LEFT, LEFT, by=["z"])
    with pytest.raises(UsageError, match="list is no data frame"):
        frames.same([1], LEFT)


@pytest.mark.gpu
def test_cudf_answers_as_pandas_does(flights: Flights) -> None:
    there = frames.load("gpu")
    assert {arrays.device_of(table) for table in there} == {"gpu"}
    for name in frames.Flights._fields:
        assert frames.same(getattr(flights, name), getattr(there, name), ordered=True)
    for question in (frames.delays_by_airline, frames.delays_by_age):
        found = question(there)
        assert arrays.device_of(found) == "gpu"
        comparison = frames.same(question(flights), found, ordered=True)
        assert comparison, comparison.says
    twice = frames.repeat(there, 2)
    comparison = frames.same(frames.repeat(flights, 2).flights, twice.flights, ordered=True)
    assert comparison, comparison.says
