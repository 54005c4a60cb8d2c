"""Each check passes on a sound machine and names what is wrong on a broken one."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest

from w251lab.doctor import checks
from w251lab.errors import W251Error

if TYPE_CHECKING:
    from pathlib import Path


def scores(index: int = 906, best: float = 0.387) -> np.ndarray:
    row = np.full((1, 1000), (1 - best) / 999, np.float32)
    row[0, index] = best
    return row


def test_the_known_scores_pass() -> None:
    checks._judge(scores(best=0.40), "Windsor tie", "It")


@pytest.mark.parametrize(
    ("wrong", "label"),
    [
        (scores(index=905), "Windsor tie"),
        (scores(best=0.9), "Windsor tie"),
        (scores() * 2, "Windsor tie"),
        (scores()[0], "Windsor tie"),
        (np.full((1, 1000), np.nan, np.float32), "Windsor tie"),
        (scores(), "suit"),
    ],
)
def test_wrong_scores_fail(wrong: np.ndarray, label: str) -> None:
    with pytest.raises(W251Error, match="It computes wrong scores"):
        checks._judge(wrong, label, "It")


def test_the_kernel_and_the_plots_pass_here() -> None:
    assert checks.notebook_kernel("cpu").startswith("1 + 1 = 2")
    assert "drew a line" in checks.plots("cpu")


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        ([sys.executable, "-c", "raise SystemExit('no kernel in here')"], "no kernel in here"),
        (["/no/such/python", "-m", "ipykernel_launcher"], "No such file"),
    ],
)
def test_a_kernel_that_does_not_start(
    argv: list[str], said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = tmp_path / "kernels" / "python3"
    folder.mkdir(parents=True)
    (folder / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "Python 3", "language": "python"}))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    with pytest.raises(W251Error, match="does not start") as caught:
        checks.notebook_kernel("cpu")
    assert said in caught.value.what


def test_docker_without_an_engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program(tmp_path, "docker", "echo 'Cannot connect to the Docker daemon' >&2; exit 1", monkeypatch)
    with pytest.raises(W251Error, match="engine does not answer: Cannot connect") as caught:
        checks.docker("cpu")
    assert "systemctl start docker" in caught.value.remedy


def test_docker_without_compose(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program(tmp_path, "docker", 'test "$1" = version && echo 28.2.2', monkeypatch)
    with pytest.raises(W251Error, match=r"Docker 28\.2\.2 has no Compose"):
        checks.docker("cpu")


def test_docker_with_everything(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program(tmp_path, "docker", "echo 28.2.2", monkeypatch)
    assert checks.docker("cpu") == "Docker engine 28.2.2, Compose 28.2.2"


def test_bubblewrap_that_may_not(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program(tmp_path, "bwrap", "echo 'bwrap: setting up uid map: Permission denied' >&2; exit 1", monkeypatch)
    with pytest.raises(W251Error, match="Permission denied") as caught:
        checks.bubblewrap("cpu")
    assert "user namespaces" in caught.value.remedy


@pytest.mark.parametrize("check", [checks.docker, checks.bubblewrap])
def test_a_program_that_is_not_there(check: object, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert callable(check)
    with pytest.raises(W251Error, match="not installed"):
        check("cpu")


def test_an_unknown_need_names_the_nearest() -> None:
    what, remedy = checks.explain_unknown("dockr")
    assert "'dockr'" in what
    assert "'docker'" in remedy


def program(folder: Path, name: str, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
