"""The RAPIDS benchmarks at their smallest: they run, and what they write into the documents is whole."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from w251lab.rapids import bench
from w251lab.timing import Budget

if TYPE_CHECKING:
    from types import ModuleType

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "benchmarks"
RESULTS = ROOT / "docs" / "results.md"


def script(name: str, *words: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, FOLDER / name, *words], capture_output=True, text=True, cwd=cwd, check=False, timeout=240
    )


@pytest.fixture
def overhead(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(FOLDER))
    import rapids_overhead  # noqa: PLC0415

    return rapids_overhead


@pytest.fixture
def documents(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(FOLDER))
    import documents as module  # noqa: PLC0415

    return module


@pytest.mark.thorough
def test_the_overhead_is_measured_and_read_again(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    done = script("rapids_overhead.py", "--device", "cpu", "--tiny", "--rounds", "2", "--output", file, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    figures = json.loads(file.read_text())
    assert [row["work"].split(",")[0] for row in figures["rows"]] == ["K-means", "random forest", "XGBoost"]
    for row in figures["rows"]:
        assert len(row["ours"]) == len(row["direct"]) == 2
        assert min(*row["ours"], *row["direct"]) > 0
    again = script("rapids_overhead.py", "--figures", file, cwd=tmp_path)
    assert again.returncode == 0
    assert again.stdout == done.stdout


def test_the_ratio_is_taken_round_by_round(overhead: ModuleType) -> None:
    rows = [{"work": "it", "direct": [1.0, 10.0, 2.0], "ours": [1.01, 10.1, 2.2]}]
    figures = {"date": "", "hardware": "", "versions": "", "rounds": 3, "rows": rows}
    assert overhead.markdown(figures).splitlines()[-1] == ("| it | 2.00 s | 2.20 s | 1.010 | 1.010 to 1.055 | yes |")
    rows[0]["ours"] = [1.05, 10.5, 2.1]
    assert overhead.markdown(figures).endswith("| no |")


def test_both_spellings_give_the_same(overhead: ModuleType) -> None:
    """They are only worth comparing if they compute the same."""
    points = overhead.data.blobs(500, 25, 8, std=1.0).points
    centres, labels = overhead.cluster(points, "cpu")
    ours = overhead.kmeans.fit(points, 8)
    assert (labels == ours.labels).all()
    assert centres == pytest.approx(ours.centroids)
    table = overhead.data.classification(200, 20, informative=10)
    theirs = overhead.grow(table, "cpu").predict(table.features)
    forest = overhead.forest.train(table.features, table.labels, trees=25)
    assert (theirs == overhead.forest.predict(forest, table.features)).all()
    boosted = overhead.boosting.train(table.features, table.labels, rounds=100, depth=8)
    assert overhead.boost(table, "cpu").save_raw() == boosted.booster.save_raw()


def test_a_document_without_markers(documents: ModuleType, tmp_path: Path) -> None:
    document = tmp_path / "results.md"
    document.write_text("before\n<!-- a: begin -->\nold\n<!-- a: end -->\nafter\n")
    documents.update(document, "a", "new \\1")
    assert document.read_text() == "before\n<!-- a: begin -->\nnew \\1\n<!-- a: end -->\nafter\n"
    with pytest.raises(SystemExit, match="does not hold the lines <!-- b: begin -->"):
        documents.update(document, "b", "x")


def test_the_section_of_a_curve(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.syspath_prepend(str(FOLDER))
    import rapids_curves  # noqa: PLC0415

    monkeypatch.setattr(bench, "folder", lambda: tmp_path)
    bench.kmeans("cpu", sizes=[100, 200], budget=Budget(0.05, at_least=1), progress=False).save(
        tmp_path / "kmeans.json"
    )
    texts, pictures = [], []
    for _ in range(2):
        texts.append(rapids_curves.section("kmeans", tmp_path / "images"))
        pictures.append((tmp_path / "images" / "rapids_kmeans.svg").read_bytes())
    assert texts[0].startswith("### K-means: 25 features")
    assert "| 200 | " in texts[0]
    assert texts[0].endswith("(images/rapids_kmeans.svg)")
    assert texts[0] == texts[1]
    assert pictures[0] == pictures[1]  # nothing of the day or of chance is in it


def test_the_published_results_are_those_that_are_shipped(documents: ModuleType, tmp_path: Path) -> None:
    """docs/results.md holds the recorded curves, and the pictures that were drawn of them."""
    text = RESULTS.read_text()
    for name in ("rapids_curves", "rapids_overhead_gpu", "rapids_overhead_cpu"):
        assert all(text.count(marker) == 1 for marker in documents.markers(name))
    (tmp_path / "results.md").write_text(text)
    done = script("rapids_curves.py", "--document", tmp_path / "results.md", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "results.md").read_text() == text, "run benchmarks/rapids_curves.py"
    for name in bench.NAMES:
        assert (ROOT / "docs" / "images" / f"rapids_{name}.svg").is_file()
