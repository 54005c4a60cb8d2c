"""Makes ``planting`` importable, runs labs at the same time, and says what they left behind."""

from __future__ import annotations

import importlib.util
import re
import socket
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from w251lab.course.catalog import load_course

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from w251lab.course.catalog import Course, Lab

ROOT = Path(__file__).resolve().parents[2]
#: What a kernel wrote down about itself: its process, its server's command line, and when.
Diary = dict[str, Any]

_spec = importlib.util.spec_from_file_location("planting", Path(__file__).with_name("planting.py"))
planting = importlib.util.module_from_spec(_spec)
sys.modules["planting"] = planting
_spec.loader.exec_module(planting)


@pytest.fixture(scope="session")
def course() -> Course:
    return load_course(ROOT)


@pytest.fixture(scope="session")
def quickstart(course: Course) -> Lab:
    return course.select(["01_triton_quickstart"])[0]


@pytest.fixture(scope="module")
def pool() -> Iterator[ThreadPoolExecutor]:
    """Runs labs three at a time (a run waits half of its time), with a folder of their own for temporary files."""
    with tempfile.TemporaryDirectory(prefix="w2-", ignore_cleanup_errors=True) as folder:
        executor = ThreadPoolExecutor(3, thread_name_prefix="labs")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("TMPDIR", folder)  # a notebook leaves its model repository, some 90 MB
            yield executor
            executor.shutdown(cancel_futures=True)


@pytest.fixture(scope="session")
def remains() -> Callable[[list[Diary]], list[str]]:
    """What kernels and their servers have left, after at most 20 seconds: processes, ports, shared memory, folders."""

    def wait(diary: list[Diary]) -> list[str]:
        deadline = time.monotonic() + 20
        while (left := [trace for entry in diary for trace in _traces(entry)]) and time.monotonic() < deadline:
            time.sleep(0.2)
        return left

    return wait


def _traces(entry: Diary) -> list[str]:
    command = "\n".join(entry["command"])
    (prefix,) = re.findall(r"shm-region-prefix-name=(\w+)", command)
    (folder,) = re.findall(r"--backend-directory=(.*)/backends", command)
    left = [str(block) for block in Path("/dev/shm").glob(f"{prefix}*")]  # noqa: S108
    left += [folder] if Path(folder).exists() else []
    for process in psutil.process_iter(["pid", "cmdline", "create_time"]):
        words = " ".join(process.info["cmdline"] or ())
        # The prefix stands in the command line of the supervisor, the server and every stub.
        kernel = process.info["pid"] == entry["kernel"] and process.info["create_time"] < entry["time"]
        if kernel or prefix in words:
            left.append(f"process {process.info['pid']}: {words[:200]}")
    for port in re.findall(r"--\w+-port=(\d+)", command):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", int(port))) == 0:
                left.append(f"port {port}")
    return left
