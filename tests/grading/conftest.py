"""Makes ``little_course`` (and the ``course_builder`` under it) importable for every test of grading."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from w251lab.grading import kernels

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

_HERE = Path(__file__).parent


def _load(name: str, path: Path) -> ModuleType:
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


_load("course_builder", _HERE.parent / "course" / "builder.py")
little_course = _load("little_course", _HERE / "little_course.py")
class_of_six = _load("class_of_six", _HERE / "class_of_six.py")
_load("chromium", _HERE / "chromium.py")
# The processes of a dask cluster inherit this path, and import what they are to run by its name.
if str(_HERE) not in sys.path:
    sys.path.append(str(_HERE))


@pytest.fixture(scope="package", autouse=True)
def _no_template_stays() -> Iterator[None]:
    """What a worker process keeps for the next submission ends with the tests."""
    yield
    kernels.close()
