from __future__ import annotations

import time

import pytest

from w251lab.dali.loading.stages import MEANING, STAGES, Laps


def test_laps_add_up() -> None:
    laps = Laps()
    assert laps.seconds == dict.fromkeys(STAGES, 0.0)
    begin = time.perf_counter()
    for _ in range(2):
        with laps.lap("decode"):
            time.sleep(0.005)
    took = time.perf_counter() - begin
    assert 0.01 <= laps.seconds["decode"] <= took
    other = Laps()
    other.add(laps.seconds, 0.5)
    other.add({"copy": 1.0})
    assert other.seconds["decode"] == pytest.approx(laps.seconds["decode"] / 2)
    assert other.seconds["copy"] == 1
    assert other.seconds["read"] == 0


def test_a_lap_that_fails_is_counted() -> None:
    laps = Laps()
    with pytest.raises(OSError, match="gone"), laps.lap("read"):
        raise OSError("gone")
    assert laps.seconds["read"] > 0


def test_every_stage_has_a_meaning() -> None:
    assert tuple(MEANING) == STAGES
