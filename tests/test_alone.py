"""The second run, alone, of what failed beside other tests: with pytest itself, on a project of three tests."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from types import ModuleType

HERE = Path(__file__).parent
CONFIGURATION = """[tool.pytest.ini_options]
markers = ["gpu: g", "labs: l"]
"""
TESTS = """
import os
from pathlib import Path

def test_steady():
    pass

def test_busy():  # fails as long as there is another process that shares the tests
    assert "PYTEST_XDIST_WORKER" not in os.environ

def test_defect():
    assert Path("mended").exists()
"""


@pytest.fixture(scope="module")
def alone() -> ModuleType:
    spec = importlib.util.spec_from_file_location("alone", HERE / "alone.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(autouse=True)
def by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """What pytest-xdist tells a worker of this suite is not for the runs that are started here."""
    for name in [name for name in os.environ if name.startswith(("PYTEST_XDIST_", "PYTEST_CURRENT_TEST"))]:
        monkeypatch.delenv(name)


def project(folder: Path, tests: str = TESTS) -> Path:
    (folder / "tests").mkdir()
    (folder / "pyproject.toml").write_text(CONFIGURATION, encoding="utf-8")
    shutil.copyfile(HERE / "conftest.py", folder / "tests" / "conftest.py")
    (folder / "tests" / "test_three.py").write_text(tests, encoding="utf-8")
    return folder


def shared_run(folder: Path) -> int:
    command = [sys.executable, "-m", "pytest", "-n", "2", "--dist", "loadfile", "tests"]
    return subprocess.run(command, cwd=folder, check=False, capture_output=True).returncode


def test_what_fails_again_alone_has_failed(tmp_path: Path, alone: Any, capfd: pytest.CaptureFixture[str]) -> None:
    folder = project(tmp_path)
    status = shared_run(folder)
    assert status == 1
    both = ["tests/test_three.py::test_busy", "tests/test_three.py::test_defect"]
    assert alone.failed_tests(folder / ".pytest_cache") == both
    assert alone.again(status, folder) == 1
    said = capfd.readouterr().out
    assert "1 failed, 1 passed" in said
    assert "unsteady" not in said


def test_what_passes_alone_is_named_and_stops_nothing(
    tmp_path: Path, alone: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = project(tmp_path)
    (folder / "mended").touch()
    assert alone.again(shared_run(folder), folder) == 0
    said = capfd.readouterr().out
    assert "1 passed" in said
    assert said.rstrip().endswith("tests/test_three.py::test_busy")
    assert "unsteady" in said


def test_nothing_is_run_again_after_success_nor_where_pytest_itself_failed(tmp_path: Path, alone: Any) -> None:
    folder = project(tmp_path)
    assert shared_run(folder) == 1
    assert alone.again(2, folder) == 2
    assert alone.again(0, folder) == 0


def test_many_failures_are_no_busy_machine(tmp_path: Path, alone: Any, capfd: pytest.CaptureFixture[str]) -> None:
    tests = "import pytest\n@pytest.mark.parametrize('n', range(13))\ndef test_all(n):\n    assert False\n"
    folder = project(tmp_path, tests)
    assert alone.again(shared_run(folder), folder) == 1
    assert capfd.readouterr().out == ""
