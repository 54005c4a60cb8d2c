from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import xgboost

from w251lab.errors import UsageError, W251Error
from w251lab.rapids import agreement, arrays, boosting, data

if TYPE_CHECKING:
    from pathlib import Path

    from w251lab.rapids.boosting import Boosted
    from w251lab.rapids.data import Clicks, Split

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def rows(clicks: Clicks) -> Split:
    return data.split(clicks.features, clicks.labels)


@pytest.fixture
def trained(rows: Split) -> Boosted:
    return boosting.train(rows.train_features, rows.train_labels, rounds=20, depth=4)


def test_it_learns_what_can_be_learned(clicks: Clicks, rows: Split, trained: Boosted) -> None:
    scores = boosting.predict(trained, rows.test_features)
    assert scores.dtype == "float32"
    assert 0 < scores.min() <= scores.max() < 1
    assert 0.65 < agreement.auc(rows.test_labels, scores) < clicks.best_auc() + 0.02
    assert (trained.device, trained.trained_on, trained.features, trained.rounds, trained.history) == (
        "cpu",
        "cpu",
        20,
        20,
        {},
    )


def test_there_is_nothing_to_learn_from_coin_flips() -> None:
    rows = data.split(*data.coin_flips(4000, 20))
    model = boosting.train(rows.train_features, rows.train_labels, rounds=10, depth=6)
    assert agreement.auc(rows.train_labels, boosting.predict(model, rows.train_features)) > 0.7
    assert abs(agreement.auc(rows.test_labels, boosting.predict(model, rows.test_features)) - 0.5) < 0.06


def test_the_work_is_that_of_xgboost(rows: Split, trained: Boosted) -> None:
    settings = {"device": "cpu", "tree_method": "hist", "max_depth": 4, "objective": "binary:logistic"}
    direct = xgboost.train(settings, xgboost.QuantileDMatrix(rows.train_features, rows.train_labels), 20)
    np.testing.assert_array_equal(
        boosting.predict(trained, rows.test_features), direct.inplace_predict(rows.test_features)
    )


@pytest.mark.parametrize("kind", ["quantile", "plain"])
def test_a_matrix_made_before_gives_the_same_trees(rows: Split, trained: Boosted, kind: Any) -> None:
    made = boosting.matrix(rows.train_features, rows.train_labels, kind=kind)
    model = boosting.train(made, rounds=20, depth=4)
    np.testing.assert_allclose(
        boosting.predict(model, rows.test_features), boosting.predict(trained, rows.test_features), atol=1e-5
    )


def test_the_metric_is_recorded_and_is_the_auc_of_the_predictions(rows: Split) -> None:
    held_out = (rows.test_features, rows.test_labels)
    model = boosting.train(rows.train_features, rows.train_labels, rounds=5, depth=3, evaluation=held_out)
    assert {name: len(values) for name, values in model.history.items()} == {"train": 5, "evaluation": 5}
    scores = boosting.predict(model, rows.test_features)
    assert model.history["evaluation"][-1] == pytest.approx(agreement.auc(rows.test_labels, scores), abs=1e-6)
    loss = boosting.train(rows.train_features, rows.train_labels, rounds=2, evaluation=held_out, eval_metric="logloss")
    assert loss.history["evaluation"][0] < 0.7


def test_early_stopping_predicts_with_the_best_round(rows: Split) -> None:
    reference = boosting.matrix(rows.train_features, rows.train_labels)
    held_out = boosting.matrix(rows.test_features, rows.test_labels, reference=reference)
    model = boosting.train(reference, rounds=200, depth=6, evaluation=held_out, early_stopping=3)
    measured = model.history["evaluation"]
    assert len(measured) < 200
    assert model.rounds == int(np.argmax(measured)) + 1 == len(measured) - 3
    scores = boosting.predict(model, rows.test_features)
    assert agreement.auc(rows.test_labels, scores) == pytest.approx(max(measured), abs=1e-6)


def test_missing_values_are_learned_from_and_predicted(rows: Split) -> None:
    holes = rows.train_features.copy()
    holes[rows.train_labels == 1, 15] = np.nan
    model = boosting.train(holes, rows.train_labels, rounds=3)
    scores = boosting.predict(model, holes)
    assert agreement.auc(rows.train_labels, scores) == 1.0


def test_a_regression_and_several_classes_are_learned_too(rows: Split) -> None:
    model = boosting.train(
        rows.train_features, rows.train_features[:, 0], rounds=20, objective="reg:squarederror", eval_metric="rmse"
    )
    assert np.abs(boosting.predict(model, rows.test_features) - rows.test_features[:, 0]).mean() < 0.2
    thirds = np.digitize(rows.train_features[:, 0], [-0.4, 0.4])
    model = boosting.train(
        rows.train_features,
        thirds,
        rounds=5,
        objective="multi:softprob",
        eval_metric="mlogloss",
        parameters={"num_class": 3},
    )
    assert boosting.predict(model, rows.test_features).shape == (800, 3)


@pytest.mark.parametrize("ending", [".ubj", ".json"])
def test_the_round_trip_keeps_every_prediction(rows: Split, ending: str, tmp_path: Path) -> None:
    held_out = (rows.test_features, rows.test_labels)
    model = boosting.train(rows.train_features, rows.train_labels, rounds=40, evaluation=held_out, early_stopping=2)
    again = boosting.load(boosting.save(model, tmp_path / f"trees{ending}"))
    assert (again.device, again.trained_on, again.rounds, again.features) == ("cpu", "cpu", model.rounds, 20)
    assert again.rounds < 40
    np.testing.assert_array_equal(
        boosting.predict(again, rows.test_features), boosting.predict(model, rows.test_features)
    )
    assert model.booster.attr("w251lab_rounds") is None


