from __future__ import annotations

import numpy as np
import pytest

from w251lab.dali import checks
from w251lab.errors import UsageError


@pytest.mark.parametrize("value", [1, np.int64(7), 10])
def test_whole_numbers_pass(value: object) -> None:
    found = checks.whole(value, "n", most=10)
    assert type(found) is int
    assert found == value


@pytest.mark.parametrize("value", [0, -1, 11, 2.0, True, "3", None, np.array([1, 2]), float("nan")])
def test_other_numbers_are_refused_by_name(value: object) -> None:
    with pytest.raises(UsageError, match=r"^n is ") as caught:
        checks.whole(value, "n", most=10)
    assert "at least 1 and at most 10" in caught.value.remedy


@pytest.mark.parametrize("value", [(0.1, 0.1), [0.1, 1], (1, 1)])
def test_intervals_pass(value: object) -> None:
    checks.interval(value, "area", above=0, most=1)


@pytest.mark.parametrize("value", [(0, 1), (0.5, 0.4), (0.5, 1.1), (0.5,), 0.5, "ab", (0.1, float("nan")), (True, 1)])
def test_other_intervals_are_refused(value: object) -> None:
    with pytest.raises(UsageError, match=r"^area is "):
        checks.interval(value, "area", above=0, most=1)


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan"), "1", None, True])
def test_numbers_out_of_range_are_refused(value: object) -> None:
    with pytest.raises(UsageError, match=r"^flip is "):
        checks.number(value, "flip", least=0, most=1)


@pytest.mark.parametrize("value", [(1, 2), (1, 2, float("inf")), 3.0, (1, "2", 3)])
def test_three_channels_are_asked_for(value: object) -> None:
    with pytest.raises(UsageError, match=r"^mean is "):
        checks.per_channel(value, "mean")


def test_a_divisor_of_zero_is_refused() -> None:
    checks.per_channel((0, 0, 0), "mean")
    with pytest.raises(UsageError, match=r"^std is "):
        checks.per_channel((1, 0, 1), "std", positive=True)


def test_words_are_refused_with_the_choices() -> None:
    with pytest.raises(UsageError, match="use one of a, b"):
        checks.one_of("c", "last", ("a", "b"))
