from __future__ import annotations

import importlib
import os
import sys

import pytest
from fake_clock import FakeCuda

from w251lab.errors import W251Error
from w251lab.timing import cuda


def test_only_devices_with_a_context_are_waited_for() -> None:
    driver = FakeCuda([True, False, True])
    cuda.synchronize(driver)
    assert driver.waited_for == [0, 2]
    assert (driver.stack, driver.retained) == ([], 0), "the thread and the contexts are as they were"
    assert cuda.in_use(driver)


@pytest.mark.parametrize("driver", [FakeCuda([False, False]), FakeCuda([True], initialized=False), FakeCuda([])])
def test_a_process_that_uses_no_gpu_waits_for_nothing(driver: FakeCuda) -> None:
    cuda.synchronize(driver)
    assert driver.waited_for == []
    assert not cuda.in_use(driver)


@pytest.mark.parametrize(("code", "said"), [(700, "CUDA_ERROR_ILLEGAL_ADDRESS"), (999, "error 999")])
def test_work_that_failed_on_the_device_is_told_and_leaves_nothing_behind(code: int, said: str) -> None:
    driver = FakeCuda([True], failure=code)
    with pytest.raises(W251Error, match=said) as caught:
        cuda.synchronize(driver)
    assert "restart the kernel" in caught.value.remedy
    assert (driver.stack, driver.retained) == ([], 0)


def test_the_drivers_library_is_not_loaded_to_find_out() -> None:
    before = _mapped()
    cuda.synchronize()
    assert _mapped() == before


def _mapped() -> bool:
    with open(f"/proc/{os.getpid()}/maps", encoding="utf-8") as maps:  # noqa: PTH123  # no file on a disk
        return "libcuda.so" in maps.read()


@pytest.mark.gpu
def test_a_real_gpu_is_waited_for() -> None:
    assert "cupy" in sys.modules or importlib.util.find_spec("cupy"), "make env DEVICE=gpu"
    cupy = importlib.import_module("cupy")
    numbers = cupy.random.random((8192, 8192), dtype=cupy.float32)
    end = cupy.cuda.Event()
    for _ in range(20):
        numbers @ numbers
    end.record()
    assert cuda.in_use()
    cuda.synchronize()
    assert end.done
