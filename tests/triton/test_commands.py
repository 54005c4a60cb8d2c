"""The verbs, as a person types them: each in a process of its own."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tritonclient.grpc.model_config_pb2 import ModelInstanceGroup

from w251lab import cli
from w251lab.triton import environment, repository

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from w251lab.triton.description import PythonModel
    from w251lab.triton.embedded import EmbeddedServer

    Serving = Callable[..., tuple[subprocess.Popen[str], dict[str, str]]]
    Verb = Callable[..., tuple[int, str]]

W251LAB = Path(sys.executable).with_name("w251lab")
MODEL = "efficientnet_lite0"


def w251lab(*words: str | Path, cwd: Path | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [W251LAB, *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        timeout=120,
        env={**os.environ, "COLUMNS": "200", **variables},
    )
    assert "Traceback" not in done.stderr
    return done


@pytest.fixture
def verb(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Verb:
    """Runs a verb in this process, which is quicker, in an empty folder; gives its status and what it complained of."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(signal, "signal", lambda *_: None)  # pytest keeps its own handlers

    def run(*words: str | Path) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["w251lab", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        output = capfd.readouterr()
        assert not output.out
        assert isinstance(ended.value.code, int)
        return ended.value.code, output.err

    return run


@pytest.fixture
def serving() -> Iterator[Serving]:
    """Runs `w251lab serve` until the end of the test; gives the process and the addresses that it printed."""
    started: list[subprocess.Popen[str]] = []

    def run(*words: str | Path, cwd: Path | None = None) -> tuple[subprocess.Popen[str], dict[str, str]]:
        process = subprocess.Popen(
            [W251LAB, "serve", "--http-port", "0", "--grpc-port", "0", "--metrics-port", "0", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=cwd,
        )
        started.append(process)
        assert process.stdout
        said = ""
        while "w251lab classify" not in said:
            line = process.stdout.readline()
            assert line, f"it ended before it said where it serves: {said}"
            said += line
        addresses = dict(re.findall(r"(HTTP|gRPC|metrics) +(?:http://)?(127\.0\.0\.1:\d+)", said))
        return process, {**addresses, "said": said}

    yield run
    for process in started:
        process.kill()
        process.wait()
        assert process.stdout
        process.stdout.close()


# --- classify --------------------------------------------------------------------------------------------------------


def test_classify_a_picture(shared_server: EmbeddedServer, coffee: Path) -> None:
    done = w251lab("classify", coffee, "-m", MODEL, "-c", "3", "-u", shared_server.http)
    assert done.returncode == 0
    title, *rows = done.stdout.splitlines()
    assert title == f"Image '{coffee}':"
    assert len(rows) == 3
    assert re.fullmatch(r"    0\.\d{6} \(967\) = espresso", rows[0])


@pytest.mark.parametrize("ways", [["-i", "grpc", "--streaming"], ["-i", "gRPC", "-a", "-b", "2"], ["-a", "-b", "8"]])
def test_classify_a_folder(
    shared_server: EmbeddedServer, tmp_path: Path, coffee: Path, cat: Path, ways: list[str]
) -> None:
    folder = tmp_path / "two words ü"
    folder.mkdir()
    (folder / "b.jpg").symlink_to(coffee)
    (folder / "a.JPG").symlink_to(cat)
    (folder / "README.md").write_text("about them")
    url = shared_server.grpc if "-i" in ways else shared_server.http
    done = w251lab("classify", folder.name, "-m", MODEL, "-u", url, "-v", *ways, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    titles = [line for line in done.stdout.splitlines() if line.startswith("Image")]
    assert titles == ["Image 'two words ü/a.JPG':", "Image 'two words ü/b.jpg':"]
    assert done.stdout.splitlines()[-1].endswith("(967) = espresso")
    assert "server: triton 2.51.0" in done.stderr
    assert "preprocessing: Preprocessing(size=(224, 224)" in done.stderr


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (["{coffee}", "-m", "eficientnet_lite0"], 2, "Did you mean 'efficientnet_lite0'"),
        (["{coffee}", "-m", MODEL, "-c", "0"], 2, "0 classes were asked for"),
        (["{coffee}", "-m", MODEL, "-c", "1001"], 2, "1001 classes were asked for"),
        (["{coffee}", "-m", MODEL, "-c", "many"], 2, "--classes"),
        (["{coffee}", "-m", MODEL, "-b", "99"], 2, "cannot take a batch of 99"),
        (["{coffee}", "-m", MODEL, "-x", "7"], 2, "does not serve version 7"),
        (["{coffee}", "-m", MODEL, "-x", "new"], 2, "'new' is not a version"),
        (["{coffee}", "-m", MODEL, "-i", "tcp"], 2, "Unknown protocol 'tcp'"),
        (["{coffee}", "-m", MODEL, "-s", "RESNET"], 2, "no scaling 'RESNET'"),
        (["{coffee}", "-m", MODEL, "--streaming"], 2, "Add -i grpc"),
        (["{coffee}", "-m", MODEL, "--streaming", "-a"], 2, "Choose one"),
        (["{coffee}", "-m", MODEL, "-u", "localhost"], 2, "not the address of a server"),
        (["{coffee}"], 2, "Missing option"),
        (["-m", MODEL], 2, "Missing argument"),
        (["{empty}", "-m", MODEL], 2, "no picture in the folder"),
        (["{coffee}", "-m", MODEL, "-u", "127.0.0.1:1"], 1, "w251lab serve"),
        (["cofee.jpg", "-m", MODEL], 1, "no file cofee.jpg"),
        (["{text}", "-m", MODEL], 1, "no picture that can be read"),
    ],
)
def test_each_misuse_gets_one_sentence(
    request: pytest.FixtureRequest, verb: Verb, words: list[str], status: int, message: str
) -> None:
    url = request.getfixturevalue("shared_server").http
    Path("empty").mkdir()
    Path("text.jpg").write_text("a cup")
    places = {"coffee": request.getfixturevalue("coffee"), "empty": "empty", "text": "text.jpg"}
    filled = [word.format(**places) for word in words]
    ended, said = verb("classify", *filled, *([] if "-u" in filled else ["-u", url]))
    assert ended == status
    assert message in said


def test_models(shared_server: EmbeddedServer) -> None:
    for protocol, url in (("http", shared_server.http), ("grpc", shared_server.grpc)):
        done = w251lab("models", "-u", url, "-i", protocol)
        assert done.returncode == 0
        assert re.search(rf"{MODEL} +│ 1 +│ READY", done.stdout)
        assert re.search(r"resting +│ +│ not loaded", done.stdout)


# --- serve -----------------------------------------------------------------------------------------------------------


def servers_below(pid: int) -> list[str]:
    return [
        str(folder)
        for folder in Path("/proc").glob("[0-9]*")
        if f" {pid} ".encode() in b" ".join((b"", *_words(folder), b""))
    ]


def _words(folder: Path) -> list[bytes]:
    try:
        return (folder / "cmdline").read_bytes().split(b"\0")
    except OSError:  # it has ended meanwhile
        return []


@pytest.mark.parametrize("signal_", [signal.SIGINT, signal.SIGTERM])
def test_serve_the_shipped_classifiers_until_interrupted(
    serving: Serving, coffee: Path, tmp_path: Path, signal_: signal.Signals
) -> None:
    process, addresses = serving("-m", MODEL, "--dynamic-batching", "--instances", "1", cwd=tmp_path)
    done = w251lab("classify", coffee, "-m", MODEL, "-u", addresses["gRPC"], "-i", "grpc")
    assert "espresso" in done.stdout
    assert servers_below(process.pid), "the supervisor names its parent"
    temporary = set(Path(tempdir()).glob("w251lab-models-*"))
    assert temporary
    process.send_signal(signal_)
    rest, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    assert f"w251lab classify IMAGE -m {MODEL} -c 3 -u {addresses['HTTP']}" in addresses["said"]
    assert rest == "stopping\n"
    assert servers_below(process.pid) == []
    assert any(not folder.exists() for folder in temporary)
    assert list(tmp_path.iterdir()) == []


def tempdir() -> str:
    return os.environ.get("TMPDIR", "/tmp")  # noqa: S108


def test_serve_a_repository(serving: Serving, tmp_path: Path, double: PythonModel) -> None:
    folder = repository.write(tmp_path / "two words", [double])
    process, addresses = serving(folder, "-m", "double")
    done = w251lab("models", "-u", addresses["HTTP"])
    assert re.search(r"double +│ 1 +│ READY", done.stdout)
    process.kill()  # SIGKILL: the supervisor ends the server, and leaves a repository that is not its own
    process.wait()
    deadline = time.monotonic() + 20
    while servers_below(process.pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert servers_below(process.pid) == []
    assert (folder / "double" / "config.pbtxt").exists()


def test_a_server_that_ends_by_itself_is_a_failure(serving: Serving, tmp_path: Path, double: PythonModel) -> None:
    process, _ = serving(repository.write(tmp_path, [double]))
    (supervisor,) = servers_below(process.pid)
    os.kill(int(Path(supervisor).name), signal.SIGKILL)
    assert process.wait(20) == 1


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (["nowhere"], 1, "no model repository at"),
        (["-m", "resnet"], 2, "No model 'resnet'"),
        (["--device", "tpu"], 2, "Unknown device 'tpu'"),
        (["--instances", "0"], 2, "instances=0"),
        ([".", "--device", "cpu"], 2, "are for the shipped classifiers"),
        ([".", "-m", "double"], 2, "no model 'double'"),
        (["--http-port", "70000"], 2, "70000 is not a port"),
        (["--http-port", "{taken}"], 1, "is taken by another process"),
        (["--http-port", "9999", "--grpc-port", "9999"], 2, "cannot share one port"),
    ],
)
def test_serve_refuses(shared_server: EmbeddedServer, verb: Verb, words: list[str], status: int, message: str) -> None:
    before = set(Path(tempdir()).glob("w251lab-models-*"))
    taken = shared_server.http.rpartition(":")[2]
    ended, said = verb("serve", *(word.format(taken=taken) for word in words))
    assert ended == status
    assert message in said
    assert set(Path(tempdir()).glob("w251lab-models-*")) <= before


