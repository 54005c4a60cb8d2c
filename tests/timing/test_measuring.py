from __future__ import annotations

import gc
import threading
import weakref
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from fake_clock import FakeClock, OnGpu

from w251lab import accelerator
from w251lab.errors import UsageError, W251Error
from w251lab.timing import Budget, measure, speedup

if TYPE_CHECKING:
    from collections.abc import Callable

ARRAY = np.zeros(3)
FIVE = Budget(at_least=5, at_most=5)


def test_real_work_on_this_machines_clock() -> None:
    timing = measure(lambda: np.sort(ARRAY), name="sort", budget=Budget(seconds=0.2))
    assert 1e-7 < timing.median < 1e-3
    assert timing.calls_per_sample > 1, "a call is too short for the clock"
    assert timing.device == "cpu"
    assert timing.hardware == accelerator.label("cpu")
    assert timing.versions["numpy"] == np.__version__


def test_the_cold_call_is_told_and_not_counted(clock: FakeClock) -> None:
    timing = measure(clock.taking(9.0, 1.0, result=ARRAY), clock=clock)
    assert timing.cold == 9.0
    assert timing.samples == (1.0,) * 5
    assert timing.settled


def test_more_warm_up(clock: FakeClock) -> None:
    timing = measure(clock.taking(9.0, 5.0, 4.0, 1.0, result=ARRAY), warmup=3, budget=FIVE, clock=clock)
    assert timing.cold == 9.0
    assert timing.samples == (1.0,) * 5


def test_without_warm_up_the_cold_call_is_a_sample(clock: FakeClock) -> None:
    timing = measure(clock.taking(9.0, 1.0, result=ARRAY), warmup=0, budget=FIVE, clock=clock)
    assert timing.cold == 9.0
    assert timing.samples == (9.0, 1.0, 1.0, 1.0, 1.0)
    once = measure(clock.taking(9.0, 1.0, result=ARRAY), warmup=0, budget=Budget(at_least=1, at_most=1), clock=clock)
    assert (once.samples, once.settled) == ((9.0,), False)


def test_one_outlier_moves_neither_the_median_nor_the_speedup(clock: FakeClock) -> None:
    disturbed = measure(clock.taking(1, 1, 1, 60, 1, result=ARRAY), budget=FIVE, clock=clock)
    calm = measure(clock.taking(0.25, result=ARRAY), budget=FIVE, clock=clock)
    assert max(disturbed.samples) == 60
    assert disturbed.settled
    assert speedup(disturbed.median, calm.median) == 4.0


def test_it_goes_on_until_the_spread_is_small(clock: FakeClock) -> None:
    unsteady = [0.10, 0.20, 0.10, 0.20, 0.10, 0.20]
    timing = measure(clock.taking(1, *unsteady, 0.15, result=ARRAY), budget=Budget(seconds=60), clock=clock)
    assert timing.settled
    assert len(timing.samples) > len(unsteady)
    assert timing.spread <= 0.05


def test_it_stops_when_the_time_is_spent_and_says_that_it_did_not_settle(clock: FakeClock) -> None:
    wild = [0.1, 0.3] * 100
    timing = measure(clock.taking(*wild, result=ARRAY), budget=Budget(seconds=2.0), clock=clock)
    assert 2.0 <= sum(timing.samples) < 2.4
    assert not timing.settled
    assert "NOT SETTLED" in str(timing)


def test_it_stops_after_so_many_samples(clock: FakeClock) -> None:
    timing = measure(clock.taking(*[0.1, 0.3] * 100, result=ARRAY), budget=Budget(60, at_most=8), clock=clock)
    assert len(timing.samples) == 8


def test_long_work_is_sampled_as_often_as_was_asked(clock: FakeClock) -> None:
    timing = measure(clock.taking(70.0, result=ARRAY), budget=Budget(2.0, at_least=3), clock=clock)
    assert timing.samples == (70.0,) * 3
    assert clock.time == 4 * 70, "the cold call and three more, none in vain"


def test_short_calls_are_repeated_within_a_sample(clock: FakeClock) -> None:
    clock.tick = 1e-3
    timing = measure(clock.taking(3e-5, result=ARRAY), budget=Budget(spread=0.2), clock=clock)
    assert timing.calls_per_sample >= 100
    assert timing.median == pytest.approx(3e-5, rel=0.2)
    assert timing.cold == 0.0, "one call is less than a tick"


def test_work_that_takes_no_time_is_an_error_after_a_bounded_number_of_calls(clock: FakeClock) -> None:
    calls = 0

    def nothing() -> None:
        nonlocal calls
        calls += 1

    with pytest.raises(W251Error, match="'nothing' takes no time that the clock can see"):
        measure(nothing, name="nothing", device="cpu", clock=clock)
    assert calls < 2_000_000


