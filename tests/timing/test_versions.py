from __future__ import annotations

import platform
import sys
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np

from w251lab.timing.versions import versions

if TYPE_CHECKING:
    import pytest
    from fake_nvml import FakeNvml


def module(monkeypatch: pytest.MonkeyPatch, name: str, **attributes: str) -> None:
    made = ModuleType(name)
    vars(made).update(attributes)
    monkeypatch.setitem(sys.modules, name, made)


def test_the_cpu_names_what_is_loaded_and_no_gpu_library(monkeypatch: pytest.MonkeyPatch) -> None:
    module(monkeypatch, "cupy", __version__="14.2.0")
    module(monkeypatch, "sklearn", __version__="1.9.1")
    module(monkeypatch, "xgboost")  # half imported
    found = versions("cpu")
    assert found["python"] == platform.python_version()
    assert found["numpy"] == np.__version__
    assert found["scikit-learn"] == "1.9.1"
    assert not found.keys() & {"cupy", "xgboost", "driver"}


def test_settings_of_openmp_stand_among_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_WAIT_POLICY", "passive")
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    found = versions("cpu")
    assert found["OMP_WAIT_POLICY"] == "passive"
    assert "OMP_NUM_THREADS" not in found


def test_a_gpu_names_its_driver_as_well(monkeypatch: pytest.MonkeyPatch, h200: FakeNvml) -> None:
    module(monkeypatch, "cupy", __version__="14.2.0")
    h200.cuda = 13020
    found = versions("gpu")
    assert (found["cupy"], found["driver"], found["CUDA of the driver"]) == ("14.2.0", "580.95.05", "13.2")
