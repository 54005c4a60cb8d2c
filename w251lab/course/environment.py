"""What a run was made on: the machine, and the versions of what its notebooks import."""

from __future__ import annotations

import ast
import platform
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING

from IPython.core.inputtransformer2 import TransformerManager

from w251lab import __version__, accelerator

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nbformat import NotebookNode

_ALWAYS = ("ipykernel", "nbgrader", "papermill")


@dataclass(frozen=True)
class Environment:
    """The machine and the software of a run.

    Attributes:
        python: Version of the interpreter that ran the notebooks.
        platform: Operating system and architecture.
        cpu: Model name of the processor.
        cores: Cores that this process may use.
        memory_gib: Memory that a process may use, in GiB.
        gpus: Names of the NVIDIA GPUs that the driver reports; empty when there is none.
        packages: Distribution -> version.
    """

    python: str
    platform: str
    cpu: str
    cores: int
    memory_gib: float
    gpus: tuple[str, ...]
    packages: dict[str, str]

    @property
    def machine(self) -> str:
        """One line for a person."""
        gpus = ", ".join(self.gpus) or "no NVIDIA GPU"
        return f"{self.cpu}, {self.cores} cores, {self.memory_gib:g} GiB, {gpus}"


def describe(notebooks: Iterable[NotebookNode] = ()) -> Environment:
    """Describe this machine, this interpreter, and the installed packages that the notebooks import."""
    machine = accelerator.describe()
    return Environment(
        python=f"{platform.python_implementation()} {platform.python_version()}",
        platform=machine.platform,
        cpu=machine.cpu,
        cores=machine.cores,
        memory_gib=round(machine.memory / 2**30, 1),
        gpus=tuple(gpu.name for gpu in machine.gpus),
        packages=_packages(notebooks),
    )


def imported_modules(nb: NotebookNode) -> set[str]:
    """Top-level names of the modules that the notebook's cells import; a cell that is no Python has none."""
    found: set[str] = set()
    transform = TransformerManager().transform_cell  # type: ignore[no-untyped-call]  # turns %magic and !command lines into Python
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
