from __future__ import annotations

import math

import numpy as np
import pytest

from w251lab.errors import UsageError
from w251lab.timing import crossover, speedup


def test_speedup_of_numbers_and_of_arrays() -> None:
    assert speedup(2.39, 0.051) == pytest.approx(46.86, abs=0.01)
    assert isinstance(speedup(1, 2), float)
    np.testing.assert_allclose(speedup([1, 4], [2, 2]), [0.5, 2])
    np.testing.assert_allclose(speedup([1, 4], 2), [0.5, 2])


@pytest.mark.parametrize(("slow", "fast"), [(0, 1), (1, 0), (1, -2), (math.nan, 1), (1, math.inf), ("x", 1), (None, 1)])
def test_a_time_that_cannot_be(slow: object, fast: object) -> None:
    with pytest.raises(UsageError, match="_seconds"):
        speedup(slow, fast)


def test_as_many_of_the_one_as_of_the_other() -> None:
    with pytest.raises(UsageError, match="3 times against 2"):
        speedup([1, 2, 3], [1, 2])


@pytest.mark.parametrize(
    ("sizes", "ratios", "expected"),
    [
        ([10, 1000], [0.1, 10], 100),  # half-way on logarithmic axes, where 505 is half-way on linear ones
        ([10, 100, 1000], [0.5, 1, 4], 100),  # a point lies on 1
        ([10, 100, 1000], [2, 3, 4], 10),  # ahead from the start
        ([10, 100, 1000], [0.1, 0.2, 0.9], None),  # never
        ([10, 100, 1000], [2, 3, 0.9], None),  # not for good
        ([10, 100, 1000], [2, 4, 1], None),  # as fast is not faster
        ([1, 10, 100, 1000, 100_000], [0.1, 10, 0.5, 0.1, 10], 10_000),  # the last of two
        ([1, 10, 100], [1, 1, 1], None),
        ([5], [2], 5),
        ([5], [0.5], None),
    ],
)
def test_crossover(sizes: list[int], ratios: list[float], expected: float | None) -> None:
    found = crossover(sizes, ratios)
    assert found == (expected if expected is None else pytest.approx(expected))
    assert found is None or isinstance(found, float)


@pytest.mark.parametrize(
    ("sizes", "ratios", "what"),
    [
        ([], [], "0 sizes"),
        ([1, 2], [1], "2 sizes against 1"),
        ([2, 1], [1, 2], "not ascending"),
        ([1, 1], [1, 2], "not ascending"),
        ([0, 1], [1, 2], "sizes"),
        ([1, 2], [1, -2], "ratios"),
        ([1, 2], [1, math.nan], "ratios"),
        ([[1, 2]], [[1, 2]], "sizes against"),
    ],
)
def test_a_crossover_of_what_is_no_curve(sizes: list[float], ratios: list[float], what: str) -> None:
    with pytest.raises(UsageError, match=what):
        crossover(sizes, ratios)
