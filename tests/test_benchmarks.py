"""The serving benchmark at its smallest: it runs, every contender answers, and the record is complete."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

if TYPE_CHECKING:
    from types import ModuleType

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = ROOT / "benchmarks" / "triton_vs_direct.py"
CONTENDERS = {
    "onnxruntime, batch 1",
    "onnxruntime, batches",
    "Triton, HTTP, shared memory",
    "Triton, HTTP",
    "Triton, gRPC, shared memory",
    "Triton, gRPC",
    "FastAPI",
}


@pytest.mark.thorough
def test_every_contender_is_measured_and_nothing_is_left(tmp_path: Path) -> None:
    output = tmp_path / "figures.json"
    command = [sys.executable, str(SCRIPT), "--rounds", "1", "--seconds", "1", "--concurrency", "2"]
    done = subprocess.run(
        [*command, "--output", str(output)], capture_output=True, text=True, cwd=tmp_path, check=False, timeout=240
    )
    assert done.returncode == 0, done.stderr
    assert not [
        p
        for p in psutil.process_iter(["cmdline"])
        if str(ROOT) in " ".join(p.info["cmdline"] or []) and "fastapi_service" in " ".join(p.info["cmdline"])
    ]
    figures = json.loads(output.read_text())
    assert set(figures["samples"]) == CONTENDERS
    for levels in figures["samples"].values():
        assert list(levels) == ["2"]
        for (sample,) in levels.values():
            assert sample["throughput"] > 0
            assert sample["errors"] == 0
            assert sample["server_cpu_ms"] > 0
    row = figures["summary"]["contenders"]["Triton, HTTP"]
    assert row["to_direct"] == pytest.approx(
        row["throughput"] / figures["summary"]["contenders"][figures["summary"]["reference"]]["throughput"], rel=1e-3
    )
    assert all(f"| {name} | " in done.stdout for name in CONTENDERS)


@pytest.fixture
def report(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(SCRIPT.parent))
    from serving import report as module  # noqa: PLC0415

    return module


def test_a_ratio_is_taken_round_by_round(report: ModuleType) -> None:
    from serving.contenders import Sample  # noqa: PLC0415

    def rounds(*rates: float) -> dict[int, list[Sample]]:
        return {1: [Sample(rate, 1.0, 2.0, 1.0, 5.0, 0.1, 0, 0.0) for rate in rates]}

    samples = {"a": rounds(90, 9, 50), "b": rounds(100, 10, 100)}
    assert report.ratio(samples, "a", "b") == pytest.approx(0.9)
    assert report.best_level({1: rounds(1, 9, 2)[1], 2: rounds(3, 3, 3)[1]}) == 2


def test_the_document_changes_between_the_markers_alone(report: ModuleType, tmp_path: Path) -> None:
    document = tmp_path / "results.md"
    document.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n")
    report.update(document, "new \\1")
    report.update(document, "newer \\1")
    assert document.read_text() == f"before\n{report.BEGIN}\nnewer \\1\n{report.END}\nafter\n"
    document.write_text("no markers")
    with pytest.raises(SystemExit, match="does not hold the lines"):
        report.update(document, "x")


def test_the_published_results_hold_the_markers_once(report: ModuleType) -> None:
    text = (ROOT / "docs" / "results.md").read_text()
    assert text.count(report.BEGIN) == text.count(report.END) == 1
