"""What the tables say of a curve."""

from __future__ import annotations

import dataclasses
import io
from typing import TYPE_CHECKING

from rich.console import Console

from w251lab.rapids import bench_report
from w251lab.timing import Comparison, Failure

if TYPE_CHECKING:
    from collections.abc import Callable

    Both = Callable[..., Comparison]


def alone(comparison: Comparison) -> Comparison:
    """As on a machine without a GPU."""
    first = comparison.contenders[0]
    return dataclasses.replace(comparison, points=comparison.of(first))


def test_both_devices(both: Both) -> None:
    found = both("kmeans")
    assert bench_report.header(found) == ["rows", "scikit-learn", "cuML", "speed-up", "cuML, from host", "speed-up"]
    rows = bench_report.rows(found)
    assert rows[0] == ["1,000", "1.00 ms *", "2.10 ms", "0.5", "4.20 ms", "0.2"]
    assert rows[-1] == ["4,000,000", "4.00 s", "402 ms", "10.0", "804 ms", "5.0"]
    assert {len(row) for row in rows} == {6}


def test_what_is_said_of_both(both: Both) -> None:
    said = bench_report.remarks(both("kmeans", (Failure(4_000_000, "cuML", "out of memory"),)))
    assert said[0].startswith("cuML is ahead from 2,400 rows on; with the copy from host memory from ")
    assert "cuML stopped at 4,000,000 rows: out of memory." in said
    assert any("not settled" in line for line in said)
    assert "scikit-learn on Xeon, 16 cores (python 3.12.1)." in said
    assert "cuML on NVIDIA H200 (python 3.12.1, driver 580.1)." in said


def test_the_crossover_at_the_ends(both: Both) -> None:
    found = both("kmeans")
    cut = {
        "at none of these sizes": [point for point in found.points if point.size == 1_000],
        "from the smallest size on": [point for point in found.points if point.size > 10_000],
    }
    for said, points in cut.items():
        part = dataclasses.replace(found, points=tuple(points))
        assert bench_report.remarks(part)[0] == f"cuML is ahead {said}; with the copy from host memory {said}."


def test_a_size_that_one_of_them_did_not_manage(both: Both) -> None:
    found = both("kmeans")
    kept = [point for point in found.points if (point.size, point.contender) != (4_000_000, "cuML")]
    rows = bench_report.rows(dataclasses.replace(found, points=tuple(kept)))
    assert rows[-1] == ["4,000,000", "4.00 s", "-", "-", "-", "-"]


def test_the_cpu_alone(both: Both) -> None:
    found = alone(both("boosting"))
    assert bench_report.header(found) == ["rows", "XGBoost, CPU"]
    assert {len(row) for row in bench_report.rows(found)} == {2}
    assert not any("ahead" in line for line in bench_report.remarks(found))


def test_markdown(both: Both) -> None:
    text = bench_report.markdown(both("frames"), "frames")
    lines = text.splitlines()
    assert lines[0] == "| rows | pandas | cuDF | speed-up | cuDF, from host | speed-up |"
    assert lines[1].count("---:") == 6
    assert lines[-1] == f"- {bench_report.note('frames')}"
    assert "" in lines  # or the list would be part of the table


def test_the_terminal(both: Both) -> None:
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(bench_report.table(both("forest_trees")))
    text = console.export_text()
    assert "Random forest: 4,096 rows" in text
    assert "cuML, from host" in text
