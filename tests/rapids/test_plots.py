from __future__ import annotations

from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.collections import PathCollection

from w251lab.errors import UsageError
from w251lab.rapids import plots
from w251lab.timing import Comparison, Point, Timing

HEAPS = np.repeat(np.array([[0.0, 0.0], [3.0, 4.0]]), 50, axis=0)


def timing(device: str, seconds: float, copies: str = "none") -> Timing:
    hardware = {"cpu": "Some CPU, 8 cores", "gpu": "Some GPU"}[device]
    return Timing("work", device, hardware, copies, (seconds,) * 3, 9.0, 1, True, {})  # type: ignore[arg-type]


def comparison(*, recorded: bool = False) -> Comparison:
    points = []
    for size, slow, fast, copied in ((1_000, 0.002, 0.004, 0.005), (100_000, 0.2, 0.005, 0.02)):
        points.append(Point(size, "slow", timing("cpu", slow)))
        points.append(Point(size, "fast", timing("gpu", fast, "excluded"), timing("gpu", copied, "included")))
    return replace(Comparison("Work", "rows", tuple(points), "2026-11-20"), recorded=recorded)


def labels(figure: plt.Figure) -> list[str]:
    axes = figure.axes[0]
    return [str(line.get_label()) for line in axes.lines if not str(line.get_label()).startswith("_")]


class TestCentroids:
    def test_each_panel_shows_the_points_and_its_sets(self) -> None:
        ours, theirs = np.array([[0.0, 0.0], [3.0, 4.0]]), np.array([[3.0, 4.0], [1.0, 1.0]])
        figure = plots.centroids(HEAPS, {"one": {"ours": ours}, "both": {"ours": ours, "theirs": theirs}})
        one, both = figure.axes
        assert (one.get_title(loc="left"), both.get_title(loc="left")) == ("one", "both")
        assert [line.get_label() for line in one.lines] == ["ours"]
        assert [line.get_label() for line in both.lines] == ["ours", "theirs"]
        assert np.array_equal(np.array(both.lines[1].get_data()).T, theirs)
        assert len({line.get_marker() for line in both.lines}) == 2
        assert not plt.get_fignums()

    def test_of_many_points_some_are_shown_and_the_legend_says_so(self) -> None:
        figure = plots.centroids(np.zeros((1_000_000, 2)), {"": {"ours": np.zeros((1, 2))}})
        (points,) = [part for part in figure.axes[0].collections if isinstance(part, PathCollection)]
        assert len(points.get_offsets()) == 5_000
        assert points.get_label() == "5,000 of 1,000,000 points"

    @pytest.mark.parametrize("points", [np.zeros((5, 3)), np.zeros(5)])
    def test_points_that_are_in_no_plane(self, points: np.ndarray) -> None:
        with pytest.raises(UsageError, match="not in a plane"):
            plots.centroids(points, {"": {}})

    def test_three_sets_in_a_panel(self) -> None:
        with pytest.raises(UsageError, match="one or two sets"):
            plots.centroids(HEAPS, {"": dict.fromkeys("abc", np.zeros((1, 2)))})


class TestPredictedSpeedup:
    def test_the_measured_ratio_and_the_prediction(self) -> None:
        figure = plots.predicted_speedup(comparison(recorded=True), {1_000: 3, 100_000: None})
        measured, guessed = figure.axes[0].lines[1:]
        assert list(measured.get_ydata()) == pytest.approx([0.5, 40])
        assert (list(guessed.get_xdata()), list(guessed.get_ydata())) == ([1_000], [3])
        assert labels(figure) == ["fast over slow (recorded 2026-11-20)", "your prediction"]
        assert measured.get_linestyle() == "--"
        assert "Some GPU" in figure.axes[0].get_title(loc="left")

    def test_nobody_has_to_predict(self) -> None:
        figure = plots.predicted_speedup(comparison(), {1_000: None})
        assert labels(figure) == ["fast over slow"]
        assert figure.axes[0].lines[1].get_linestyle() == "-"

    @pytest.mark.parametrize("guess", ["fast", 0, -2, float("nan"), float("inf"), True, [3]])
    def test_a_prediction_that_is_no_speedup(self, guess: object) -> None:
        with pytest.raises(UsageError, match="the prediction for 1,000"):
            plots.predicted_speedup(comparison(), {1_000: guess})

    def test_one_contender_has_no_speedup(self) -> None:
        alone = replace(comparison(), points=comparison().points[::2])
        with pytest.raises(UsageError, match="two contenders"):
            plots.predicted_speedup(alone, {})


class TestTimePerRow:
    def test_times_are_divided_by_the_size(self) -> None:
        figure = plots.time_per_row(comparison())
        slow, fast, copied = figure.axes[0].lines
        assert list(slow.get_ydata()) == pytest.approx([2e-6, 2e-6])
        assert list(fast.get_ydata()) == pytest.approx([4e-6, 5e-8])
        assert list(copied.get_ydata()) == pytest.approx([5e-6, 2e-7])
        assert labels(figure) == [
            "slow: Some CPU, 8 cores",
            "fast: Some GPU",
            "fast, copy from host memory counted: Some GPU",
        ]

    def test_a_recorded_one_is_dashed_and_says_so(self) -> None:
        figure = plots.time_per_row(comparison(), comparison(recorded=True))
        styles = [line.get_linestyle() for line in figure.axes[0].lines]
        assert styles == ["-"] * 3 + ["--"] * 3
        assert [("recorded 2026-11-20" in label) for label in labels(figure)] == [False] * 3 + [True] * 3


HISTORY = {"train": [0.6, 0.8, 0.9], "evaluation": [0.55, 0.7, 0.72]}


class TestLearning:
    def test_each_panel_shows_both_kinds_of_rows_over_the_rounds(self) -> None:
        figure = plots.learning({"rule": HISTORY, "coins": {"train": [0.7], "evaluation": [0.5]}}, {"rule": 0.8})
        rule, coins = figure.axes
        assert (rule.get_title(loc="left"), coins.get_title(loc="left")) == ("rule", "coins")
        drawn = {line.get_label(): line for line in rule.lines}
        assert list(drawn["rows trained on"].get_xdata()) == [1, 2, 3]
        assert list(drawn["held-out rows"].get_ydata()) == [0.55, 0.7, 0.72]
        assert set(drawn["the best possible: 0.800"].get_ydata()) == {0.8}
        assert [line.get_label() for line in coins.lines] == ["rows trained on", "held-out rows"]
        assert [text.get_text() for text in rule.texts] == ["0.900", "0.720"]
        assert not plt.get_fignums()

    @pytest.mark.parametrize("histories", [{}, {"rule": {"train": [0.9]}}])
    def test_a_history_without_held_out_rows(self, histories: dict[str, dict[str, list[float]]]) -> None:
        with pytest.raises(UsageError, match="held-out rows is needed"):
            plots.learning(histories)
