from __future__ import annotations

import pynvml
import pytest
from fake_nvml import GIB, FakeDevice, FakeNvml

from w251lab import accelerator
from w251lab.errors import W251Error


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
