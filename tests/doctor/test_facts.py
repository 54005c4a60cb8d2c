"""What the machine is, read from where it really is."""

from __future__ import annotations

import sys
from importlib import metadata
from typing import TYPE_CHECKING

from w251lab.doctor.facts import gather

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_this_machine() -> None:
    facts = gather()
    assert facts.lab["numpy"] == metadata.version("numpy")
    assert facts.server["nvidia-pytriton"] == "0.7.0"
    assert sys.executable in facts.python
    assert facts.libc.startswith("glibc 2.")
    assert facts.free_disk > 0


def test_without_a_server_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("W251LAB_SERVER_ENV", str(tmp_path / "none"))
    facts = gather()
    assert facts.server_root == tmp_path / "none"
    assert set(facts.server.values()) == {""}


def test_the_gpu_flavour_counts_as_the_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    info = tmp_path / "lib" / "python3.11" / "site-packages" / "onnxruntime_gpu-1.2.3.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: onnxruntime-gpu\nVersion: 1.2.3\n")
    monkeypatch.setenv("W251LAB_SERVER_ENV", str(tmp_path))
    assert gather().server["onnxruntime"] == "1.2.3"
