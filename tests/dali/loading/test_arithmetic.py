from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

from w251lab.dali.loading import arithmetic
from w251lab.errors import UsageError

if TYPE_CHECKING:
    from w251lab.dali.loading.result import Loading

STAGES = {"read": 1.0, "decode": 6.0, "augment": 3.0}


def test_by_hand() -> None:
    assert arithmetic.share(STAGES, "decode") == pytest.approx(0.6)
    assert arithmetic.speedup_if_free(STAGES, "decode") == pytest.approx(2.5)
    assert arithmetic.speedup_if_faster(STAGES, "decode", 3) == pytest.approx(10 / 6)
    assert arithmetic.speedup_if_faster(STAGES, "decode", 1) == pytest.approx(1)
    assert arithmetic.speedup_if_faster(STAGES, "read", 0.5) == pytest.approx(10 / 11), "slower, too"


def test_amdahl() -> None:
    assert arithmetic.amdahl(0.95, math.inf) == pytest.approx(20)
    assert arithmetic.amdahl(0.5, 2) == pytest.approx(4 / 3)
    assert arithmetic.amdahl(0, 1000) == 1
    assert arithmetic.amdahl(1, 7) == 7
    assert arithmetic.amdahl(1, math.inf) == math.inf


def test_a_measured_loader(loading: Loading) -> None:
    stages = loading.milliseconds("pillow")
    assert sum(arithmetic.share(stages, stage) for stage in stages) == pytest.approx(1)
    without = sum(time for stage, time in stages.items() if stage != "decode")
    assert arithmetic.speedup_if_free(stages, "decode") == pytest.approx(sum(stages.values()) / without)


def test_a_stage_below_0_within_its_noise_counts_as_0() -> None:
    assert arithmetic.share({"decode": 5.0, "normalise": -0.1}, "normalise") == 0
    assert arithmetic.share({"decode": 5.0, "normalise": -0.1}, "decode") == 1


@pytest.mark.parametrize("stages", [{}, {"a": 0.0}, {"a": -1.0}, {"a": math.nan}, {"a": math.inf}, {"a": "1"}])
def test_times_that_cannot_be(stages: dict[str, float]) -> None:
    with pytest.raises(UsageError):
        arithmetic.share(stages, "a")


def test_numbers_that_cannot_be() -> None:
    with pytest.raises(UsageError, match="no stage 'resize'"):
        arithmetic.share(STAGES, "resize")
    for share, factor in ((-0.1, 2), (1.1, 2), (0.5, 0), (0.5, -1), (0.5, math.nan), (True, 2)):
        with pytest.raises(UsageError):
            arithmetic.amdahl(share, factor)
