from __future__ import annotations

import json
import pickle
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from w251lab.errors import UsageError, W251Error
from w251lab.rapids import agreement, arrays, data, forest

if TYPE_CHECKING:
    from pathlib import Path

    from w251lab.rapids.data import Split
    from w251lab.rapids.forest import Forest


@pytest.fixture(scope="module")
def rows() -> Split:
    return data.split(*data.classification(1500, 20, informative=10, separation=2.0, seed=5))


@pytest.fixture(scope="module")
def trained(rows: Split) -> Forest:
    return forest.train(rows.train_features, rows.train_labels, trees=15, depth=8)


def test_it_learns_and_predicts_classes(rows: Split, trained: Forest) -> None:
    predicted = forest.predict(trained, rows.test_features)
    assert predicted.dtype == "int32"
    assert agreement.accuracy(rows.test_labels, predicted) > 0.8
    assert (trained.device, trained.trained_on, trained.features) == ("cpu", "cpu", 20)


def test_the_work_is_that_of_scikit_learn(rows: Split, trained: Forest) -> None:
    from sklearn.ensemble import RandomForestClassifier  # noqa: PLC0415

    direct = RandomForestClassifier(15, max_depth=8, max_features=1.0, random_state=10)
    direct.fit(rows.train_features, rows.train_labels)
    shares = forest.probabilities(trained, rows.test_features)
    np.testing.assert_allclose(shares, direct.predict_proba(rows.test_features))
    np.testing.assert_array_equal(shares.argmax(axis=1), forest.predict(trained, rows.test_features))


def test_labels_need_not_begin_at_zero_and_frames_are_taken(rows: Split) -> None:
    frame = pd.DataFrame(rows.train_features).add_prefix("f")
    model = forest.train(frame, pd.Series(rows.train_labels * 2 + 3), trees=3, max_features="sqrt")
    assert set(np.unique(forest.predict(model, frame))) == {3, 5}


def test_the_round_trip_keeps_every_prediction(rows: Split, trained: Forest, tmp_path: Path) -> None:
    (tmp_path / "a folder").mkdir()
    path = forest.save(trained, tmp_path / "a folder" / "f.forest")
    again = forest.load(str(path))
    assert (again.device, again.trained_on, again.features) == ("cpu", "cpu", 20)
    for tree, other in zip(again.model.estimators_, trained.model.estimators_, strict=True):
        np.testing.assert_array_equal(tree.tree_.threshold, other.tree_.threshold)
    # The trees vote in threads, so the last bit of their sum depends on who is first.
    shares = [forest.probabilities(one, rows.test_features) for one in (again, trained)]
    np.testing.assert_allclose(*shares, rtol=1e-12)
    forest.save(again, path)
    assert [file.name for file in path.parent.iterdir()] == ["f.forest"]


def test_another_process_without_gpu_libraries_predicts_with_it(rows: Split, trained: Forest, tmp_path: Path) -> None:
    path = forest.save(trained, tmp_path / "f.forest")
    np.save(tmp_path / "rows.npy", rows.test_features)
    code = (
        "import sys, numpy; sys.modules.update(dict.fromkeys(['cuml', 'cudf', 'cupy']));"
        "from w251lab.rapids import forest;"
        "print(forest.predict(forest.load(sys.argv[1]), numpy.load(sys.argv[2])).sum())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, path, tmp_path / "rows.npy"], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) == forest.predict(trained, rows.test_features).sum()


def rewritten(path: Path, **header: object) -> Path:
    magic, line, payload = path.read_bytes().split(b"\n", 2)
    path.write_bytes(magic + b"\n" + json.dumps({**json.loads(line), **header}).encode() + b"\n" + payload)
    return path


def test_a_forest_of_another_scikit_learn_is_refused(trained: Forest, tmp_path: Path) -> None:
    path = rewritten(forest.save(trained, tmp_path / "f.forest"), **{"scikit-learn": "1.2.3"})
    with pytest.raises(W251Error, match=r"written with scikit-learn 1\.2\.3, and this is \d") as error:
        forest.load(path)
    assert "scikit-learn==1.2.3" in error.value.remedy


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda content: content[:-1], "is damaged"),
        (lambda content: content[:-5] + b"xxxxx", "is damaged"),
        (lambda content: content[:40], "is damaged"),
        (lambda content: content.replace(b'"cpu"', b'"tpu"'), "is damaged"),
        (lambda content: content.replace(b'"features": 20', b'"features": ""'), "is damaged"),
        (lambda content: content.split(b"\n", 1)[1], "is not a forest"),
        (lambda _: b"", "is not a forest"),
    ],
)
def test_damaged_files_are_refused(trained: Forest, tmp_path: Path, damage: Any, said: str) -> None:
    path = forest.save(trained, tmp_path / "f.forest")
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(W251Error, match=said):
        forest.load(path)


