"""A course with one lab, and the verb in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_PROGRAM = "import sys; from w251lab.cli import main; sys.argv[0] = 'w251lab'; main()"


@pytest.fixture
def make_course(tmp_path: Path) -> Callable[..., Path]:
    """Write a course with one lab, 01_lab, which has the given needs; its folder has a space in its name."""

    def make(*needs: str) -> Path:
        root = tmp_path / "a course"
        (root / "solutions" / "01_lab").mkdir(parents=True)
        (root / "solutions" / "01_lab" / "lab.ipynb").write_text("{}")
        limits = "{ cell = 60, notebook = 300 }"
        (root / "course.toml").write_text(
            f'title = "A course"\n[labs.01_lab]\ntitle = "A lab"\nsummary = "It computes."\nneeds = {list(needs)}\n'
            f'notebooks = [{{ name = "lab", title = "A lab" }}]\n'
            f"time_limits = {{ small = {limits}, full = {limits} }}\n"
        )
        return root

    return make


@pytest.fixture
def start_doctor() -> Callable[..., subprocess.Popen[str]]:
    """Start ``w251lab doctor ARGS`` in a folder."""

    def start(*args: str, cwd: Path, env: dict[str, str] | None = None) -> subprocess.Popen[str]:
        environment = {key: value for key, value in os.environ.items() if key != "W251LAB_COURSE"} | (env or {})
        return subprocess.Popen(
            [sys.executable, "-P", "-c", _PROGRAM, "doctor", *args],
            cwd=cwd,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


@pytest.fixture
def doctor(start_doctor: Callable[..., subprocess.Popen[str]]) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run it to its end."""

    def run(*args: str, cwd: Path, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        with start_doctor(*args, cwd=cwd, env=env) as process:
            out, err = process.communicate(timeout=200)
        return subprocess.CompletedProcess(args, process.returncode, out, err)

    return run
