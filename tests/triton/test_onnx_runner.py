"""The ONNX runner's own parts, with the shipped classifier; in the server it is tested by test_client.py and others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from w251lab.triton import onnx_runner

if TYPE_CHECKING:
    import onnxruntime

    from w251lab.triton.description import OnnxModel
    from w251lab.triton.requests import Array


@pytest.fixture(scope="module")
def session(classifier: OnnxModel) -> onnxruntime.InferenceSession:
    return onnx_runner.load_session(classifier.versions[1], threads=1, gpu=None)


def rows(count: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(size=(count, 3, 224, 224)).astype(np.float32)


def test_each_request_gets_its_own_rows_back(session: onnxruntime.InferenceSession) -> None:
    requests = [[rows(1, 1)], [rows(3, 2)], [rows(2, 3)]]
    joined = onnx_runner.run_joined({onnx_runner.ANY_SIZE: session}, ["images"], ["scores"], requests, batched=True)
    assert [len(answer[0]) for answer in joined] == [1, 3, 2]
    for (answer,), (request,) in zip(joined, requests, strict=True):
        np.testing.assert_allclose(answer, session.run(["scores"], {"images": request})[0], rtol=1e-4, atol=1e-6)


def test_a_batch_is_filled_up_to_a_size_that_has_a_session(session: onnxruntime.InferenceSession) -> None:
    requests = [[rows(1, 1)], [rows(2, 2)]]
    sizes = dict.fromkeys(onnx_runner.padded_sizes(4), session)
    filled = onnx_runner.run_joined(sizes, ["images"], ["scores"], requests, batched=True)
    plain = onnx_runner.run_joined({onnx_runner.ANY_SIZE: session}, ["images"], ["scores"], requests, batched=True)
    assert [len(answer[0]) for answer in filled] == [1, 2]
    for (one,), (other,) in zip(filled, plain, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


def test_without_a_batch_axis_each_request_is_a_run_of_its_own(session: onnxruntime.InferenceSession) -> None:
    requests = [[rows(1, 1)], [rows(1, 2)]]
    answers = onnx_runner.run_joined({onnx_runner.ANY_SIZE: session}, ["images"], ["scores"], requests, batched=False)
    assert [answer[0].shape for answer in answers] == [(1, 1000), (1, 1000)]


def test_no_request_is_no_run(session: onnxruntime.InferenceSession) -> None:
    sessions = {onnx_runner.ANY_SIZE: session}
    assert onnx_runner.run_joined(sessions, ["images"], ["scores"], [], batched=True) == []


@pytest.mark.parametrize(("largest", "sizes"), [(0, ()), (1, (1,)), (8, (1, 2, 4, 8)), (12, (1, 2, 4, 8, 12))])
def test_padded_sizes(largest: int, sizes: tuple[int, ...]) -> None:
    assert onnx_runner.padded_sizes(largest) == sizes


def test_warm_up_runs(session: onnxruntime.InferenceSession) -> None:
    onnx_runner.warm_up(session, 2)


@pytest.mark.parametrize(
    ("values", "finite"),
    [
        (np.ones(3, np.float32), True),
        (np.array([1, np.nan], np.float32), False),
        (np.array([np.inf, -np.inf], np.float64), False),
        (np.full(4, 3e38, np.float32), True),  # the sum overflows, the values do not
        (np.array([np.nan], np.float16), False),
        (np.array([2**40]), True),
        (np.array([b"text"], object), True),
        (np.zeros((0, 3), np.float32), True),
    ],
)
def test_is_finite(values: Array, finite: bool) -> None:
    assert onnx_runner.is_finite(values) is finite


def test_rows_that_are_not_finite_are_found_set_aside_and_marked() -> None:
    tensor = np.ones((3, 2, 2), np.float32)
    assert onnx_runner.failed_rows([tensor]) is None
    tensor[1, 0, 1] = np.nan
    other = np.ones((3, 4), np.float32)
    other[2, 0] = np.inf
    failed = onnx_runner.failed_rows([tensor, other, np.ones((3, 1), np.int32)])
    assert failed is not None
    assert failed.tolist() == [False, True, True]
    assert np.isnan(tensor[1, 0, 1])
    assert onnx_runner.without(tensor, failed).sum(axis=(1, 2)).tolist() == [4, 0, 0]
    result = np.arange(6, dtype=np.float16).reshape(3, 2)
    marked = onnx_runner.marked(result, failed)
    assert np.isnan(marked).tolist() == [[False, False], [True, True], [True, True]]
    assert marked[0].tolist() == [0, 1]
    assert result.tolist() == [[0, 1], [2, 3], [4, 5]]
