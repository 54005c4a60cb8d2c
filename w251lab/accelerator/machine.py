"""The machine as this process sees it: what the kernel says of the processor, the cores and the memory it may use."""

from __future__ import annotations

import math
import os
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from w251lab.accelerator.gpus import Gpu, find_gpus

if TYPE_CHECKING:
    from collections.abc import Iterator

_UNLIMITED = 1 << 60  # version 1 of cgroups says "no limit" with a number near 2**63


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
    gpus, why, remedy = find_gpus()
    return Machine(_platform(), _cpu_model(), _cores(), _memory(), gpus, why, remedy)


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
