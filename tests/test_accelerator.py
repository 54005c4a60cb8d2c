from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pynvml
import pytest

from w251lab import accelerator
from w251lab.errors import UsageError, W251Error

if TYPE_CHECKING:
    from pathlib import Path

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
        return b"580.95.05"

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


def test_this_machine_is_described_from_what_the_kernel_says() -> None:
    machine = accelerator.describe()
    assert 1 <= machine.cores <= (os.cpu_count() or 1)
    assert GIB // 4 < machine.memory <= os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert machine.cpu
    assert "Linux" in machine.platform
    assert bool(machine.gpus) != bool(machine.why_no_gpu)
    assert bool(machine.why_no_gpu) == bool(machine.gpu_remedy)
    assert accelerator.devices() == machine.gpus


def test_cores_follow_the_affinity_of_the_process() -> None:
    core = min(os.sched_getaffinity(0))
    pin = f"import os; os.sched_setaffinity(0, {{{core}}})"
    program = f"{pin}\nfrom w251lab import accelerator\nprint(accelerator.describe().cores)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "1"


def test_a_real_machine_without_a_gpu_says_so() -> None:
    machine = accelerator.describe()
    if machine.gpus:
        assert accelerator.resolve_device("auto") == accelerator.resolve_device("gpu") == "gpu"
        return
    assert accelerator.resolve_device("auto") == "cpu"
    with pytest.raises(W251Error) as caught:
        accelerator.resolve_device("gpu")
    assert machine.why_no_gpu in caught.value.what
    assert machine.gpu_remedy in caught.value.remedy
    assert not isinstance(caught.value, UsageError)


@pytest.mark.gpu
def test_a_real_gpu_is_seen() -> None:
    gpu = accelerator.devices()[0]
    assert gpu.name
    assert gpu.memory is None or gpu.memory > GIB
    assert float(gpu.compute_capability) >= 5
    assert gpu.driver.split(".")[0].isdecimal()


@pytest.mark.parametrize(
    ("code", "why", "remedy"),
    [
        (pynvml.NVML_ERROR_LIBRARY_NOT_FOUND, "no NVIDIA driver is installed", "install the NVIDIA driver"),
        (pynvml.NVML_ERROR_DRIVER_NOT_LOADED, "installed but not loaded", "modprobe nvidia"),
        (pynvml.NVML_ERROR_NO_PERMISSION, "may not use", "/dev/nvidia"),
        (pynvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH, "was updated", "restart the machine"),
        (pynvml.NVML_ERROR_UNKNOWN, "does not answer: Unknown Error", "nvidia-smi"),
    ],
)
def test_why_there_is_no_gpu_is_told_apart(monkeypatch: pytest.MonkeyPatch, code: int, why: str, remedy: str) -> None:
    fake = FakeNvml([], init_error=code).install(monkeypatch)
    machine = accelerator.describe()
    assert machine.gpus == ()
    assert why in machine.why_no_gpu
    assert remedy in machine.gpu_remedy
    assert accelerator.resolve_device("auto") == "cpu"
    with pytest.raises(W251Error, match=why):
        accelerator.resolve_device("gpu")
    assert fake.shutdowns == 0, "what did not start is not shut down"


