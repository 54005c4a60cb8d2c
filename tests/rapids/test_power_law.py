from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from w251lab.errors import UsageError
from w251lab.rapids import power_law
from w251lab.timing import Comparison, Point, Timing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from w251lab.accelerator import Device


def comparison(times: dict[str, dict[int, float]], *, recorded: bool = False) -> Comparison:
    points = []
    for name, medians in times.items():
        device: Device = "gpu" if name == "cuML" else "cpu"
        for size, median in medians.items():
            timing = Timing(name, device, f"a {device}", "none", (median,) * 3, 2 * median, 1, True, {})
            points.append(Point(size, name, timing))
    return Comparison("forest", "rows", tuple(points), "2026-11-20", recorded=recorded)


@pytest.mark.parametrize("exponent", [0.0, 0.5, 1.0, 1.3])
def test_a_power_law_is_found_again(exponent: float) -> None:
    sizes = [100, 300, 5_000]
    law = power_law.fit(sizes, [2e-4 * size**exponent for size in sizes])
    assert law.factor == pytest.approx(2e-4)
    assert law.exponent == pytest.approx(exponent, abs=1e-9)
    assert law.seconds(1e6) == pytest.approx(2e-4 * 1e6**exponent)


def test_an_error_of_a_tenth_counts_the_same_at_every_size() -> None:
    low = power_law.fit([1, 10, 100], [1.1, 10, 100])
    high = power_law.fit([1, 10, 100], [1, 10, 110])
    assert low.exponent - 1 == pytest.approx(-(high.exponent - 1))


@pytest.mark.parametrize(
    ("sizes", "seconds"),
    [
        ([100], [1.0]),
        ([100, 100], [1.0, 1.1]),
        ([], []),
        ([100, 200], [1.0]),
        ([100, 200], [1.0, 0.0]),
        ([0, 200], [1.0, 2.0]),
        ([100, 200], [1.0, np.nan]),
        ([100, np.inf], [1.0, 2.0]),
    ],
)
def test_what_fixes_no_law_is_refused(sizes: Sequence[float], seconds: Sequence[float]) -> None:
    with pytest.raises(UsageError):
        power_law.fit(sizes, seconds)


def test_the_plot_says_how_far_off_the_prediction_is() -> None:
    cpu = {100: 1.0, 1_000: 10.0, 10_000: 50.0}
    gpu = {100: 0.5, 1_000: 0.5, 10_000: 2.0}
    figure = power_law.plot(comparison({"scikit-learn": cpu, "cuML": gpu}, recorded=True), known=2)
    axes = figure.axes[0]
    notes = [text.get_text() for text in axes.texts]
    assert notes == ["predicted 100% too much", "predicted 75% too little"]
    legend = axes.get_legend()
    assert legend is not None
    labels = [text.get_text() for text in legend.get_texts()]
    assert labels[0].startswith("scikit-learn")
    assert "1.00" in labels[0]
    assert "0.00" in labels[1]
    assert "a cpu, a gpu: recorded 2026-11-20" in axes.get_title(loc="left")


def test_the_plot_says_what_was_measured_here() -> None:
    figure = power_law.plot(comparison({"scikit-learn": {1: 1.0, 2: 2.0, 4: 4.0}}), known=2)
    assert figure.axes[0].get_title(loc="left") == "a cpu: measured here"


def test_where_all_is_known_nothing_is_predicted() -> None:
    figure = power_law.plot(comparison({"scikit-learn": {1: 1.0, 2: 2.0}}), known=3)
    assert not figure.axes[0].texts


@pytest.mark.parametrize(("known", "sizes"), [(0, 3), (1, 3), (2, 1)])
def test_a_law_takes_two_sizes(known: int, sizes: int) -> None:
    times = {size: float(size) for size in range(1, sizes + 1)}
    with pytest.raises(UsageError):
        power_law.plot(comparison({"scikit-learn": times}), known=known)
