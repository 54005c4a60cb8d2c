"""A check that hangs, crashes, or is killed is an answer like any other."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from w251lab.course.catalog import Lab
from w251lab.doctor import checks
from w251lab.doctor.examination import examine
from w251lab.errors import UsageError, W251Error

if TYPE_CHECKING:
    from w251lab.doctor.examination import Examination, Finding


ALL = dict(checks.CHECKS)


@pytest.fixture(autouse=True)
def only_cheap_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("notebook-kernel", "plots", "triton-server", "onnxruntime"):
        monkeypatch.delitem(checks.CHECKS, name)


@pytest.fixture
def with_plots(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(checks.CHECKS, "plots", ALL["plots"])


def lab(*needs: str) -> Lab:
    return Lab("01_lab", "A lab", "It computes.", needs, (), {}, Path())


def one(found: Examination, name: str) -> Finding:
    (finding,) = (each for each in found.findings if each.check == name)
    return finding


def fake_module(folder: Path, name: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / name).mkdir()
    (folder / name / "__init__.py").write_text(text)
    monkeypatch.setenv("PYTHONPATH", str(folder))


def test_a_check_that_hangs_is_ended_with_what_it_started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "docker"
    program.write_text(f"#!/bin/sh\necho $$ > '{tmp_path}/pid'\nexec sleep 600\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setitem(checks.CHECKS, "docker", replace(checks.CHECKS["docker"], seconds=8, repair="restart it"))
    found = examine([lab("docker")])
    docker = one(found, "docker")
    assert docker.status == "timed_out"
    assert docker.said == "It did not end within 8 s."
    assert docker.remedy == "restart it"
    assert docker.required
    assert not found.ok
    assert [finding.check for finding in found.verdicts[0].lacking] == ["docker"]
    pid = int((tmp_path / "pid").read_text())
    deadline = time.monotonic() + 5
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{pid}").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("raise ImportError('half of it is missing')", "exit status 1: ImportError: half of it is missing"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "by SIGSEGV"),
        ("import os; os._exit(0)", "exit status 0"),
    ],
)
@pytest.mark.usefixtures("with_plots")
def test_a_check_that_crashes_says_how(text: str, said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fake_module(tmp_path, "matplotlib", text, monkeypatch)
    found = examine([lab()])
    plots = one(found, "plots")
    assert plots.status == "crashed"
    assert said in plots.said
    assert "\n" not in plots.said
    assert plots.remedy
    assert not found.ok


@pytest.mark.usefixtures("with_plots")
def test_what_a_library_prints_is_not_taken_for_the_answer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fake_module(tmp_path, "sitecustomize", "import atexit; atexit.register(print, '{\"status\": 1}')", monkeypatch)
    assert one(examine([lab()]), "plots").status == "passed"


def test_an_optional_thing_is_missed_only_by_a_lab_that_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    without, needing = examine([lab()]), examine([lab("bubblewrap")])
    assert one(without, "bubblewrap").status == one(needing, "bubblewrap").status == "failed"
    assert without.ok
    assert without.verdicts[0].runs
    assert not needing.ok
    assert not needing.verdicts[0].runs


def test_an_unknown_need_is_required_and_named_with_the_nearest() -> None:
    found = examine([lab("dockr")])
    unknown = one(found, "dockr")
    assert unknown.status == "unknown"
    assert "'docker'" in unknown.remedy
    assert not found.ok
    assert found.verdicts[0].lacking == (unknown,)


def test_a_gpu_is_missed_only_when_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")  # hides the GPUs of a machine that has some
    asked, silent = examine([lab()], "gpu"), examine([lab()])
    assert one(asked, "gpu").required
    assert not asked.ok
    assert [finding.check for finding in asked.verdicts[0].lacking] == ["gpu"]
    assert one(silent, "gpu").status == "failed"
    assert silent.ok
    assert silent.device == "cpu"


@pytest.mark.usefixtures("with_plots")
def test_without_labs_nothing_but_the_basics_is_required() -> None:
    found = examine([])
    assert {finding.check for finding in found.findings if finding.required} == {"plots"}
    assert found.verdicts == ()


@pytest.mark.usefixtures("with_plots")
def test_a_file_in_the_working_directory_hides_no_module(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "matplotlib.py").write_text("raise SystemExit('mine')")
    monkeypatch.chdir(tmp_path)
    assert one(examine([lab()]), "plots").status == "passed"


def test_no_place_for_temporary_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    with pytest.raises(W251Error, match="no place for temporary files"):
        examine([lab()])


def test_a_python_that_cannot_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/no/such/python")
    with pytest.raises(W251Error, match="cannot be started"):
        examine([lab()])


def test_unknown_device() -> None:
    with pytest.raises(UsageError, match="tpu"):
        examine([lab()], "tpu")
