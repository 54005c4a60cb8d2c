"""Requests that cannot be meant: each gets one clear error, and the server answers the next one as ever."""

from __future__ import annotations

import contextlib
import http.client
import io
import json
import re
import socket
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import tritonclient.grpc
import tritonclient.http
from PIL import Image
from tritonclient.utils import InferenceServerException

from w251lab.errors import UsageError, W251Error
from w251lab.triton import answers, classifiers
from w251lab.triton.client import TritonClient
from w251lab.triton.errors import InvalidRequestError, ServerUnavailableError, UnknownModelError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from w251lab.triton.client import Protocol
    from w251lab.triton.embedded import EmbeddedServer

MODEL = "efficientnet_lite0"
SHAPE = (3, 224, 224)
ESPRESSO = 967


def batch(rows: int = 1, dtype: type = np.float32, value: float = 0) -> np.ndarray[Any, Any]:
    return np.full((rows, *SHAPE), value, dtype)


@pytest.fixture(autouse=True)
def answers_afterwards(shared_server: EmbeddedServer, coffee: Path) -> Iterator[None]:
    """Whatever a test sent, the server must name the cup of coffee after it."""
    yield
    with shared_server.client() as client:
        assert classifiers.classify(client, [coffee], MODEL)[0][0].index == ESPRESSO
    assert shared_server.running


# --- tensors, by both protocols --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("inputs", "options", "kind", "what", "remedy"),
    [
        ({"images": batch(dtype=np.float64)}, {}, InvalidRequestError, r"is FP64 \(float64\)", r"astype\(np.float32\)"),
        ({"images": batch(dtype=np.uint8)}, {}, InvalidRequestError, r"is UINT8 \(uint8\)", r"astype\(np.float32\)"),
        ({"images": batch(dtype=np.complex64)}, {}, InvalidRequestError, "no type for arrays of complex64", "astype"),
        ({"images": np.array([["cup"]])}, {}, InvalidRequestError, "is BYTES", "FP32"),
        ({"images": batch()[0]}, {}, InvalidRequestError, r"shape \[3, 224, 224\]", "Add the batch axis"),
        ({"images": batch()[np.newaxis]}, {}, InvalidRequestError, r"shape \[1, 1, 3", r"\[batch, 3, 224, 224\]"),
        ({"images": np.float32(1)}, {}, InvalidRequestError, r"shape \[\]", "batch of 1 to 8"),
        ({"images": batch()[:, :, :, :-1]}, {}, InvalidRequestError, r"\[1, 3, 224, 223\]", r"\[batch, 3, 224, 224\]"),
        ({"images": batch().transpose(0, 2, 3, 1)}, {}, InvalidRequestError, r"\[1, 224, 224, 3\]", "3, 224, 224"),
        ({"images": batch(0)}, {}, InvalidRequestError, "empty batch", "1 to 8 rows"),
        ({"images": batch(9)}, {}, InvalidRequestError, "batch of 9", "1 to 8 rows"),
        ({"images": batch(value=np.nan)}, {}, InvalidRequestError, "holds NaN", "what made it"),
        ({"images": batch(value=-np.inf)}, {}, InvalidRequestError, "infinite values", "what made it"),
        ({}, {}, InvalidRequestError, "lacks the input 'images'", r"FP32 \[batch, 3"),
        ({"images": batch(), "more": batch()}, {}, InvalidRequestError, "no input 'more'", "Its inputs: 'images'"),
        ({"image": batch()}, {}, InvalidRequestError, "no input 'image'", "Did you mean 'images'"),
        ({"images": batch()}, {"outputs": ["score"]}, InvalidRequestError, "no output 'score'", "mean 'scores'"),
        ({"images": batch()}, {"top_k": 1001}, InvalidRequestError, "1001 classes .* has 1000", "1 to 1000"),
        ({"images": batch()}, {"top_k": -1}, InvalidRequestError, "-1 classes", "1 to 1000"),
        ({"images": batch()}, {"version": "7"}, UnknownModelError, "not serve version 7", "It serves: 1"),
        ({"images": batch()}, {"version": "newest"}, UsageError, "'newest' is not a version", "number"),
        ({"images": batch()}, {"model": "eficientnet_lite0"}, UnknownModelError, "no model 'efi", "mean 'efficientnet"),
        ({"images": batch()}, {"model": ""}, UsageError, "No model is named", "client.models"),
        ({"images": batch()}, {"model": "a/b?c#d e"}, UnknownModelError, "no model 'a/b", "It has: batching"),
        ({"X": np.ones((1, 1), np.float32)}, {"model": "resting"}, UnknownModelError, "not loaded it", "client.load"),
    ],
)
@pytest.mark.parametrize("way", ["infer", "submit", "stream"])
def test_tensors(
    client: TritonClient,
    *,
    way: str,
    inputs: dict[str, Any],
    options: dict[str, Any],
    kind: type[W251Error],
    what: str,
    remedy: str,
) -> None:
    model = options.get("model", MODEL)
    rest = {key: value for key, value in options.items() if key != "model"}
    if way == "stream" and client.protocol == "http":
        what, remedy, kind = "HTTP has no streams", "gRPC", UsageError
    send: dict[str, Callable[[], object]] = {
        "infer": lambda: client.infer(model, inputs, **rest),
        "submit": lambda: client.submit(model, inputs, **rest).result(),
        "stream": lambda: list(client.stream(model, [inputs], **rest)),
    }
    with pytest.raises(kind, match=what) as caught:
        send[way]()
    assert re.search(remedy, caught.value.remedy)


