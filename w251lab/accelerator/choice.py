"""Which device a step is to use, and how to name it to the reader."""

from __future__ import annotations

import difflib
from typing import Literal

from w251lab.accelerator.gpus import find_gpus
from w251lab.accelerator.machine import describe
from w251lab.errors import UsageError, W251Error

Device = Literal["cpu", "gpu"]
DEVICES = ("auto", "cpu", "gpu")
#: A notebook says in the metadata of an output, under this key, what it computed on; see :func:`show`.
DEVICE_KEY = "w251lab.device"


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
    gpus, why, remedy = find_gpus()
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
