"""DALI itself, imported when it is first needed, or the reason why it is not here."""

from __future__ import annotations

import platform
from importlib import import_module
from typing import TYPE_CHECKING

from w251lab import accelerator
from w251lab.errors import W251Error

if TYPE_CHECKING:
    from types import ModuleType

    from w251lab.accelerator import Device

_CONTAINER = "work in the container (`docker compose up jupyterlab`), in WSL 2 on Windows, or on a Linux machine"


def dali() -> ModuleType:
    """The package ``nvidia.dali`` with ``fn``, ``types`` and ``math`` loaded.

    Raises:
        W251Error: There is no DALI for this system, it is not installed, or its import fails.
    """
    try:
        module = import_module("nvidia.dali")
        import_module("nvidia.dali.fn")
        import_module("nvidia.dali.math")
    # A wheel for another processor or an older C library fails in its own way.
    except (ImportError, OSError) as error:
        raise _why_not(error) from error
    return module


def torch() -> ModuleType:
    """The package ``torch``.

    Raises:
        W251Error: It is not installed, or its import fails.
    """
    try:
        return import_module("torch")
    except (ImportError, OSError) as error:
        raise W251Error(
            f"PyTorch cannot be used here: {error}",
            "install it (uv pip install torch), or take NumPy arrays with w251lab.dali.iterators.NumpyBatches",
        ) from error


def require(device: str) -> Device:
    """Decide where a pipeline computes, and make sure that DALI can.

    Args:
        device: ``cpu``, ``gpu``, or ``auto`` for the GPU where there is one.

    Raises:
        UsageError: Another word.
        W251Error: There is no DALI here; or ``gpu`` was asked for, and there is none that DALI can use.
    """
    dali()
    return accelerator.require(device)


def _why_not(error: Exception) -> W251Error:
    system = platform.system()
    if system != "Linux":
        return W251Error(f"NVIDIA DALI exists for Linux only, and this is {system}", _CONTAINER)
    if isinstance(error, ModuleNotFoundError) and str(error.name).startswith("nvidia"):
        return W251Error("NVIDIA DALI is not installed", "set up the environment with `make env`")
    return W251Error(
        f"NVIDIA DALI is installed, but it cannot be loaded on this machine ({platform.machine()}): {error}",
        f"delete .venv and set up the environment again with `make env`; or {_CONTAINER}",
    )