def test_a_file_cannot_run_code(trained: Forest, tmp_path: Path) -> None:
    import hashlib  # noqa: PLC0415

    class Trap:
        def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
            return eval, (f"open({str(tmp_path / 'trapped')!r}, 'w').close()",)

    path = forest.save(trained, tmp_path / "f.forest")
    magic, line, _ = path.read_bytes().split(b"\n", 2)
    payload = pickle.dumps(Trap())
    header = {**json.loads(line), "bytes": len(payload), "sha256": hashlib.sha256(payload).hexdigest()}
    path.write_bytes(magic + b"\n" + json.dumps(header).encode() + b"\n" + payload)
    with pytest.raises(W251Error, match=r"asks for builtins\.eval, which is no part of a forest"):
        forest.load(path)
    assert not (tmp_path / "trapped").exists()


def test_files_that_cannot_be_read_or_written(trained: Forest, tmp_path: Path) -> None:
    with pytest.raises(W251Error, match="cannot be read: No such file"):
        forest.load(tmp_path / "nowhere")
    with pytest.raises(W251Error, match="cannot be written"):
        forest.save(trained, tmp_path / "nowhere" / "f")
    with pytest.raises(W251Error, match="cannot be written"):
        forest.save(trained, tmp_path)


@pytest.mark.parametrize(
    ("features", "labels", "said"),
    [
        (np.eye(4), [0, 0, 0, 0], "one class only"),
        (np.eye(4), [0, 1, 0], "3 labels for 4 rows"),
        (np.eye(4), [0.5, 1, 0, 1], "must be classes"),
        (np.eye(4), ["a", "b", "a", "b"], "row 0 has 'a'"),
        (np.array([[1.0, np.nan], [2, 3]]), [0, 1], "contain nan: column 1, first in row 0"),
        (np.array([[1.0, 1e300], [2, 3]]), [0, 1], "contain inf: column 1, first in row 0"),
        (np.ones((3, 2)), [0, 1, 0], "the same value in every row"),
        (np.ones((0, 2)), [], "are empty"),
        (np.ones(3), [0, 1, 0], "rows and columns"),
    ],
)
@pytest.mark.filterwarnings("ignore:overflow encountered in cast")
def test_data_that_are_not_fit_for_it(features: Any, labels: Any, said: str) -> None:
    with pytest.raises(W251Error, match=said):
        forest.train(features, labels)


@pytest.mark.parametrize(
    "wrong",
    [
        {"trees": 0},
        {"depth": 0},
        {"n_bins": 1},
        {"max_features": 0.0},
        {"max_features": 1.5},
        {"max_features": "all"},
        {"max_features": 5},
    ],
)
def test_arguments_that_cannot_be_meant(rows: Split, wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        forest.train(rows.train_features, rows.train_labels, **wrong)


def test_rows_of_other_columns_are_refused(trained: Forest) -> None:
    with pytest.raises(W251Error, match="have 3 features, and the forest was trained on 20"):
        forest.predict(trained, np.ones((2, 3)))


def test_rows_elsewhere_are_refused(trained: Forest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrays, "device_of", lambda _value: "gpu")
    with pytest.raises(W251Error, match="the forest is on the CPU and the rows are on the GPU"):
        forest.predict(trained, np.ones((2, 20)))


def test_a_forest_on_the_host_stays_as_it_is(trained: Forest) -> None:
    assert forest.on_host(trained) is trained


@pytest.mark.gpu
def test_a_forest_of_the_gpu_predicts_on_the_cpu(rows: Split, trained: Forest, tmp_path: Path) -> None:
    there = arrays.to_device(rows, "gpu")
    on_gpu = forest.train(there.train_features, there.train_labels, trees=15, depth=8)
    assert (on_gpu.device, on_gpu.trained_on) == ("gpu", "gpu")
    predicted = forest.predict(on_gpu, there.test_features)
    assert arrays.device_of(predicted) == "gpu"
    assert predicted.dtype == "int32"
    accuracy = agreement.accuracy(rows.test_labels, predicted)
    on_cpu = agreement.accuracy(rows.test_labels, forest.predict(trained, rows.test_features))
    comparison = agreement.within(on_cpu, accuracy, 0.05, what="accuracy")
    assert comparison, comparison.says
    again = forest.load(forest.save(on_gpu, tmp_path / "f.forest"))
    assert (again.device, again.trained_on) == ("cpu", "gpu")
    assert agreement.accuracy(forest.predict(again, rows.test_features), predicted) > 0.99
    np.testing.assert_allclose(
        forest.probabilities(again, rows.test_features),
        arrays.to_host(forest.probabilities(on_gpu, there.test_features)),
        atol=1e-4,
    )
    with pytest.raises(W251Error, match="the forest is on the GPU and the rows are on the CPU"):
        forest.predict(on_gpu, rows.test_features)
    with pytest.raises(W251Error, match="not everything lies on one device"):
        forest.train(there.train_features, rows.train_labels)
    few = forest.train(there.train_features[:50], there.train_labels[:50], trees=2)
    assert len(forest.predict(few, there.test_features)) == 300
