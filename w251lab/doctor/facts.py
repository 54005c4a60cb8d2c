"""What this machine is: hardware, operating system, Python, and the versions that matter."""

from __future__ import annotations

import platform
import shutil
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from w251lab import accelerator
from w251lab.triton import environment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from w251lab.accelerator import Machine

LAB_PACKAGES = ("w251lab", "jupyterlab", "ipykernel", "nbgrader", "papermill", "tritonclient", "numpy", "onnxruntime")
SERVER_PACKAGES = ("nvidia-pytriton", "numpy", "onnxruntime")
# The GPU's flavour of a distribution carries the same module under another name.
_ALSO = {"onnxruntime": "onnxruntime-gpu"}


@dataclass(frozen=True)
class Facts:
    """What this machine is.

    Attributes:
        machine: Hardware and operating system.
        libc: The C library and its version.
        python: Implementation and version of the interpreter, and its path.
        free_disk: Bytes that can be written in the working directory.
        lab: Distribution -> version in this environment; "" for one that is not installed.
        server_root: The folder of the Triton server's environment.
        server: The same in that environment.
    """

    machine: Machine
    libc: str
    python: str
    free_disk: int
    lab: dict[str, str]
    server_root: Path
    server: dict[str, str]


def gather() -> Facts:
    """Look at this machine. Raises nothing for what is missing."""
    root = environment.default_root()
    return Facts(
        machine=accelerator.describe(),
        libc=" ".join(platform.libc_ver()),
        python=f"{platform.python_implementation()} {platform.python_version()} ({sys.executable})",
        free_disk=shutil.disk_usage(Path.cwd()).free,
        lab=_versions(LAB_PACKAGES, sys.path),
        server_root=root,
        server=_versions(SERVER_PACKAGES, [str(path) for path in root.glob("lib/python3.*/site-packages")]),
    )


def _versions(names: Sequence[str], path: list[str]) -> dict[str, str]:
    found = {
        (each.name or "").lower(): each.version
        for each in metadata.distributions(path=[entry for entry in path if entry])
    }
    return {name: found.get(name) or found.get(_ALSO.get(name, ""), "") for name in names}
