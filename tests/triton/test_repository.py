"""Model repositories: what is written is what the server runs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tritonclient.grpc.model_config_pb2 import ModelConfig

from w251lab.errors import UsageError, W251Error
from w251lab.triton import classifiers, onnx_runner, repository, server
from w251lab.triton.description import DaliModel, DynamicBatching, OnnxModel, Tensor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from w251lab.triton.client import Protocol
    from w251lab.triton.description import Model, PythonModel
    from w251lab.triton.embedded import EmbeddedServer


@pytest.fixture(scope="module")
def described(classifier: OnnxModel, double: PythonModel, pipeline: tuple[Model, Model]) -> dict[str, Model]:
    """One model of each kind of configuration, by name."""
    text = Tensor("X", (-1,), "BYTES")
    whole = Tensor("X", (2, -1), "INT64")
    weights = classifier.versions[1]
    models = [
        classifier,
        replace(classifier, name="joining", dynamic_batching=DynamicBatching()),
        replace(classifier, name="joining_late", dynamic_batching=DynamicBatching(500, (2, 4))),
        replace(classifier, name="twice", instances=2, threads=1),
        replace(classifier, name="versions", versions={1: weights, 2: weights, 3: weights}, serve=2),
        replace(
            classifier,
            name="single",
            max_batch_size=0,
            inputs=(Tensor(classifier.inputs[0].name, (1, 3, 224, 224)),),
            outputs=(Tensor(classifier.outputs[0].name, (1, 1000)),),
        ),
        double,
        replace(double, name="integers", inputs=(whole,), outputs=(replace(whole, name="Y"),)),
        replace(double, name="texts", inputs=(text,), outputs=(replace(text, name="Y"),), parameters={"ü": 'a "b"\n'}),
        replace(double, name="optional", inputs=(Tensor("X", (-1,)), Tensor("Z", (1,), optional=True))),
        *pipeline,
    ]
    return {model.name: model for model in models}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, described: dict[str, Model]) -> Iterator[EmbeddedServer]:
    folder = repository.write(tmp_path_factory.mktemp("kinds"), list(described.values()))
    with server.start(folder) as made:
        yield made


def test_what_is_written_is_read_back_the_same(
    running: EmbeddedServer, described: dict[str, Model], protocol: Protocol
) -> None:
    with running.client(protocol) as client:
        for name, model in described.items():
            written = repository.config(model)
            assert repository.read(running.repository / name) == written
            assert client.config(name) == written, name


def test_the_server_offers_the_newest_versions(running: EmbeddedServer, protocol: Protocol) -> None:
    with running.client(protocol) as client:
        assert client.metadata("versions")["versions"] == ["2", "3"]
        assert client.is_ready("versions", "2")
        assert not client.is_ready("versions", "1")


def test_an_ensemble_runs_its_steps(running: EmbeddedServer, described: dict[str, Model], protocol: Protocol) -> None:
    pictures = np.random.default_rng(1).integers(0, 256, (2, 100, 150, 3), dtype=np.uint8)
    with running.client(protocol) as client:
        whole = client.infer("pipeline", {"RAW": pictures})["CLASSES"]
        prepared = client.infer("shrink", {"RAW": pictures})["SMALL"]
        one_by_one = client.infer("efficientnet_lite0", {"images": prepared})["scores"]
        named = client.infer("pipeline", {"RAW": pictures}, top_k=2)["CLASSES"]
    assert whole.shape == (2, 1000)
    np.testing.assert_allclose(whole, one_by_one, rtol=1e-5)
    assert named[0, 0].decode().split(":")[1] == str(int(whole[0].argmax()))
    assert named[0, 0].decode().split(":")[2]  # the labels come along


def test_types_and_texts_pass_through(running: EmbeddedServer, protocol: Protocol) -> None:
    with running.client(protocol) as client:
        integers = client.infer("integers", {"X": np.array([[[1], [2**62]]], np.int64)})["Y"]
        assert integers.tolist() == [[[2], [-(2**63)]]]
        texts = client.infer("texts", {"X": np.array([["tasse", "ü"]], object)})["Y"]
        assert [text.decode() for text in texts[0]] == ["tassetasse", "üü"]


def test_an_optional_input_may_be_left_out(running: EmbeddedServer, protocol: Protocol) -> None:
    with running.client(protocol) as client:
        assert client.infer("optional", {"X": np.ones((1, 1), np.float32)})["Y"] == 2


def test_the_ngc_flavour_names_triton_s_onnxruntime_backend(tmp_path: Path, classifier: OnnxModel) -> None:
    """Its configuration and layout only: the NGC image that would run it needs a container engine."""
    model = replace(classifier, threads=2, device="gpu", gpus=(1,), dynamic_batching=DynamicBatching())
    folder = repository.write(tmp_path, [model], flavour="ngc")
    made = repository.read(folder / model.name)
    assert made.backend == "onnxruntime"
    assert made.default_model_filename == "model.onnx"
    assert made.parameters["intra_op_thread_count"].string_value == "2"
    assert made.instance_group[0].gpus == [1]
    assert sorted(file.name for file in (folder / model.name / "1").iterdir()) == ["model.onnx"]
    assert "threads" not in made.parameters
    other = repository.config(model)
    for field in ("name", "input", "output", "max_batch_size", "dynamic_batching", "instance_group", "version_policy"):
        assert getattr(made, field) == getattr(other, field)
    assert {key: made.parameters[key] for key in model.parameters} == {
        key: other.parameters[key] for key in model.parameters
    }


def test_a_dali_pipeline_is_for_the_image(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text("# a pipeline\n")
    model = DaliModel(
        name="pictures",
        inputs=(Tensor("DALI_INPUT", (-1,), "UINT8", ragged=True),),
        outputs=(Tensor("DALI_OUTPUT", (3, 8, 8)),),
        max_batch_size=4,
        versions={1: file, 2: file},
        device="gpu",
    )
    repository.write(tmp_path / "models", [model], "ngc")
    config = repository.read(tmp_path / "models" / "pictures")
    assert (config.backend, config.default_model_filename) == ("dali", "dali.py")
    assert config.input[0].allow_ragged_batch
    assert config.instance_group[0].kind == config.instance_group[0].KIND_GPU
    assert sorted(path.name for path in (tmp_path / "models" / "pictures").rglob("*.py")) == ["dali.py", "dali.py"]
    with pytest.raises(UsageError, match="no DALI backend for the model 'pictures'"):
        repository.write(tmp_path / "models", [model])


def test_rows_of_nan_are_the_embedded_runners_affair(classifier: OnnxModel) -> None:
    marking = replace(classifier, nan_rows=True)
    assert repository.config(marking).parameters["nan_rows"].string_value == "true"
    assert "nan_rows" not in repository.config(marking, "ngc").parameters
    assert "nan_rows" not in repository.config(classifier).parameters


def test_the_embedded_flavour_brings_its_runner(tmp_path: Path, classifier: OnnxModel) -> None:
    folder = repository.write(tmp_path, [classifier]) / classifier.name
    assert (folder / "1" / "model.py").read_bytes() == Path(onnx_runner.__file__).read_bytes()
    assert (folder / "1" / "model.onnx").read_bytes() == classifier.versions[1].read_bytes()
    labels = (folder / "scores_labels.txt").read_text().splitlines()
    assert tuple(labels) == classifier.outputs[0].labels


def test_writing_again_replaces_the_model_and_keeps_the_others(tmp_path: Path, double: PythonModel) -> None:
    repository.write(
        tmp_path,
        [replace(double, versions={1: double.versions[1], 2: double.versions[1]}), replace(double, name="kept")],
    )
    repository.write(tmp_path, [replace(double, max_batch_size=2)])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["double", "kept"]
    assert sorted(path.name for path in (tmp_path / "double").iterdir()) == ["1", "config.pbtxt"]
    assert repository.read(tmp_path / "double").max_batch_size == 2


def test_a_failed_write_leaves_what_was_there(tmp_path: Path, double: PythonModel) -> None:
    repository.write(tmp_path, [double])
    with pytest.raises(W251Error, match=r"missing\.py cannot be read: No such file"):
        repository.write(tmp_path, [replace(double, max_batch_size=2, versions={1: tmp_path / "missing.py"})])
    assert [path.name for path in tmp_path.iterdir()] == ["double"]
    assert repository.read(tmp_path / "double").max_batch_size == 4


def test_files_of_a_python_model_come_along(tmp_path: Path, double: PythonModel) -> None:
    table = tmp_path / "table.csv"
    table.write_text("1,2")
    folder = repository.write(tmp_path / "models", [replace(double, files={"numbers.csv": table})])
    assert (folder / "double" / "1" / "numbers.csv").read_text() == "1,2"


def test_two_models_of_one_name(tmp_path: Path, double: PythonModel) -> None:
    with pytest.raises(UsageError, match="one name"):
        repository.write(tmp_path, [double, double])
    assert list(tmp_path.iterdir()) == []


def test_an_ensemble_of_a_model_that_is_not_there(tmp_path: Path, pipeline: tuple[Model, Model]) -> None:
    with pytest.raises(UsageError, match="calls the model 'efficientnet_lite0', which is not in the repository"):
        repository.write(tmp_path, list(pipeline))


def test_unknown_flavour_and_unknown_type(double: PythonModel) -> None:
    with pytest.raises(UsageError, match="Unknown flavour 'docker'") as caught:
        repository.config(double, "docker")  # type: ignore[arg-type]
    assert "embedded, ngc" in caught.value.remedy
    with pytest.raises(UsageError, match="unknown type 'FLOAT'") as caught:
        repository.config(replace(double, inputs=(Tensor("X", (1,), "FLOAT"),)))
    assert "FP32" in caught.value.remedy


def test_the_kind_of_instances() -> None:
    on_cpu = repository.config(classifiers.describe(instances=3))
    assert on_cpu.instance_group[0].count == 3
    assert on_cpu.instance_group[0].kind == on_cpu.instance_group[0].KIND_CPU
    on_gpu = repository.config(classifiers.describe(device="gpu"))
    assert on_gpu.instance_group[0].kind == on_gpu.instance_group[0].KIND_GPU
    assert not on_gpu.instance_group[0].gpus  # all of them


def test_read_a_configuration(tmp_path: Path) -> None:
    file = tmp_path / "config.pbtxt"
    file.write_text('name: "densenet_onnx" platform: "onnxruntime_onnx" max_batch_size: 0')
    assert repository.read(tmp_path) == ModelConfig(name="densenet_onnx", platform="onnxruntime_onnx")
    with pytest.raises(W251Error, match="no model configuration at"):
        repository.read(tmp_path / "nowhere")
    file.write_text('name: "a"\nmax_batch: 1')
    with pytest.raises(W251Error, match=r"2:1.*max_batch"):
        repository.read(file)
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(W251Error, match="not a model configuration"):
        repository.read(file)