def test_serve_without_an_environment(tmp_path: Path) -> None:
    done = w251lab("serve", "--http-port", "0", cwd=tmp_path, W251LAB_SERVER_ENV=str(tmp_path / "nowhere"))
    assert done.returncode == 1
    assert "Make it with: w251lab setup" in done.stderr


# --- repository ------------------------------------------------------------------------------------------------------


def test_write_a_repository_for_the_container(tmp_path: Path) -> None:
    folder = tmp_path / "a folder"
    words = [
        "-m",
        "efficientnet_lite0",
        "--flavour",
        "ngc",
        "--instances",
        "2",
        "--dynamic-batching",
        "--device",
        "gpu",
    ]
    done = w251lab("repository", folder, *words)
    assert done.stdout == f"Wrote efficientnet_lite0 (ngc, gpu) into {folder}\n"
    written = repository.read(folder / "efficientnet_lite0")
    assert [path.name for path in folder.iterdir()] == ["efficientnet_lite0"]
    assert written.backend == "onnxruntime"
    assert written.HasField("dynamic_batching")
    assert [(group.count, ModelInstanceGroup.Kind.Name(group.kind)) for group in written.instance_group] == [
        (2, "KIND_GPU")
    ]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--flavour", "container"], "Use one of: embedded, ngc"),
        (["--device", "tpu"], "Unknown device 'tpu'"),
        (["--instances", "0"], "instances=0"),
        (["-m", "efficientnet_lite"], "Did you mean 'efficientnet_lite0'"),
    ],
)
def test_a_repository_that_is_refused_writes_nothing(
    verb: Verb, tmp_path: Path, words: list[str], message: str
) -> None:
    ended, said = verb("repository", tmp_path / "models", *words)
    assert ended == 2
    assert message in said
    assert not (tmp_path / "models").exists()


