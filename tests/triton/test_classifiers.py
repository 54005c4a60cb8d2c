"""Naming what is on a picture; and the sequence of calls that NVIDIA's image_client makes, against our server."""

from __future__ import annotations

import queue
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import tritonclient.grpc
import tritonclient.http
from PIL import Image

from w251lab.errors import UsageError
from w251lab.triton import classifiers, models, repository
from w251lab.triton.classifiers import Classification, classify, parse, preprocessing_of
from w251lab.triton.description import DynamicBatching, Tensor

if TYPE_CHECKING:
    from pathlib import Path

    from w251lab.triton.classifiers import Mode
    from w251lab.triton.client import TritonClient
    from w251lab.triton.description import OnnxModel
    from w251lab.triton.embedded import EmbeddedServer

MODEL = "efficientnet_lite0"


def test_a_cup_of_coffee_and_a_cat(client: TritonClient, coffee: Path, cat: Path) -> None:
    (cup, animal) = classify(client, [coffee, cat], MODEL, top_k=3, batch_size=2)
    assert (cup[0].index, cup[0].label) == (967, "espresso")
    assert any("cat" in one.label for one in animal)
    assert [one.score for one in cup] == sorted((one.score for one in cup), reverse=True)
    assert len(cup) == len(animal) == 3


@pytest.mark.parametrize("mode", ["wait", "async", "stream"])
@pytest.mark.parametrize("batch_size", [1, 2, 3])
def test_the_way_of_sending_does_not_matter(
    shared_server: EmbeddedServer, coffee: Path, cat: Path, mode: Mode, batch_size: int
) -> None:
    with shared_server.client("grpc") as client:
        pictures = [coffee, cat, coffee, cat]
        found = classify(client, pictures, MODEL, top_k=2, batch_size=batch_size, mode=mode)
        alone = [classify(client, [picture], MODEL, top_k=2)[0] for picture in pictures]
    assert [[one.index for one in row] for row in found] == [[one.index for one in row] for row in alone]
    for row, other in zip(found, alone, strict=True):
        np.testing.assert_allclose([one.score for one in row], [one.score for one in other], rtol=1e-4)


def test_files_bytes_arrays_and_images_are_the_same_picture(client: TritonClient, coffee: Path) -> None:
    image = Image.open(coffee)
    found = classify(client, [coffee, str(coffee), coffee.read_bytes(), np.asarray(image), image], MODEL, batch_size=5)
    assert {row[0].index for row in found} == {967}
    assert np.ptp([row[0].score for row in found]) < 1e-5


def test_the_scaling_of_image_client_in_place_of_the_models_own(client: TritonClient, coffee: Path) -> None:
    own, inception = (classify(client, [coffee], MODEL, scaling=scaling)[0][0] for scaling in (None, "inception"))
    assert own.index == inception.index == 967
    assert own.score != inception.score


def test_describe_carries_what_a_client_needs() -> None:
    model = classifiers.describe(served_as="mine", instances=2, threads=1, dynamic_batching=DynamicBatching(100))
    assert (model.name, model.instances, model.threads, model.max_batch_size) == ("mine", 2, 1, 16)
    config = repository.config(model)
    assert preprocessing_of(config) == models.packaged(MODEL).preprocessing
    with pytest.raises(UsageError, match="No model 'resnet'"):
        classifiers.describe("resnet")


def test_the_preprocessing_of_a_model_that_says_nothing_of_it(classifier: OnnxModel) -> None:
    plain = replace(classifier, parameters={}, inputs=(Tensor("images", (299, 200, 3), layout="NHWC"),))
    made = preprocessing_of(repository.config(plain), "INCEPTION")
    assert (made.size, made.layout, made.color, made.dtype) == ((299, 200), "NHWC", "RGB", "FP32")
    gray = replace(plain, inputs=(Tensor("images", (1, 28, 28), "UINT8", layout="NCHW"),))
    made = preprocessing_of(repository.config(gray), "NONE")
    assert (made.size, made.layout, made.color, made.dtype) == ((28, 28), "NCHW", "GRAY", "UINT8")
    with pytest.raises(UsageError, match="does not say how") as caught:
        preprocessing_of(repository.config(plain))
    assert "NONE, INCEPTION or VGG" in caught.value.remedy


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (b"0.951000:967:espresso", Classification(0.951, 967, "espresso")),
        (b"-1.5e-07:0:a: b", Classification(-1.5e-7, 0, "a: b")),
        (b"12:3", Classification(12, 3, "")),
        ("1:2:caf\u00e9".encode(), Classification(1, 2, "caf\u00e9")),
    ],
)
def test_parse(entry: bytes, expected: Classification) -> None:
    assert parse(entry) == expected