def test_a_driver_without_a_device(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeNvml([]).install(monkeypatch)
    assert "finds no device" in accelerator.describe().why_no_gpu
    assert (fake.open, fake.shutdowns) == (0, 1)


def test_gpus_are_listed_and_nvml_is_shut_down(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeNvml([FakeDevice(), FakeDevice("NVIDIA L4", 24 * GIB, "GPU-bbbb", (8, 9), mig=False)]).install(
        monkeypatch
    )
    machine = accelerator.describe()
    assert machine.gpus == (
        accelerator.Gpu("NVIDIA H200", 141 * GIB, "580.95.05", "9.0"),
        accelerator.Gpu("NVIDIA L4", 24 * GIB, "580.95.05", "8.9"),
    )
    assert (machine.why_no_gpu, machine.gpu_remedy) == ("", "")
    assert accelerator.resolve_device("gpu") == accelerator.resolve_device("auto") == "gpu"
    assert accelerator.resolve_device("cpu") == "cpu"
    assert (fake.open, fake.shutdowns) == (0, 3), "the answer 'cpu' needs no NVML"


def test_memory_that_the_driver_does_not_tell_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    FakeNvml([FakeDevice("NVIDIA GB10", memory=None)]).install(monkeypatch)
    assert accelerator.devices()[0].memory is None


def test_one_broken_gpu_does_not_take_the_other_away(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeNvml([FakeDevice(broken=pynvml.NVML_ERROR_GPU_IS_LOST), FakeDevice("NVIDIA L4")]).install(monkeypatch)
    assert [gpu.name for gpu in accelerator.devices()] == ["NVIDIA L4"]
    fake.devices.pop()
    assert accelerator.describe().why_no_gpu == "GPU 0 does not answer: GPU is lost"
    assert fake.open == 0


def test_instances_stand_in_for_a_divided_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    instance = FakeDevice("NVIDIA H200 MIG 1g.18gb", 16 * GIB, "MIG-cccc")
    fake = FakeNvml([FakeDevice(mig=True, instances=[None, instance])]).install(monkeypatch)
    assert [(gpu.name, gpu.memory) for gpu in accelerator.devices()] == [("NVIDIA H200 MIG 1g.18gb", 16 * GIB)]
    fake.devices[0].instances.clear()
    assert "MIG mode and has no instance" in accelerator.describe().why_no_gpu


@pytest.mark.parametrize(
    ("setting", "names"),
    [
        ("0,1", ["A", "B"]),
        ("1,0", ["B", "A"]),
        ("1", ["B"]),
        ("GPU-b", ["B"]),
        ("gpu-BBBB", ["B"]),
        ("0,7,1", ["A"]),
        ("GPU-", []),  # names two
        ("", []),
        ("-1", []),
        ("NoDevFiles", []),
    ],
)
def test_cuda_visible_devices(monkeypatch: pytest.MonkeyPatch, setting: str, names: list[str]) -> None:
    FakeNvml([FakeDevice("A", uuid="GPU-aaaa"), FakeDevice("B", uuid="GPU-bbbb")]).install(monkeypatch)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", setting)
    machine = accelerator.describe()
    assert [gpu.name for gpu in machine.gpus] == names
    assert ("CUDA_VISIBLE_DEVICES" in machine.why_no_gpu) == (not names)


@pytest.mark.parametrize("word", ["cuda", "GPU", "cpus", "", "gpu "])
def test_an_unknown_word_is_wrong_usage(word: str) -> None:
    with pytest.raises(UsageError, match="unknown device") as caught:
        accelerator.resolve_device(word)
    assert "use auto, cpu or gpu" in caught.value.remedy
    if word == "GPU":
        assert "did you mean 'gpu'" in caught.value.remedy


def write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def test_control_groups_of_version_2(tmp_path: Path) -> None:
    membership, tree = tmp_path / "cgroup", tmp_path / "fs"
    membership.write_text("0::/job/step\n")
    write(tree / "job" / "step" / "cpu.max", "max 100000\n")
    write(tree / "job" / "cpu.max", "150000 100000\n")
    groups = list(accelerator._control_groups("cpu", membership, tree))
    assert tree / "job" / "step" in groups
    assert [accelerator._cpu_share(group) for group in groups if group.name in {"job", "step"}] == [None, 1.5]


def test_control_groups_of_version_1_in_a_container(tmp_path: Path) -> None:
    membership, tree = tmp_path / "cgroup", tmp_path / "fs"
    membership.write_text("5:cpu,cpuacct:/docker/0123\n4:memory:/docker/0123\n")
    write(tree / "cpu,cpuacct" / "cpu.cfs_quota_us", "50000\n")
    write(tree / "cpu,cpuacct" / "cpu.cfs_period_us", "100000\n")
    groups = list(accelerator._control_groups("cpu", membership, tree))
    assert groups == [tree / "cpu,cpuacct"], "the host's path does not exist in the container"
    assert accelerator._cpu_share(groups[0]) == 0.5


def test_a_limit_counts_for_the_cores_and_the_memory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    write(tmp_path / "cpu.max", "50000 100000\n")
    write(tmp_path / "memory.max", "1073741824\n")
    monkeypatch.setattr(accelerator, "_control_groups", lambda _controller: iter([tmp_path]))
    machine = accelerator.describe()
    assert (machine.cores, machine.memory) == (1, GIB)
    write(tmp_path / "memory.max", "max\n")
    write(tmp_path / "cpu.max", "max 100000\n")
    assert accelerator.describe().memory == os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def test_the_processor_is_named_where_the_kernel_names_it(tmp_path: Path) -> None:
    write(tmp_path / "cpuinfo", "processor\t: 0\nmodel name\t: A Processor : 3 GHz\n")
    assert accelerator._cpu_model(tmp_path / "cpuinfo") == "A Processor : 3 GHz"
    assert accelerator._cpu_model(tmp_path / "absent")