# --- setup -----------------------------------------------------------------------------------------------------------


def test_setup_finds_the_environment_that_is_there() -> None:
    made = json.loads((environment.default_root() / environment.STAMP).read_text())["device"]
    done = w251lab("setup", "--device", made)
    assert done.returncode == 0
    assert re.fullmatch(rf"The Triton server's environment \({made}, Python 3\.1\d\) is there: .*\n", done.stdout)


@pytest.mark.parametrize(("device", "size"), [("cpu", "about 350 MB"), ("gpu", "more than 1 GB")])
def test_setup_says_how_much_it_will_fetch(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path, device: str, size: str
) -> None:
    there = environment.load()
    monkeypatch.setenv(environment.ENVIRONMENT_VARIABLE, str(tmp_path / "env"))
    monkeypatch.setattr(environment, "install", lambda *_args, **_options: there)
    monkeypatch.setattr(sys, "argv", ["w251lab", "setup", "--device", device])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 0
    said = capfd.readouterr()
    assert f"({size}" in said.err
    assert f"({device}, Python 3." in said.out


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (["--device", "tpu"], 2, "Unknown device 'tpu'"),
        (["--python", "python3.1"], 2, "no Python interpreter 'python3.1'"),
        (["--force"], 1, "is not a virtual environment"),
    ],
)
def test_setup_refuses(
    verb: Verb,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    status: int,
    message: str,
) -> None:
    Path("thesis.txt").touch()
    if "--force" in words:
        monkeypatch.setenv(environment.ENVIRONMENT_VARIABLE, str(Path.cwd()))
    ended, said = verb("setup", *words)
    assert ended == status
    assert message in said
    assert Path("thesis.txt").exists()
