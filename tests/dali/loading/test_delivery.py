from __future__ import annotations

import numpy as np
import pytest

from w251lab.dali.loading import delivery
from w251lab.errors import UsageError, W251Error


def test_where_batches_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert delivery.require("cpu") == "cpu"
    assert delivery.require("auto") == "cpu"
    with pytest.raises(W251Error, match="device 'gpu' was asked for"):
        delivery.require("gpu")
    with pytest.raises(UsageError, match="unknown device"):
        delivery.require("tpu")


@pytest.mark.gpu
def test_a_batch_on_the_gpu() -> None:
    assert delivery.require("auto") == "gpu"
    batch = np.random.default_rng(1).random((4, 3, 8, 8), dtype=np.float32)
    copied = delivery.to_gpu(batch)
    assert hasattr(copied, "__cuda_array_interface__")
    np.testing.assert_array_equal(copied.get(), batch)
