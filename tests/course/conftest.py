"""Makes the course builder importable as ``course_builder``, and runs the command line in a child process."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

_spec = importlib.util.spec_from_file_location("course_builder", Path(__file__).with_name("builder.py"))
course_builder = importlib.util.module_from_spec(_spec)
sys.modules["course_builder"] = course_builder
_spec.loader.exec_module(course_builder)


_PROGRAM = "import sys; from w251lab.cli import main; sys.argv[0] = 'w251lab'; main()"


@pytest.fixture(scope="session")
def w251lab() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run ``w251lab ARGS`` in a folder and return the finished process."""

    def run(*args: object, cwd: Path, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        environment = {key: value for key, value in os.environ.items() if key != "W251LAB_COURSE"} | (env or {})
        command = [sys.executable, "-c", _PROGRAM, *map(str, args)]
        return subprocess.run(
            command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=240, check=False
        )

    return run
