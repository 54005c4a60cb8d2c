"""On which device a result was computed, as far as the result itself shows it.

Nothing is imported to find out: a value of a library that is not loaded does not exist. A number shows nothing (the
mean of an array on a GPU is a Python float), and neither does a value of a type that is not known here.
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from w251lab.errors import W251Error
from w251lab.timing import cuda

if TYPE_CHECKING:
    from collections.abc import Iterator

    from w251lab.accelerator import Device

_HOST = frozenset({"numpy", "pandas", "scipy", "sklearn", "pyarrow", "polars"})
_GPU = frozenset({"cupy", "cupyx", "cudf", "pylibcudf", "cuml", "cuvs", "cugraph", "pylibraft", "rmm"})
_SHOW = "return what was computed as it lies on the GPU: a CuPy array, a cuDF frame, a fitted cuML or XGBoost model"
_DEPTH = 4  # of containers within containers that are looked into
_WIDTH = 1000  # elements of one container


def device_of(value: object) -> Device | None:
    """On which device ``value`` was computed.

    - Arrays and frames: NumPy, SciPy, pandas, Arrow on the CPU; CuPy, cuDF, and whatever offers
      ``__cuda_array_interface__`` on the GPU.
    - Fitted estimators: scikit-learn's on the CPU, cuML's on the GPU; XGBoost's models and Boosters by their own
      configuration, which says ``cpu`` where a missing GPU made XGBoost go back to the CPU.
    - Proxies of ``cudf.pandas`` and ``cuml.accel``: where the value lies, or was fitted. While one of the two is
      switched on, a plain host array shows nothing, since the proxies return such for work done on the GPU.
    - Objects with a ``device`` that is ``"cpu"`` or ``"gpu"`` (or a PyTorch device): what it says.
    - Dataclasses, mappings, lists and tuples: what their elements show.

    Returns:
        ``"cpu"``, ``"gpu"``, or None where the value does not show it: a number, text, None, an unfitted model, parts
        on both devices.
    """
    shown = devices_of(value)
    return next(iter(shown)) if len(shown) == 1 else None


def devices_of(value: object) -> frozenset[Device]:
    """Every device that ``value`` or a part of it shows; see :func:`device_of`."""
    return frozenset(_shown(value, _DEPTH))


def ran_on(result: object, expected: Device | None, name: str) -> Device:
    """Where the work that returned ``result`` ran, as far as it can be known."""
    if inspect.isawaitable(result) or inspect.isgenerator(result):
        raise W251Error(
            f"{quoted(name)} returned a {type(result).__name__}, which has computed nothing yet",
            "measure a function that runs it to its end and returns what it computed",
        )
    shown = devices_of(result)
    kind = f"its result ({type(result).__name__})"
    if expected == "gpu" and shown != {"gpu"}:
        seen = f"{kind} was computed on the CPU" if shown == {"cpu"} else f"{kind} does not show that it was"
        seen = f"{kind} lies partly on the CPU" if len(shown) > 1 else seen
        raise W251Error(f"{quoted(name)} was to run on the GPU, but {seen}", _SHOW)
    if expected == "cpu" and "gpu" in shown:
        raise W251Error(
            f"{quoted(name)} was to run on the CPU, but {kind} was computed on the GPU",
            "pass device='gpu', or host data",
        )
    if len(shown) > 1:
        raise W251Error(f"{kind} of {quoted(name)} lies partly on the CPU, partly on the GPU", _SHOW)
    if not shown and expected is None and cuda.in_use():
        raise W251Error(
            f"{quoted(name)} may have run on the CPU or on the GPU: {kind} does not show it",
            "return the array, frame or model that was computed, or say device='cpu'",
        )
    return next(iter(shown), "cpu")


def quoted(name: str) -> str:
    """What to call the work in a message."""
    return repr(name) if name else "the work"


def _shown(value: object, depth: int) -> Iterator[Device]:
    if value is None or isinstance(value, str | bytes | int | float | complex):
        return
    shown = _of_proxy(value) if _is_proxy(value) else _of_known(value)
    if shown is not None:
        yield shown
        return
    if depth:
        for part in _parts(value):
            yield from _shown(part, depth - 1)


def _is_proxy(value: object) -> bool:
    kind = type(value)
    return hasattr(kind, "_fsproxy_state") or (hasattr(kind, "_gpu_class") and hasattr(kind, "_cpu_class"))


def _of_proxy(value: Any) -> Device | None:
    """Where a proxy's value lies: cudf.pandas keeps one of the two; cuml.accel has a GPU model if that was fitted."""
    if hasattr(type(value), "_fsproxy_state"):
        return "gpu" if value._fsproxy_state.name == "FAST" else "cpu"  # noqa: SLF001  # it has no public name
    inside = vars(value)
    if inside.get("_gpu") is not None:
        return "gpu"
    return "cpu" if _is_fitted(inside.get("_cpu")) else None