# --- pictures --------------------------------------------------------------------------------------------------------


def encoded(image: Image.Image, kind: str) -> bytes:
    file = io.BytesIO()
    image.save(file, kind)
    return file.getvalue()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: folder / "cofee.jpg", "no file .*cofee.jpg(.|\n)*coffee.jpg"),
        (lambda folder: folder, "folder|directory"),
        (lambda folder: folder / "empty.jpg", "0 bytes"),
        (lambda folder: folder / "cut.jpg", "damaged or cut short"),
        (lambda folder: folder / "text.jpg", "no picture that can be read"),
        (lambda _folder: b"", "0 bytes"),
        (lambda _folder: np.full((8, 8, 3), np.nan), "NaN"),
        (lambda _folder: np.zeros((3, 8, 8)), "channels first"),
        (lambda _folder: np.zeros((0, 8, 3)), "no picture"),
    ],
)
def test_pictures_that_cannot_be_read(
    shared_server: EmbeddedServer, tmp_path: Path, coffee: Path, make: Callable[[Path], Any], message: str
) -> None:
    whole = coffee.read_bytes()
    (tmp_path / "coffee.jpg").write_bytes(whole)
    (tmp_path / "empty.jpg").write_bytes(b"")
    (tmp_path / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.jpg").write_text("a cup of coffee")
    with shared_server.client() as client, pytest.raises(W251Error) as caught:
        classifiers.classify(client, [coffee, make(tmp_path)], MODEL)
    caught.match(message)


@pytest.mark.parametrize("mode", ["palette", "CMYK", "16 bit", "gray", "alpha", "bits"])
def test_unusual_pictures_are_understood(shared_server: EmbeddedServer, coffee: Path, mode: str) -> None:
    image = Image.open(coffee)
    data = {
        "palette": lambda: encoded(image.quantize(256), "PNG"),
        "CMYK": lambda: encoded(image.convert("CMYK"), "JPEG"),
        "16 bit": lambda: encoded(Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257), "PNG"),
        "gray": lambda: encoded(image.convert("L"), "PNG"),
        "alpha": lambda: encoded(image.convert("RGBA"), "PNG"),
        "bits": lambda: encoded(image.convert("1"), "PNG"),
    }[mode]()
    with shared_server.client() as client:
        (best,) = classifiers.classify(client, [data], MODEL, top_k=20)
    assert "espresso" in {one.label for one in best[: 20 if mode == "bits" else 3]}


