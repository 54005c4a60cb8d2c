from __future__ import annotations

import io
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import pytest
from fake_comparison import comparison, timing

from w251lab.errors import UsageError
from w251lab.timing import Comparison, Point, plot

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def labels(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.legends[0].get_texts()]


def dashed(axes: Axes) -> list[bool]:
    return [line.get_linestyle() == "--" for line in axes.get_lines() if line.get_marker() == "o"]


def drawn(figure: Figure) -> Figure:
    """Drawn to the end, which is where a bad limit or tick shows itself."""
    figure.savefig(io.BytesIO(), format="png", dpi=50)
    assert not plt.get_fignums(), "a notebook would show it twice"
    return figure


def test_cpu_and_gpu_measured_here() -> None:
    figure = drawn(plot(comparison()))
    left, right = figure.axes
    assert (left.get_xscale(), left.get_yscale(), right.get_yscale()) == ("log",) * 3
    assert not any(dashed(left) + dashed(right))
    assert labels(figure) == [
        "scikit-learn: A Processor, 16 cores",
        "cuML: NVIDIA H200; ahead from 150 rows",
        "cuML, copy from host memory counted: NVIDIA H200; ahead from 340 rows",
    ]
    assert "recorded" not in left.get_title(loc="left") + right.get_title(loc="left")
    assert right.get_title(loc="left") == "speed-up over scikit-learn"
    assert {text.get_text()[:3] for text in right.texts} == {"100", "50 "}
    diamonds = [line.get_xdata()[0] for line in right.get_lines() if line.get_marker() == "D"]
    assert diamonds == [comparison().crossover("scikit-learn", "cuML", from_host=copies) for copies in (False, True)]


def test_the_cpu_alone_has_no_speedup() -> None:
    figure = drawn(plot(comparison(gpu=False)))
    (axes,) = figure.axes
    assert dashed(axes) == [False]


def test_the_cpu_here_beside_a_recorded_pair() -> None:
    figure = drawn(plot(comparison(gpu=False), comparison(recorded=True)))
    left, right = figure.axes
    assert dashed(left) == [False, True, True, True]
    assert dashed(right) == [True, True]
    assert left.get_title(loc="left").endswith("(dashed: recorded)")
    assert right.get_title(loc="left").endswith("(recorded)")
    assert [("(recorded 2026-11-20)" in label) for label in labels(figure)] == [False, True, True, True]
    assert any("NVIDIA H200 (recorded 2026-11-20)" in label for label in labels(figure))


def test_a_recorded_one_alone_is_marked_as_well() -> None:
    figure = drawn(plot(comparison(recorded=True)))
    assert all(dashed(figure.axes[0]))
    assert all("recorded" in label for label in labels(figure))


def test_a_failure_is_told() -> None:
    assert "cuML stopped at 1,000,000 rows: MemoryError: out of memory" in labels(plot(comparison(failed=True)))


def test_one_size_and_two_on_one_device() -> None:
    points = (Point(7, "a", timing("cpu", 1)), Point(7, "b", timing("cpu", 2)))
    figure = drawn(plot(Comparison("T", "rows", points, "2026-01-01")))
    assert figure.axes[1].get_title(loc="left") == "speed-up over a"


def test_contenders_without_a_size_in_common() -> None:
    points = (Point(1, "a", timing("cpu", 1)), Point(2, "b", timing("cpu", 2)))
    assert len(drawn(plot(Comparison("T", "rows", points, "2026-01-01"))).axes) == 1


def test_what_was_measured_just_now_is_not_drawn_as_recorded() -> None:
    with pytest.raises(UsageError, match="measured just now"):
        plot(comparison(), comparison())


def test_sizes_in_other_units_do_not_go_on_one_axis() -> None:
    images = Comparison("T", "images", comparison().points, "2026-01-01", recorded=True)
    with pytest.raises(UsageError, match="counted in rows here and in images there"):
        plot(comparison(), images)


def test_nothing_to_draw() -> None:
    with pytest.raises(UsageError, match="no point to draw"):
        plot(Comparison("T", "rows", (), "2026-01-01"))


def test_the_last_figures_do_not_lie_on_one_another() -> None:
    points = []
    for size, seconds in ((100, 5.0), (1_000, 8.9)):
        points.append(Point(size, "scikit-learn", timing("cpu", seconds)))
        points.append(Point(size, "cuML", timing("gpu", 1.0, "excluded"), timing("gpu", 1.03, "included")))
    figure = drawn(plot(Comparison("A forest", "trees", tuple(points), "2026-11-20")))
    boxes = [text.get_window_extent() for text in figure.axes[1].texts]
    assert len(boxes) == 2
    assert not boxes[0].overlaps(boxes[1])
