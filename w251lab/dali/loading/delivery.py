"""A batch on its way to where a model would compute."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from w251lab import accelerator

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from w251lab.accelerator import Device


def require(device: str) -> Device:
    """Where the batches are to lie.

    Args:
        device: ``cpu``, ``gpu``, or ``auto`` for the GPU where it can be used.

    Raises:
        UsageError: Another word.
        W251Error: ``gpu``, and there is none, or CuPy, which copies batches to it, is missing.
    """
    return accelerator.require(device, "cupy")


def to_gpu(batch: npt.NDArray[np.float32]) -> Any:
    """Copy a batch from the computer's memory to the GPU's, and wait until it is there.

    The memory is what NumPy and DALI have, not page-locked: the plain ``tensor.to("cuda")`` of a training loop.

    Returns:
        A CuPy array of the same shape.
    """
    cupy = import_module("cupy")
    copied = cupy.asarray(batch)
    cupy.cuda.get_current_stream().synchronize()
    return copied
