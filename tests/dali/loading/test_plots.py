from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import pytest

from w251lab.dali.loading.result import Loading
from w251lab.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from matplotlib.axes import Axes

    from w251lab.dali.loading.result import Loader


def _widths(axes: Axes) -> list[list[float]]:
    """Of the parts of each bar, from left to right, without those that have no length."""
    rows: dict[float, list[tuple[float, float]]] = {}
    for patch in axes.patches:
        rows.setdefault(round(patch.get_y(), 3), []).append((patch.get_x(), patch.get_width()))
    return [[round(width, 6) for _, width in sorted(rows[row]) if width] for row in sorted(rows)]


def test_bars_are_the_stages_and_the_mark_is_the_whole(loading: Loading) -> None:
    left, right = loading.plot().axes
    assert _widths(left) == [[0.1, 6.0, 3.0, 0.6, 0.3], [0.5, 2.5, 0.5, 1.0]]
    assert _widths(right) == [[0.01, 0.6, 0.3, 0.06, 0.03], pytest.approx([1 / 9, 5 / 9, 1 / 9, 2 / 9], abs=1e-5)]
    marks = [line.get_xdata()[0] for line in left.lines]
    assert marks == pytest.approx([10, 4])
    said = [text.get_text() for text in left.texts]
    assert said == ["100 images/s (10.0 ms)", "250 images/s (4.00 ms)"]
    assert left.get_title(loc="left") == "measured on A Processor, 16 cores"
    assert not plt.get_fignums(), "no figure is left open"


def test_a_recorded_one_is_marked(loading: Loading, on_gpu: Loading, tmp_path: Path) -> None:
    recorded = Loading.load(on_gpu.save(tmp_path / "l.json"))
    figure = loading.plot(recorded)
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles[2] == "recorded on NVIDIA H200; A Processor, 16 cores, 2026-11-21"
    assert {patch.get_hatch() for patch in figure.axes[2].patches} == {"///"}
    assert {patch.get_hatch() for patch in figure.axes[0].patches} == {None}
    assert recorded.plot().axes[0].get_title(loc="left").startswith("recorded on ")
    with pytest.raises(UsageError, match="measured just now"):
        loading.plot(on_gpu)


def test_nothing_is_cut_off(loading: Loading, on_gpu: Loading, tmp_path: Path) -> None:
    recorded = Loading.load(on_gpu.save(tmp_path / "l.json"))
    figure = loading.plot(recorded)
    figure.draw_without_rendering()
    whole = figure.bbox
    for text in [*figure.legends[0].get_texts(), *(text for axes in figure.axes for text in axes.get_yticklabels())]:
        box = text.get_window_extent()
        assert box.x0 >= whole.x0, text
        assert box.x1 <= whole.x1, text
    for axes in figure.axes:
        for text in axes.texts:
            assert text.get_window_extent().x1 <= axes.bbox.x1 + 1, text


def test_a_stage_below_0_has_no_length(loading: Loading, dali_loader: Callable[..., Loader]) -> None:
    found = replace(loading, loaders=(dali_loader("dali", 4.0, 0.5, 3.0, 3.5, 3.4),))
    left, right = found.plot().axes
    assert _widths(left) == [[0.5, 2.5, 0.5]]
    assert sum(_widths(right)[0]) == pytest.approx(1, abs=1e-5)


def test_noise_is_pale(loading: Loading, dali_loader: Callable[..., Loader]) -> None:
    found = replace(loading, loaders=(dali_loader("dali", 4.0, 0.5, 3.0, 3.5, 3.52, half=0.02),))
    assert [stage.is_noise for stage in found.of("dali").stages] == [False, False, False, True, False]
    left, right = found.plot().axes
    for axes in (left, right):
        assert [patch.get_alpha() for patch in axes.patches] == [1.0, 1.0, 1.0, 0.35, 1.0]
