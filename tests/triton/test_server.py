"""Starting a server, and all that can prevent it; connecting to one elsewhere."""

from __future__ import annotations

import os
import re
import socket
import stat
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from w251lab.errors import UsageError, W251Error
from w251lab.triton import environment, repository, server
from w251lab.triton.errors import PortTakenError, ServerFailedError, ServerUnavailableError, UnknownModelError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from w251lab.triton.description import OnnxModel, PythonModel
    from w251lab.triton.embedded import EmbeddedServer

    Remains = Callable[..., list[str]]

X = {"X": np.ones((1, 2), np.float32)}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory, double: PythonModel) -> Path:
    return repository.write(tmp_path_factory.mktemp("models"), [double, replace(double, name="other")])


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


@pytest.fixture
def launched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The command lines of the servers that a test starts, also of those that fail."""
    commands: list[str] = []
    real = server._launch

    def spy(*arguments: object, **options: object) -> EmbeddedServer:
        made: EmbeddedServer = real(*arguments, **options)  # type: ignore[arg-type]
        commands.append("\n".join(made.command))
        return made

    monkeypatch.setattr(server, "_launch", spy)
    return commands


def test_it_listens_on_the_loopback_interface_only(shared_server: EmbeddedServer) -> None:
    port = int(shared_server.http.rpartition(":")[2])
    table = subprocess.run(["cat", "/proc/net/tcp", "/proc/net/tcp6"], capture_output=True, text=True, check=True)
    listening = re.findall(rf"(\w+):{port:04X} \w+:0000 0A", table.stdout)
    assert listening == ["0100007F"]


def test_only_the_models_asked_for_are_loaded(models: Path) -> None:
    with server.start(models, load=["other"]) as running, running.client() as client:
        assert {status.name: status.state for status in client.models()} == {"double": "", "other": "READY"}


def test_a_model_to_load_that_is_not_there(models: Path) -> None:
    with pytest.raises(UnknownModelError, match="no model 'doubel'") as caught:
        server.start(models, load=["doubel"])
    assert "Did you mean 'double'?" in caught.value.remedy


def test_ports_that_were_asked_for(models: Path, taken: int) -> None:
    free = taken + 1 if taken < 65535 else taken - 1
    with server.start(models, http_port=free) as running:
        assert running.http == f"127.0.0.1:{free}"


@pytest.mark.parametrize("which", ["http_port", "grpc_port", "metrics_port"])
def test_a_taken_port(models: Path, taken: int, which: str, launched: list[str]) -> None:
    with pytest.raises(PortTakenError, match=f"Port {taken} on 127.0.0.1 is taken") as caught:
        server.start(models, **{which: taken})  # type: ignore[arg-type]
    assert "another port" in caught.value.remedy
    assert launched == []


def test_a_port_that_is_taken_while_the_server_starts(
    models: Path, taken: int, launched: list[str], remains: Remains, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("w251lab.triton.ports._require_free", lambda _port: None)
    with pytest.raises(ServerFailedError, match="already in use"):
        server.start(models, http_port=taken, grpc_port=taken - 1, metrics_port=taken - 2)
    assert [line for line in remains(launched[0]) if line != f"port {taken}"] == []


def test_another_free_port_is_tried_where_one_was_taken_meanwhile(
    models: Path, taken: int, launched: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = server.port_numbers.fill
    unlucky = iter([taken])

    def fill(wanted: tuple[int, int, int]) -> tuple[int, int, int]:
        http, grpc, metrics = real(wanted)
        return next(unlucky, http), grpc, metrics

    monkeypatch.setattr(server.port_numbers, "fill", fill)
    with server.start(models) as running:
        assert running.http != f"127.0.0.1:{taken}"
    assert len(launched) == 2


@pytest.mark.parametrize("port", [-1, 65536, 700000])
def test_a_number_that_is_no_port(models: Path, port: int) -> None:
    with pytest.raises(UsageError, match="not a port"):
        server.start(models, http_port=port)


def test_one_port_for_two_endpoints(models: Path) -> None:
    with pytest.raises(UsageError, match="cannot share one port"):
        server.start(models, http_port=18999, grpc_port=18999)


def test_a_repository_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(W251Error, match=r"no model repository at .*nowhere") as caught:
        server.start(tmp_path / "nowhere")
    assert "repository.write" in caught.value.remedy


def test_an_empty_repository_serves_nothing(tmp_path: Path) -> None:
    with server.start(tmp_path) as running, running.client() as client:
        assert client.models() == []
        with pytest.raises(UnknownModelError, match="no model 'x'") as caught:
            client.infer("x", X)
        assert "no model at all" in caught.value.remedy


def test_a_broken_onnx_file(tmp_path: Path, classifier: OnnxModel, launched: list[str], remains: Remains) -> None:
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"not an ONNX file")
    folder = repository.write(tmp_path / "models", [replace(classifier, versions={1: broken})])
    with pytest.raises(ServerFailedError, match="Protobuf parsing failed"):
        server.start(folder)
    assert remains(launched[0]) == []


def test_a_model_file_that_is_missing(models: Path, tmp_path: Path, double: PythonModel, launched: list[str]) -> None:
    folder = repository.write(tmp_path / "models", [double])
    (folder / "double" / "1" / "model.py").unlink()
    with pytest.raises(ServerFailedError, match=r"Python model file not found in .*model\.py"):
        server.start(folder)
    assert len(launched) == 1


def test_a_configuration_that_is_wrong(tmp_path: Path, double: PythonModel) -> None:
    folder = repository.write(tmp_path / "models", [double])
    (folder / "double" / "config.pbtxt").write_text('name: "double" bakend: "python"')
    with pytest.raises(ServerFailedError, match="bakend"):
        server.start(folder)


def test_a_repository_whose_path_a_shell_would_split(
    tmp_path: Path, double: PythonModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    awkward = tmp_path / "two  words; $HOME 'ü'"
    awkward.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(awkward))
    folder = repository.write(awkward / "models", [double])
    with server.start(folder) as running, running.client() as client:
        assert client.infer("double", X)["Y"].tolist() == [[2.0, 2.0]]
        assert running.repository == folder
        repository.write(folder, [replace(double, name="later")])
        client.load("later")
        assert client.infer("later", X)["Y"].tolist() == [[2.0, 2.0]]
    (folder / "double" / "1" / "model.py").unlink()
    with pytest.raises(ServerFailedError, match="not found in") as caught:
        server.start(folder)
    assert str(folder / "double") in caught.value.what


def test_a_model_that_raises_when_it_is_loaded(tmp_path: Path, double: PythonModel) -> None:
    source = tmp_path / "model.py"
    source.write_text("raise ValueError('no cup of coffee')")
    folder = repository.write(tmp_path / "models", [replace(double, versions={1: source})])
    with pytest.raises(ServerFailedError, match="no cup of coffee"):
        server.start(folder)


def test_an_argument_that_triton_does_not_know(models: Path, remains: Remains, launched: list[str]) -> None:
    with pytest.raises(ServerFailedError, match="coffee"):
        server.start(models, arguments=["--coffee"])
    assert remains(launched[0]) == []


def test_a_server_that_takes_too_long(tmp_path: Path, double: PythonModel, launched: list[str]) -> None:
    source = tmp_path / "model.py"
    source.write_text("import time\ntime.sleep(60)")
    folder = repository.write(tmp_path / "models", [replace(double, versions={1: source})])
    with pytest.raises(ServerFailedError, match="not ready within 1 s") as caught:
        server.start(folder, timeout=1.0)
    assert "timeout" in caught.value.remedy
    assert len(launched) == 1


def test_a_working_folder_that_was_deleted(models: Path, tmp_path: Path) -> None:
    lost = tmp_path / "lost"
    lost.mkdir()
    script = (
        "import os, sys\n"
        "from w251lab.errors import W251Error\n"
        "from w251lab.triton import server\n"
        "os.chdir(sys.argv[1]); os.rmdir(sys.argv[1])\n"
        "with server.start(sys.argv[2]) as running, running.client() as client:\n"
        "    print(client.is_ready('double'))\n"
        "try:\n"
        "    server.start('relative')\n"
        "except W251Error as error:\n"
        "    print(error.what)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(lost), str(models)], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == ["True", "The current folder does not exist any more."]


def test_no_place_for_temporary_files(models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))
    with pytest.raises(W251Error, match="no place for its temporary files") as caught:
        server.start(models)
    assert "TMPDIR" in caught.value.remedy


def test_an_environment_that_is_read_only(models: Path) -> None:
    """Nothing is written into it: its files keep their times, and the stub need not be copied beside the backend."""
    env = environment.load()
    backends = env.triton / "backends" / "python"
    before = {file: file.stat().st_mtime_ns for file in backends.rglob("*")}
    mode = stat.S_IMODE(backends.stat().st_mode)
    backends.chmod(0o555)
    try:
        with server.start(models) as running, running.client() as client:
            assert client.is_ready("double")
    finally:
        backends.chmod(mode)
    assert {file: file.stat().st_mtime_ns for file in backends.rglob("*")} == before


def test_the_labs_python_path_does_not_reach_the_server(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "numpy").mkdir()
    (tmp_path / "numpy" / "__init__.py").write_text("raise ImportError('the wrong numpy')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with server.start(models) as running, running.client() as client:
        assert client.infer("double", X)["Y"].tolist() == [[2.0, 2.0]]


def test_connect_to_a_server_elsewhere(shared_server: EmbeddedServer) -> None:
    there = server.connect(f"http://{shared_server.http}/", grpc=shared_server.grpc, metrics=shared_server.metrics)
    assert (there.http, there.grpc, there.metrics) == (shared_server.http, shared_server.grpc, shared_server.metrics)
    with there.client("grpc") as client:
        assert client.is_ready("double")
    assert repr(there).startswith("Server(http='127.0.0.1:")


def test_the_ports_after_the_first_are_triton_s_own(shared_server: EmbeddedServer) -> None:
    there = server.connect(shared_server.http)
    host, _, port = shared_server.http.rpartition(":")
    assert there.grpc == f"{host}:{int(port) + 1}"
    assert there.metrics == f"{host}:{int(port) + 2}"


def test_connect_where_nobody_answers() -> None:
    with pytest.raises(ServerUnavailableError, match=r"No Triton server is ready at 127\.0\.0\.1:1 ") as caught:
        server.Server("127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3").wait_until_ready(0.2)
    assert "w251lab serve" in caught.value.remedy


def test_connect_to_the_metrics_port(shared_server: EmbeddedServer) -> None:
    with pytest.raises(ServerUnavailableError, match="not the HTTP endpoint of a Triton server"):
        server.connect(shared_server.metrics)


def test_a_grpc_port_is_not_ready_over_http(shared_server: EmbeddedServer) -> None:
    with pytest.raises(ServerUnavailableError, match="No Triton server is ready"):
        server.Server(shared_server.grpc, shared_server.grpc, "").wait_until_ready(0.2)


@pytest.mark.parametrize("url", ["", "localhost", ":8000", "localhost:", "localhost:http", "https://localhost:8000"])
def test_connect_to_no_address(url: str) -> None:
    with pytest.raises(UsageError, match="not the address of a server"):
        server.connect(url)


def test_a_model_repository_by_a_relative_path(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(models.parent)
    with server.start(models.name, load=[]) as running:
        assert running.repository == models
        assert os.fspath(models) in " ".join(running.command)
