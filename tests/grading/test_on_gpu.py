"""Grading on a GPU: the sandbox shows the device, and nothing of its memory goes from one student to the next.

The students' cells speak to CUDA's driver through ctypes, so that no library is between them and the memory.
"""

from __future__ import annotations

import ast
import io
import time
from typing import TYPE_CHECKING

import little_course as little
import pynvml
import pytest
from rich.console import Console

from w251lab.grading.cluster import Where
from w251lab.grading.grader import Options, grade_lab
from w251lab.grading.progress import ClassProgress
from w251lab.grading.task import grade

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from w251lab.grading.job import Graded

pytestmark = [pytest.mark.gpu, pytest.mark.sandbox]

GPU = "0"
DRIVER = """
import ctypes, os
driver = ctypes.CDLL("libcuda.so.1")
def cuda(name, *args):
    code = getattr(driver, name)(*args)
    if code:
        raise RuntimeError(f"{name} returned {code}")
def memory(share):
    device, context, place = ctypes.c_int(), ctypes.c_void_p(), ctypes.c_uint64()
    free, all = ctypes.c_size_t(), ctypes.c_size_t()
    cuda("cuInit", 0)
    cuda("cuDeviceGet", ctypes.byref(device), 0)
    cuda("cuCtxCreate_v2", ctypes.byref(context), 0, device)
    cuda("cuMemGetInfo_v2", ctypes.byref(free), ctypes.byref(all))
    size = int(free.value * share)
    cuda("cuMemAlloc_v2", ctypes.byref(place), ctypes.c_size_t(size))
    return place, size
"""
# Most of what is free: the second student's memory is then where the first one's was.
LEAVE = (
    DRIVER
    + """
place, size = memory(0.8)
cuda("cuMemsetD8_v2", place, ctypes.c_ubyte(0xA5), ctypes.c_size_t(size))
cuda("cuCtxSynchronize")
print("TOOK", size)
if os.fork() == 0:  # a daemon with the device's file open, to hold its memory
    os.setsid()
    import time
    time.sleep(1000)
"""
)
FIND = (
    DRIVER
    + """
place, size = memory(0.8)
piece, left = (ctypes.c_ubyte * (1 << 20))(), 0
for number in range(64):
    start = ctypes.c_uint64(place.value + number * (size // 64))
    cuda("cuMemcpyDtoH_v2", piece, start, ctypes.c_size_t(len(piece)))
    left += bytes(piece).count(0xA5)
print("LEFT", left, "OF", size)
"""
)
COUNT = """
import ctypes
driver, number = ctypes.CDLL("libcuda.so.1"), ctypes.c_int()
print("RESULT", [driver.cuInit(0), driver.cuDeviceGetCount(ctypes.byref(number)), number.value])
"""


@pytest.fixture
def used() -> Iterator[Callable[[], int]]:
    """Tells how many bytes of the GPU's memory are used, by anybody."""
    pynvml.nvmlInit()
    handle = pynvml.nvmlDeviceGetHandleByIndex(int(GPU))
    yield lambda: pynvml.nvmlDeviceGetMemoryInfo(handle).used
    pynvml.nvmlShutdown()


def on_gpu(student: str, text: str, gpu: str | None = GPU) -> Graded:
    return grade(little.job(student, little.with_cell(text), gpu=gpu))


def counted(graded: Graded) -> list[int]:
    said = little.said(graded)
    return ast.literal_eval(next(line for line in said.splitlines() if line.startswith("RESULT"))[len("RESULT") :])


def number_after(word: str, graded: Graded) -> int:
    return int(little.said(graded).split(word)[1].split()[0])


def test_nothing_of_the_gpus_memory_goes_from_one_student_to_the_next(used: Callable[[], int]) -> None:
    before = used()
    first = on_gpu("ada", LEAVE)
    assert first.result.problems == ()
    assert little.marks(first) == little.POINTS
    taken = number_after("TOOK", first)
    deadline = time.monotonic() + 60
    while (kept := used() - before) > taken // 10 and time.monotonic() < deadline:
        time.sleep(0.5)  # the driver frees what a killed process had, and takes its time
    assert kept <= taken // 10, "the first student's memory is still taken"
    second = on_gpu("bob", FIND)
    assert number_after("OF", second) > taken // 2, "the second student had other memory"
    assert number_after("LEFT", second) == 0
    assert little.marks(second) == little.POINTS


def test_who_asks_for_no_gpu_has_none() -> None:
    assert counted(on_gpu("ada", COUNT)) == [0, 0, 1]
    code, _, number = counted(on_gpu("ada", COUNT, gpu=None))
    assert code != 0
    assert number == 0


def test_the_grader_has_the_notebooks_compute_on_the_gpu_that_it_is_given(tmp_path: Path) -> None:
    course = little.write_course(tmp_path)
    head, _, body = little.RIGHT["total"].partition("\n")
    total = f"{head}\n    assert device == 'gpu'\n    memory(0.1)\n{body}"
    for student in ("ada", "bob"):
        folder = course.root / "submitted" / student / little.LAB
        folder.mkdir(parents=True)
        (folder / f"{little.NOTEBOOK}.ipynb").write_bytes(little.with_cell(DRIVER, {"total": total}))
    with ClassProgress(Console(file=io.StringIO())) as progress:
        summary = grade_lab(course, course.labs[0], Options(where=Where(gpus=(GPU,))), progress)
    assert set(summary.graded) == {f"{student}/{little.NOTEBOOK}" for student in ("ada", "bob")}
    assert all(verdicts["passed"] == len(little.POINTS) for verdicts in summary.graded.values()), summary.graded
