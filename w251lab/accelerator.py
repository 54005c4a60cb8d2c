"""What this machine has to compute with, and which device a step is to use.

Everything said about a GPU comes from NVIDIA's management library (NVML, through nvidia-ml-py), which works on a plain
driver, in a container and in WSL 2, and starts no CUDA context. Memory is in bytes everywhere.
"""

from __future__ import annotations

import contextlib
import difflib
import math
import os
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pynvml

from w251lab.errors import UsageError, W251Error

if TYPE_CHECKING:
    from collections.abc import Iterator

Device = Literal["cpu", "gpu"]
DEVICES = ("auto", "cpu", "gpu")
#: A notebook says in the metadata of an output, under this key, what it computed on; see :func:`show`.
DEVICE_KEY = "w251lab.device"

_UNLIMITED = 1 << 60  # version 1 of cgroups says "no limit" with a number near 2**63


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


@dataclass(frozen=True)
class Machine:
    """The machine as this process sees it.

    Attributes:
        platform: Operating system, kernel and architecture.
        cpu: The processor's model.
        cores: Logical cores that this process may use: its affinity, and its control group's share, rounded up.
        memory: Bytes that it may use: the machine's, or its control group's limit where that is less.
        gpus: The GPUs that it may use.
        why_no_gpu: Why ``gpus`` is empty; empty where it is not.
        gpu_remedy: What to do about it; empty where there is a GPU.
    """

    platform: str
    cpu: str
    cores: int
    memory: int
    gpus: tuple[Gpu, ...]
    why_no_gpu: str
    gpu_remedy: str


def describe() -> Machine:
    """Look at this machine. Raises nothing for a missing or broken GPU: the answer says why there is none."""
    gpus, why, remedy = _find_gpus()
    return Machine(_platform(), _cpu_model(), _cores(), _memory(), gpus, why, remedy)


def devices() -> tuple[Gpu, ...]:
    """The GPUs that a process started here can use; see :func:`describe` for why there may be none."""
    return _find_gpus()[0]


def resolve_device(device: str) -> Device:
    """Decide where to compute.

    Args:
        device: ``cpu``, ``gpu``, or ``auto`` for the GPU where there is one.

    Raises:
        UsageError: Another word.
        W251Error: ``gpu`` where there is none; it says which piece is missing.
    """
    if device not in DEVICES:
        nearest = difflib.get_close_matches(str(device).lower(), DEVICES, n=1)
        raise UsageError(
            f"unknown device {device!r}", (f"did you mean {nearest[0]!r}? " if nearest else "") + "use auto, cpu or gpu"
        )
    if device == "cpu":
        return "cpu"
    gpus, why, remedy = _find_gpus()
    if gpus:
        return "gpu"
    if device == "auto":
        return "cpu"
    raise W251Error(f"device 'gpu' was asked for, but {why}", f"{remedy}; or use device 'cpu'")


def label(device: Device) -> str:
    """What to call ``device`` in a figure: the GPU's name, or the processor's with its cores.

    Args:
        device: ``cpu`` or ``gpu``, as :func:`resolve_device` gives it.
    """
    machine = describe()
    if device == "gpu" and machine.gpus:
        return machine.gpus[0].name
    return f"{machine.cpu}, {machine.cores} {'core' if machine.cores == 1 else 'cores'}"


def show(device: Device) -> None:
    """In a notebook: say on what it computes, to the reader and, in the output's metadata, to the report of a check."""
    from IPython.display import display  # a plain script has no use for it  # noqa: PLC0415

    said = f"{device}: {label(device)}"
    output = {"text/plain": f"Computing on {said}"}
    display(output, raw=True, metadata={DEVICE_KEY: said})  # type: ignore[no-untyped-call]


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


def _find_gpus() -> tuple[tuple[Gpu, ...], str, str]:
    """The usable GPUs; if there are none, why, and what to do."""
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


def _platform() -> str:
    try:
        system = platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        system = platform.system()
    return f"{system}, {platform.system()} {platform.release()}, {platform.machine()}"


def _cpu_model(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    if cpuinfo.is_file():
        for line in cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()


def _cores() -> int:
    allowed = len(os.sched_getaffinity(0))
    shares = [_cpu_share(group) for group in _control_groups("cpu")]
    return max(1, min([allowed, *(math.ceil(share) for share in shares if share is not None)]))


def _cpu_share(group: Path) -> float | None:
    """Cores' worth of time that a control group (either version) grants; None for no limit."""
    if (both := _read(group / "cpu.max")) is not None:
        quota, _, period = both.partition(" ")
    else:
        quota, period = _read(group / "cpu.cfs_quota_us") or "max", _read(group / "cpu.cfs_period_us") or ""
    return None if quota in {"max", "-1"} else int(quota) / int(period or 100_000)


def _memory() -> int:
    limits = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    for group in _control_groups("memory"):
        limit = _read(group / "memory.max") or _read(group / "memory.limit_in_bytes") or "max"
        if limit != "max" and int(limit) < _UNLIMITED:
            limits.append(int(limit))
    return min(limits)


def _control_groups(
    controller: str, membership: Path = Path("/proc/self/cgroup"), root: Path = Path("/sys/fs/cgroup")
) -> Iterator[Path]:
    """The folders of the control groups that bound this process, its own first, for one controller of either version.

    Inside a container the path in ``membership`` may be the host's: then only the root exists, the container's own.
    """
    for line in (_read(membership) or "").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        # Version 1 keeps a tree for each controller; version 2 has one tree, at the root or (with both) in `unified`.
        for base in [root / controller, root / controllers] if controllers else [root, root / "unified"]:
            own = base / path.lstrip("/")
            for folder in (own, *own.parents):
                if folder.is_dir():
                    yield folder
                if folder == base:
                    break


def _read(file: Path) -> str | None:
    try:
        return file.read_text(encoding="utf-8").strip()
    except OSError:
        return None
