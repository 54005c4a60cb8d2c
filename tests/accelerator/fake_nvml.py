"""A stand-in for NVIDIA's management library, at the boundary of pynvml: a machine with the GPUs that a test names."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pynvml

if TYPE_CHECKING:
    import pytest

GIB = 1 << 30


@dataclass
class FakeDevice:
    name: str = "NVIDIA H200"
    memory: int | None = 141 * GIB
    uuid: str = "GPU-aaaa0000-1"
    capability: tuple[int, int] = (9, 0)
    mig: bool | None = None  # None: the GPU knows no MIG
    instances: list[FakeDevice | None] = field(default_factory=list)
    broken: int | None = None


class FakeNvml:
    """NVML's answers, at the boundary of pynvml; it counts starts and shutdowns and answers only between them."""

    def __init__(self, devices: list[FakeDevice], init_error: int | None = None) -> None:
        self.devices, self.init_error, self.open = devices, init_error, 0
        self.shutdowns = 0
        self.driver, self.cuda = b"580.95.05", 13000

    def install(self, monkeypatch: pytest.MonkeyPatch) -> FakeNvml:
        for name in dir(self):
            if name.startswith("nvml"):
                monkeypatch.setattr(pynvml, name, getattr(self, name))
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        return self

    def nvmlInit(self) -> None:  # noqa: N802
        if self.init_error is not None:
            raise pynvml.NVMLError(self.init_error)
        self.open += 1

    def nvmlShutdown(self) -> None:  # noqa: N802
        assert self.open == 1
        self.open -= 1
        self.shutdowns += 1

    def nvmlSystemGetDriverVersion(self) -> bytes:  # noqa: N802
        assert self.open
        return self.driver

    def nvmlSystemGetCudaDriverVersion(self) -> int:  # noqa: N802
        assert self.open
        return self.cuda

    def nvmlDeviceGetCount(self) -> int:  # noqa: N802
        return len(self.devices)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> FakeDevice:  # noqa: N802
        device = self.devices[index]
        if device.broken is not None:
            raise pynvml.NVMLError(device.broken)
        return device

    def nvmlDeviceGetCudaComputeCapability(self, handle: FakeDevice) -> tuple[int, int]:  # noqa: N802
        return handle.capability

    def nvmlDeviceGetName(self, handle: FakeDevice) -> str:  # noqa: N802
        return handle.name

    def nvmlDeviceGetUUID(self, handle: FakeDevice) -> str:  # noqa: N802
        return handle.uuid

    def nvmlDeviceGetMemoryInfo(self, handle: FakeDevice) -> Any:  # noqa: N802
        if handle.memory is None:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)
        return SimpleNamespace(total=handle.memory)

    def nvmlDeviceGetMigMode(self, handle: FakeDevice) -> list[int]:  # noqa: N802
        if handle.mig is None:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)
        return [int(handle.mig), int(handle.mig)]

    def nvmlDeviceGetMaxMigDeviceCount(self, handle: FakeDevice) -> int:  # noqa: N802
        return max(7, len(handle.instances))

    def nvmlDeviceGetMigDeviceHandleByIndex(self, handle: FakeDevice, index: int) -> FakeDevice:  # noqa: N802
        instance = handle.instances[index] if index < len(handle.instances) else None
        if instance is None:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_FOUND)
        return instance
