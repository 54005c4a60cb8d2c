"""The DALI benchmarks at their smallest: they run from any directory, and say what they measured."""

from __future__ import annotations

import json
import re
import runpy
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from w251lab.dali import sources
from w251lab.dali.loading import bench
from w251lab.dali.recipes import Training

if TYPE_CHECKING:
    from collections.abc import Callable

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


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A benchmark of one loader, small, as the verb writes it."""
    folder = tmp_path_factory.mktemp("a benchmark")
    source = sources.folder(FOLDER.parent / "solutions" / "01_triton_quickstart" / "images")
    how = {"batch_size": 2, "batches": 3, "warmup": 1, "only": ["pillow", "dali-1"], "progress": False}
    return bench.measure(source, Training(crop=16), device="cpu", **how).save(folder / "loading.json")


def _write(document: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, FOLDER / "dali_loading.py", *words, "--document", document]
    return subprocess.run(command, capture_output=True, text=True, cwd=document.parent, check=False, timeout=120)


def test_a_benchmark_of_loading_in_the_document(measured: Path, tmp_path: Path) -> None:
    document = tmp_path / "results.md"
    marked = "".join(
        f"<!-- dali_loading_{name}: begin -->\nold\n<!-- dali_loading_{name}: end -->\n" for name in ("gpu", "cpu")
    )
    document.write_text(f"before\n{marked}after\n")
    done = _write(document, measured)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    text = document.read_text()
    assert text.startswith("before\n")
    assert text.endswith("<!-- dali_loading_cpu: end -->\nafter\n")
    assert "| DALI CPU, 1 thread" in text
    picture = tmp_path / "images" / "dali_loading_cpu.svg"
    assert f"](images/{picture.name})" in text
    first = picture.read_bytes()
    assert _write(document, measured).returncode == 0
    assert (document.read_text(), picture.read_bytes()) == (text, first), "the same at every run"


def test_the_published_figures_of_a_gpu_are_what_was_recorded(tmp_path: Path) -> None:
    """The document says what the script would write into it, from the benchmark that comes with the package."""
    docs = FOLDER.parent / "docs"
    document = tmp_path / "results.md"
    between = re.compile("(?<=<!-- dali_loading_gpu: begin -->\n).*(?=<!-- dali_loading_gpu: end -->)", re.DOTALL)
    published = (docs / "results.md").read_text()
    document.write_text(between.sub("old\n", published))
    done = _write(document)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert document.read_text() == published
    # Not its bytes: other versions of Matplotlib draw the same otherwise.
    drawn, shown = ((folder / "images" / "dali_loading_gpu.svg").read_text() for folder in (tmp_path, docs))
    assert "decode: JPEG to pixels" in _words(drawn)
    assert _words(drawn) == _words(shown)


def _words(svg: str) -> list[str]:
    """Every text in a picture: titles, names, ticks and figures."""
    return re.findall(r"<text[^>]*>(.*?)</text>", svg, re.DOTALL)


def test_nothing_to_write(tmp_path: Path) -> None:
    (tmp_path / "results.md").write_text("no markers\n")
    done = _write(tmp_path / "results.md", tmp_path / "missing.json")
    assert done.returncode == 1
    assert "missing.json cannot be read" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_published_results_hold_the_markers_once() -> None:
    text = (FOLDER.parent / "docs" / "results.md").read_text()
    for name in ("gpu", "cpu"):
        assert text.count(f"<!-- dali_loading_{name}: begin -->") == 1
        assert text.count(f"<!-- dali_loading_{name}: end -->") == 1


@pytest.mark.thorough
def test_serving_is_measured_in_every_way(tmp_path: Path) -> None:
    output = tmp_path / "figures.json"
    command = [sys.executable, FOLDER / "dali_serving.py", "--rounds", "1", "--seconds", "0.1", "--pictures", "2"]
    done = subprocess.run(
        [*command, "--concurrency", "1", "--output", output],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    figures = json.loads(output.read_text())
    assert figures["pictures"] == 2
    called = "benchmarks/dali_serving.py --device cpu --pictures 2 --rounds 1 --seconds 0.1 --concurrency 1"
    assert f"of 2 different pictures of each size: `{called}`." in done.stdout
    assert "| images/s, requests in flight: 1 |" in done.stdout
    assert list(figures["sizes"]) == ["320 x 240", "1024 x 768", "2048 x 1536"]
    for size in figures["sizes"].values():
        for way, row in size["ways"].items():
            (sample,) = row["levels"]["1"]
            assert sample["images_per_second"] > 0
            sent, received = row["wire"]
            pixels = 4 * 3 * 224 * 224
            if way.startswith("client"):
                assert pixels < sent < pixels + 1000
            elif "padded" not in way:
                assert size["file_bytes"] < sent < size["file_bytes"] + 1000
            assert 0 < received < 5000
            assert f"| {way} | " in done.stdout


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], dict[str, Any]]:
    """The names in one of the scripts."""
    monkeypatch.syspath_prepend(FOLDER)
    return lambda name: runpy.run_path(str(FOLDER / f"{name}.py"))


def test_each_client_has_several_requests_to_send(script: Callable[[str], dict[str, Any]]) -> None:
    names = script("dali_serving")
    pictures = [b"a", b"b", b"c"]
    for way in names["WAYS"]:
        batch = 8 if "batches of 8" in way else 1
        for level in (1, 8):
            asked = names["for_each_client"](way, pictures, level)
            assert len(asked) == max(3, 4 * level * batch)
            assert asked[:4] == [b"a", b"b", b"c", b"a"][: len(asked)]
    assert names["for_each_client"]("server, HTTP", pictures * 20, 1) == pictures * 20


@pytest.mark.parametrize(
    ("asked", "other", "errors", "word"),
    [(1000, 10, 0, "reached"), (1000, 11, 0, "missed"), (1000, 0, 1, "missed"), (45, 1, 0, "reached")],
)
def test_mixed_requests_say_whether_the_aim_is_missed(
    asked: int, other: int, errors: int, word: str, script: Callable[[str], dict[str, Any]]
) -> None:
    found = {"asked": Counter(JPEG=asked), "others": ["another"] * other, "errors": ["error"] * errors}
    found |= {"same": Counter(JPEG=asked - other - errors), "sizes": {"JPEG": [50]}, "batch": 1.0}
    found |= {"photographs": 9, "triton": "2"}
    said = script("dali_mixed_requests")["markdown"](found, "cpu", 0)
    assert f"The aim, no failure and 99 %, is {word}." in said.splitlines()[0]


def test_the_published_results_hold_each_scripts_markers_once() -> None:
    text = (FOLDER.parent / "docs" / "results.md").read_text()
    for name in ("dali_serving", "dali_serving_gpu", "dali_mixed_requests", "dali_mixed_requests_all"):
        assert text.count(f"<!-- {name}: begin -->\n") == text.count(f"<!-- {name}: end -->\n") == 1
