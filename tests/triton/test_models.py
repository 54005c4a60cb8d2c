from __future__ import annotations

import dataclasses
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest

from w251lab.errors import UsageError, W251Error
from w251lab.triton import models
from w251lab.triton.models import names, packaged
from w251lab.triton.pictures import load_image

ALL = ("efficientnet_lite0", "efficientnet_lite0_int8")
# The first answer of both models where they are sure, and of the float model elsewhere.
ANSWERS = {
    "acanthus": "pineapple",
    "alps": "alp",
    "boats": "wreck",
    "cat": "tiger cat",
    "coffee": "espresso",
    "farmhouse": "barn",
    "photographer": "tripod",
    "raccoon": "badger",
    "rocket": "missile",
}


@cache
def session(name: str) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    return ort.InferenceSession(packaged(name).verify(), options, providers=["CPUExecutionProvider"])


def scores(name: str, images: np.ndarray) -> np.ndarray:
    return session(name).run(["scores"], {"images": images})[0]


@pytest.fixture(scope="module")
def pictures() -> dict[str, np.ndarray]:
    folder = Path(__file__).parents[2] / "solutions" / "01_triton_quickstart" / "images"
    prepare = packaged("efficientnet_lite0").preprocessing
    return {path.stem: prepare(load_image(path)) for path in sorted(folder.glob("*.jpg"))}


def test_the_default_comes_first() -> None:
    assert names() == ALL


def test_an_unknown_model_names_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"'efficientnet-lite0'(?s:.)*mean 'efficientnet_lite0'"):
        packaged("efficientnet-lite0")
    with pytest.raises(UsageError, match=r"There are: efficientnet_lite0, efficientnet_lite0_int8"):
        packaged("zzz")


@pytest.mark.parametrize("name", ALL)
def test_the_registry_says_what_the_file_is(name: str) -> None:
    model = packaged(name)
    (given,), (answer,) = session(name).get_inputs(), session(name).get_outputs()
    assert (given.name, given.type, tuple(given.shape[1:])) == (model.input_name, "tensor(float)", model.input_dims)
    assert (answer.name, answer.type, tuple(answer.shape[1:])) == (
        model.output_name,
        "tensor(float)",
        model.output_dims,
    )
    assert given.shape[0] == answer.shape[0]
    assert isinstance(given.shape[0], str), "the batch is not free"
    assert model.preprocessing.dims == model.input_dims
    assert model.path().stat().st_size < 20_000_000


def test_labels_are_a_thousand_and_name_each_class_once() -> None:
    labels = packaged("efficientnet_lite0").labels()
    assert len(labels) == 1000
    assert len({label.lower() for label in labels}) == 1000
    assert {i: labels[i] for i in (0, 134, 282, 517, 967, 999)} == {
        0: "tench",
        134: "crane (bird)",
        282: "tiger cat",
        517: "crane (machine)",
        967: "espresso",
        999: "toilet tissue",
    }
    # Triton's answer is score:index:label, so that a colon or a blank at an end would not survive.
    assert not [label for label in labels if ":" in label or label != label.strip() or not label]


def test_the_float_model_names_the_pictures(pictures: dict[str, np.ndarray]) -> None:
    labels = packaged("efficientnet_lite0").labels()
    given = scores("efficientnet_lite0", np.stack([pictures[name] for name in ANSWERS]))
    assert {name: labels[row.argmax()] for name, row in zip(ANSWERS, given, strict=True)} == ANSWERS
    assert given[list(ANSWERS).index("coffee")].max() == pytest.approx(0.953, abs=0.005)


def test_int8_agrees_where_the_float_model_is_sure(pictures: dict[str, np.ndarray]) -> None:
    images = np.stack(list(pictures.values()))
    expected, given = (scores(name, images) for name in ALL)
    sure = expected.max(axis=1) > 0.35
    assert sure.sum() >= 5
    assert (expected.argmax(axis=1) == given.argmax(axis=1))[sure].all()
    assert np.abs(expected - given).max() < 0.2
    assert np.abs(expected - given).max() > 1e-3, "the int8 model is the float model"


@pytest.mark.parametrize("name", ALL)
def test_scores_are_probabilities_and_do_not_depend_on_the_batch(name: str, pictures: dict[str, np.ndarray]) -> None:
    images = np.stack(list(pictures.values())[:8])
    together = scores(name, images)
    assert together.shape == (8, 1000)
    assert together.min() >= 0
    np.testing.assert_allclose(together.sum(axis=1), 1, atol=1e-5)
    alone = np.concatenate([scores(name, image[np.newaxis]) for image in images])
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_a_changed_or_missing_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    int8 = packaged("efficientnet_lite0_int8")
    content = bytearray(int8.path().read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / int8.file).write_bytes(content)
    monkeypatch.setattr(models, "_FOLDER", tmp_path)
    assert int8.path() == tmp_path / int8.file
    with pytest.raises(W251Error, match=r"was changed or cut short(?s:.)*Install w251lab again"):
        int8.verify()
    with pytest.raises(W251Error, match=r"imagenet_labels\.txt is not there"):
        int8.labels()
    with pytest.raises(W251Error, match=r"efficientnet_lite0\.onnx is not there"):
        packaged("efficientnet_lite0").verify()


def test_a_description_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        packaged("efficientnet_lite0").sha256 = ""


def test_provenance_states_the_files_as_they_are() -> None:
    text = Path(models.__file__).with_name("PROVENANCE.md").read_text(encoding="utf-8")
    for name in ALL:
        model = packaged(name)
        assert f"| `{model.file}` | {model.path().stat().st_size:,} | `{model.sha256}` |" in text


def test_compare_models_reads_a_folder_with_a_space(tmp_path: Path, root: Path) -> None:
    folder = tmp_path / "my pictures"
    folder.mkdir()
    shutil.copy(root / "solutions/01_triton_quickstart/images/coffee.jpg", folder)
    (folder / "notes.txt").write_text("no picture")
    script = root / "benchmarks" / "compare_models.py"
    command = [sys.executable, script, folder, "--rounds", "1"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "passed over: In the file" in done.stdout
    assert "efficientnet_lite0_int8: the same first answer for 1 (100.0%)" in done.stdout
    assert "2 threads, batch 8, efficientnet_lite0_int8: " in done.stdout
    empty = subprocess.run([sys.executable, script, tmp_path / "no"], capture_output=True, text=True, check=False)
    assert empty.returncode == 2
    assert "There is no picture" in empty.stdout


@pytest.mark.exporter
def test_the_published_checkpoint_gives_the_shipped_files(tmp_path: Path, root: Path) -> None:
    script = root / "benchmarks" / "reproduce_models.py"
    command = [sys.executable, "-W", "ignore", script, "--write", tmp_path / "rebuilt files"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    for name in ALL:
        assert (tmp_path / "rebuilt files" / packaged(name).file).is_file()
        assert f"{name}: the shipped file is" in done.stdout
