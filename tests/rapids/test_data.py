from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from w251lab.errors import UsageError, W251Error
from w251lab.rapids import agreement, arrays, data


def test_blobs_lie_around_their_centres(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "_BLOCK", 700)  # several blocks, the last one smaller
    made = data.blobs(5000, 3, 4, std=0.5, seed=1)
    assert made.points.shape == (5000, 3)
    assert (made.points.dtype, made.labels.dtype) == ("float32", "int32")
    apart = made.points - made.centres[made.labels]
    assert apart.std() == pytest.approx(0.5, rel=0.02)
    assert np.abs(apart.mean(axis=0)).max() < 0.03
    assert np.bincount(made.labels).min() > 1100
    assert np.abs(made.centres).max() <= data.BOX


@pytest.mark.parametrize("make", [data.blobs, data.classification, data.clicks, data.coin_flips])
def test_a_seed_gives_the_same_rows_again_and_another_one_others(make: Any) -> None:
    first, again, other = make(500, 310, seed=7), make(500, 310, seed=7), make(500, 310, seed=8)
    for one, two in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, two)
    assert not np.array_equal(first[0], other[0])
    assert first[0].dtype == "float32"
    assert first[1].dtype == "int32"


def test_the_centres_depend_on_the_seed_and_not_on_the_number_of_rows() -> None:
    np.testing.assert_array_equal(data.blobs(10, seed=3).centres, data.blobs(1000, seed=3).centres)


def test_only_the_informative_columns_tell_the_class() -> None:
    made = data.classification(6000, 60, informative=20, flipped=0)
    assert np.bincount(made.labels).min() > 2800
    spread = made.features.std(axis=0)
    assert spread[:20].min() > 1.5  # mixtures of 20 standard normal features
    np.testing.assert_allclose(spread[20:], 1, atol=0.05)

    def score(columns: Any) -> float:
        rows, tests = slice(0, 4000), slice(4000, None)
        squares = np.hstack([made.features[:, columns], made.features[:, columns] ** 2])
        model = LogisticRegression(max_iter=500).fit(squares[rows], made.labels[rows])
        return float(model.score(squares[tests], made.labels[tests]))

    assert score(slice(0, 20)) > 0.6
    assert score(slice(20, None)) < 0.55


def test_labels_by_lot_flip_half_of_their_share() -> None:
    straight, flipped = (data.classification(4000, 10, informative=5, flipped=share) for share in (0, 1))
    np.testing.assert_array_equal(straight.features, flipped.features)
    assert agreement.accuracy(straight.labels, flipped.labels) == pytest.approx(0.5, abs=0.03)


def test_clicks_follow_their_probability() -> None:
    made = data.clicks(40_000, 10, seed=2)
    assert made.labels.mean() == pytest.approx(0.5, abs=0.01)
    for low in (0.1, 0.4, 0.7):
        chosen = (made.probability > low) & (made.probability < low + 0.2)
        assert made.labels[chosen].mean() == pytest.approx(float(made.probability[chosen].mean()), abs=0.03)
    assert made.best_auc() == pytest.approx(0.83, abs=0.015)


def test_no_straight_line_follows_the_rule_of_the_clicks() -> None:
    made = data.clicks(20_000, 12, seed=2)
    model = LogisticRegression().fit(made.features[:15_000], made.labels[:15_000])
    assert (
        agreement.auc(made.labels[15_000:], model.predict_proba(made.features[15_000:])[:, 1]) < made.best_auc() - 0.1
    )


def test_clicks_can_be_rare_and_harder() -> None:
    rare = data.clicks(50_000, 10, rate=0.02)
    assert rare.labels.mean() == pytest.approx(0.02, abs=0.003)
    assert data.clicks(20_000, 10, noise=4).best_auc() < data.clicks(20_000, 10, noise=1).best_auc() - 0.1


def test_coin_flips_are_bits_and_tell_nothing() -> None:
    made = data.coin_flips(20_000, 5)
    assert set(np.unique(made.features)) == {0, 1}
    assert made.features.mean() == pytest.approx(0.5, abs=0.01)
    assert agreement.auc(made.labels, made.features.sum(axis=1)) == pytest.approx(0.5, abs=0.02)