def test_files_that_cannot_be_read_or_written(trained: Boosted, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="ends in nothing"):
        boosting.save(trained, tmp_path / "trees")
    with pytest.raises(W251Error, match="cannot be written"):
        boosting.save(trained, tmp_path / "nowhere" / "trees.json")
    with pytest.raises(W251Error, match="is not there"):
        boosting.load(tmp_path / "trees.json")
    (tmp_path / "trees.json").write_text('{"not": "trees"}')
    with pytest.raises(W251Error, match="holds no trees"):
        boosting.load(tmp_path / "trees.json")
    (tmp_path / "trees.txt").write_text("x")
    with pytest.raises(W251Error, match=r"does not end in \.json"):
        boosting.load(tmp_path / "trees.txt")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"rounds": 0}, "rounds is 0"),
        ({"depth": 2.5}, "depth is 2.5"),
        ({"learning_rate": 0}, "learning_rate is 0"),
        ({"early_stopping": 3}, "needs rows that are not trained on"),
        ({"parameters": {"device": "cuda"}}, "parameters has device"),
        ({"parameters": {"max_dept": 3}}, 'XGBoost knows no parameter "max_dept"'),
    ],
)
def test_arguments_that_cannot_be_meant(rows: Split, wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        boosting.train(rows.train_features, rows.train_labels, **{"rounds": 1, **wrong})


def test_labels_belong_to_features_and_not_to_a_matrix(rows: Split) -> None:
    with pytest.raises(UsageError, match="without labels"):
        boosting.train(rows.train_features)
    with pytest.raises(UsageError, match="beside a matrix"):
        boosting.train(boosting.matrix(rows.train_features, rows.train_labels), rows.train_labels)


def test_what_xgboost_refuses_is_told_in_one_line(rows: Split) -> None:
    with pytest.raises(
        W251Error, match="xgboost refused while training with XGBoost: Unknown objective function: `nonsense`\n"
    ):
        boosting.train(rows.train_features, rows.train_labels, objective="nonsense")


def test_a_training_that_went_elsewhere_is_an_error() -> None:
    """XGBoost really goes back to the CPU where it finds no GPU, and only warns."""
    code = (
        "from w251lab.rapids import boosting, data; boosting._XGBOOST['cpu'] = 'cuda'; rows = data.clicks(500, 10);"
        "boosting.train(rows.features, rows.labels, rounds=1)"
    )
    hidden = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=hidden)
    assert "Device is changed from GPU to CPU" in done.stderr
    assert "W251Error: XGBoost was to train on the CPU, and trained on cpu" in done.stderr
    assert done.returncode == 1


def test_rows_of_other_columns_or_elsewhere_are_refused(trained: Boosted, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(W251Error, match="have 3 features, and the model was trained on 20"):
        boosting.predict(trained, np.ones((2, 3)))
    monkeypatch.setattr(arrays, "device_of", lambda _value: "gpu")
    with pytest.raises(W251Error, match="the model is on the CPU and the rows are on the GPU"):
        boosting.predict(trained, np.ones((2, 20)))


def test_a_copy_on_the_same_device_predicts_the_same(rows: Split, trained: Boosted) -> None:
    copy = boosting.to_device(trained, "cpu")
    assert copy.booster is not trained.booster
    np.testing.assert_array_equal(
        boosting.predict(copy, rows.test_features), boosting.predict(trained, rows.test_features)
    )


@pytest.mark.gpu
def test_the_gpu_learns_as_much(clicks: Clicks, rows: Split, trained: Boosted, tmp_path: Path) -> None:
    there = arrays.to_device(rows, "gpu")
    held_out = (there.test_features, there.test_labels)
    model = boosting.train(there.train_features, there.train_labels, rounds=20, depth=4, evaluation=held_out)
    assert (model.device, model.trained_on) == ("gpu", "gpu")
    scores = boosting.predict(model, there.test_features)
    assert arrays.device_of(scores) == "gpu"
    on_cpu = agreement.auc(rows.test_labels, boosting.predict(trained, rows.test_features))
    comparison = agreement.within(on_cpu, agreement.auc(rows.test_labels, scores), 0.02, what="AUC")
    assert comparison, comparison.says
    for again in (boosting.load(boosting.save(model, tmp_path / "trees.ubj")), boosting.to_device(model, "cpu")):
        assert (again.device, again.trained_on) == ("cpu", "gpu")
        np.testing.assert_allclose(boosting.predict(again, rows.test_features), arrays.to_host(scores), atol=1e-5)
    plain = boosting.train(boosting.matrix(there.train_features, there.train_labels, kind="plain"), rounds=20, depth=4)
    comparison = agreement.within(
        on_cpu, agreement.auc(rows.test_labels, boosting.predict(plain, there.test_features)), 0.02
    )
    assert comparison, comparison.says
    with pytest.raises(W251Error, match="the model is on the GPU and the rows are on the CPU"):
        boosting.predict(model, rows.test_features)
    with pytest.raises(W251Error, match="to evaluate on are on the CPU"):
        boosting.train(
            there.train_features, there.train_labels, rounds=1, evaluation=(rows.test_features, rows.test_labels)
        )
