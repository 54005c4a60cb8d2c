"""Which tests a run has: with pytest itself, on a project of two tests."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
CONFIGURATION = """[tool.pytest.ini_options]
testpaths = ["tests"]
markers = ["gpu: g", "labs: l", "thorough: t"]
"""
TESTS = """
import pytest

def test_quick():
    pass

@pytest.mark.thorough
def test_thorough():
    pass
"""
SKIPPED = "needs thorough: it takes minutes, so CI runs it; set W251LAB_TEST_THOROUGH=1, or name its file"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    ours = ("PYTEST_XDIST_", "PYTEST_CURRENT_TEST", "CI", "W251LAB_TEST_")
    for name in [name for name in os.environ if name.startswith(ours)]:
        monkeypatch.delenv(name)
    (tmp_path / "tests").mkdir()
    (tmp_path / "pyproject.toml").write_text(CONFIGURATION, encoding="utf-8")
    shutil.copyfile(HERE / "conftest.py", tmp_path / "tests" / "conftest.py")
    (tmp_path / "tests" / "test_two.py").write_text(TESTS, encoding="utf-8")
    return tmp_path


def run(project: Path, *words: str, **environment: str) -> str:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *words]
    done = subprocess.run(
        command, cwd=project, env=os.environ | environment, check=True, capture_output=True, text=True
    )
    return done.stdout


@pytest.mark.parametrize("words", [(), ("-n", "2", "--dist", "loadfile"), ("-k", "two")], ids=str)
def test_what_takes_minutes_is_left_out_of_a_run_of_the_whole_suite_and_counted(
    words: tuple[str, ...], project: Path
) -> None:
    said = run(project, *words)
    assert "1 passed, 1 skipped" in said
    assert f"   1  {SKIPPED}" in said


@pytest.mark.parametrize(
    ("words", "environment"),
    [
        ((), {"CI": "true"}),
        (("-n", "2", "--dist", "loadfile"), {"CI": "true"}),
        ((), {"W251LAB_TEST_THOROUGH": "1"}),
        (("tests/test_two.py",), {}),
        (("-n", "2", "--dist", "loadfile", "tests/test_two.py"), {}),
        (("-m", "thorough or not thorough"), {}),
    ],
    ids=str,
)
def test_it_runs_in_ci_and_where_it_is_asked_for(
    words: tuple[str, ...], environment: dict[str, str], project: Path
) -> None:
    said = run(project, *words, **environment)
    assert "2 passed" in said
    assert "skipped, by reason" in said
    assert "nothing was skipped" in said
