"""What a run was made on: the machine, and the versions of what its notebooks import."""

from __future__ import annotations

import ast
import os
import platform
import re
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import pynvml
from IPython.core.inputtransformer2 import TransformerManager

from w251lab import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nbformat import NotebookNode

#: A notebook says what it computed on with any output that carries this key in its metadata, for instance
#: ``display("NVIDIA H200", metadata={"w251lab.device": "gpu: NVIDIA H200"})``. The last one counts.
DEVICE_KEY = "w251lab.device"

_ALWAYS = ("ipykernel", "nbgrader", "papermill")


@dataclass(frozen=True)
class Environment:
    """The machine and the software of a run. What cannot be found out is the word ``unknown``.

    Attributes:
        python: Version of the interpreter that ran the notebooks.
        platform: Operating system and architecture.
        cpu: Model name of the processor.
        cores: Cores that this process may use.
        memory_gib: Memory of the machine in GiB, None where it is unknown.
        gpus: Names of the NVIDIA GPUs that the driver reports; empty when there is none.
        packages: Distribution -> version.
    """

    python: str
    platform: str
    cpu: str
    cores: int
    memory_gib: float | None
    gpus: tuple[str, ...]
    packages: dict[str, str]

    @property
    def machine(self) -> str:
        """One line for a person."""
        memory = "unknown memory" if self.memory_gib is None else f"{self.memory_gib:g} GiB"
        gpus = ", ".join(self.gpus) or "no NVIDIA GPU"
        return f"{self.cpu}, {self.cores} cores, {memory}, {gpus}"


def describe(notebooks: Iterable[NotebookNode] = ()) -> Environment:
    """Describe this machine, this interpreter, and the installed packages that the notebooks import."""
    return Environment(
        python=f"{platform.python_implementation()} {platform.python_version()}",
        platform=platform.platform(),
        cpu=_cpu(),
        cores=len(os.sched_getaffinity(0)),
        memory_gib=_memory(),
        gpus=_gpus(),
        packages=_packages(notebooks),
    )


def imported_modules(nb: NotebookNode) -> set[str]:
    """Top-level names of the modules that the notebook's cells import; a cell that is no Python has none."""
    found: set[str] = set()
    transform = TransformerManager().transform_cell  # turns %magic and !command lines into Python
    for cell in nb["cells"]:
        if cell["cell_type"] != "code":
            continue
        try:
            tree = ast.parse(transform(cell["source"]))
        except (SyntaxError, ValueError, RecursionError):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.partition(".")[0])
    return found


def _packages(notebooks: Iterable[NotebookNode]) -> dict[str, str]:
    modules = set().union(*(imported_modules(nb) for nb in notebooks))
    distributions = metadata.packages_distributions()
    names = {name for module in modules for name in distributions.get(module, ())} | set(_ALWAYS)
    return {"w251lab": __version__} | {name: metadata.version(name) for name in sorted(names, key=str.lower)}


def _cpu() -> str:
    path = Path("/proc/cpuinfo")
    text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    match = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return match.group(1).strip() if match else platform.processor() or "unknown"


def _memory() -> float | None:
    pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    return round(pages * size / 2**30, 1) if pages > 0 and size > 0 else None


def _gpus() -> tuple[str, ...]:
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:  # no driver: no GPU that a notebook could use
        return ()
    try:
        handles = [pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(pynvml.nvmlDeviceGetCount())]
        return tuple(str(pynvml.nvmlDeviceGetName(handle)) for handle in handles)
    finally:
        pynvml.nvmlShutdown()