def _of_known(value: object) -> Device | None:
    family = _family(value)
    if family == "xgboost":
        return _of_xgboost(value)
    if family in _GPU:
        return "gpu" if not _is_estimator(value) or _is_fitted(value) else None
    # Asked only after the libraries above: PyTorch's CPU tensors have the attribute, and raise when it is read.
    if getattr(value, "__cuda_array_interface__", None) is not None:
        return "gpu"
    if family in _HOST:
        return _of_host(value)
    return _of_device_attribute(value)


def _family(value: object) -> str:
    """The library of a value's class, or of the nearest class that it is derived from and that is of a known one."""
    for kind in type(value).__mro__:
        family = (kind.__module__ or "").partition(".")[0]
        if family in _HOST or family in _GPU or family == "xgboost":
            return family
    return ""


def _of_host(value: object) -> Device | None:
    numpy = sys.modules.get("numpy")
    if _accelerated() or (numpy is not None and isinstance(value, numpy.generic)):
        return None
    if _is_estimator(value) and not _is_fitted(value):
        return None
    if numpy is not None and isinstance(value, numpy.ndarray) and value.dtype == object:
        return None
    return "cpu"


def _accelerated() -> bool:
    """Is one of the accelerators switched on that replace pandas and scikit-learn by proxies?"""
    accel, pandas = sys.modules.get("cuml.accel"), sys.modules.get("cudf.pandas")
    return bool((accel is not None and accel.enabled()) or (pandas is not None and pandas.LOADED))


def _is_estimator(value: object) -> bool:
    return hasattr(value, "fit") and hasattr(value, "get_params")


def _is_fitted(value: object) -> bool:
    """By scikit-learn's convention of names that end in an underscore; all of cuML's set this one."""
    if value is None:
        return False
    if getattr(value, "n_features_in_", None) is not None:
        return True
    if _family(value) == "cuml":  # it sets others to None before it is fitted
        return False
    return any(name.endswith("_") and not name.startswith("__") for name in getattr(value, "__dict__", {}))


def _of_xgboost(value: Any) -> Device | None:
    if hasattr(value, "get_booster"):
        if not value.__sklearn_is_fitted__():
            return None
        value = value.get_booster()
    if not hasattr(value, "save_config"):
        return None
    said = str(json.loads(value.save_config())["learner"]["generic_param"]["device"])
    return "cpu" if said == "cpu" else "gpu"


def _of_device_attribute(value: object) -> Device | None:
    try:
        device = getattr(value, "device", None)
    except Exception:  # noqa: BLE001  # a property of someone else's class: it does not show the device
        return None
    said = getattr(device, "type", device)
    if said == "cpu":
        return "cpu"
    return "gpu" if said in {"gpu", "cuda"} else None


def _parts(value: object) -> Iterator[object]:
    if isinstance(value, Mapping):
        elements: Any = value.values()
    elif isinstance(value, list | tuple | set | frozenset):
        elements = value
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        elements = [getattr(value, field.name) for field in dataclasses.fields(value)]
    else:
        return
    for position, element in enumerate(elements):
        if position == _WIDTH:
            return
        yield element
