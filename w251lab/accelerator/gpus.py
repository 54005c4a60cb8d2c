"""The GPUs that a process started here can use, or why there is none, and what their driver is for."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pynvml

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Gpu:
    """One GPU that a process started here can use.

    Attributes:
        name: As the driver names it; of a MIG instance, with its profile.
        memory: Bytes on the device (of the instance); None where the driver does not say (memory shared with the CPU).
        driver: The driver's version.
        compute_capability: ``"9.0"``; the CUDA code that it can run.
    """

    name: str
    memory: int | None
    driver: str
    compute_capability: str


def devices() -> tuple[Gpu, ...]:
    """The GPUs that a process started here can use; see :func:`describe` for why there may be none."""
    return find_gpus()[0]


def driver_cuda() -> tuple[int, int] | None:
    """The newest CUDA version (major, minor) that the driver is made for; None where no driver answers."""
    try:
        with _nvml():
            version = int(pynvml.nvmlSystemGetCudaDriverVersion())
    except pynvml.NVMLError:
        return None
    return version // 1000, version % 1000 // 10


# What NVML answers when it cannot start, in words, and what to do about it.
_NVML_FAILURES: dict[int, tuple[str, str]] = {
    pynvml.NVML_ERROR_LIBRARY_NOT_FOUND: (
        "no NVIDIA driver is installed here (its library libnvidia-ml.so.1 is not found)",
        "install the NVIDIA driver (in WSL 2: on Windows); start a container with its GPU (docker run --gpus all)",
    ),
    pynvml.NVML_ERROR_DRIVER_NOT_LOADED: (
        "the NVIDIA driver is installed but not loaded",
        "load it (modprobe nvidia) or restart the machine; start a container with its GPU (docker run --gpus all)",
    ),
    pynvml.NVML_ERROR_NO_PERMISSION: (
        "this user may not use the NVIDIA driver",
        "give the user read and write access to /dev/nvidia* (often: membership of the group video or render)",
    ),
    pynvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH: (
        "the NVIDIA driver was updated while its older version is still loaded",
        "restart the machine",
    ),
    pynvml.NVML_ERROR_GPU_NOT_FOUND: (
        "the NVIDIA driver is loaded but finds no device",
        "see in the kernel's log (dmesg) whether the GPU is seated, powered, and not given to a virtual machine",
    ),
}


def find_gpus() -> tuple[tuple[Gpu, ...], str, str]:
    """The usable GPUs; if there are none, why, and what to do about it."""
    try:
        with _nvml():
            found, lost = _enumerate()
    except pynvml.NVMLError as error:
        failure = _NVML_FAILURES.get(error.value)
        return (), *(failure or (f"the NVIDIA driver does not answer: {error}", "see what `nvidia-smi` says"))
    visible = _visible(found, os.environ.get("CUDA_VISIBLE_DEVICES"))
    if visible:
        return tuple(gpu for _, gpu in visible), "", ""
    if found:
        hidden = os.environ["CUDA_VISIBLE_DEVICES"]
        return (), f"CUDA_VISIBLE_DEVICES={hidden!r} hides the GPUs of this machine", "unset CUDA_VISIBLE_DEVICES"
    if lost:
        return (), "; ".join(lost), "see what `nvidia-smi` says"
    return (), *_NVML_FAILURES[pynvml.NVML_ERROR_GPU_NOT_FOUND]


@contextlib.contextmanager
def _nvml() -> Iterator[None]:
    pynvml.nvmlInit()
    try:
        yield
    finally:
        pynvml.nvmlShutdown()


def _enumerate() -> tuple[list[tuple[str, Gpu]], list[str]]:
    """(UUID, GPU) of everything CUDA could compute on, and a sentence for each device that does not answer.

    A GPU divided by MIG cannot be computed on as a whole: its instances stand in its place.
    """
    driver = _text(pynvml.nvmlSystemGetDriverVersion())
    found, lost = [], []
    for index in range(pynvml.nvmlDeviceGetCount()):
        try:
            handle = pynvml.nvmlDeviceGetHandleByIndex(index)
            major, minor = pynvml.nvmlDeviceGetCudaComputeCapability(handle)
            instances = _mig_instances(handle)
            for each in [handle] if instances is None else instances:
                gpu = Gpu(_text(pynvml.nvmlDeviceGetName(each)), _gpu_memory(each), driver, f"{major}.{minor}")
                found.append((_text(pynvml.nvmlDeviceGetUUID(each)), gpu))
            if instances == []:
                lost.append(f"GPU {index} is in MIG mode and has no instance (make one with `nvidia-smi mig`)")
        except pynvml.NVMLError as error:  # one broken GPU does not take the others away
            lost.append(f"GPU {index} does not answer: {error}")
    return found, lost


def _mig_instances(handle: Any) -> list[Any] | None:
    """Handles of the MIG instances of a GPU; None where it is not divided, or cannot be."""
    try:
        current, _ = pynvml.nvmlDeviceGetMigMode(handle)
    except (pynvml.NVMLError_NotSupported, pynvml.NVMLError_FunctionNotFound):
        return None
    if current != pynvml.NVML_DEVICE_MIG_ENABLE:
        return None
    instances = []
    for index in range(pynvml.nvmlDeviceGetMaxMigDeviceCount(handle)):
        with contextlib.suppress(pynvml.NVMLError_NotFound):  # places are numbered, and not all are taken
            instances.append(pynvml.nvmlDeviceGetMigDeviceHandleByIndex(handle, index))
    return instances


def _gpu_memory(handle: Any) -> int | None:
    try:
        return int(pynvml.nvmlDeviceGetMemoryInfo(handle).total)
    except pynvml.NVMLError_NotSupported:
        return None


def _visible(found: list[tuple[str, Gpu]], setting: str | None) -> list[tuple[str, Gpu]]:
    """What CUDA_VISIBLE_DEVICES leaves: indices or beginnings of UUIDs, up to the first that names no device."""
    if setting is None:
        return found
    left: list[tuple[str, Gpu]] = []
    for word in (word.strip() for word in setting.split(",")):
        if word.isdecimal():
            named = found[int(word) : int(word) + 1]
        else:
            named = [(uuid, gpu) for uuid, gpu in found if word and uuid.lower().startswith(word.lower())]
        if len(named) != 1:
            break
        left += named
    return left


def _text(value: str | bytes) -> str:
    """Older releases of nvidia-ml-py answer bytes."""
    return value.decode() if isinstance(value, bytes) else value
