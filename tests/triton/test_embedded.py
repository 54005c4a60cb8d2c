"""The life of an embedded server: what it leaves behind, however it ends. Nothing, that is."""

from __future__ import annotations

import gc
import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil
import pytest

from w251lab.triton import repository, server
from w251lab.triton.errors import ServerFailedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from w251lab.triton.description import PythonModel
    from w251lab.triton.embedded import EmbeddedServer

    Remains = Callable[..., list[str]]

X = {"X": np.ones((1, 2), np.float32)}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory, double: PythonModel) -> Path:
    return repository.write(tmp_path_factory.mktemp("models"), [double])


def answers(running: server.Server) -> bool:
    with running.client() as client:
        return bool((client.infer("double", X)["Y"] == 2).all())


def supervisor_of(running: EmbeddedServer) -> psutil.Process:
    return psutil.Process(running._process.pid)


STARTER = """
    import json, os, sys, time
    from w251lab.triton import server
    running = server.start(sys.argv[1])
    {then}
    print(json.dumps({{"command": "\\n".join(running.command), "http": running.http}}), flush=True)
    time.sleep(120)
"""


@pytest.fixture
def starter(models: Path) -> Iterator[Callable[[str], tuple[subprocess.Popen[str], dict[str, Any]]]]:
    """Starts a server in a process of its own; gives that process, and the server's command and address."""
    started: list[subprocess.Popen[str]] = []

    def make(then: str = "") -> tuple[subprocess.Popen[str], dict[str, Any]]:
        process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(STARTER.format(then=then)), str(models)],
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout
        return process, json.loads(process.stdout.readline())

    yield make
    for process in started:
        process.kill()
        process.wait()
        assert process.stdout
        process.stdout.close()


def test_ten_starts_and_stops_in_a_row_leave_nothing(models: Path, remains: Remains) -> None:
    for _ in range(10):
        with server.start(models) as running:
            assert answers(running)
            assert remains(running.command)  # the measure itself sees a running server
        assert not running.running
        assert remains(running.command) == []


def test_two_servers_side_by_side_do_not_disturb_each_other(models: Path, remains: Remains) -> None:
    with server.start(models) as first, server.start(models) as second:
        addresses = {first.http, first.grpc, first.metrics, second.http, second.grpc, second.metrics}
        assert len(addresses) == 6
        assert answers(first)
        first.stop()
        assert answers(second)
        assert remains(first.command) == []


def test_the_log_outlives_the_server(models: Path) -> None:
    with server.start(models) as running:
        assert "Started HTTPService" in running.log
    assert "Started HTTPService" in running.log
    assert "successfully loaded 'double'" in running.log
    running.stop()  # a second time
    assert "Started HTTPService" in running.log


def test_follow_log_ends_with_the_server(models: Path) -> None:
    with server.start(models) as running:
        pieces = running.follow_log()
        seen = next(pieces)
        supervisor_of(running).terminate()
        seen += "".join(pieces)
        assert seen == running.log
        assert "Started HTTPService" in seen


def test_a_stop_lets_requests_under_way_end_and_models_finalize(
    tmp_path: Path, sleeper: Callable[[Path], PythonModel], remains: Remains
) -> None:
    diary = tmp_path / "diary"
    with (
        server.start(repository.write(tmp_path / "models", [sleeper(diary)])) as running,
        running.client("grpc") as client,
    ):
        under_way = client.submit("sleeper", {"SECONDS": np.full((1, 1), 1.0, np.float32)})
        time.sleep(0.3)
        running.stop()
        assert under_way.result()["SLEPT"] == 1.0
    assert diary.read_text() == "finalized\n"
    assert remains(running.command) == []


