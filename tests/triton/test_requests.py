"""What a request is held against before it is sent; without a server. More in test_malformed_requests.py."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from w251lab.triton import repository, requests
from w251lab.triton.description import PythonModel, Tensor
from w251lab.triton.errors import InvalidRequestError

TWO = PythonModel(
    name="two",
    inputs=(Tensor("X", (2, -1)), Tensor("N", (1,), "INT64"), Tensor("T", (1,), "BYTES", optional=True)),
    outputs=(Tensor("Y", (2, -1)), Tensor("Z", (3,))),
    max_batch_size=4,
    versions={1: Path("model.py")},
)
CONFIG = repository.config(TWO)
GOOD: dict[str, Any] = {"N": np.ones((2, 1), np.int64), "X": np.ones((2, 2, 5), np.float32)}


def test_inputs_come_back_in_the_models_order_and_contiguous() -> None:
    checked = requests.check(CONFIG, {**GOOD, "X": np.ones((5, 2, 2), np.float32).T})
    assert list(checked) == ["X", "N"]
    assert checked["X"].flags.c_contiguous
    assert checked["X"].shape == (2, 2, 5)


def test_texts_may_be_numpys_own_type_or_objects_or_bytes() -> None:
    for texts in (np.array([["a"], ["ü"]]), np.array([["a"], ["ü"]], object), np.array([[b"a"], [b"b"]])):
        checked = requests.check(CONFIG, {**GOOD, "T": texts})
        assert requests.triton_dtype(checked["T"]) == "BYTES"


def test_inputs_that_differ_in_their_batch() -> None:
    with pytest.raises(InvalidRequestError, match=r"differ in their batch: \{'X': 2, 'N': 1\}"):
        requests.check(CONFIG, {**GOOD, "N": np.ones((1, 1), np.int64)})


def test_integers_need_not_be_finite_numbers() -> None:
    with pytest.raises(InvalidRequestError, match="is FP64"):
        requests.check(CONFIG, {**GOOD, "N": np.array([[np.nan], [1]])})


def test_the_lengths_that_are_given_are_held() -> None:
    with pytest.raises(InvalidRequestError, match=r"shape \[2, 3, 5\]") as caught:
        requests.check(CONFIG, {**GOOD, "X": np.ones((2, 3, 5), np.float32)})
    assert "[batch, 2, any] with a batch of 1 to 4" in caught.value.remedy


@pytest.mark.parametrize(("outputs", "top_k"), [((), 3), (["Y"], 1000), (["Z"], 3), ((), 0)])
def test_as_many_classes_as_there_may_be(outputs: list[str], top_k: int) -> None:
    requests.check(CONFIG, GOOD, outputs, top_k)


@pytest.mark.parametrize(("outputs", "top_k"), [((), 4), (["Z"], 4), (["Y"], -1), (["Z"], -1)])
def test_more_classes_than_there_are(outputs: list[str], top_k: int) -> None:
    with pytest.raises(InvalidRequestError, match=f"{top_k} classes"):
        requests.check(CONFIG, GOOD, outputs, top_k)


def test_a_model_without_a_batch_axis() -> None:
    config = repository.config(
        PythonModel(name="one", inputs=(Tensor("X", (2,)),), outputs=TWO.outputs, versions={1: Path("model.py")})
    )
    requests.check(config, {"X": np.ones(2, np.float32)})
    with pytest.raises(InvalidRequestError, match=r"shape \[1, 2\]") as caught:
        requests.check(config, {"X": np.ones((1, 2), np.float32)})
    assert "(no batch axis)" in caught.value.remedy


def test_describe_inputs() -> None:
    assert requests.describe_inputs(CONFIG) == (
        "'X' FP32 [batch, 2, any] with a batch of 1 to 4; 'N' INT64 [batch, 1] with a batch of 1 to 4; "
        "'T' BYTES [batch, 1] with a batch of 1 to 4"
    )


def test_classes_are_of_numbers_only() -> None:
    said = replace(TWO, outputs=(*TWO.outputs, Tensor("ERROR", (1,), "BYTES")))
    requests.check(repository.config(said), GOOD, top_k=3)
    with pytest.raises(InvalidRequestError, match="4 classes"):
        requests.check(repository.config(said), GOOD, top_k=4)
