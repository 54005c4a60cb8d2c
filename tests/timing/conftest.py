"""Makes the stand-ins importable: ``fake_nvml`` (which GPUs there are) and ``fake_clock`` (time, and a device)
and ``fake_comparison`` (round figures)."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

_HERE = Path(__file__).parent
for _file in (_HERE.parent / "accelerator" / "fake_nvml.py", _HERE / "fake_clock.py", _HERE / "fake_comparison.py"):
    if _file.stem not in sys.modules:
        _spec = importlib.util.spec_from_file_location(_file.stem, _file)
        _module = importlib.util.module_from_spec(_spec)
        sys.modules[_file.stem] = _module
        _spec.loader.exec_module(_module)


@pytest.fixture
def clock() -> object:
    return sys.modules["fake_clock"].FakeClock()


@pytest.fixture
def h200(monkeypatch: pytest.MonkeyPatch) -> object:
    """A machine with one GPU, as far as its driver says."""
    fake = sys.modules["fake_nvml"]
    return fake.FakeNvml([fake.FakeDevice()]).install(monkeypatch)
