"""The files of a run: nothing of an earlier run is lost without a word."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from w251lab.errors import UsageError, W251Error
from w251lab.rapids import bench, bench_files
from w251lab.timing import Comparison, Failure

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Both = Callable[..., Comparison]


@pytest.fixture
def shipped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder of recorded curves, empty."""
    folder = tmp_path / "package" / "recorded"
    folder.mkdir(parents=True)
    monkeypatch.setattr(bench, "folder", lambda: folder)
    return folder


@pytest.mark.usefixtures("shipped")
def test_a_run_and_the_next(both: Both, tmp_path: Path) -> None:
    output = tmp_path / "a new" / "folder"
    assert bench_files.make_room(output, ["kmeans"]) == []
    bench_files.write(both("kmeans"), output, "kmeans")
    with Image.open(output / "kmeans.png") as picture:
        assert picture.width > 1_000
    first = (output / "kmeans.json").read_bytes()

    assert bench_files.make_room(output, ["frames"]) == []  # it is not in the way of another curve
    assert bench_files.make_room(output, ["kmeans"]) == [output / "kmeans.previous.json"]
    assert sorted(file.name for file in output.iterdir()) == ["kmeans.previous.json", "kmeans.previous.png"]
    assert (output / "kmeans.previous.json").read_bytes() == first
    assert bench_files.make_room(output, ["kmeans"]) == []  # a run that was interrupted wrote nothing
    assert (output / "kmeans.previous.json").read_bytes() == first


def test_what_is_not_ours_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "kmeans.json").write_text('{"mine": 1}')
    with pytest.raises(UsageError, match=r"kmeans\.json is not from an earlier run"):
        bench_files.make_room(tmp_path, ["frames", "kmeans"])
    assert (tmp_path / "kmeans.json").read_text() == '{"mine": 1}'
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="is not a folder"):
        bench_files.make_room(tmp_path / "file", ["kmeans"])
    with pytest.raises(W251Error, match="cannot be written to"):
        bench_files.make_room(tmp_path / "file" / "below", ["kmeans"])


def test_a_cpus_curve_is_drawn_beside_the_recorded_one(
    both: Both, shipped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[tuple[Comparison, Comparison | None]] = []
    right = bench_files.plot
    monkeypatch.setattr(
        bench_files, "plot", lambda found, beside: drawn.append((found, beside)) or right(found, beside)
    )
    whole = both("kmeans")
    alone = dataclasses.replace(whole, points=whole.of("scikit-learn"))
    bench_files.write(alone, tmp_path, "kmeans")
    whole.save(shipped / "kmeans.json")
    bench_files.write(alone, tmp_path, "kmeans")
    bench_files.write(whole, tmp_path, "kmeans")
    assert [beside is not None and beside.recorded for _, beside in drawn] == [False, True, False]


def test_only_a_whole_curve_is_shipped(both: Both, shipped: Path) -> None:
    whole = both("boosting")
    assert bench_files.ship(whole, "boosting") == shipped / "boosting.json"
    assert bench.recorded("boosting") == whole
    (shipped / "boosting.json").unlink()
    short = dataclasses.replace(
        whole, points=whole.points[:-1], failures=(Failure(1_000_000, "XGBoost, CUDA", "out of memory"),)
    )
    with pytest.raises(W251Error, match="the curve of boosting is not recorded") as caught:
        bench_files.ship(short, "boosting")
    assert caught.value.remedy == "out of memory"
    with pytest.raises(W251Error, match="not of both devices"):
        bench_files.ship(dataclasses.replace(whole, points=whole.of("XGBoost, CPU")), "boosting")
    assert not list(shipped.iterdir())
