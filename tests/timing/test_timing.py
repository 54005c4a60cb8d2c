from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import pytest

from w251lab.errors import W251Error
from w251lab.timing import Timing
from w251lab.timing.timing import seconds

TIMING = Timing(
    "k-means", "gpu", "NVIDIA H200", "included", (0.030, 0.034, 0.031, 0.032, 0.090), 0.9, 1, True, {"cuml": "26.10.0"}
)


def test_one_outlier_moves_neither_the_median_nor_the_quartiles_much() -> None:
    assert TIMING.median == 0.032
    assert TIMING.quartiles == pytest.approx((0.031, 0.034))
    assert TIMING.iqr == pytest.approx(0.003)
    assert TIMING.spread == pytest.approx(0.003 / 0.032)


def test_the_line_says_all_that_makes_the_number_honest() -> None:
    assert str(TIMING) == (
        "k-means: 32.0 ms per call on gpu (NVIDIA H200); middle half 31.0 ms to 34.0 ms, 5 samples; first call 900 ms; "
        "copies from the host counted"
    )
    shaky = replace(TIMING, settled=False, calls_per_sample=20, copies="none", name="", samples=(1.0, 2.0, 3.0))
    assert str(shaky).startswith("2.00 s per call")
    assert "3 samples of 20 calls" in str(shaky)
    assert "no copies; NOT SETTLED: the spread is 50%" in str(shaky)
    once = replace(TIMING, samples=(1.0,), settled=False)
    assert "1 sample;" in str(once)
    assert "one sample says nothing of the spread" in str(once)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (3000, "3000 s"),
        (999.4, "999 s"),
        (70.2, "70.2 s"),
        (0.99999, "1.00 s"),
        (0.9994, "999 ms"),
        (0.0039, "3.90 ms"),
        (2.5e-5, "25.0 µs"),
        (3.1e-8, "31 ns"),
    ],
)
def test_lengths_of_time(value: float, said: str) -> None:
    assert seconds(value) == said


def test_it_goes_through_json_and_comes_back_the_same() -> None:
    assert Timing.from_dict(json.loads(json.dumps(TIMING.to_dict()))) == TIMING


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("device", "tpu"),
        ("device", ["gpu"]),
        ("hardware", ""),
        ("samples", []),
        ("samples", [0.1, -1]),
        ("samples", [math.nan]),
        ("samples", "0.1"),
        ("samples", [True]),
        ("cold", None),
        ("copies", "some"),
        ("copies", {}),
        ("calls_per_sample", 0),
        ("settled", 1),
        ("versions", {"numpy": 2}),
        ("name", None),
    ],
)
def test_a_value_that_cannot_be(name: str, value: Any) -> None:
    with pytest.raises(W251Error, match=f"{name} = "):
        Timing.from_dict(TIMING.to_dict() | {name: value})


def test_a_value_too_few_or_too_many() -> None:
    values = TIMING.to_dict()
    with pytest.raises(W251Error, match="'colour' is unknown"):
        Timing.from_dict(values | {"colour": "red"})
    del values["samples"]
    with pytest.raises(W251Error, match="'samples' is missing"):
        Timing.from_dict(values)
    with pytest.raises(W251Error, match="no table"):
        Timing.from_dict([values])
