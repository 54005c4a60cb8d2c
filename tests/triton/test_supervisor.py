"""The process between a lab and its server, with a stand-in for the server that is quick to start."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from w251lab.triton import supervisor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def supervised(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    started: list[subprocess.Popen[bytes]] = []

    def run(*command: str, parent: int | None = None, grace: float = 5.0) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [
                *(sys.executable, "-I", supervisor.__file__, str(parent or os.getpid()), "w251lab_test_"),
                *(str(grace), "127.0.0.1:1", str(tmp_path / "run folder"), "--", *command),
            ],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )
        started.append(process)
        return process

    (tmp_path / "run folder").mkdir()
    yield run
    for process in started:
        process.kill()
        process.wait()
        assert process.stdin
        process.stdin.close()


def child_of(process: subprocess.Popen[bytes]) -> psutil.Process:
    deadline = time.monotonic() + 10
    while not (children := psutil.Process(process.pid).children()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    time.sleep(0.2)  # it has started its program by now
    return children[0]


def test_its_exit_status_is_the_servers(supervised: Callable[..., subprocess.Popen[bytes]], tmp_path: Path) -> None:
    assert supervised("sh", "-c", "exit 7").wait(10) == 7
    assert supervised("sh", "-c", "kill -KILL $$").wait(10) == 137
    assert (tmp_path / "run folder").exists(), "the parent is there and reads the log"


def test_a_stop_that_was_asked_for_is_a_success(supervised: Callable[..., subprocess.Popen[bytes]]) -> None:
    process = supervised("sleep", "60")
    server = child_of(process)
    process.terminate()
    assert process.wait(10) == 0
    assert not server.is_running()


def test_a_server_with_children_that_ignores_the_stop_is_killed_after_the_grace(
    supervised: Callable[..., subprocess.Popen[bytes]],
) -> None:
    process = supervised("sh", "-c", "trap '' TERM; sleep 60", grace=1.0)
    server = child_of(process)
    (grandchild,) = server.children()
    began = time.monotonic()
    process.terminate()
    assert process.wait(10) == 0
    assert 0.9 < time.monotonic() - began < 5
    assert not grandchild.is_running()


def test_what_the_server_leaves_behind_is_killed(supervised: Callable[..., subprocess.Popen[bytes]]) -> None:
    process = supervised("sh", "-c", "setsid sleep 60 & sleep 1")
    server = child_of(process)
    left = {child.pid: child for child in server.children(recursive=True)}
    assert left
    assert process.wait(10) == 0
    assert not any(child.is_running() for child in left.values())


def test_closing_its_standard_input_stops_it(
    supervised: Callable[..., subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    process = supervised("sleep", "60")
    server = child_of(process)
    assert process.stdin
    process.stdin.close()
    assert process.wait(10) == 0
    assert not server.is_running()
    assert not (tmp_path / "run folder").exists(), "nobody else would remove it"


def test_a_parent_that_is_gone_before_it_starts(
    supervised: Callable[..., subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    assert supervised("sleep", "60", parent=1 if os.getpid() != 1 else 2).wait(10) == 0
    assert not (tmp_path / "run folder").exists()


def test_remove_shared_memory_removes_the_runs_own_blocks_only() -> None:
    mine, other = Path("/dev/shm/w251lab_test1_a"), Path("/dev/shm/w251lab_test2_a")  # noqa: S108
    mine.touch()
    other.touch()
    try:
        supervisor.remove_shared_memory("w251lab_test1_")
        assert not mine.exists()
        assert other.exists()
    finally:
        mine.unlink(missing_ok=True)
        other.unlink(missing_ok=True)
