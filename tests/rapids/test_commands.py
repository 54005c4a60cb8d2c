"""`w251lab bench rapids`, as a person types it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from w251lab import accelerator, cli
from w251lab.errors import W251Error
from w251lab.rapids import bench
from w251lab.timing import Comparison

if TYPE_CHECKING:
    from collections.abc import Callable

    Both = Callable[..., Comparison]
    Verb = Callable[..., tuple[int, str, str]]

W251LAB = Path(sys.executable).with_name("w251lab")


@pytest.fixture
def verb(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Verb:
    """Runs it in this process, in an empty folder with a space in its name; gives status, output and complaints."""
    folder = tmp_path / "my folder"
    folder.mkdir()
    monkeypatch.chdir(folder)

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["w251lab", "bench", "rapids", *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert isinstance(ended.value.code, int)
        return ended.value.code, *capfd.readouterr()

    return run


@pytest.fixture
def measured(both: Both, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine with a GPU that measures at once; gives the folder that it would ship from."""
    shipped = tmp_path / "recorded"
    shipped.mkdir()
    monkeypatch.setattr(bench, "folder", lambda: shipped)
    monkeypatch.setattr(accelerator, "require", lambda device, *_: "gpu" if device == "auto" else device)
    monkeypatch.setattr(bench, "curve", lambda name, *_, **__: both(name))
    return shipped


def test_a_process_of_its_own(tmp_path: Path) -> None:
    done = subprocess.run(
        [W251LAB, "bench", "rapids", "--only", "kmeans", "--device", "cpu", "--output", "a b/c"],
        capture_output=True, text=True, check=False, cwd=tmp_path, timeout=120,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert "300,000" in done.stdout
    assert "scikit-learn on " in done.stdout
    assert "1 of 1 curves are in a b/c" in done.stdout
    found = Comparison.load(tmp_path / "a b" / "c" / "kmeans.json")
    assert {point.resident.device for point in found.points} == {"cpu"}
    assert (tmp_path / "a b" / "c" / "kmeans.png").is_file()


def test_ctrl_c_keeps_what_is_finished(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [W251LAB, "bench", "rapids", "--only", "kmeans", "--only", "boosting", "--device", "cpu", "--output", "out"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path,
    )  # fmt: skip
    assert process.stdout is not None
    assert any("scikit-learn starts with" in line for line in process.stdout)  # the last line about the first curve
    time.sleep(0.5)
    os.kill(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 130
    assert said.endswith("interrupted; kept in out: kmeans\n")
    assert [file.name for file in (tmp_path / "out").glob("*.json")] == ["kmeans.json"]


def test_both_devices(verb: Verb, measured: Path) -> None:
    status, said, complaints = verb("--scale", "full")
    assert (status, complaints) == (0, "")
    assert "cuML is ahead from" in said
    assert "5 of 5 curves are in bench/rapids" in said
    assert sorted(file.stem for file in Path("bench/rapids").glob("*.json")) == sorted(bench.NAMES)
    assert not list(measured.iterdir())

    status, _, complaints = verb("--only", "kmeans")
    assert (status, complaints) == (0, "an earlier result is now bench/rapids/kmeans.previous.json\n")


def test_record(verb: Verb, measured: Path) -> None:
    assert verb("--record", "--scale", "full", "--device", "gpu", "--only", "frames")[0] == 0
    assert bench.recorded("frames").recorded
    for wrong in (["--device", "cpu", "--scale", "full"], ["--device", "gpu", "--scale", "small"]):
        status, _, said = verb("--record", *wrong)
        assert status == 2
        assert "--record takes a run with a GPU at full scale" in said
    assert [file.name for file in measured.iterdir()] == ["frames.json"]


@pytest.mark.usefixtures("measured")
def test_one_that_fails(verb: Verb, both: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    def curve(name: str, *_: object, **__: object) -> Comparison:
        if name == "frames":
            raise W251Error("the flights are gone", "find them")
        return both(name)

    monkeypatch.setattr(bench, "curve", curve)
    status, said, complaints = verb("--only", "frames", "--only", "kmeans")
    assert status == 1
    assert "frames: the flights are gone" in complaints
    assert "What to do: find them" in complaints
    assert "1 of 2 curves" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--only", "kmean"], "did you mean 'kmeans'?"),
        (["--scale", "huge"], "unknown scale 'huge'"),
        (["--device", "tpu"], "unknown device 'tpu'"),
        (["--surprise"], "No such option"),
    ],
)
def test_wrong_usage(words: list[str], said: str, verb: Verb) -> None:
    status, _, complaints = verb(*words)
    assert status == 2
    assert said in complaints
    assert not Path("bench").exists()


def test_a_gpu_where_there_is_none(verb: Verb, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    status, _, complaints = verb("--device", "gpu")
    assert status == 1
    assert "device 'gpu' was asked for" in complaints
    assert not Path("bench").exists()


def test_the_other_verbs_do_not_wait_for_it() -> None:
    heavy = "pandas sklearn xgboost matplotlib w251lab.timing"
    code = f"import sys, w251lab.cli; print([name for name in {heavy.split()!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "w251lab.timing" not in done.stdout
    assert "sklearn" not in done.stdout
    assert "xgboost" not in done.stdout
