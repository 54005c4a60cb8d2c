from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from w251lab.dali import serving
from w251lab.dali.recipes import Training, Validation
from w251lab.dali.serving import service as services
from w251lab.errors import UsageError, W251Error
from w251lab.triton import repository, server
from w251lab.triton.errors import InvalidRequestError

if TYPE_CHECKING:
    from pathlib import Path

    from w251lab.triton.embedded import EmbeddedServer

MODELS = ("preprocessing", "efficientnet_lite0", "efficientnet_ensemble")


def test_both_flavours_run_the_same_file(tmp_path: Path) -> None:
    embedded = serving.write(tmp_path / "embedded")
    ngc = serving.write(tmp_path / "for the image", flavour="ngc")
    assert (embedded / "preprocessing/1/dali.py").read_bytes() == (ngc / "preprocessing/1/dali.py").read_bytes()
    files = {
        flavour: sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
        for flavour, folder in (("embedded", embedded), ("ngc", ngc))
    }
    assert files["embedded"] == [
        "efficientnet_ensemble/OUTPUT_labels.txt",
        "efficientnet_ensemble/config.pbtxt",
        "efficientnet_lite0/1/model.onnx",
        "efficientnet_lite0/1/model.py",
        "efficientnet_lite0/config.pbtxt",
        "efficientnet_lite0/scores_labels.txt",
        "preprocessing/1/dali.py",
        "preprocessing/1/model.py",
        "preprocessing/config.pbtxt",
    ]
    assert files["ngc"] == [name for name in files["embedded"] if not name.endswith("model.py")]
    assert (ngc / "efficientnet_ensemble/1").is_dir()


def test_the_configurations_of_the_image(tmp_path: Path) -> None:
    folder = serving.write(tmp_path, serving.Service(threads=3, max_batch_size=8), "ngc")
    first, _, whole = (repository.read(folder / name) for name in MODELS)
    assert (first.backend, first.default_model_filename, first.max_batch_size) == ("dali", "dali.py", 8)
    assert first.parameters["num_threads"].string_value == "3"
    assert first.input[0].allow_ragged_batch
    assert (first.input[0].name, list(first.input[0].dims)) == ("DALI_INPUT", [-1])
    assert [(tensor.name, list(tensor.dims)) for tensor in first.output] == [("DALI_OUTPUT", [3, 224, 224])]
    assert first.dynamic_batching.max_queue_delay_microseconds == 1000
    assert [tensor.name for tensor in whole.output] == ["OUTPUT"]
    assert [dict(step.output_map) for step in whole.ensemble_scheduling.step] == [
        {"DALI_OUTPUT": "pixels"},
        {"scores": "OUTPUT"},
    ]


def test_the_file_agrees_with_the_configuration(tmp_path: Path) -> None:
    """What DALI's backend would fill in of a configuration without inputs and outputs."""
    folder = serving.write(tmp_path, flavour="ngc")
    config = repository.read(folder / "preprocessing")
    pipeline = serving.load(folder / "preprocessing" / "1" / "dali.py")
    (taken,) = [operator for operator in serving.operators(pipeline) if operator.kind == "external_source"]
    assert taken.name == config.input[0].name
    assert taken.arguments["ndim"] == len(config.input[0].dims)
    assert pipeline.output_ndim() == [len(config.output[0].dims)]
    assert pipeline.max_batch_size == config.max_batch_size
    assert serving.problems(pipeline) == []


def test_the_server_reports_what_was_written(running: EmbeddedServer) -> None:
    with running.client() as client:
        for name in MODELS:
            assert client.config(name) == repository.read(running.repository / name)


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({"classifier": "resnet"}, "resnet"),
        ({"device": "tpu"}, "tpu"),
        ({"max_batch_size": 0}, "max_batch_size"),
        ({"max_queue_delay_us": -1}, "max_queue_delay_us"),
        ({"threads": 1.5}, "threads"),
        ({"max_pixels": 0}, "max_pixels"),
        ({"recipe": Training()}, "Training"),
        ({"recipe": Validation(crop=128)}, "128 x 128"),
        ({"ensemble": "preprocessing"}, "one name"),
        ({"preprocessing": "efficientnet_lite0"}, "one name"),
    ],
)
def test_what_cannot_be_meant_is_refused(values: dict[str, object], word: str) -> None:
    with pytest.raises(UsageError, match=word):
        serving.Service(**values)  # type: ignore[arg-type]


def test_another_flavour_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="docker"):
        serving.write(tmp_path / "models", flavour="docker")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="docker"):
        serving.preprocessing("dali.py", flavour="docker")  # type: ignore[arg-type]


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(W251Error, match=r"not-there\.py"):
        repository.write(tmp_path, [serving.preprocessing(tmp_path / "not-there.py")])


def test_ones_own_file_names_and_limits(tmp_path: Path, dali_py: Path, contents: list[bytes]) -> None:
    """A student's pipeline beside the library's, wired to a classifier under other names."""
    dali_py.write_text(dali_py.read_text().replace("mean=[127.0, 127.0, 127.0]", "mean=[0.0, 0.0, 0.0]"))
    first = serving.preprocessing(dali_py, name="mine", max_batch_size=4, max_pixels=100_000, threads=1)
    second = serving.classifier("efficientnet_lite0_int8", max_batch_size=8)
    whole = serving.ensemble(first, second, name="whole")
    assert whole.max_batch_size == 4
    repository.write(tmp_path / "models", [first, second, whole])
    with server.start(tmp_path / "models") as started, started.client() as client:
        small = np.frombuffer(contents[0], np.uint8)[np.newaxis]
        with pytest.raises(InvalidRequestError, match=r"picture refused: it has .* more than the 100000"):
            client.infer("whole", {"INPUT": small})
        client.load("mine", _without_limit(client.config("mine")))
        pixels = client.infer("mine", {"DALI_INPUT": small}, outputs=["DALI_OUTPUT"])["DALI_OUTPUT"]
        assert pixels.min() >= 0
        assert client.infer("whole", {"INPUT": small}, top_k=2)["OUTPUT"].shape == (1, 2)


def _without_limit(config: repository.ModelConfig) -> repository.ModelConfig:
    config.parameters["max_pixels"].string_value = str(services.MAX_PIXELS)
    return config


def test_a_broken_file_of_ones_own_is_named_by_the_server(tmp_path: Path, dali_py: Path) -> None:
    dali_py.write_text("import nothing_of_the_kind\n")
    repository.write(tmp_path / "models", [serving.preprocessing(dali_py)])
    with pytest.raises(W251Error, match="nothing_of_the_kind"):
        server.start(tmp_path / "models")
