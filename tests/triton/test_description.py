from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from w251lab.errors import UsageError
from w251lab.triton.description import DynamicBatching, Ensemble, OnnxModel, Step, Tensor, validate

if TYPE_CHECKING:
    from w251lab.triton.description import PythonModel

MODEL = OnnxModel(
    name="model",
    inputs=(Tensor("X", (3, 8, 8), layout="NCHW"),),
    outputs=(Tensor("Y", (2,), labels=("cat", "dog")),),
    max_batch_size=4,
    versions={1: Path("model.onnx")},
)


def test_a_good_description_passes(double: PythonModel) -> None:
    validate(MODEL)
    validate(double)
    validate(replace(MODEL, outputs=(Tensor("Y", (-1,), labels=("a", "b", "c")),)))
    validate(replace(MODEL, dynamic_batching=DynamicBatching(100, (2, 4))))
    validate(replace(MODEL, nan_rows=True))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "two words"}, "not the name of a model"),
        ({"name": "../up"}, "not the name of a model"),
        ({"name": ""}, "not the name of a model"),
        ({"name": ".hidden"}, "not the name of a model"),
        ({"inputs": ()}, "at least one input"),
        ({"outputs": ()}, "at least one input and one output"),
        ({"inputs": (Tensor("X", (2,)), Tensor("X", (3,)))}, r"named \['X', 'X'\]"),
        ({"inputs": (Tensor("", (2,)),)}, "named"),
        ({"inputs": (Tensor("X", (0, 2)),)}, r"shape \[0, 2\]"),
        ({"inputs": (Tensor("X", (-2,)),)}, r"shape \[-2\]"),
        ({"inputs": (Tensor("X", ()),)}, r"shape \[\]"),
        ({"inputs": (Tensor("X", (8, 8), layout="NHWC"),)}, "picture 'X' with 2 axes"),
        ({"outputs": (Tensor("Y", (3,), labels=("cat", "dog")),)}, "2 labels for the 3 values"),
        ({"outputs": (Tensor("Y", (2,), labels=("cat", "")),)}, "empty label"),
        ({"outputs": (Tensor("Y", (2,), labels=("cat", "a\nb")),)}, "several lines"),
        ({"max_batch_size": -1}, "max_batch_size -1"),
        ({"versions": {}}, "at least one version"),
        ({"versions": {0: Path("model.onnx")}}, "counted from 1"),
        ({"instances": 0}, "instances=0"),
        ({"serve": 0}, "serve=0"),
        ({"max_batch_size": 0, "dynamic_batching": DynamicBatching()}, "no batch axis"),
        ({"dynamic_batching": DynamicBatching(preferred=(5,))}, r"preferred batch sizes \(5,\)"),
        ({"dynamic_batching": DynamicBatching(preferred=(0,))}, r"preferred batch sizes \(0,\)"),
        ({"dynamic_batching": DynamicBatching(max_queue_delay_us=-1)}, "delay of -1 us"),
        ({"nan_rows": True, "max_batch_size": 0}, "no batch axis"),
        ({"nan_rows": True, "outputs": (Tensor("Y", (2,)), Tensor("Z", (1,), "INT64"))}, "its output 'Z' has none"),
    ],
)
def test_a_contradiction_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        validate(replace(MODEL, **change))
    assert caught.value.remedy


def test_an_ensemble_has_steps() -> None:
    ensemble = Ensemble(name="both", inputs=MODEL.inputs, outputs=MODEL.outputs, steps=())
    with pytest.raises(UsageError, match="no steps"):
        validate(ensemble)
    validate(replace(ensemble, steps=(Step("model", {"X": "X"}, {"Y": "Y"}),)))


def test_the_label_file_has_a_name_that_any_file_system_takes() -> None:
    assert Tensor("fc6/1:0", (1,), labels=("a",)).label_file == "fc6_1_0_labels.txt"
    assert not Tensor("Y", (1,)).label_file
