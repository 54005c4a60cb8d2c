from __future__ import annotations

import time

from w251lab.timing import Clock, WallClock


def test_the_wall_clock_goes_and_waits_for_no_gpu_where_there_is_none_in_use() -> None:
    clock: Clock = WallClock()
    begin = clock.now()
    time.sleep(0.01)
    clock.synchronize()
    assert 0.01 <= clock.now() - begin < 5
