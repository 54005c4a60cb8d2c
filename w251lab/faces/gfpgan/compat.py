"""GFPGAN's packages beside today's libraries: what they miss is put in its place before they are imported.

gfpgan 1.3.8, basicsr 1.4.2 and facexlib 0.3.0 are of 2022. Three things have changed since:

- basicsr imports ``rgb_to_grayscale`` from ``torchvision.transforms.functional_tensor``, a module that torchvision
  removed in 0.17; the function is in ``torchvision.transforms.functional``. A module of the old name offers it.
- basicsr imports from ``scipy.ndimage.filters``, which is deprecated: a warning that the user can do nothing about.
- GFPGAN v1 (the "original" architecture) calls two operators that basicsr compiles with CUDA at its installation.
  Without them it fails at the first picture. Both are short formulas, which PyTorch computes on a CPU and on a GPU.
"""

from __future__ import annotations

import sys
import threading
import types
import warnings
from importlib import import_module, util
from typing import Any, Final

from w251lab.errors import W251Error

_SHIM: Final = "torchvision.transforms.functional_tensor"
_LOCK: Final = threading.Lock()


def architecture(arch: str) -> Any:
    """The class of a network: ``gfpgan``'s own.

    Args:
        arch: "clean" or "original".

    Raises:
        W251Error: GFPGAN's packages are not installed, or do not go together with what is installed beside them.
    """
    names = {
        "clean": ("gfpgan.archs.gfpganv1_clean_arch", "GFPGANv1Clean"),
        "original": ("gfpgan.archs.gfpganv1_arch", "GFPGANv1"),
    }
    module, name = names[arch]
    with _LOCK:
        prepare()
        found = getattr(_imported(module), name)
        if arch == "original":
            _replace_extensions()
    return found


def require() -> None:
    """See that what GFPGAN needs is installed, without importing it.

    Raises:
        W251Error: PyTorch, torchvision or one of GFPGAN's packages is not.
    """
    for name in ("torch", "torchvision", "gfpgan", "basicsr", "facexlib"):
        if util.find_spec(name) is None:
            raise W251Error(
                f"GFPGAN needs the package {name}, which is not installed",
                "in a checkout: make env GFPGAN=yes (Python 3.11 or 3.12); elsewhere: pip install 'w251lab[gfpgan]'",
            )


def prepare() -> None:
    """Make ``import gfpgan`` work in this process.

    Raises:
        W251Error: PyTorch, torchvision or GFPGAN's packages are not installed, or do not go together.
    """
    require()
    _imported("torchvision.transforms.functional")
    if _SHIM not in sys.modules and util.find_spec(_SHIM) is None:
        shim: Any = types.ModuleType(_SHIM, "What basicsr 1.4.2 imports from a module that torchvision has removed.")
        shim.rgb_to_grayscale = import_module("torchvision.transforms.functional").rgb_to_grayscale
        sys.modules[_SHIM] = shim


def _imported(name: str) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # old spellings inside packages that will not change any more
            return import_module(name)
    except (ImportError, AttributeError, RuntimeError, OSError) as error:  # OSError: a library that cannot be loaded
        raise W251Error(
            f"{name} does not go together with what is installed beside it: {error}",
            "make the environment again from its lock file: make clean, then make env GFPGAN=yes",
        ) from error


def _replace_extensions() -> None:
    """Have basicsr compute with PyTorch what it would with extensions that were not compiled."""
    fused: Any = import_module("basicsr.ops.fused_act.fused_act")
    resampling: Any = import_module("basicsr.ops.upfirdn2d.upfirdn2d")
    users: list[Any] = [import_module("basicsr.archs.stylegan2_arch")]
    if not hasattr(fused, "fused_act_ext"):
        for module in (fused, *users):
            module.fused_leaky_relu = fused_leaky_relu
    if not hasattr(resampling, "upfirdn2d_ext"):

        def upfirdn2d(x: Any, kernel: Any, up: int = 1, down: int = 1, pad: tuple[int, int] = (0, 0)) -> Any:
            """What basicsr computes on a CPU; any device can."""
            return resampling.upfirdn2d_native(x, kernel, up, up, down, down, pad[0], pad[1], pad[0], pad[1])

        for module in (resampling, *users):
            module.upfirdn2d = upfirdn2d


def fused_leaky_relu(x: Any, bias: Any, negative_slope: float = 0.2, scale: float = 2**0.5) -> Any:
    """Add a bias, apply the leaky ReLU and scale: what StyleGAN2's fused kernel computes.

    Args:
        x: Tensor (n, channels, ...).
        bias: Tensor (channels,).
        negative_slope: Of the leaky ReLU.
        scale: The result is multiplied by it; sqrt(2) keeps the variance (Karras et al. 2020, StyleGAN2).
    """
    import torch.nn.functional as F  # noqa: N812, PLC0415

    shape = (1, -1, *([1] * (x.ndim - 2)))
    return F.leaky_relu(x + bias.view(shape), negative_slope).mul_(scale)
