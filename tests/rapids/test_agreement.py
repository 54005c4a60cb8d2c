from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from w251lab.errors import UsageError, W251Error
from w251lab.rapids import agreement, arrays


def test_the_numbers_of_the_clusters_do_not_matter() -> None:
    assert agreement.rand_index([0, 0, 1, 1, 2], [2, 2, 0, 0, 1]) == 1.0


def test_the_index_has_the_value_of_a_known_example() -> None:
    # By hand: 2 of 6 pairs together in each, 1 in both; expected 2*2/6, maximum 2.
    assert agreement.rand_index([0, 0, 1, 1], [0, 0, 1, 2]) == pytest.approx((1 - 2 / 6) / (1.5 - 2 / 6))


def test_a_bad_clustering_does_not_pass_though_its_index_is_below_the_tolerance() -> None:
    alternating, halves = np.arange(100) % 2, np.arange(100) // 50
    assert agreement.rand_index(alternating, halves) < 0
    assert agreement.rand_index(alternating, halves) - 1 < 0.01  # the check of the original demo, which is always true
    found = agreement.same_clusters(alternating, halves)
    assert not found
    assert "do not agree" in str(found)
    assert agreement.same_clusters(halves, 1 - halves)


def test_centroids_are_paired_whatever_their_order() -> None:
    rng = np.random.default_rng(0)
    first = rng.normal(size=(12, 3)) * 10
    order = rng.permutation(12)
    second = first[order] + 0.25 / np.sqrt(3)
    matching = agreement.match_centroids(first, second)
    np.testing.assert_array_equal(order[matching.order], np.arange(12))
    np.testing.assert_allclose(matching.distances, 0.25)
    assert agreement.centroid_distance(first, second) == pytest.approx(0.25)


def test_no_centroid_is_paired_twice() -> None:
    # The nearest neighbour of both is 0; taken greedily, nobody would notice that 100 was missed.
    assert agreement.centroid_distance([[0.0], [1.0]], [[0.0], [100.0]]) == pytest.approx(99)


@pytest.mark.parametrize(("first", "second"), [(np.ones((2, 2)), np.ones((3, 2))), (np.ones(2), np.ones(2))])
def test_centroids_of_different_shapes_are_refused(first: object, second: object) -> None:
    with pytest.raises(W251Error, match="cannot be paired"):
        agreement.match_centroids(first, second)


def test_accuracy_is_the_share_of_equal_rows() -> None:
    assert agreement.accuracy(pd.Series([0, 1, 1, 2]), np.array([0, 1, 2, 2])) == 0.75


def test_auc_counts_pairs() -> None:
    # Of the pairs (positive, negative) 3 of 4 are ordered right.
    assert agreement.auc([0, 1, 0, 1], [0.1, 0.4, 0.35, 0.2]) == 0.75
    assert agreement.auc([0, 1, 0, 1], [0.5] * 4) == 0.5


@pytest.mark.parametrize("labels", [[1, 1, 1], [0, 1, 2], [-1, 1, 1]])
def test_auc_needs_both_classes_and_no_other(labels: list[int]) -> None:
    with pytest.raises(W251Error, match="needs labels 0 and 1"):
        agreement.auc(labels, [0.1, 0.2, 0.3])


@pytest.mark.parametrize(("first", "second"), [([1, 2], [1]), ([[1]], [[1]]), ([], [])])
def test_rows_that_do_not_belong_together_are_refused(first: object, second: object) -> None:
    for compare in (agreement.accuracy, agreement.rand_index, agreement.auc):
        with pytest.raises(W251Error, match="two columns of the same rows"):
            compare(first, second)


@pytest.mark.parametrize(
    ("first", "second", "agrees"),
    [
        (0.5, 0.75, True),
        (0.75, 0.5, True),
        (0.5, 0.76, False),
        (0.76, 0.5, False),
        (np.nan, 0.5, False),
        (np.inf, np.inf, False),
    ],
)
def test_within_takes_the_distance_in_both_directions(first: float, second: float, agrees: bool) -> None:
    found = agreement.within(first, second, 0.25, what="AUC")
    assert bool(found) is found.agrees is agrees
    assert str(found).startswith(f"AUC: CPU {first:.6g} and GPU {second:.6g}")


@pytest.mark.parametrize("tolerance", [-0.1, np.nan])
def test_a_tolerance_that_is_none_is_refused(tolerance: float) -> None:
    with pytest.raises(UsageError, match="tolerance is"):
        agreement.within(1, 1, tolerance)


@pytest.mark.gpu
def test_results_of_the_gpu_are_compared_with_those_of_the_cpu() -> None:
    labels = np.array([0, 1, 1, 2, 0])
    assert agreement.rand_index(labels, arrays.to_device(labels, "gpu")) == 1.0
    assert agreement.accuracy(arrays.to_device(labels, "gpu"), labels) == 1.0
