from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

from w251lab.errors import UsageError, W251Error
from w251lab.rapids import arrays


class Pair(NamedTuple):
    left: object
    right: object


def test_the_libraries_of_the_cpu_are_numpy_and_pandas() -> None:
    assert arrays.libraries("cpu") == (np, pd)


def test_an_unknown_device_is_named() -> None:
    with pytest.raises(UsageError, match="unknown device 'tpu'"):
        arrays.libraries("tpu")


def test_a_gpu_that_is_not_there_is_an_error_and_no_fallback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    arrays._gpu_libraries.cache_clear()
    with pytest.raises(W251Error, match="device 'gpu' was asked for"):
        arrays.libraries("gpu")
    with pytest.raises(W251Error, match="device 'gpu' was asked for"):
        arrays.to_device(np.ones(3), "gpu")


@pytest.mark.parametrize(
    "value", [np.ones(2), pd.DataFrame({"a": [1]}), pd.Series([1]), [1, 2], 3.5, None, np.float32(1)]
)
def test_what_lies_in_the_computers_memory_is_on_the_cpu(value: object) -> None:
    assert arrays.device_of(value) == "cpu"


def test_a_subclass_of_a_frame_is_known_too() -> None:
    class Mine(pd.DataFrame):
        pass

    assert arrays.device_of(Mine({"a": [1]})) == "cpu"


def test_what_is_no_data_is_refused() -> None:
    with pytest.raises(UsageError, match="neither an array nor a data frame"):
        arrays.device_of(object())


def test_containers_keep_their_kind_and_host_values_are_not_copied() -> None:
    array, frame = np.ones(3), pd.DataFrame({"a": [1]})
    there = arrays.to_host({"pair": Pair(array, [frame, "text", None]), "tuple": (1, array)})
    assert isinstance(there["pair"], Pair)
    assert there["pair"].left is array
    assert there["pair"].right[0] is frame
    assert there["pair"].right[1:] == ["text", None]
    assert there["tuple"] == (1, array)
    assert arrays.to_device(array, "cpu") is array


def test_the_namespace_of_a_numpy_array_is_numpy() -> None:
    assert arrays.namespace(np.ones(1)) is np


@pytest.mark.gpu
def test_everything_goes_to_the_gpu_and_comes_back_the_same() -> None:
    frame = pd.DataFrame({"n": [1.5, None], "s": ["x", None], "i": np.array([1, 2], dtype="int8")})
    there = arrays.to_device(
        Pair(np.arange(3, dtype="float32"), {"frame": frame, "column": frame["n"], "text": "x"}), "gpu"
    )
    assert arrays.device_of(there.left) == "gpu"
    assert arrays.namespace(there.left).__name__ == "cupy"
    assert {name: arrays.device_of(value) for name, value in there.right.items()} == {
        "frame": "gpu", "column": "gpu", "text": "cpu"
    }  # fmt: skip
    back = arrays.to_host(there)
    np.testing.assert_array_equal(back.left, np.arange(3))
    assert back.right["frame"]["s"].tolist()[0] == "x"
    assert back.right["frame"]["n"].isna().tolist() == [False, True]
    assert arrays.to_device(there, "gpu").left is there.left


@pytest.mark.gpu
def test_an_array_of_text_cannot_lie_on_the_gpu() -> None:
    with pytest.raises(UsageError, match="cannot lie on the GPU"):
        arrays.to_device(np.array(["a"]), "gpu")
