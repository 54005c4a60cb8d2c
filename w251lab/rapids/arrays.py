"""Where arrays and data frames lie, and the way from one memory to the other.

Arrays are NumPy's on the CPU and CuPy's on the GPU, data frames pandas' and cuDF's.
"""

from __future__ import annotations

import sys
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from w251lab import accelerator
from w251lab.errors import UsageError

if TYPE_CHECKING:
    from types import ModuleType

    from w251lab.accelerator import Device

_ON_GPU = frozenset({"cupy", "cudf"})
_ON_CPU = frozenset({"numpy", "pandas"})


class Libraries(NamedTuple):
    """The two libraries of a device that share an interface with those of the other.

    Attributes:
        xp: numpy or cupy.
        pd: pandas or cudf.
    """

    xp: ModuleType
    pd: ModuleType


def libraries(device: str) -> Libraries:
    """What computes with arrays and with data frames on ``device``.

    Args:
        device: ``cpu``, ``gpu`` or ``auto``.

    Raises:
        UsageError: Another word.
        W251Error: ``gpu`` where there is none, or where cuDF or CuPy is missing.
    """
    if _is_gpu(device):
        return _gpu_libraries()
    return Libraries(import_module("numpy"), import_module("pandas"))


def _is_gpu(device: str) -> bool:
    """For ``gpu`` the driver is not asked again: that takes 17 ms, longer than many a copy."""
    return device == "gpu" or accelerator.resolve_device(device) == "gpu"


@cache
def _gpu_libraries() -> Libraries:
    """Found and imported once."""
    accelerator.require("gpu", "cupy", "cudf")
    return Libraries(import_module("cupy"), import_module("cudf"))


def device_of(value: object) -> Device:
    """Where an array, a data frame or a column lies; lists and numbers are in the computer's memory.

    Raises:
        UsageError: It is nothing that computes on one of the two devices.
    """
    for kind in type(value).__mro__:
        library = kind.__module__.partition(".")[0]
        if library in _ON_GPU:
            return "gpu"
        if library in _ON_CPU:
            return "cpu"
    if value is None or isinstance(value, (bool, int, float, complex, str, bytes, list, tuple, dict)):
        return "cpu"
    raise UsageError(
        f"{type(value).__module__}.{type(value).__qualname__} is neither an array nor a data frame",
        "give a NumPy or CuPy array, or a pandas or cuDF data frame",
    )


def namespace(array: object) -> ModuleType:
    """The one of numpy and cupy whose functions work on ``array``. Costs next to nothing."""
    return sys.modules["cupy"] if device_of(array) == "gpu" else import_module("numpy")


def to_device(value: Any, device: str) -> Any:
    """``value`` in the memory of ``device``; what lies there already is given back as it is.

    Args:
        value: An array, a data frame, a column, or a tuple (also a named one), list or dict of them. What has no place
            on a GPU (numbers, strings, None) stays as it is.
        device: ``cpu``, ``gpu`` or ``auto``.

    Raises:
        UsageError: Another word.
        W251Error: ``gpu`` where there is none, where cuDF or CuPy is missing, or where its memory does not hold
            ``value``.
    """
    if not _is_gpu(device):
        return to_host(value)
    from w251lab.rapids import memory  # it needs this module  # noqa: PLC0415

    found = _gpu_libraries()
    with memory.guard("gpu", "copying to the GPU"):
        return _mapped(value, lambda part: _one_to_gpu(part, found))


def to_host(value: Any) -> Any:
    """``value`` in the computer's memory: NumPy arrays and pandas data frames; see :func:`to_device`."""
    return _mapped(value, _one_to_host)


def _mapped(value: Any, function: Any) -> Any:
    """``function`` of ``value``, or of everything in it where it is a container."""
    if isinstance(value, tuple):
        parts = [_mapped(part, function) for part in value]
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
    if isinstance(value, list):
        return [_mapped(part, function) for part in value]
    if isinstance(value, dict):
        return {key: _mapped(part, function) for key, part in value.items()}
    return function(value)


def _one_to_gpu(value: Any, found: Libraries) -> Any:
    import numpy as np  # noqa: PLC0415
    import pandas as pd  # noqa: PLC0415

    if isinstance(value, (pd.DataFrame, pd.Series, pd.Index)):
        return found.pd.from_pandas(value)
    if isinstance(value, np.ndarray):
        if value.dtype.kind not in "biufc":
            raise UsageError(
                f"an array of dtype {value.dtype} cannot lie on the GPU: CuPy has numbers only",
                "put text into a data frame, which cuDF takes",
            )
        return found.xp.asarray(value)
    return value


def _one_to_host(value: Any) -> Any:
    for kind in type(value).__mro__:
        library = kind.__module__.partition(".")[0]
        if library == "cupy":
            return value.get()
        if library == "cudf":
            return value.to_pandas()
    return value
