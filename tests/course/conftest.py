"""Makes the course builder importable as ``course_builder``, and runs the command line."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from w251lab.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable

_spec = importlib.util.spec_from_file_location("course_builder", Path(__file__).with_name("builder.py"))
course_builder = importlib.util.module_from_spec(_spec)
sys.modules["course_builder"] = course_builder
_spec.loader.exec_module(course_builder)


_PROGRAM = "import sys; from w251lab.cli import main; sys.argv[0] = 'w251lab'; main()"


@pytest.fixture
def cli(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run ``w251lab ARGS`` in a folder, through the real main() in this process: it spares seconds of imports."""

    def run(*args: object, cwd: Path) -> subprocess.CompletedProcess[str]:
        monkeypatch.chdir(cwd)
        monkeypatch.delenv("W251LAB_COURSE", raising=False)
        monkeypatch.setattr(sys, "argv", ["w251lab", *map(str, args)])
        capsys.readouterr()
        try:
            main()
            status = 0
        except SystemExit as done:
            status = done.code if isinstance(done.code, int) else int(done.code is not None)
        said = capsys.readouterr()
        return subprocess.CompletedProcess(args, status, said.out, said.err)

    return run


@pytest.fixture(scope="session")
def w251lab() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run ``w251lab ARGS`` in a folder, as a process of its own."""

    def run(*args: object, cwd: Path, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        environment = {key: value for key, value in os.environ.items() if key != "W251LAB_COURSE"} | (env or {})
        command = [sys.executable, "-c", _PROGRAM, *map(str, args)]
        return subprocess.run(
            command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=240, check=False
        )

    return run
