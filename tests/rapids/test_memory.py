from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from w251lab.errors import UsageError, W251Error
from w251lab.rapids import memory

if TYPE_CHECKING:
    from pathlib import Path


def test_available_is_what_the_kernel_says(tmp_path: Path) -> None:
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal:  999 kB\nMemFree: 1 kB\nMemAvailable:     300 kB\n")
    assert memory._on_cpu(meminfo) == 300 * 1024
    meminfo.write_text("MemTotal:  999 kB\n")
    assert memory._on_cpu(meminfo) is None
    assert memory._on_cpu(tmp_path / "nowhere") is None
    assert memory.available("cpu") is not None


def test_only_what_is_far_beyond_is_refused_on_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_on_cpu", lambda: 1 << 30)
    memory.require(2 << 30, "cpu", "work")
    with pytest.raises(W251Error, match=r"work needs at least 2\.0 GiB of memory, and this machine has 1\.0 GiB left"):
        memory.require((2 << 30) + 1, "cpu", "work")


def test_small_work_does_not_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_on_cpu", lambda: 1)
    memory.require(memory.NOT_ASKED_BELOW - 1, "cpu", "work")


def test_nothing_is_refused_where_nobody_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_on_cpu", lambda: None)
    memory.require(1 << 60, "cpu", "work")


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, "0 bytes"),
        (1023, "1023 bytes"),
        (1024, "1.0 KiB"),
        (3 << 29, "1.5 GiB"),
        (5 << 40, "5.0 TiB"),
        (1 << 60, "1048576.0 TiB"),
    ],
)
def test_sizes_in_words(count: int, said: str) -> None:
    assert memory.size(count) == said


def test_a_real_allocation_that_fails_is_told_with_a_remedy() -> None:
    with (
        pytest.raises(W251Error, match="this machine ran out of memory while making a table") as error,
        memory.guard("cpu", "making a table"),
    ):
        np.ones((1 << 50,), dtype="float32")
    assert "fewer rows" in error.value.remedy


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (RuntimeError("CUDA error encountered: cudaErrorMemoryAllocation out of memory"), "the GPU ran out of memory"),
        (MemoryError("std::bad_alloc: out_of_memory: CUDA error"), "the GPU ran out of memory"),
        (RuntimeError("cudaErrorIllegalAddress: an illegal memory access"), "CUDA failed while training"),
        (ValueError("[12:00:01] /workspace/src/a.cc:3: bad depth\nstack"), "refused while training: bad depth\n"),
    ],
)
def test_failures_of_the_libraries_in_words(raised: Exception, said: str) -> None:
    with pytest.raises(W251Error, match=said), memory.guard("gpu", "training"):
        raise raised


def test_our_own_errors_and_programming_errors_pass_unchanged() -> None:
    with pytest.raises(UsageError, match="mine"), memory.guard("cpu", "x"):
        raise UsageError("mine")
    with pytest.raises(TypeError), memory.guard("cpu", "x"):
        len(3)  # type: ignore[arg-type]


@pytest.mark.gpu
def test_the_gpu_refuses_what_cannot_fit_and_says_when_it_ran_out() -> None:
    from w251lab.rapids import arrays  # noqa: PLC0415

    cupy = arrays.libraries("gpu").xp
    free = memory.available("gpu")
    assert free is not None
    assert 0 < free <= cupy.cuda.runtime.memGetInfo()[1]
    with pytest.raises(W251Error, match="and the GPU has"):
        memory.require(free * 2, "gpu", "work")
    with pytest.raises(W251Error, match="the GPU ran out of memory while filling"), memory.guard("gpu", "filling"):
        cupy.empty(free * 4, dtype="uint8")
