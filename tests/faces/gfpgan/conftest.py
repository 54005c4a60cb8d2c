"""GFPGAN's real architecture with seeded random weights, in the format of the published files."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from w251lab.faces.gfpgan import network, weights

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

#: An eighth of the channels: the same code, 60 times fewer numbers.
NARROW = 0.125


@pytest.fixture(scope="session")
def random_network() -> Callable[..., Any]:
    """Make a network with seeded random values, such that noise and biases have an effect."""

    def make(arch: str, *, seed: int = 0, **options: Any) -> Any:
        import torch  # noqa: PLC0415

        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            made = network.build(arch, **options)
            for value in made.state_dict().values():
                if value.numel() < 2048:  # biases, and the strength of the noise, which begin at 0
                    value.add_(torch.randn(value.shape) * 0.1)
        return made

    return make


@pytest.fixture(scope="session", autouse=True)
def _few_threads() -> None:
    """Other tests run beside these."""
    try:
        import torch  # noqa: PLC0415
    except ImportError:
        return
    torch.set_num_threads(2)


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory, random_network: Callable[..., Any]) -> dict[str, Path]:
    """A file of weights for each architecture, narrow."""
    import torch  # noqa: PLC0415

    folder = tmp_path_factory.mktemp("weights")
    made = {}
    for name, arch, key in (("1.3", "clean", "params_ema"), ("1", "original", "params")):
        made_of = random_network(arch, channel_multiplier=2 if arch == "clean" else 1, narrow=NARROW)
        made[name] = folder / f"GFPGANv{name}.pth"
        torch.save({key: made_of.state_dict()}, made[name])
    return made


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch, files: dict[str, Path]) -> dict[str, Path]:
    """The versions as if they had been published an eighth as wide; their files."""
    for name, version in weights.VERSIONS.items():
        monkeypatch.setitem(weights.VERSIONS, name, replace(version, narrow=NARROW))
    return files


@pytest.fixture
def faces() -> NDArray[np.uint8]:
    """Three different 512 x 512 pictures."""
    rows, columns = np.mgrid[:512, :512]
    waves = [127.5 + 100 * np.sin(rows / (10 + 7 * n) + columns / 23) for n in range(9)]
    return np.stack(waves, -1).reshape(512, 512, 3, 3).transpose(2, 0, 1, 3).astype(np.uint8).copy()
