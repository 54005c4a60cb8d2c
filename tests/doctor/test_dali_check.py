"""The check of the DALI labs' library: it decodes, and it sees what is wrong."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from w251lab.dali import bundled, parity
from w251lab.doctor import dali_check
from w251lab.doctor.checks import CHECKS
from w251lab.errors import W251Error

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def levels(said: str) -> float:
    found = re.search(r"([0-9.]+) of 255 levels", said)
    assert found
    return float(found[1])


def test_it_is_in_the_registry_for_both_devices() -> None:
    assert CHECKS["dali"].run is dali_check.dali
    assert CHECKS["dali"].devices == ("cpu", "gpu")


def test_it_passes_on_the_cpu() -> None:
    said = dali_check.dali("cpu")
    assert said.startswith("DALI 2.")
    assert "on the CPU" in said
    assert levels(said) < 0.5


@pytest.mark.gpu
def test_it_passes_on_the_gpu() -> None:
    said = dali_check.dali("gpu")
    assert "on the GPU" in said
    assert levels(said) < 1


@pytest.mark.parametrize(
    "fault",
    [
        lambda pixels: pixels[..., ::-1],  # blue, green, red
        lambda pixels: np.roll(pixels, 3, axis=2),
        lambda pixels: pixels.transpose(0, 2, 1, 3),
        lambda pixels: np.full_like(pixels, 128),
    ],
    ids=["colours", "shifted", "transposed", "gray"],
)
def test_wrong_pixels(fault: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    right = parity.pixels
    monkeypatch.setattr(parity, "pixels", lambda *given, **how: fault(right(*given, **how)))
    with pytest.raises(W251Error, match="DALI computes wrong pixels on the CPU") as caught:
        dali_check.dali("cpu")
    assert levels(caught.value.what) > 1
    assert "DEVICE=cpu" in caught.value.remedy


def test_pixels_of_another_shape(monkeypatch: pytest.MonkeyPatch) -> None:
    right = parity.pixels
    monkeypatch.setattr(parity, "pixels", lambda *given, **how: right(*given, **how)[:, :100])
    with pytest.raises(W251Error, match=r"shape \(1, 100, 224, 3\) in place of \(1, 224, 224, 3\)"):
        dali_check.dali("cpu")


def test_an_installation_without_the_shipped_photographs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(bundled, "_FOLDER", tmp_path / "pictures")
    with pytest.raises(W251Error, match="the shipped pictures are not in"):
        dali_check.dali("cpu")


def test_no_dali(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nvidia.dali", None)
    with pytest.raises(W251Error, match="DALI"):
        dali_check.dali("cpu")


def test_a_gpu_where_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with pytest.raises(W251Error, match="device 'gpu' was asked for"):
        dali_check.dali("gpu")
