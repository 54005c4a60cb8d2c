from __future__ import annotations

import gc
import weakref
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import pytest
from fake_clock import FakeClock, OnGpu

from w251lab.errors import UsageError, W251Error
from w251lab.timing import Budget, Contender, compare

BUDGET = Budget(at_least=3, at_most=3)


class Data:
    """Data of a size; it counts what of it is alive."""

    alive: ClassVar[weakref.WeakSet[Data]] = weakref.WeakSet()

    def __init__(self, size: int) -> None:
        assert not [other for other in Data.alive if other.size != size], "data of another size is still held"
        self.size = size
        Data.alive.add(self)


def on_cpu(clock: FakeClock, name: str = "slow", per_row: float = 0.01) -> Contender:
    def run(data: Data) -> object:
        clock.time += per_row * data.size
        return np.zeros(1)

    return Contender(name, "cpu", Data, run)


def on_gpu(clock: FakeClock, limit: int = 10**9) -> Contender:
    def run(data: Data) -> object:
        if data.size > limit:
            raise MemoryError("std::bad_alloc: out_of_memory: failed at /build/include/rmm/cuda.hpp:64\nmore")
        clock.queued += 1.0 + 0.0001 * data.size
        return OnGpu()

    def to_device(size: int) -> Data:
        assert not Data.alive, "the device holds the data already"
        clock.time += 0.001 * size
        return Data(size)

    return Contender("fast", "gpu", Data, run, to_device=to_device, to_host=lambda data: data.size)


def test_both_over_the_sizes(clock: FakeClock, h200: object) -> None:
    comparison = compare(
        [on_cpu(clock), on_gpu(clock)], [10, 1000], title="T", unit="images", budget=BUDGET, progress=False, clock=clock
    )
    assert [(point.size, point.contender) for point in comparison.points] == [
        (10, "slow"), (10, "fast"), (1000, "slow"), (1000, "fast"),
    ]  # fmt: skip
    slow, fast = comparison.points[2:]
    assert slow.resident.median == pytest.approx(10)
    assert (slow.resident.copies, slow.from_host) == ("none", None)
    assert fast.resident.median == pytest.approx(1.1)
    assert (fast.resident.copies, fast.resident.device, fast.resident.hardware) == ("excluded", "gpu", "NVIDIA H200")
    assert fast.from_host is not None
    assert fast.from_host.median == pytest.approx(2.1)
    assert fast.from_host.copies == "included"
    assert fast.from_host.name == "fast, 1,000 images, from host memory"
    assert (comparison.title, comparison.unit, comparison.recorded) == ("T", "images", False)
    gc.collect()
    assert not Data.alive


def test_one_that_runs_out_of_memory_keeps_its_smaller_sizes(clock: FakeClock, h200: object) -> None:
    told: list[tuple[int, int, str]] = []
    comparison = compare(
        [on_gpu(clock, limit=100), on_cpu(clock)],
        [10, 100, 1000, 10_000],
        title="T",
        budget=BUDGET,
        progress=lambda *said: told.append(said),
        clock=clock,
    )
    assert [point.size for point in comparison.of("fast")] == [10, 100]
    assert [point.size for point in comparison.of("slow")] == [10, 100, 1000, 10_000]
    (failure,) = comparison.failures
    assert (failure.size, failure.contender) == (1000, "fast")
    assert failure.reason == "MemoryError: std::bad_alloc: out_of_memory: failed at cuda.hpp:64", "no path, one line"
    assert told[0] == (0, 8, "fast, 10 rows")
    assert told[-1] == (8, 8, "done")


def test_one_that_fails_at_the_smallest_size_is_a_mistake(clock: FakeClock, h200: object) -> None:
    with pytest.raises(MemoryError) as caught:
        compare([on_gpu(clock, limit=1)], [10, 20], title="T", budget=BUDGET, progress=False, clock=clock)
    assert caught.value.__notes__ == [
        "raised while 'fast, 10 rows' was measured, in call 1",
        "raised for contender 'fast' at the smallest size, 10 rows",
    ]


def test_one_that_runs_elsewhere_than_it_says(clock: FakeClock, h200: object) -> None:
    liar = replace(on_cpu(clock, "liar"), device="gpu")
    with pytest.raises(W251Error, match="'liar, 10 rows' was to run on the GPU, but"):
        compare([liar], [10], title="T", progress=False, clock=clock)


def test_no_gpu_is_found_out_before_the_work(clock: FakeClock, h200: Any) -> None:
    h200.devices.clear()
    begin = clock.time
    with pytest.raises(W251Error, match="finds no device"):
        compare([on_cpu(clock), on_gpu(clock)], [10], title="T", progress=False, clock=clock)
    assert clock.time == begin


@pytest.mark.parametrize("sizes", [[], [0, 1], [-1], [2, 1], [1, 1], [1.5], ["10"], [10, None]])
def test_sizes_that_cannot_be_meant(clock: FakeClock, sizes: Any) -> None:
    with pytest.raises(UsageError, match="sizes"):
        compare([on_cpu(clock)], sizes, title="T", progress=False)


def test_sizes_may_come_from_numpy(clock: FakeClock) -> None:
    comparison = compare([on_cpu(clock)], np.geomspace(10, 1000, 3).astype(int), title="T", budget=BUDGET, clock=clock)
    assert [type(point.size) for point in comparison.points] == [int] * 3


def test_contenders_have_to_be_told_apart(clock: FakeClock) -> None:
    with pytest.raises(UsageError, match="cannot be told apart"):
        compare([on_cpu(clock), on_cpu(clock)], [1], title="T")
    with pytest.raises(UsageError, match="cannot be told apart"):
        compare([], [1], title="T")


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"name": ""}, "no name"),
        ({"device": "auto"}, "unknown device 'auto'"),
        ({"to_host": None}, "to_device and to_host"),
        ({"to_device": None}, "to_device and to_host"),
    ],
)
def test_a_contender_that_cannot_be_meant(clock: FakeClock, change: dict[str, Any], what: str) -> None:
    with pytest.raises(UsageError, match=what):
        replace(on_gpu(clock), **change)


def test_an_interruption_comes_through(clock: FakeClock) -> None:
    def run(data: Data) -> object:
        if data.size > 10:
            raise KeyboardInterrupt
        clock.time += 1
        return np.zeros(1)

    with pytest.raises(KeyboardInterrupt):
        compare([Contender("c", "cpu", Data, run)], [10, 20], title="T", budget=BUDGET, progress=False, clock=clock)
