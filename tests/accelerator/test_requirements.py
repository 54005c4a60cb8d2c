from __future__ import annotations

import sys
import tomllib
from typing import TYPE_CHECKING

import pytest
from fake_nvml import FakeDevice, FakeNvml

from w251lab import accelerator
from w251lab.accelerator import CUDA_MAJOR
from w251lab.errors import UsageError, W251Error

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def nvml(monkeypatch: pytest.MonkeyPatch) -> FakeNvml:
    return FakeNvml([FakeDevice()]).install(monkeypatch)


def library(folder: Path, monkeypatch: pytest.MonkeyPatch, source: str, name: str = "madeup_gpu_library") -> str:
    """A library that can be found, with this source."""
    (folder / f"{name}.py").write_text(source)
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, name, raising=False)
    return name


def test_the_cuda_generation_is_the_one_that_is_pinned(root: Path) -> None:
    pinned = tomllib.loads((root / "pyproject.toml").read_text())["project"]["optional-dependencies"]["gpu"]
    generations = {name for name in pinned if "-cu1" in name}
    assert generations
    assert all(f"-cu{CUDA_MAJOR}" in name for name in generations)


def test_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    FakeNvml([]).install(monkeypatch)
    with pytest.raises(W251Error, match="finds no device"):
        accelerator.require("gpu", "cupy")
    assert accelerator.require("auto", "no_such_library") == "cpu"


def test_the_cpu_needs_no_gpu_library(nvml: FakeNvml) -> None:
    assert accelerator.require("cpu", "no_such_library") == "cpu"
    assert nvml.shutdowns == 0


def test_an_unknown_device_is_wrong_usage() -> None:
    with pytest.raises(UsageError, match="unknown device 'cuda'"):
        accelerator.require("cuda")


def test_a_driver_that_is_too_old_is_named_with_both_versions(nvml: FakeNvml) -> None:
    nvml.driver, nvml.cuda = b"550.54.15", 12040
    assert accelerator.driver_cuda() == (12, 4)
    with pytest.raises(W251Error) as caught:
        accelerator.require("gpu")
    assert "driver is too old: 550.54.15 is made for CUDA 12.4, and the libraries need CUDA 13" in caught.value.what
    assert "install driver 580 or newer" in caught.value.remedy
    assert "or use device 'cpu'" in caught.value.remedy


@pytest.mark.parametrize("cuda", [13000, 13030, 14010])
def test_a_driver_that_is_new_enough(nvml: FakeNvml, cuda: int) -> None:
    nvml.cuda = cuda
    assert accelerator.require("gpu") == accelerator.require("auto") == "gpu"
    assert nvml.open == 0


def test_a_gpu_that_is_too_old(nvml: FakeNvml) -> None:
    nvml.devices[0] = FakeDevice("Tesla V100", capability=(7, 0))
    with pytest.raises(W251Error, match=r"GPU is too old: Tesla V100 has compute capability 7\.0"):
        accelerator.require("gpu")
    nvml.devices[0] = FakeDevice("Tesla T4", capability=(7, 5))
    assert accelerator.require("gpu") == "gpu"
    nvml.devices[0] = FakeDevice("NVIDIA B200", capability=(10, 0))
    assert accelerator.require("gpu") == "gpu", "ten is more than seven, also as text"


def test_a_missing_library(nvml: FakeNvml) -> None:
    with pytest.raises(W251Error) as caught:
        accelerator.require("gpu", "json", "no_such_library")
    assert "library is missing: no_such_library is not installed" in caught.value.what
    assert "make env DEVICE=gpu" in caught.value.remedy


@pytest.mark.parametrize(
    ("source", "what", "remedy"),
    [
        ("import no_such_part", "needs no_such_part, which is not", "make env DEVICE=gpu"),
        (
            "raise ImportError('libcuvs.so: undefined symbol: __nvJitLinkCreate_13_3, version libnvJitLink.so.13')",
            "undefined symbol: __nvJitLinkCreate_13_3",
            "install nvidia-nvjitlink>=13.3",
        ),
        (
            "raise OSError('libcudf.so: cannot open shared object file')",
            "cannot open shared object file",
            "delete .venv",
        ),
        ("raise RuntimeError", "its import failed: RuntimeError", "delete .venv"),
    ],
)
@pytest.mark.usefixtures("nvml")
def test_a_broken_library_is_not_a_missing_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, what: str, remedy: str
) -> None:
    name = library(tmp_path, monkeypatch, source)
    with pytest.raises(W251Error) as caught:
        accelerator.require("gpu", name)
    assert f"library is broken: {name} is installed" in caught.value.what
    assert what in caught.value.what
    assert remedy in caught.value.remedy
    assert "missing" not in caught.value.what
    assert caught.value.__cause__.__cause__ is not None, "the import's own error is behind it"


def test_a_build_of_xgboost_without_cuda_does_not_count(
    nvml: FakeNvml, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = "__version__ = '3.2.0'\nCUDA = False\ndef build_info():\n    return {'USE_CUDA': CUDA}\n"
    library(tmp_path, monkeypatch, source, "xgboost")
    with pytest.raises(W251Error, match=r"xgboost 3\.2\.0 is built without CUDA"):
        accelerator.require("gpu", "xgboost")
    monkeypatch.setattr(sys.modules["xgboost"], "CUDA", True)
    assert accelerator.require("gpu", "xgboost") == "gpu"


def test_auto_says_why_it_leaves_the_gpu(nvml: FakeNvml) -> None:
    with pytest.warns(UserWarning, match="computing on the CPU, because a library is missing: no_such_library"):
        assert accelerator.require("auto", "no_such_library") == "cpu"
    nvml.cuda = 12080
    with pytest.warns(UserWarning, match="driver is too old"):
        assert accelerator.require("auto") == "cpu"


@pytest.mark.gpu
def test_the_libraries_of_the_gpu_environment_can_be_used() -> None:
    assert accelerator.require("gpu", "cupy", "cudf", "cuml", "xgboost") == "gpu"
    cuda = accelerator.driver_cuda()
    assert cuda is not None
    assert cuda >= (CUDA_MAJOR, 0)
