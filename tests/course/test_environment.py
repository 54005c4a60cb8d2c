from __future__ import annotations

import platform
from importlib.metadata import version

import course_builder as b

from w251lab.course.environment import describe, imported_modules


def test_finds_imports_beside_magics_and_broken_cells() -> None:
    nb = b.notebook(
        b.code("one", "%matplotlib inline\n!ls\nimport numpy as np, os.path"),
        b.code("two", "def f():\n    from PIL.Image import open"),
        b.code("three", "import this is broken"),
        b.code("four", "from . import sibling"),
        b.md("five", "import pandas"),
    )
    assert imported_modules(nb) == {"numpy", "os", "PIL"}


def test_describes_the_machine_and_the_packages() -> None:
    found = describe([b.notebook(b.code("x", "import numpy, PIL, no_such_module"))])
    assert found.python.endswith(platform.python_version())
    assert found.cores >= 1
    assert found.memory_gib > 0
    assert found.packages["numpy"] == version("numpy")
    assert found.packages["pillow"] == version("pillow")
    assert found.packages["w251lab"] == version("w251lab")
    assert {"papermill", "nbgrader", "ipykernel"} <= found.packages.keys()
    assert f"{found.cores} cores" in found.machine
