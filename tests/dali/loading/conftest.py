"""A benchmark of round figures, and pictures in two sizes of file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from w251lab.dali.loading.result import Loader, Loading, Stage
from w251lab.dali.loading.stages import STAGES
from w251lab.timing import Timing

if TYPE_CHECKING:
    from collections.abc import Callable

    from w251lab.accelerator import Device
    from w251lab.dali.loading.result import Key

HARDWARE = {"cpu": "A Processor, 16 cores", "gpu": "NVIDIA H200"}
NAMES: dict[Key, str] = {
    "pillow": "Pillow, 1 process",
    "pillow-workers": "Pillow, 16 worker processes",
    "dali-1": "DALI CPU, 1 thread",
    "dali": "DALI CPU, 16 threads",
    "dali-gpu": "DALI GPU, 16 threads",
}


@pytest.fixture(scope="session")
def timing() -> Callable[..., Timing]:
    """Makes a timing with this median; its middle half is 1 % to each side, or as far as is said."""

    def make(median: float, device: Device = "cpu", *, half: float = 0.01, settled: bool = True) -> Timing:
        samples = tuple(median * (1 + factor * half) for factor in (-1.5, -1, 0, 1, 1.5))
        return Timing("", device, HARDWARE[device], "none", samples, 2 * median, 1, settled, {"numpy": "2.4.0"})

    return make


@pytest.fixture(scope="session")
def pillow_loader(timing: Callable[..., Timing]) -> Loader:
    """Batches of 64 in 0.64 s: 10 ms for a picture, of which 0.1, 6, 3, 0.6 and 0.3 ms by stage."""
    seconds = [0.064 * ms for ms in (0.1, 6.0, 3.0, 0.6, 0.3)]
    stages = tuple(Stage(name, "inside", timing(value)) for name, value in zip(STAGES, seconds, strict=True))
    return Loader("pillow", NAMES["pillow"], 1, timing(0.64), stages)


@pytest.fixture(scope="session")
def dali_loader(timing: Callable[..., Timing]) -> Callable[..., Loader]:
    """Makes a loader of DALI: ms for a picture of the whole, and of the pipelines up to each stage."""

    def make(key: Key, whole: float, *until: float, half: float = 0.01) -> Loader:
        device: Device = "gpu" if key == "dali-gpu" else "cpu"
        found: list[Stage] = []
        for name, value in zip(STAGES, until, strict=False):
            here: Device = "cpu" if name == "read" else device
            before = found[-1].timing if found else None
            found.append(Stage(name, "difference", timing(0.064 * value, here, half=half), before))
        return Loader(
            key,
            NAMES[key],
            1 if key == "dali-1" else 16,
            timing(0.064 * whole, device),
            (*found, Stage("copy", "none")),
        )

    return make


@pytest.fixture
def loading(pillow_loader: Loader, dali_loader: Callable[..., Loader]) -> Loading:
    """Pillow and DALI on a CPU: 100 and 250 images/s."""
    dali = dali_loader("dali", 4.0, 0.5, 3.0, 3.5, 4.5)
    return Loading((pillow_loader, dali), 64, 60, 124_000.0, 786_432.0, 224, "cpu", "2026-11-21", 0.0)


@pytest.fixture
def on_gpu(pillow_loader: Loader, dali_loader: Callable[..., Loader]) -> Loading:
    """With DALI on a GPU: 5,000 images/s, where the stages take 0.25 ms one after the other."""
    gpu = dali_loader("dali-gpu", 0.2, 0.05, 0.2, 0.24, 0.25)
    cpu = dali_loader("dali", 4.0, 0.5, 3.0, 3.5, 4.5)
    return Loading((pillow_loader, cpu, gpu), 64, 60, 124_000.0, 786_432.0, 224, "gpu", "2026-11-21", 0.0)
