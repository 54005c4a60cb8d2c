from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from fake_comparison import comparison, timing

from w251lab.errors import UsageError
from w251lab.timing import Comparison, Point

if TYPE_CHECKING:
    from pathlib import Path


def test_a_table_with_a_row_for_each_timing() -> None:
    frame = comparison().frame()
    assert len(frame) == 3 * 3
    row = frame[(frame["size"] == 1000) & (frame["copies"] == "included")].iloc[0]
    assert (row.contender, row.device, row.hardware) == ("cuML", "gpu", "NVIDIA H200")
    assert row.median_s == pytest.approx(0.4)
    assert row.quartile1_s <= row.median_s <= row.quartile3_s
    assert row.first_call_s == pytest.approx(4.0)


def test_speedup_by_size() -> None:
    ratio = comparison().speedup("scikit-learn", "cuML")
    assert ratio.index.tolist() == [10, 1000, 100_000]
    assert ratio.index.name == "rows"
    np.testing.assert_allclose(ratio, [0.1, 5, 100])
    np.testing.assert_allclose(comparison().speedup("scikit-learn", "cuML", from_host=True), [0.05, 2.5, 50])
    np.testing.assert_allclose(comparison().speedup("cuML", "scikit-learn"), [10, 0.2, 0.01])
    np.testing.assert_allclose(comparison().speedup("cuML", "scikit-learn", from_host=True), [20, 0.4, 0.02])


def test_crossover() -> None:
    made = comparison()
    resident, from_host = made.crossover("scikit-learn", "cuML"), made.crossover("scikit-learn", "cuML", from_host=True)
    assert resident is not None
    assert from_host is not None
    assert 10 < resident < from_host < 1000
    assert made.crossover("cuML", "scikit-learn") is None


def test_only_sizes_in_common_count() -> None:
    made = comparison()
    without = Comparison("T", "rows", made.points[:-1], made.made)
    assert without.speedup("scikit-learn", "cuML").index.tolist() == [10, 1000]
    apart = Comparison("T", "rows", (Point(1, "a", timing("cpu", 1)), Point(2, "b", timing("cpu", 1))), made.made)
    assert apart.speedup("a", "b").empty
    with pytest.raises(UsageError, match="no size in common"):
        apart.crossover("a", "b")


def test_what_was_not_measured() -> None:
    with pytest.raises(UsageError, match="no contender 'cuDF'") as caught:
        comparison().speedup("scikit-learn", "cuDF")
    assert "scikit-learn, cuML" in caught.value.remedy
    cpu = Comparison("T", "rows", (Point(1, "a", timing("cpu", 1)), Point(1, "b", timing("cpu", 2))), "2026-01-01")
    with pytest.raises(UsageError, match="measured from host memory"):
        cpu.speedup("a", "b", from_host=True)


def test_a_loaded_one_is_the_same_and_recorded(tmp_path: Path) -> None:
    made = comparison()
    file = made.save(tmp_path / "with a space" / "k-means.json")
    loaded = Comparison.load(file)
    assert loaded == made
    assert loaded.recorded
    assert not made.recorded