def test_a_sample_without_time_is_taken_again_with_more_calls(clock: FakeClock) -> None:
    clock.tick = 0.05  # longer than a sample: most see no tick
    timing = measure(clock.taking(0.004, result=ARRAY), budget=FIVE, clock=clock)
    assert timing.calls_per_sample >= 10
    assert min(timing.samples) > 0
    assert timing.median == pytest.approx(0.004, rel=0.3)


def test_what_is_prepared_is_new_for_every_call_and_not_counted(clock: FakeClock) -> None:
    made: list[object] = []
    got: list[object] = []
    run = clock.taking(9.0, 1.0, result=ARRAY)

    def prepare() -> object:
        clock.time += 0.5
        made.append(object())
        return made[-1]

    def work(prepared: object) -> object:
        got.append(prepared)
        return run()

    timing = measure(work, prepare=prepare, budget=FIVE, clock=clock)
    assert (timing.cold, timing.samples) == (9.0, (1.0,) * 5)
    assert got == made
    assert len(made) == 6


def test_short_calls_with_something_to_prepare(clock: FakeClock) -> None:
    def prepare() -> int:
        clock.time += 0.3
        return 3

    timing = measure(clock.taking(1e-4, result=ARRAY), prepare=prepare, budget=Budget(seconds=4.0), clock=clock)
    assert timing.median == pytest.approx(1e-4)
    assert clock.time < 2 * 4.0, "what is prepared counts against the budget"


# A GPU


def test_queued_work_is_waited_for_at_every_call(clock: FakeClock, h200: object) -> None:
    timing = measure(clock.queueing(0.25, OnGpu()), device="gpu", budget=FIVE, clock=clock)
    assert timing.samples == (0.25,) * 5
    assert timing.cold == 0.25
    assert (timing.device, timing.hardware) == ("gpu", "NVIDIA H200")
    assert timing.versions["driver"] == "580.95.05"


def test_what_was_queued_before_is_not_counted(clock: FakeClock, h200: object) -> None:
    run = clock.queueing(0.25, OnGpu())

    def prepare() -> None:
        clock.queued += 40  # a copy that has not arrived

    timing = measure(run, prepare=prepare, budget=FIVE, clock=clock)
    assert (timing.cold, timing.samples) == (0.25, (0.25,) * 5)


def test_several_short_calls_do_not_overlap(clock: FakeClock, h200: object) -> None:
    timing = measure(clock.queueing(1e-4, OnGpu()), clock=clock)
    assert timing.calls_per_sample > 1
    assert timing.median == pytest.approx(1e-4)
    assert clock.waits > timing.calls_per_sample * len(timing.samples)


def test_on_the_cpu_nothing_is_waited_for_once_that_is_known(clock: FakeClock) -> None:
    measure(clock.taking(1.0, result=ARRAY), clock=clock)
    assert clock.waits == 2, "around the cold call, which shows where it ran"


@pytest.mark.parametrize("result", [ARRAY, 0.5, None])
def test_a_cpu_timing_is_never_labelled_a_gpus(clock: FakeClock, h200: object, result: object) -> None:
    with pytest.raises(W251Error, match="'fit' was to run on the GPU, but"):
        measure(clock.taking(1.0, result=result), device="gpu", name="fit", clock=clock)


def test_a_gpu_timing_is_never_labelled_a_cpus(clock: FakeClock, h200: object) -> None:
    with pytest.raises(W251Error, match=r"to run on the CPU, but its result .* was computed on the GPU"):
        measure(clock.queueing(1.0, OnGpu()), device="cpu", clock=clock)


def test_a_result_from_a_gpu_where_there_is_none(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accelerator.gpus.pynvml, "nvmlInit", _no_driver)
    calls: list[int] = []

    def work() -> object:
        calls.append(1)
        return OnGpu()

    with pytest.raises(W251Error, match="says that it was computed on a GPU, but no NVIDIA driver"):
        measure(work, clock=clock)
    assert len(calls) == 1, "found out at once"


def _no_driver() -> None:
    raise accelerator.gpus.pynvml.NVMLError(accelerator.gpus.pynvml.NVML_ERROR_LIBRARY_NOT_FOUND)


def test_work_that_changes_its_device_on_the_way(clock: FakeClock, h200: object) -> None:
    results: list[object] = [OnGpu(), OnGpu(), ARRAY]

    def work() -> object:
        clock.time += 1.0
        return results.pop(0)

    with pytest.raises(W251Error, match="does not always run on the same device: call 3 ran on the cpu"):
        measure(work, clock=clock)


# What goes wrong


class BrokenError(Exception):
    pass


