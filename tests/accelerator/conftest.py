"""Makes the stand-in for NVML importable as ``fake_nvml``."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

if "fake_nvml" not in sys.modules:
    _spec = importlib.util.spec_from_file_location("fake_nvml", Path(__file__).with_name("fake_nvml.py"))
    fake_nvml = importlib.util.module_from_spec(_spec)
    sys.modules["fake_nvml"] = fake_nvml
    _spec.loader.exec_module(fake_nvml)
