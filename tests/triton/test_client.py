"""What can be asked of a running server and done with its models, by both protocols."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from w251lab.errors import UsageError
from w251lab.triton import repository, server
from w251lab.triton.errors import (
    InferenceFailedError,
    InvalidRequestError,
    ServerUnavailableError,
    UnknownModelError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from w251lab.triton.client import Protocol, TritonClient
    from w251lab.triton.description import PythonModel
    from w251lab.triton.embedded import EmbeddedServer
    from w251lab.triton.requests import Array

MODEL = "efficientnet_lite0"


def x(value: float, rows: int = 1) -> dict[str, Array]:
    return {"X": np.full((rows, 2), value, np.float32)}


# --- the server ------------------------------------------------------------------------------------------------------


def test_health(client: TritonClient) -> None:
    assert client.is_live()
    assert client.is_ready()
    assert client.is_ready("double")
    assert client.is_ready("double", "1")
    assert not client.is_ready("resting")
    assert not client.is_ready("nothing")
    client.wait_until_ready(1)


def test_server_metadata(client: TritonClient) -> None:
    said = client.server_metadata()
    assert (said["name"], said["version"]) == ("triton", "2.51.0")
    assert {"classification", "model_repository", "statistics"} <= set(said["extensions"])


def test_models(client: TritonClient) -> None:
    states = {status.name: (status.version, status.state) for status in client.models()}
    assert states["double"] == ("1", "READY")
    assert states["resting"] == ("", "")
    assert set(states) == {MODEL, "batching", "double", "pipeline", "resting", "shrink"}


def test_metadata_is_the_same_by_both_protocols(shared_server: EmbeddedServer) -> None:
    with shared_server.client("http") as over_http, shared_server.client("grpc") as over_grpc:
        for model in (MODEL, "double", "pipeline"):
            assert over_http.metadata(model) == over_grpc.metadata(model)
            assert over_http.config(model) == over_grpc.config(model)
        (tensor,) = over_http.metadata(MODEL)["inputs"]
    assert tensor == {"name": "images", "datatype": "FP32", "shape": [-1, 3, 224, 224]}


# --- inference -------------------------------------------------------------------------------------------------------


def test_infer(client: TritonClient) -> None:
    answer = client.infer("double", {"X": np.array([[1, 2], [3, 4]], np.float32)}, outputs=["Y"], version="1")
    assert answer["Y"].tolist() == [[2, 4], [6, 8]]
    assert answer["Y"].dtype == np.float32


def test_infer_takes_lists_and_arrays_that_are_not_contiguous(client: TritonClient) -> None:
    table = np.arange(8, dtype=np.float32).reshape(2, 4)
    assert client.infer("double", {"X": table[:, ::2]})["Y"].tolist() == [[0, 4], [8, 12]]
    assert client.infer("double", {"X": table.T[:2].T})["Y"].tolist() == [[0, 2], [8, 10]]


def test_an_answer_can_be_written_to(client: TritonClient) -> None:
    answer = client.infer("double", x(1))["Y"]
    assert (answer + 1).tolist() == [[3, 3]]


def test_classification(client: TritonClient) -> None:
    noise = np.random.default_rng(2).normal(size=(2, 3, 224, 224)).astype(np.float32)
    scores = client.infer(MODEL, {"images": noise})["scores"]
    named = client.infer(MODEL, {"images": noise}, top_k=3)["scores"]
    assert named.shape == (2, 3)
    assert [int(entry.split(b":")[1]) for entry in named[1]] == np.argsort(scores[1])[::-1][:3].tolist()


def test_submitted_requests_are_answered_each_with_its_own(client: TritonClient) -> None:
    pending = [client.submit("double", x(value)) for value in range(40)]
    assert [one.result()["Y"][0, 0] for one in reversed(pending)] == [2.0 * value for value in reversed(range(40))]


def test_a_stream_answers_in_order(shared_server: EmbeddedServer) -> None:
    with shared_server.client("grpc") as client:
        answers = client.stream("double", (x(value) for value in range(40)))
        assert [answer["Y"][0, 0] for answer in answers] == [2.0 * value for value in range(40)]
        assert list(client.stream("double", [])) == []


def test_a_stream_that_is_not_read_to_its_end_can_be_followed_by_another(shared_server: EmbeddedServer) -> None:
    with shared_server.client("grpc") as client:
        first = client.stream("double", [x(1), x(2), x(3)])
        assert next(first)["Y"][0, 0] == 2
        first.close()
        assert [answer["Y"][0, 0] for answer in client.stream("double", [x(4)])] == [8]


def test_a_mistake_in_the_middle_of_a_stream_sends_nothing(shared_server: EmbeddedServer) -> None:
    with shared_server.client("grpc") as client:
        before = client.statistics("double").inferences
        with pytest.raises(InvalidRequestError):
            list(client.stream("double", [x(1), {"X": np.zeros((1, 2))}, x(3)]))
        assert client.statistics("double").inferences == before


def test_clients_in_threads(shared_server: EmbeddedServer, protocol: Protocol) -> None:
    results: dict[int, float] = {}

    def ask(value: int) -> None:
        with shared_server.client(protocol) as client:
            results[value] = float(client.infer("double", x(value))["Y"][0, 0])

    threads = [threading.Thread(target=ask, args=(value,)) for value in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {value: 2.0 * value for value in range(8)}


# --- what the counters show ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("model", "joins"), [("batching", True), (MODEL, False)])
def test_dynamic_batching_shows_in_the_counters(client: TritonClient, model: str, joins: bool) -> None:
    picture = {"images": np.zeros((1, 3, 224, 224), np.float32)}
    before = client.statistics(model)
    pending = [client.submit(model, picture) for _ in range(8)]
    answers = [one.result()["scores"] for one in pending]
    after = client.statistics(model)
    inferences, executions = after.inferences - before.inferences, after.executions - before.executions
    assert inferences == 8
    assert executions < 8 if joins else executions == 8
    assert sum(size * count for size, count in after.batches.items()) == after.inferences
    assert np.ptp(answers, axis=0).max() < 1e-5


def test_statistics_count_rows_and_requests(client: TritonClient) -> None:
    before = client.statistics("double")
    client.infer("double", x(1, rows=3))
    after = client.statistics("double")
    assert after.inferences - before.inferences == 3
    assert after.executions - before.executions == 1
    assert after.successes - before.successes == 1
    assert after.infer_ns > before.infer_ns


def test_counters_hold_what_was_answered_at_once(client: TritonClient) -> None:
    before = client.statistics("double").successes
    for sent in range(1, 31):
        client.infer("double", x(1))
        assert client.statistics("double").successes == before + sent


def test_counters_that_another_client_made_begin_anew(
    changing: EmbeddedServer, changer: TritonClient, double: PythonModel
) -> None:
    name = f"anew_{changer.protocol}"
    repository.write(changing.repository, [replace(double, name=name)])
    changer.load(name)
    changer.infer(name, x(1))
    assert changer.statistics(name).successes == 1
    with changing.client() as other:
        other.load(name, repository.config(replace(double, name=name, instances=2)))
    changer.infer(name, x(1))
    assert changer.statistics(name).successes == 1


# --- models come and go ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def changing(tmp_path_factory: pytest.TempPathFactory, double: PythonModel) -> Iterator[EmbeddedServer]:
    """A server whose models a test may change; each test has models of its own."""
    folder = repository.write(tmp_path_factory.mktemp("changing"), [replace(double, name="first")])
    with server.start(folder) as running:
        yield running


@pytest.fixture
def changer(changing: EmbeddedServer, protocol: Protocol) -> Iterator[TritonClient]:
    with changing.client(protocol) as made:
        yield made


def test_swap_one_model_for_another(changing: EmbeddedServer, changer: TritonClient, double: PythonModel) -> None:
    old, new = f"old_{changer.protocol}", f"new_{changer.protocol}"
    repository.write(changing.repository, [replace(double, name=old), replace(double, name=new)])
    changer.load(old)
    assert changer.infer(old, x(1))["Y"][0, 0] == 2
    changer.load(new)
    changer.unload(old)
    assert changer.infer(new, x(1))["Y"][0, 0] == 2
    with pytest.raises(UnknownModelError, match="has not loaded it") as caught:
        changer.infer(old, x(1))
    assert f"client.load('{old}')" in caught.value.remedy
    assert not changer.is_ready(old)
    with pytest.raises(UnknownModelError):
        changer.statistics(old)
    changer.unload(old)  # a second time


def test_reload_takes_what_the_folder_holds_now(
    changing: EmbeddedServer, changer: TritonClient, double: PythonModel, tmp_path: Path
) -> None:
    name = f"reloaded_{changer.protocol}"
    repository.write(changing.repository, [replace(double, name=name)])
    changer.load(name)
    changer.infer(name, x(1))
    triple = tmp_path / "model.py"
    triple.write_text(double.versions[1].read_text().replace("x * 2", "x * 3"))
    repository.write(changing.repository, [replace(double, name=name, versions={1: triple}, max_batch_size=8)])
    assert changer.infer(name, x(1))["Y"][0, 0] == 2, "not before it is loaded anew"
    changer.load(name)
    assert changer.infer(name, x(1, rows=8))["Y"][7, 0] == 3


def test_another_client_may_load_it_anew(changing: EmbeddedServer, changer: TritonClient, double: PythonModel) -> None:
    name = f"elsewhere_{changer.protocol}"
    repository.write(changing.repository, [replace(double, name=name)])
    changer.load(name)
    changer.infer(name, x(1))  # its configuration is known from here on
    repository.write(changing.repository, [replace(double, name=name, max_batch_size=16)])
    with changing.client() as other:
        other.load(name)
    assert changer.infer(name, x(1, rows=16))["Y"].shape == (16, 2)


def test_a_configuration_in_place_of_the_folders(
    changing: EmbeddedServer, changer: TritonClient, double: PythonModel
) -> None:
    name = f"override_{changer.protocol}"
    model = replace(double, name=name)
    repository.write(changing.repository, [model])
    changer.load(name, repository.config(replace(model, max_batch_size=2, instances=2)))
    assert changer.config(name).max_batch_size == 2
    assert changer.config(name).instance_group[0].count == 2
    with pytest.raises(InvalidRequestError, match="batch of 3"):
        changer.infer(name, x(1, rows=3))
    changer.load(name)
    assert changer.config(name).max_batch_size == 4


def test_a_model_that_is_not_in_the_repository(changer: TritonClient) -> None:
    for act in (changer.load, changer.unload):
        with pytest.raises(UnknownModelError, match="no model 'frist'") as caught:
            act("frist")
        assert "Did you mean 'first'?" in caught.value.remedy


def test_a_model_that_does_not_load(
    changing: EmbeddedServer, changer: TritonClient, double: PythonModel, tmp_path: Path
) -> None:
    name = f"broken_{changer.protocol}"
    source = tmp_path / "model.py"
    source.write_text("raise ValueError('no cup of coffee')")
    repository.write(changing.repository, [replace(double, name=name, versions={1: source})])
    with pytest.raises(InferenceFailedError, match="no cup of coffee"):
        changer.load(name)
    with pytest.raises(UnknownModelError, match=r"has not loaded it: (.|\n)*no cup of coffee"):
        changer.infer(name, x(1))
    assert changer.infer("first", x(1))["Y"][0, 0] == 2


def test_a_model_that_raises_for_one_request(
    changing: EmbeddedServer, changer: TritonClient, double: PythonModel, tmp_path: Path
) -> None:
    name = f"choosy_{changer.protocol}"
    source = tmp_path / "model.py"
    source.write_text(double.versions[1].read_text().replace("x * 2", "x * 2 if x.min() >= 0 else 1 / 0"))
    repository.write(changing.repository, [replace(double, name=name, versions={1: source})])
    changer.load(name)
    with pytest.raises(InferenceFailedError, match="division by zero"):
        changer.infer(name, x(-1))
    assert changer.infer(name, x(1))["Y"][0, 0] == 2


@pytest.mark.parametrize("act", ["load", "unload", "infer", "metadata", "config", "statistics"])
def test_no_name(client: TritonClient, act: str) -> None:
    with pytest.raises(UsageError):
        getattr(client, act)("", *([{}] if act == "infer" else []))


# --- the server goes -------------------------------------------------------------------------------------------------


def test_a_server_that_has_gone(tmp_path: Path, double: PythonModel) -> None:
    with (
        server.start(repository.write(tmp_path, [double])) as running,
        running.client("http") as over_http,
        running.client("grpc", timeout=5) as over_grpc,
    ):
        for client in (over_http, over_grpc):
            client.infer("double", x(1))
        running.stop()
        for client in (over_http, over_grpc):
            assert not client.is_live()
            with pytest.raises(ServerUnavailableError, match="No Triton server answers") as caught:
                client.infer("double", x(1))
            assert "w251lab serve" in caught.value.remedy
            began = time.monotonic()
            with pytest.raises(ServerUnavailableError, match=r"No Triton server is ready .* after 0\.3 s"):
                client.wait_until_ready(0.3)
            assert time.monotonic() - began < 10
    over_http.close()  # a second time
