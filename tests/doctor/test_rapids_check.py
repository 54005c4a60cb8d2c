"""The check of the RAPIDS lab's libraries: it computes, and it sees what is wrong."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from w251lab.doctor import rapids_check
from w251lab.doctor.checks import CHECKS
from w251lab.errors import W251Error
from w251lab.rapids import agreement, boosting, kmeans

if TYPE_CHECKING:
    from collections.abc import Callable


def test_it_is_in_the_registry_for_both_devices() -> None:
    assert CHECKS["rapids"].run is rapids_check.rapids
    assert CHECKS["rapids"].devices == ("cpu", "gpu")


def test_it_passes_on_the_cpu() -> None:
    said = rapids_check.rapids("cpu")
    assert "scikit-learn 1.9" in said
    assert "XGBoost 3.2" in said
    assert "on the CPU" in said


@pytest.mark.gpu
def test_it_passes_on_the_gpu() -> None:
    said = rapids_check.rapids("gpu")
    assert "cuML 26." in said
    assert "on the GPU" in said


def test_wrong_clusters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agreement, "rand_index", lambda *_: 0.2)
    with pytest.raises(W251Error, match=r"clusters with a Rand index of 0\.200") as caught:
        rapids_check.rapids("cpu")
    assert "DEVICE=cpu" in caught.value.remedy


def test_a_booster_that_learns_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boosting, "predict", lambda _model, features: np.arange(len(features)) % 2 / 1.0)
    with pytest.raises(W251Error, match=r"trees with an AUC of 0\.[45]"):
        rapids_check.rapids("cpu")


def test_a_warning_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def warning(fit: Callable[..., Any]) -> Callable[..., Any]:
        def call(*values: Any) -> Any:
            warnings.warn("\n  falling back to the prediction using DMatrix\nand so on", UserWarning, stacklevel=2)
            return fit(*values)

        return call

    monkeypatch.setattr(kmeans, "fit", warning(kmeans.fit))
    with pytest.raises(W251Error, match=r"but warn: falling back to the prediction using DMatrix\n"):
        rapids_check.rapids("cpu")


def test_a_library_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(rapids_check._NEEDED, "cpu", ("numpy", "no_such_library"))
    with pytest.raises(W251Error, match="No module named 'no_such_library'") as caught:
        rapids_check.rapids("cpu")
    assert "w251lab[cpu]" in caught.value.remedy


def test_a_gpu_where_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with pytest.raises(W251Error, match="device 'gpu' was asked for"):
        rapids_check.rapids("gpu")