def test_a_picture_of_one_pixel(shared_server: EmbeddedServer) -> None:
    with shared_server.client() as client:
        (best,) = classifiers.classify(client, [encoded(Image.new("RGB", (1, 1), "red"), "PNG")], MODEL, top_k=5)
    assert len({one.index for one in best}) == 5
    assert all(np.isfinite(one.score) for one in best)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"top_k": 0}, "0 classes"),
        ({"top_k": -1}, "-1 classes"),
        ({"top_k": 1001}, "1001 classes"),
        ({"batch_size": 0}, "batch of 0"),
        ({"batch_size": 9}, "batch of 9"),
        ({"scaling": "RESNET"}, "no scaling 'RESNET'"),
        ({"mode": "quick"}, "Unknown mode 'quick'"),
        ({"mode": "stream"}, "HTTP has no streams"),
        ({"version": "0"}, "does not serve version 0"),
        ({"model": "double"}, "does not take one picture"),
        ({"model": "pipeline"}, "does not say how a picture becomes its input"),
        ({"pictures": []}, "no picture"),
    ],
)
def test_classification(shared_server: EmbeddedServer, coffee: Path, options: dict[str, Any], message: str) -> None:
    given: dict[str, Any] = {"pictures": [coffee], "model": MODEL, **options}
    with shared_server.client() as client, pytest.raises(UsageError, match=message):
        classifiers.classify(client, **given)


# --- addresses -------------------------------------------------------------------------------------------------------


def test_wrong_addresses(shared_server: EmbeddedServer) -> None:
    with pytest.raises(UsageError, match="Unknown protocol 'tcp'"):
        TritonClient(shared_server.http, "tcp")  # type: ignore[arg-type]
    crossed = [
        (shared_server.grpc, "http", "not the HTTP endpoint"),
        (shared_server.metrics, "http", "not the HTTP endpoint"),
        (shared_server.http, "grpc", "No Triton server answers"),
        ("127.0.0.1:1", "http", "No Triton server answers at 127.0.0.1:1 "),
        ("127.0.0.1:1", "grpc", "No Triton server answers at 127.0.0.1:1 "),
    ]
    for url, protocol, message in crossed:
        with TritonClient(url, protocol, timeout=5) as client:  # type: ignore[arg-type]
            assert url == shared_server.metrics or not client.is_live()  # the metrics port says yes to any path
            with pytest.raises(ServerUnavailableError, match=message):
                client.infer(MODEL, {"images": batch()})


def test_a_server_that_never_answers(protocol: Protocol) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"127.0.0.1:{silent.getsockname()[1]}"
        with TritonClient(url, protocol, timeout=0.5) as client:
            with pytest.raises(ServerUnavailableError, match="did not answer in time") as caught:
                client.infer(MODEL, {"images": batch()})
            assert "timeout" in caught.value.remedy


# --- straight to the server, past our checks -------------------------------------------------------------------------


def raw_request(
    protocol: Protocol, values: np.ndarray[Any, Any], dtype: str = "FP32", **options: int
) -> dict[str, Any]:
    library = tritonclient.http if protocol == "http" else tritonclient.grpc
    tensor = library.InferInput("images", list(values.shape), dtype)
    tensor.set_data_from_numpy(values)
    return {"inputs": [tensor], "outputs": [library.InferRequestedOutput("scores", **options)]}


@pytest.mark.parametrize(
    ("values", "dtype", "options", "message"),
    [
        (batch(value=np.nan), "FP32", {}, "NaN or infinite"),
        (batch(value=np.inf), "FP32", {}, "NaN or infinite"),
        (np.full((1, *SHAPE), b"cup", object), "BYTES", {}, "is 'BYTES', but .* expects 'FP32'"),
        (batch(dtype=np.float64), "FP64", {}, "is 'FP64', but .* expects 'FP32'"),
        (batch(9), "FP32", {}, "batch-size must be <= 8"),
        (batch()[:, :2], "FP32", {}, "unexpected shape"),
        (batch()[0], "FP32", {}, "unexpected shape|batch-size"),
        (batch(0), "FP32", {}, "byte size mismatch"),
    ],
)
def test_what_a_client_sends_that_does_not_check(
    client: TritonClient, values: np.ndarray[Any, Any], dtype: str, options: dict[str, int], message: str
) -> None:
    with pytest.raises(InvalidRequestError, match=message), client.translate_errors(MODEL):
        client._raw.infer(MODEL, **raw_request(client.protocol, values, dtype, **options))