def test_split_takes_every_row_once_and_labels_stay_with_their_rows() -> None:
    features = np.arange(100, dtype="float32").reshape(50, 2)
    parts = data.split(features, features[:, 0].astype("int32"), test=0.2)
    assert (len(parts.train_labels), len(parts.test_labels)) == (40, 10)
    np.testing.assert_array_equal(parts.train_features[:, 0], parts.train_labels)
    np.testing.assert_array_equal(parts.test_features[:, 0], parts.test_labels)
    assert sorted([*parts.train_labels, *parts.test_labels]) == list(range(0, 100, 2))
    assert list(parts.test_labels) != sorted(parts.test_labels)


def test_a_frame_is_split_as_its_array_is() -> None:
    features = np.arange(40.0).reshape(20, 2)
    of_array = data.split(features, features[:, 0])
    of_frame = data.split(pd.DataFrame(features, index=range(5, 25)), pd.Series(features[:, 0]))
    for one, other in zip(of_array, of_frame, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("test", [0, 1, -0.5, 0.001, 5])
def test_a_split_with_nothing_on_one_side_is_refused(test: float) -> None:
    with pytest.raises(UsageError, match="leaves nothing"):
        data.split(np.ones((10, 2)), np.ones(10), test=test)
    with pytest.raises(W251Error, match="9 labels for 10 rows"):
        data.split(np.ones((10, 2)), np.ones(9))


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: data.blobs(0),
        lambda: data.blobs(2.5),  # type: ignore[arg-type]
        lambda: data.blobs(10, std=-1),
        lambda: data.blobs(10, std=float("inf")),
        lambda: data.classification(10, seed=-1),
        lambda: data.split(np.ones((10, 2)), np.ones(10), seed=-1),
        lambda: data.blobs(10, std=float("nan")),
        lambda: data.classification(10, 5),
        lambda: data.classification(10, 5, informative=1),
        lambda: data.classification(10, 5, informative=3, flipped=2),
        lambda: data.clicks(10, 9),
        lambda: data.clicks(10, rate=0),
        lambda: data.clicks(10, noise=0),
        lambda: data.coin_flips(-1),
        lambda: data.blobs(10, device="tpu"),
    ],
)
def test_what_cannot_be_meant_is_refused(wrong: Any) -> None:
    with pytest.raises(UsageError):
        wrong()


@pytest.mark.parametrize("make", [data.blobs, data.classification, data.clicks, data.coin_flips])
def test_a_table_that_cannot_fit_is_refused_before_it_is_made(make: Any) -> None:
    with pytest.raises(W251Error, match="a table of 1,000,000,000,000 rows and 400 features needs at least"):
        make(10**12, 400)


@pytest.mark.gpu
def test_data_are_made_on_the_gpu_with_the_same_rule() -> None:
    for make, size in ((data.blobs, 3), (data.classification, 310), (data.clicks, 12), (data.coin_flips, 5)):
        made, again = make(20_000, size, device="gpu"), make(20_000, size, device="gpu")  # type: ignore[operator]
        assert {arrays.device_of(part) for part in made} == {"gpu"}
        assert (made[0].dtype, made[1].dtype) == ("float32", "int32")
        np.testing.assert_array_equal(arrays.to_host(made[0]), arrays.to_host(again[0]))
    here, there = data.blobs(1000, 3, seed=4), data.blobs(1000, 3, seed=4, device="gpu")
    np.testing.assert_array_equal(here.centres, arrays.to_host(there.centres))
    assert data.clicks(40_000, 10, device="gpu").best_auc() == pytest.approx(
        data.clicks(40_000, 10).best_auc(), abs=0.02
    )
    on_host, on_gpu = data.split(*here[:2]), data.split(*arrays.to_device(here[:2], "gpu"))
    np.testing.assert_array_equal(on_host.test_labels, arrays.to_host(on_gpu.test_labels))
    framed = data.split(arrays.to_device(pd.DataFrame(here.points), "gpu"), arrays.to_device(here.labels, "gpu"))
    np.testing.assert_array_equal(arrays.to_host(framed.test_features), on_host.test_features)
