"""Can the GPU libraries of this course compute here? Each way in which they cannot has words of its own."""

from __future__ import annotations

import importlib
import re
import warnings
from typing import TYPE_CHECKING

from w251lab.accelerator.choice import resolve_device
from w251lab.accelerator.gpus import devices, driver_cuda
from w251lab.errors import W251Error

if TYPE_CHECKING:
    from types import ModuleType

    from w251lab.accelerator.choice import Device

#: The CUDA generation of the GPU libraries that pyproject.toml pins (cudf-cu13, cuml-cu13, xgboost-cu13, cupy-cuda13x).
CUDA_MAJOR = 13
# The first driver of that generation, and the oldest GPUs for which it still makes code (release notes of CUDA 13.0).
_FIRST_DRIVER = 580
_OLDEST_GPU = (7, 5)

_INSTALL = "set up the GPU environment with `make env DEVICE=gpu`"


def require(device: str, *libraries: str) -> Device:
    """Decide where to compute, and make sure that ``libraries`` can.

    Args:
        device: ``cpu``, ``gpu``, or ``auto`` for the GPU where it can be used. Where ``auto`` finds a GPU that cannot
            be used, it says why in a warning and chooses the CPU.
        libraries: Names of modules (``"cupy"``, ``"cudf"``, ``"cuml"``, ``"xgboost"``) that the work needs on a GPU.
            They are imported only where the GPU is chosen.

    Returns:
        ``"cpu"`` or ``"gpu"``.

    Raises:
        UsageError: ``device`` is another word.
        W251Error: ``gpu`` was asked for, and there is no GPU; or its driver is too old; or the GPU is too old; or a
            library is missing, or broken. The message says which, with the versions, and what to do.
    """
    chosen = resolve_device(device)
    if chosen == "cpu":
        return chosen
    try:
        _check_driver()
        _check_gpu()
        for library in libraries:
            _check_library(library)
    except W251Error as error:
        if device == "gpu":
            raise W251Error(
                f"device 'gpu' was asked for, but {error.what}", f"{error.remedy}; or use device 'cpu'"
            ) from error
        warnings.warn(f"computing on the CPU, because {error.what} ({error.remedy})", UserWarning, stacklevel=2)
        return "cpu"
    return chosen


def _check_driver() -> None:
    """Driver too old."""
    cuda = driver_cuda()
    if cuda is not None and cuda[0] < CUDA_MAJOR:
        gpu = devices()[0]
        raise W251Error(
            f"the NVIDIA driver is too old: {gpu.driver} is made for CUDA {cuda[0]}.{cuda[1]}, and the libraries need "
            f"CUDA {CUDA_MAJOR}",
            f"install driver {_FIRST_DRIVER} or newer (in WSL 2: on Windows)",
        )


def _check_gpu() -> None:
    """GPU too old."""
    gpu = devices()[0]
    major, minor = (int(part) for part in gpu.compute_capability.split("."))
    if (major, minor) < _OLDEST_GPU:
        raise W251Error(
            f"the GPU is too old: {gpu.name} has compute capability {gpu.compute_capability}, and CUDA {CUDA_MAJOR} "
            f"needs {_OLDEST_GPU[0]}.{_OLDEST_GPU[1]}",
            "use a newer GPU (Turing or later)",
        )


def _check_library(name: str) -> None:
    """Library missing, or broken: installed, and its import fails."""
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name == name.partition(".")[0]:
            raise W251Error(f"a library is missing: {name} is not installed", _INSTALL) from error
        raise W251Error(
            f"a library is broken: {name} is installed, but it needs {error.name}, which is not", _INSTALL
        ) from error
    # Anything can come out of the import of a library that finds its CUDA libraries or its driver unfit.
    except Exception as error:
        raise W251Error(
            f"a library is broken: {name} is installed, but its import failed: {_first_line(error)}",
            _repair(str(error)),
        ) from error
    _check_build(name, module)


def _check_build(name: str, module: ModuleType) -> None:
    """A CPU build of XGBoost goes by the same name; on a GPU it would warn and compute on the CPU."""
    if name == "xgboost" and not module.build_info()["USE_CUDA"]:
        raise W251Error(
            f"a library is missing: the installed xgboost {module.__version__} is built without CUDA", _INSTALL
        )


def _repair(message: str) -> str:
    """What to do about a failed import, by what it says."""
    if found := re.search(r"__nvJitLink\w*?_(\d+)_(\d+)", message):
        # Each release of nvJitLink exports its functions under names that carry the version.
        version = f"{found[1]}.{found[2]}"
        return (
            f"an older nvJitLink than {version} is installed, which another package may have brought (PyTorch pins "
            f"its own): install nvidia-nvjitlink>={version}, or {_INSTALL}"
        )
    return f"install the pinned versions again: delete .venv, then {_INSTALL}"


def _first_line(error: Exception) -> str:
    text = str(error).strip()
    return f"{type(error).__name__}: {text.splitlines()[0]}" if text else type(error).__name__
