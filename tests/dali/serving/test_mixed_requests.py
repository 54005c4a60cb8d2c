"""The benchmark of mixed requests at its smallest: every kind of picture at several sizes, the largest included."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[3] / "benchmarks" / "dali_mixed_requests.py"


def test_no_request_fails_and_the_classes_are_the_reference_paths(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, SCRIPT, "--requests", "45", "--seed", "3", "--protocol", "grpc"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
        timeout=250,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r": 45 requests, made of \d\d photographs, from 8 clients at once", done.stdout)
    assert "; 0 failed." in done.stdout
    rows = [line.split(" | ") for line in done.stdout.splitlines() if re.match(r"\| [^-K]", line)]
    assert len(rows) == 15
    assert {row[1] for row in rows} == {"3"}
    sizes = [int(size) for row in rows for size in row[2].split("-")]
    assert (min(sizes), max(sizes)) == (50, 4000)
