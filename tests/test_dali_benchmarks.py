"""The DALI benchmarks at their smallest: they run from any directory, and say what they measured."""

from __future__ import annotations

import json
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


def test_serving_is_measured_in_every_way(tmp_path: Path) -> None:
    output = tmp_path / "figures.json"
    command = [sys.executable, FOLDER / "dali_serving.py", "--rounds", "1", "--seconds", "0.1", "--pictures", "2"]
    done = subprocess.run(
        [*command, "--concurrency", "2", "--output", output],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    figures = json.loads(output.read_text())
    assert list(figures["sizes"]) == ["320 x 240", "1024 x 768", "2048 x 1536"]
    for size in figures["sizes"].values():
        for way, row in size["ways"].items():
            (sample,) = row["levels"]["2"]
            assert sample["images_per_second"] > 0
            sent, received = row["wire"]
            pixels = 4 * 3 * 224 * 224
            if way.startswith("client"):
                assert pixels < sent < pixels + 1000
            elif "padded" not in way:
                assert size["file_bytes"] < sent < size["file_bytes"] + 1000
            assert 0 < received < 5000
            assert f"| {way} | " in done.stdout


def test_the_published_results_hold_each_scripts_markers_once() -> None:
    text = (FOLDER.parent / "docs" / "results.md").read_text()
    for name in ("dali_serving", "dali_serving_gpu", "dali_mixed_requests", "dali_mixed_requests_all"):
        assert text.count(f"<!-- {name}: begin -->\n") == text.count(f"<!-- {name}: end -->\n") == 1
