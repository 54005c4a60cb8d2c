"""The times of an epoch: as reckoned by hand, and as DALI asks for its batches."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from w251lab.dali import installed, prefetch
from w251lab.errors import UsageError


@pytest.mark.parametrize(
    ("load", "step", "depth", "seconds"),
    [
        ([2, 2, 2], [3, 3, 3], 1, 15),  # one after the other
        ([2, 2, 2], [3, 3, 3], 2, 11),  # the first one is waited for
        ([2, 2, 2], [3, 3, 3], 9, 11),
        ([4, 4, 4], [1, 1, 1], 2, 13),  # the loader is the slower one
        ([5], [7], 3, 12),
        ([1, 1, 9, 1, 1], [3] * 5, 2, 22),
        ([1, 1, 9, 1, 1], [3] * 5, 4, 20),
        ([0, 0], [0, 0], 1, 0),
    ],
)
def test_an_epoch_reckoned_by_hand(load: list[float], step: list[float], depth: int, seconds: float) -> None:
    found = prefetch.epoch(load, step, depth)
    assert found.seconds == seconds
    assert found.waited == pytest.approx(seconds - sum(step))


def test_a_deeper_queue_is_never_slower() -> None:
    lots = np.random.default_rng(2)
    load, step = lots.exponential(1, 80), lots.exponential(1, 80)
    seconds = [prefetch.epoch(load, step, depth).seconds for depth in (1, 2, 3, 4, 8, 80)]
    assert seconds == sorted(seconds, reverse=True)
    assert seconds[0] == pytest.approx(load.sum() + step.sum())
    assert seconds[-1] >= max(load.sum() + step[-1], step.sum() + load[0])


@pytest.mark.parametrize("depth", [1, 2, 3, 5])
def test_dali_takes_on_as_many_batches_as_is_said_here(depth: int) -> None:
    dali: Any = installed.dali()
    asked = 0

    def read() -> list[np.ndarray[Any, Any]]:
        nonlocal asked
        asked += 1
        return [np.zeros(4, np.uint8)]

    pipeline = dali.Pipeline(batch_size=1, num_threads=1, device_id=None, prefetch_queue_depth=depth)
    with pipeline:
        pipeline.set_outputs(dali.fn.external_source(source=read))
    pipeline.build()
    for number in range(4):
        pipeline.run()
        assert asked == number + depth


@pytest.mark.parametrize(
    ("load", "step", "depth"),
    [
        ([], [], 1),
        ([1], [1, 2], 1),
        ([1, -1], [1, 1], 2),
        ([1, float("nan")], [1, 1], 2),
        ([1], [float("inf")], 2),
        ([1], [1], 0),
        ([1], [1], True),
    ],
)
def test_what_cannot_be_meant(load: list[float], step: list[float], depth: int) -> None:
    with pytest.raises(UsageError):
        prefetch.epoch(load, step, depth)
