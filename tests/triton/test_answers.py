"""The client library's errors in this project's words; without a server. More in test_malformed_requests.py."""

from __future__ import annotations

from http.client import HTTPException

import pytest
from rapidjson import JSONDecodeError
from tritonclient.utils import InferenceServerException

from w251lab.triton import answers
from w251lab.triton.answers import ModelStatus
from w251lab.triton.errors import InferenceFailedError, InvalidRequestError, ServerUnavailableError, UnknownModelError

KNOWN = [
    ModelStatus("coffee", "1", "READY", ""),
    ModelStatus("coffee", "10", "READY", ""),
    ModelStatus("coffee", "2", "READY", ""),
    ModelStatus("tea", "", "", ""),
    ModelStatus("milk", "1", "UNAVAILABLE", "Internal: sour"),
    ModelStatus("sugar", "1", "UNAVAILABLE", "unloaded"),
]


@pytest.mark.parametrize(
    ("model", "version", "what", "remedy"),
    [
        ("cofee", "", "has no model 'cofee'", "Did you mean 'coffee'? It has: coffee, milk, sugar, tea."),
        ("water", "", "has no model 'water'", "It has: coffee, milk, sugar, tea."),
        ("tea", "", "has not loaded it.", "client.load('tea')"),
        ("sugar", "", "has not loaded it.", "client.load('sugar')"),
        ("milk", "", "has not loaded it: Internal: sour", "Mend that"),
        ("coffee", "7", "does not serve version 7", "It serves: 1, 2, 10."),
    ],
)
def test_unknown_models(model: str, version: str, what: str, remedy: str) -> None:
    error = answers.unknown_model(model, KNOWN, version)
    assert what in error.what
    assert remedy in error.remedy


def test_a_server_without_models() -> None:
    assert answers.unknown_model("coffee", []).remedy == "It has: no model at all."


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (InferenceServerException("[request id: <id_unknown>] no.", "400"), InvalidRequestError, "'m': no\\."),
        (InferenceServerException("no", "StatusCode.INVALID_ARGUMENT"), InvalidRequestError, "refused the request"),
        (InferenceServerException("oh", "500"), InferenceFailedError, "could not do that for 'm': oh"),
        (InferenceServerException("oh", "StatusCode.INTERNAL"), InferenceFailedError, "could not do that"),
        (InferenceServerException("x", "404"), UnknownModelError, "has no model 'm'"),
        (InferenceServerException("Request for unknown model: 'm'", "400"), UnknownModelError, "has no model 'm'"),
        (InferenceServerException("load failed for model 'm': y", "400"), InferenceFailedError, "does not load: .*y"),
        (InferenceServerException("late", "StatusCode.DEADLINE_EXCEEDED"), ServerUnavailableError, "in time"),
        (InferenceServerException("Deadline Exceeded", None), ServerUnavailableError, "in time"),
        (InferenceServerException("gone", "StatusCode.UNAVAILABLE"), ServerUnavailableError, "No Triton server"),
        (TimeoutError("timed out"), ServerUnavailableError, "did not answer in time"),
        (ConnectionRefusedError("refused"), ServerUnavailableError, "No Triton server answers at a:1"),
        (HTTPException("?"), ServerUnavailableError, "not the HTTP endpoint"),
        (JSONDecodeError("?"), ServerUnavailableError, "not the HTTP endpoint"),
    ],
)
def test_each_error_of_the_library(error: Exception, kind: type[Exception], message: str) -> None:
    with (
        pytest.raises(kind, match=message) as caught,
        answers.translated("a:1", "grpc", "m", lambda: answers.unknown_model("m", [])),
    ):
        raise error
    assert caught.value.__cause__ is error


def test_a_mistake_of_ours_is_not_dressed_up() -> None:
    with pytest.raises(KeyError), answers.translated("a:1", "http", "", lambda: answers.unknown_model("", [])):
        raise KeyError("x")


def test_the_callback_gives_what_arrives_in_its_order() -> None:
    arrived = answers.Callback(timeout=0.05)
    arrived("first", None)
    arrived(None, InferenceServerException("second"))
    assert arrived.get_result() == "first"
    with pytest.raises(InferenceServerException, match="second"):
        arrived.get_result()
    with pytest.raises(InferenceServerException, match=r"timed out after 0\.05 s"):
        arrived.get_result()