@pytest.mark.parametrize("at", [1, 2, 4])
def test_what_the_work_raises_comes_through_with_a_note(clock: FakeClock, at: int) -> None:
    run, error = clock.taking(1.0, result=ARRAY), BrokenError("no")
    calls = 0

    def work() -> object:
        nonlocal calls
        calls += 1
        if calls == at:
            raise error
        return run()

    with pytest.raises(BrokenError) as caught:
        measure(work, name="fit", clock=clock)
    assert caught.value is error
    assert caught.value.__notes__ == [f"raised while 'fit' was measured, in call {at}"]
    assert gc.isenabled()
    assert measure(run, clock=clock).median == 1.0, "nothing is left over"


def test_what_the_preparation_raises_comes_through_with_a_note(clock: FakeClock) -> None:
    def prepare() -> None:
        raise BrokenError

    with pytest.raises(BrokenError) as caught:
        measure(clock.taking(1.0), prepare=prepare, name="fit", clock=clock)
    assert caught.value.__notes__ == ["raised while 'fit' was measured, in what prepares call 1"]


def test_an_interruption_leaves_nothing_behind(clock: FakeClock) -> None:
    def work() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measure(work, clock=clock)
    assert gc.isenabled()
    assert measure(clock.taking(1.0, result=ARRAY), clock=clock).median == 1.0


def test_nested_use_is_an_error_that_names_both(clock: FakeClock) -> None:
    def work() -> object:
        return measure(clock.taking(1.0), name="inner", clock=clock)

    with pytest.raises(W251Error, match="'inner' was to be measured while 'outer' is being measured") as caught:
        measure(work, name="outer", clock=clock)
    assert "take the inner measurement out" in caught.value.remedy
    with pytest.raises(W251Error, match="'inner' was to be measured"):
        measure(clock.taking(1.0), prepare=work, name="outer", clock=clock)


def test_so_is_use_in_another_thread(clock: FakeClock) -> None:
    caught: list[Exception] = []

    def other() -> None:
        try:
            measure(clock.taking(1.0, result=ARRAY), name="other", clock=clock)
        except W251Error as error:
            caught.append(error)

    def work() -> object:
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        clock.time += 1
        return ARRAY

    measure(work, name="outer", budget=FIVE, clock=clock)
    assert len(caught) == 6
    assert "'other' was to be measured while 'outer' is being measured" in str(caught[0])


def test_the_collector_works_between_samples_but_not_in_them(clock: FakeClock) -> None:
    seen: dict[str, set[bool]] = {"work": set(), "prepare": set()}

    def note(where: str) -> Callable[..., object]:
        def noting(*_: object) -> object:
            seen[where].add(gc.isenabled())
            clock.time += 1
            return ARRAY

        return noting

    measure(note("work"), prepare=note("prepare"), clock=clock)
    assert seen == {"work": {False}, "prepare": {True}}


@pytest.mark.parametrize(("seconds", "prepared"), [(1.0, False), (1.0, True), (1e-3, False), (1e-3, True)])
def test_no_result_is_held_while_the_next_is_prepared_or_computed(
    clock: FakeClock, seconds: float, prepared: bool
) -> None:
    class Big:
        device = "cpu"

    alive: list[weakref.ref[Big]] = []
    most = 0

    def look() -> None:
        nonlocal most
        most = max(most, sum(reference() is not None for reference in alive))

    def work(*_: object) -> Big:
        look()
        clock.time += seconds
        big = Big()
        alive.append(weakref.ref(big))
        return big

    measure(work, prepare=look if prepared else None, budget=FIVE, clock=clock)
    assert len(alive) > 5
    assert most == 0


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        ({"device": "auto"}, "unknown device 'auto'"),
        ({"device": "GPU"}, "unknown device"),
        ({"copies": "yes"}, "unknown word for the copies"),
        ({"warmup": -1}, "warmup=-1"),
        ({"warmup": True}, "warmup=True"),
        ({"warmup": 1.5}, "warmup=1.5"),
    ],
)
def test_wrong_usage(arguments: dict[str, Any], what: str) -> None:
    with pytest.raises(UsageError, match=what):
        measure(lambda: ARRAY, **arguments)


@pytest.mark.gpu
def test_a_real_gpu_is_waited_for() -> None:
    import cupy  # noqa: PLC0415  # only where there is a GPU

    numbers = cupy.random.random((8192, 8192), dtype=cupy.float32)
    timing = measure(lambda: numbers @ numbers, device="gpu", name="matrix product")
    begin, end = cupy.cuda.Event(), cupy.cuda.Event()
    begin.record()
    for _ in range(10):
        numbers @ numbers
    end.record()
    end.synchronize()
    by_events = cupy.cuda.get_elapsed_time(begin, end) / 1000 / 10
    assert timing.median == pytest.approx(by_events, rel=0.3)
    assert timing.hardware == accelerator.devices()[0].name
    with pytest.raises(W251Error, match="computed on the CPU"):
        measure((numbers @ numbers).get, device="gpu")