def test_a_classification_reads_as_image_client_s() -> None:
    assert str(Classification(0.951, 967, "espresso")) == "0.951000 (967) = espresso"


# NVIDIA's image_client reads metadata and configuration, asks for the classes by the client library's plain,
# asynchronous or streaming call with a request id, and splits `score:index:label` of the entries that come back.


def ask(client: Any, library: Any, way: str, batch: np.ndarray[Any, Any], number: int) -> Any:
    tensor = library.InferInput("images", batch.shape, "FP32")
    tensor.set_data_from_numpy(batch)
    outputs = [library.InferRequestedOutput("scores", class_count=3)]
    request = {"inputs": [tensor], "outputs": outputs, "request_id": str(number), "model_version": ""}
    if way == "wait":
        return client.infer(MODEL, **request)
    if library is tritonclient.http:
        return client.async_infer(MODEL, **request).get_result()
    arrived: queue.Queue[tuple[Any, Any]] = queue.Queue()

    def callback(result: Any, error: Any) -> None:
        arrived.put((result, error))

    if way == "async":
        client.async_infer(MODEL, callback=callback, **request)
    else:
        client.start_stream(callback)
        client.async_stream_infer(MODEL, **request)
        client.stop_stream()
    result, error = arrived.get(timeout=10)
    assert error is None
    return result


@pytest.mark.parametrize(
    ("protocol", "way"), [("http", "wait"), ("http", "async"), ("grpc", "wait"), ("grpc", "async"), ("grpc", "stream")]
)
def test_the_calls_of_image_client(
    shared_server: EmbeddedServer, coffee: Path, cat: Path, protocol: str, way: str
) -> None:
    library: Any = tritonclient.http if protocol == "http" else tritonclient.grpc
    client = library.InferenceServerClient(shared_server.http if protocol == "http" else shared_server.grpc)
    try:
        metadata = client.get_model_metadata(model_name=MODEL, model_version="")
        config = client.get_model_config(model_name=MODEL, model_version="")
        if protocol == "grpc":
            config = config.config
            assert (len(metadata.inputs), len(metadata.outputs), metadata.outputs[0].datatype) == (1, 1, "FP32")
            assert (config.max_batch_size, config.input[0].format) == (8, config.input[0].FORMAT_NCHW)
        else:
            assert (len(metadata["inputs"]), metadata["outputs"][0]["datatype"]) == (1, "FP32")
            assert (config["max_batch_size"], config["input"][0]["format"]) == (8, "FORMAT_NCHW")
        pictures = [
            Image.open(file).convert("RGB").resize((224, 224), Image.Resampling.BILINEAR) for file in (coffee, cat)
        ]
        batch = np.stack([(np.asarray(p, np.float32) / 127.5 - 1).transpose(2, 0, 1) for p in pictures])
        result = ask(client, library, way, np.ascontiguousarray(batch), 7)
        answer = result.get_response()
        assert (answer.id if protocol == "grpc" else answer["id"]) == "7"
        rows = [["".join(map(chr, entry)).split(":") for entry in row] for row in result.as_numpy("scores")]
    finally:
        client.close()
    assert [len(row) for row in rows] == [3, 3]
    assert rows[0][0][1:] == ["967", "espresso"]
    with shared_server.client() as ours:
        same = classify(ours, [coffee, cat], MODEL, top_k=3, batch_size=2, scaling="INCEPTION")
    assert [[index for _, index, _ in row] for row in rows] == [[str(one.index) for one in row] for row in same]