def test_a_model_that_does_not_return_cannot_hold_up_a_stop(
    tmp_path: Path, sleeper: Callable[[Path], PythonModel], remains: Remains, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("w251lab.triton.embedded.GRACE_SECONDS", 1.0)
    with (
        server.start(repository.write(tmp_path / "models", [sleeper(tmp_path / "diary")])) as running,
        running.client("grpc") as client,
    ):
        client.submit("sleeper", {"SECONDS": np.full((1, 1), 60.0, np.float32)})
        time.sleep(0.3)
        began = time.monotonic()
        running.stop()
        assert time.monotonic() - began < 8
    assert remains(running.command) == []


def test_an_idle_client_does_not_hold_up_a_stop(
    tmp_path: Path, sleeper: Callable[[Path], PythonModel], remains: Remains
) -> None:
    """By itself Triton waits for open HTTP connections for as long as it may, and then finalizes no model."""
    diary = tmp_path / "diary"
    with (
        server.start(repository.write(tmp_path / "models", [sleeper(diary)])) as running,
        running.client("http") as client,
    ):
        assert client.is_ready("sleeper")
        began = time.monotonic()
        running.stop()
        assert time.monotonic() - began < 5
    assert diary.read_text() == "finalized\n"
    assert remains(running.command) == []


def test_a_server_that_nobody_refers_to_stops(models: Path, remains: Remains) -> None:
    running = server.start(models)
    command = running.command
    del running
    gc.collect()
    assert remains(command) == []


def test_sigkill_of_the_starting_process_leaves_nothing(
    starter: Callable[..., tuple[subprocess.Popen[str], dict[str, Any]]], remains: Remains
) -> None:
    process, started = starter()
    assert answers(server.connect(started["http"]))
    assert any("triton_python_backend_stub" in line for line in remains(started["command"]))
    process.kill()
    process.wait()
    assert remains(started["command"], wait=20) == []


def test_a_forked_child_does_not_keep_the_server_alive_nor_stop_it(
    starter: Callable[..., tuple[subprocess.Popen[str], dict[str, Any]]], remains: Remains
) -> None:
    then = """
    child = os.fork()
    if child == 0:
        running.stop()  # not its server
        time.sleep(120)
        os._exit(0)
    time.sleep(1)
    """
    process, started = starter(textwrap.indent(textwrap.dedent(then), "    ").strip())
    assert answers(server.connect(started["http"]))
    children = psutil.Process(process.pid).children()
    process.kill()
    process.wait()
    left = remains(started["command"], wait=20)
    forked = [child for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]
    for child in forked:
        child.kill()
    assert left == []
    assert forked, "the forked child was to be there still"


def test_sigkill_of_the_supervisor_ends_the_server(models: Path, remains: Remains) -> None:
    with server.start(models) as running:
        supervisor_of(running).kill()
        running._process.wait()
        assert not running.running
        assert "Started HTTPService" in running.log
    assert remains(running.command, wait=10) == []


def test_sigkill_of_the_server_itself_is_seen_and_leaves_nothing(models: Path, remains: Remains) -> None:
    with server.start(models) as running:
        (triton,) = supervisor_of(running).children()
        triton.kill()
        assert running.wait() == 128 + signal.SIGKILL
        assert not running.running
        with running.client() as client:
            assert not client.is_live()
    assert remains(running.command) == []


def test_it_outlives_the_thread_that_started_it(models: Path) -> None:
    made: list[EmbeddedServer] = []
    thread = threading.Thread(target=lambda: made.append(server.start(models)))
    thread.start()
    thread.join()
    with made[0] as running:
        time.sleep(1)
        assert answers(running)


def test_an_interrupted_start_leaves_nothing(models: Path, remains: Remains, monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[tuple[str, ...]] = []

    def interrupt(running: EmbeddedServer, timeout: float) -> None:
        commands.append(running.command)
        time.sleep(0.3)
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(10)

    monkeypatch.setattr("w251lab.triton.embedded.EmbeddedServer._wait_until_up", interrupt)
    with pytest.raises(KeyboardInterrupt):
        server.start(models)
    assert len(commands) == 1
    assert remains(commands[0]) == []


def test_a_temporary_repository_goes_with_its_server(tmp_path: Path, double: PythonModel) -> None:
    folder = repository.write(tmp_path / "once", [double])
    with server.start(folder, remove_repository=True) as running:
        assert answers(running)
    assert not folder.exists()


def test_a_start_that_is_run_again_keeps_its_repository(tmp_path: Path, double: PythonModel) -> None:
    """As a notebook's cell does: the name is bound to the second server before the first one ends."""
    folder = repository.write(tmp_path / "again", [double])
    linked = tmp_path / "linked"
    linked.symlink_to(folder)
    running = server.start(linked, remove_repository=True)
    first = running.command
    running = server.start(folder, remove_repository=True)
    gc.collect()
    assert running.command != first
    assert folder.is_dir()
    with running.client() as client:
        client.unload("double")
        client.load("double")
    assert answers(running)
    running.stop()
    assert not folder.exists()


def test_a_port_that_was_taken_in_the_meantime_does_not_cost_the_repository(
    tmp_path: Path, double: PythonModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = repository.write(tmp_path / "models", [double])
    fill = server.port_numbers.fill
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        taken = (listener.getsockname()[1],)
        chosen = [taken + fill((0, 0, 0))[1:]]
        monkeypatch.setattr(server.port_numbers, "fill", lambda wanted: chosen.pop() if chosen else fill(wanted))
        with server.start(folder, remove_repository=True) as running:
            assert not chosen
            assert answers(running)
        assert not folder.exists()


def test_a_server_that_does_not_start_leaves_no_temporary_repository(tmp_path: Path, double: PythonModel) -> None:
    folder = repository.write(tmp_path / "models", [double])
    (folder / "double" / "1" / "model.py").unlink()
    with pytest.raises(ServerFailedError):
        server.start(folder, remove_repository=True)
    assert not folder.exists()
