from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from w251lab.dali.loading.result import Stage
from w251lab.errors import UsageError, W251Error

if TYPE_CHECKING:
    from collections.abc import Callable

    from w251lab.dali.loading.result import Loader, Loading
    from w251lab.timing import Timing


def test_throughput_is_of_the_whole(loading: Loading) -> None:
    assert loading.keys == ("pillow", "dali")
    assert loading.images_per_second("pillow") == pytest.approx(100)
    assert loading.whole_milliseconds("pillow") == pytest.approx(10)
    assert loading.speedup("pillow", "dali") == pytest.approx(2.5)


def test_stages_by_a_clock_inside_and_by_differences(loading: Loading) -> None:
    assert loading.milliseconds("pillow") == pytest.approx(
        {"read": 0.1, "decode": 6, "augment": 3, "normalise": 0.6, "copy": 0.3}
    )
    assert loading.milliseconds("dali") == pytest.approx(
        {"read": 0.5, "decode": 2.5, "augment": 0.5, "normalise": 1, "copy": 0}
    )
    assert loading.slowest_stage("pillow") == loading.slowest_stage("dali") == "decode"
    assert loading.per_picture(loading.of("dali").sum) == pytest.approx(4.5)


def test_a_difference_has_the_noise_of_both(timing: Callable[..., Timing]) -> None:
    stage = Stage("decode", "difference", timing(4.0, half=0.03), timing(3.0, half=0.03))
    assert stage.seconds == pytest.approx(1.0)
    half = (0.12**2 + 0.09**2) ** 0.5  # 3 % of 4 s and of 3 s to each side
    assert (stage.low, stage.high) == pytest.approx((1 - half, 1 + half))
    assert not stage.is_noise


@pytest.mark.parametrize(("until", "noise"), [(2.97, True), (3.02, True), (3.5, False), (2.5, False)])
def test_what_cannot_be_told_from_0(timing: Callable[..., Timing], until: float, noise: bool) -> None:
    stage = Stage("augment", "difference", timing(until, half=0.01), timing(3.0, half=0.01))
    assert stage.seconds == pytest.approx(until - 3.0), "it is not cut off at 0"
    assert stage.is_noise is noise


def test_a_time_of_the_cpu_is_never_a_gpus(
    on_gpu: Loading, dali_loader: Callable[..., Loader], timing: Callable[..., Timing]
) -> None:
    gpu, cpu = on_gpu.of("dali-gpu"), on_gpu.of("dali")
    with pytest.raises(W251Error, match="computes on the gpu, and its time is of the cpu"):
        replace(gpu, whole=cpu.whole)
    with pytest.raises(W251Error, match="computes on the cpu, and its time is of the gpu"):
        replace(cpu, whole=gpu.whole)
    with pytest.raises(W251Error, match="a stage's time is of the gpu"):
        replace(cpu, stages=gpu.stages)
    with pytest.raises(W251Error, match="left its batches with the cpu"):
        replace(on_gpu, device="cpu")
    assert gpu.stages[0].timing is not None
    assert gpu.stages[0].timing.device == "cpu", "files are read by the CPU, whoever decodes them"


def test_what_does_not_fit_together(loading: Loading, timing: Callable[..., Timing]) -> None:
    with pytest.raises(W251Error, match="does not have the timings of 'none'"):
        Stage("copy", "none", timing(1.0))
    with pytest.raises(W251Error, match="does not have the timings of 'inside'"):
        Stage("copy", "inside")
    with pytest.raises(W251Error, match="does not have the timings of 'inside'"):
        Stage("copy", "inside", timing(1.0), timing(0.5))
    with pytest.raises(W251Error, match="no stage 'polish'"):
        Stage("polish", "none")  # type: ignore[arg-type]
    with pytest.raises(W251Error, match="the stages of Pillow, 1 process are not read, decode"):
        replace(loading.of("pillow"), stages=loading.of("pillow").stages[:4])
    with pytest.raises(W251Error, match="each once"):
        replace(loading, loaders=(loading.of("pillow"),) * 2)


def test_a_loader_that_was_not_measured(loading: Loading) -> None:
    with pytest.raises(UsageError, match="no loader 'dali-gpu'") as caught:
        loading.images_per_second("dali-gpu")
    assert caught.value.remedy == "use one of pillow, dali"


def test_the_hardware_has_the_gpu_first(loading: Loading, on_gpu: Loading) -> None:
    assert loading.hardware == "A Processor, 16 cores"
    assert on_gpu.hardware == "NVIDIA H200; A Processor, 16 cores"
