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
SIZE = 2 * 1024**3
DRIVER = f"""
import ctypes, os
driver = ctypes.CDLL("libcuda.so.1")
def cuda(name, *args):
    code = getattr(driver, name)(*args)
    if code:
        raise RuntimeError(f"{{name}} returned {{code}}")
def memory():
    device, context, place = ctypes.c_int(), ctypes.c_void_p(), ctypes.c_uint64()
    cuda("cuInit", 0)
    cuda("cuDeviceGet", ctypes.byref(device), 0)
    cuda("cuCtxCreate_v2", ctypes.byref(context), 0, device)
    cuda("cuMemAlloc_v2", ctypes.byref(place), ctypes.c_size_t({SIZE}))
    return place
"""
LEAVE = (
    DRIVER
    + f"""
place = memory()
cuda("cuMemsetD8_v2", place, ctypes.c_ubyte(0xA5), ctypes.c_size_t({SIZE}))
cuda("cuCtxSynchronize")
if os.fork() == 0:  # a daemon with the device's file open, to hold its memory
    os.setsid()
    import time
    time.sleep(1000)
"""
)
FIND = (
    DRIVER
    + f"""
place, found = memory(), {{}}
for start in range(0, {SIZE}, {SIZE // 16}):
    piece = (ctypes.c_ubyte * (1 << 20))()
    cuda("cuMemcpyDtoH_v2", piece, ctypes.c_uint64(place.value + start), ctypes.c_size_t(len(piece)))
    found[start] = bytes(piece).count(0xA5)
print("LEFT", sum(found.values()), "OF", len(found), "PIECES")
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


def test_nothing_of_the_gpus_memory_goes_from_one_student_to_the_next(used: Callable[[], int]) -> None:
    before = used()
    first = on_gpu("ada", LEAVE)
    assert first.result.problems == ()
    assert little.marks(first) == little.POINTS
    deadline = time.monotonic() + 60
    while (kept := used() - before) > SIZE // 2 and time.monotonic() < deadline:
        time.sleep(0.5)  # the driver frees what a killed process had, and takes its time
    assert kept < SIZE // 2, "the first student's memory is still taken"
    second = on_gpu("bob", FIND)
    assert "LEFT 0 OF 16 PIECES" in little.said(second), little.said(second)
    assert little.marks(second) == little.POINTS


def test_who_asks_for_no_gpu_has_none() -> None:
    assert counted(on_gpu("ada", COUNT)) == [0, 0, 1]
    code, _, number = counted(on_gpu("ada", COUNT, gpu=None))
    assert code != 0
    assert number == 0


def test_the_grader_has_a_worker_for_each_gpu_and_the_notebooks_compute_there(tmp_path: Path) -> None:
    course = little.write_course(tmp_path)
    head, _, body = little.RIGHT["total"].partition("\n")
    total = f"{head}\n    assert device == 'gpu'\n    memory()\n{body}"
    for student in ("ada", "bob"):
        folder = course.root / "submitted" / student / little.LAB
        folder.mkdir(parents=True)
        (folder / f"{little.NOTEBOOK}.ipynb").write_bytes(little.with_cell(DRIVER, {"total": total}))
    with ClassProgress(Console(file=io.StringIO())) as progress:
        summary = grade_lab(course, course.labs[0], Options(where=Where(gpus=(GPU,))), progress)
    assert set(summary.graded) == {f"{student}/{little.NOTEBOOK}" for student in ("ada", "bob")}
    assert all(verdicts["passed"] == len(little.POINTS) for verdicts in summary.graded.values()), summary.graded
