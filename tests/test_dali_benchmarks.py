"""The DALI benchmarks at their smallest: they run from any directory, and say what they measured."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "benchmarks"


def test_the_table_of_parity_has_its_best_where_the_default_is(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, FOLDER / "dali_parity.py"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    head, _, columns, _, *rows = done.stdout.splitlines()
    assert head.startswith("10 pictures; DALI 2.")
    assert columns.startswith("| DALI | Pillow, bilinear | Pillow, bicubic |")
    first = {row.split(" | ")[0].strip("| "): float(row.split(" | ")[1].split()[0]) for row in rows}
    assert len(first) == len(rows) == 8
    assert min(first, key=first.__getitem__) == "bilinear, antialias"
    assert first["bilinear, antialias, DALI's own size and crop"] > 10 * first["bilinear, antialias"]
