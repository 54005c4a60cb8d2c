"""The grading benchmark at its smallest: it makes its own lab, grades it, and says where the time went."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.sandbox
@pytest.mark.thorough
def test_a_class_of_two_is_graded_and_accounted_for(tmp_path: Path) -> None:
    to = tmp_path / "figures.json"
    done = subprocess.run(
        [sys.executable, ROOT / "benchmarks" / "grading.py", "--profile", "--copies", "2", "--to", to],
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    figures = json.loads(to.read_text())["profile"]
    assert all(seconds >= 0 for seconds in figures.values())
    assert figures["one submission"] > 0
    assert figures["its cells' CPU"] > 0