def test_nan_in_a_batch_with_others_fails_that_request_alone(client: TritonClient) -> None:
    good = batch(value=0.5)
    alone = client.infer("batching", {"images": good})["scores"]
    before = client.statistics("batching")
    handles = []
    for value in (0.5, np.nan, 0.5):
        request = raw_request(client.protocol, batch(value=value))
        if client.protocol == "http":
            handles.append(client._raw.async_infer("batching", **request))
        else:
            handles.append(answers.Callback(10))
            client._raw.async_infer("batching", callback=handles[-1], **request)
    np.testing.assert_allclose(handles[0].get_result().as_numpy("scores"), alone, rtol=1e-4)
    with pytest.raises(InferenceServerException, match="NaN or infinite"):
        handles[1].get_result()
    np.testing.assert_allclose(handles[2].get_result().as_numpy("scores"), alone, rtol=1e-4)
    executions = client.statistics("batching").executions - before.executions
    assert executions == 1, "the three were to come in one batch"


def post(address: str, body: bytes, path: str = f"/v2/models/{MODEL}/infer", **headers: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection(address, timeout=10)
    try:
        connection.request("POST", path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors="replace")
    finally:
        connection.close()


def described(**changes: Any) -> bytes:
    return json.dumps(
        {"inputs": [{"name": "images", "datatype": "FP32", "shape": [1, *SHAPE], "data": [0], **changes}]}
    ).encode()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"inputs": [',
        b"[]",
        b"null",
        b"\x00\xff" * 100,
        b'{"inputs": 5}',
        b'{"inputs": []}',
        b'{"inputs": [{}]}',
        described(),
        described(data="a cup"),
        described(shape="big"),
        described(shape=[-1, *SHAPE]),
        described(shape=[1, 2**40, 2**40]),
        described(shape=[]),
        described(datatype="FP31"),
        described(parameters={"binary_data_size": 2**60}),
        described(parameters={"binary_data_size": -4}),
        described(parameters={"shared_memory_region": "nowhere", "shared_memory_byte_size": 4}),
    ],
)
def test_bodies_that_are_no_request(shared_server: EmbeddedServer, body: bytes) -> None:
    status, text = post(shared_server.http, body)
    assert 400 <= status < 600
    assert json.loads(text)["error"]


@pytest.mark.parametrize("length", ["5", "99999999999999999999", "-1", "cup"])
def test_a_wrong_length_of_the_json_part(shared_server: EmbeddedServer, length: str) -> None:
    status, text = post(shared_server.http, described(), Inference_Header_Content_Length=length)
    assert 400 <= status < 600
    assert json.loads(text)["error"]


@pytest.mark.parametrize(
    "sent",
    [
        b"POST /v2/models/efficientnet_lite0/infer HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n{",
        b"POST /v2/models/efficientnet_lite0/infer HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n{}",
        b"GET /v2/health/ready HTTP/9.9\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET " + b"/" * 100_000 + b" HTTP/1.1\r\n\r\n",
        b"\r\n" * 1000,
    ],
)
@pytest.mark.parametrize("endpoint", ["http", "grpc", "metrics"])
def test_bytes_that_are_no_request(shared_server: EmbeddedServer, endpoint: str, sent: bytes) -> None:
    host, _, port = getattr(shared_server, endpoint).rpartition(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(sent)
        with contextlib.suppress(OSError):  # the server may have hung up by now
            connection.shutdown(socket.SHUT_WR)  # leave before all is said
    with socket.create_connection((host, int(port)), timeout=10):
        pass  # it listens still
