"""Write small courses of real nbgrader notebooks into a folder."""

from __future__ import annotations

import copy
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import nbformat

ROOT = Path(__file__).resolve().parents[2]

PARAMETERS = 'device = "auto"\nscale = "small"\nn = 3'


def _cell(kind: str, name: str, source: str, **metadata: Any) -> dict[str, Any]:
    cell: dict[str, Any] = {"cell_type": kind, "id": name, "metadata": metadata, "source": source}
    if kind == "code":
        cell |= {"execution_count": None, "outputs": []}
    return cell


def _grader(name: str, **flags: Any) -> dict[str, Any]:
    base = {"grade": False, "grade_id": name, "locked": False, "schema_version": 3, "solution": False, "task": False}
    return base | flags


def md(name: str, source: str) -> dict[str, Any]:
    return _cell("markdown", name, source)


def code(name: str, source: str, **metadata: Any) -> dict[str, Any]:
    return _cell("code", name, source, **metadata)


def locked(name: str, source: str, *, tags: list[str] | None = None) -> dict[str, Any]:
    extra = {"tags": tags} if tags else {}
    return _cell("code", name, source, nbgrader=_grader(name, locked=True), **extra)


def parameters(source: str = PARAMETERS) -> dict[str, Any]:
    return locked("parameters", source, tags=["parameters"])


def solution(name: str, source: str) -> dict[str, Any]:
    return _cell("code", name, source, nbgrader=_grader(name, solution=True))


def graded(name: str, source: str, points: float = 1) -> dict[str, Any]:
    return _cell("code", name, source, nbgrader=_grader(name, grade=True, locked=True, points=points))


def essay(name: str, source: str, points: float = 2) -> dict[str, Any]:
    return _cell("markdown", name, source, nbgrader=_grader(name, grade=True, solution=True, points=points))


def task(name: str, source: str, points: float = 2) -> dict[str, Any]:
    return _cell("markdown", name, source, nbgrader=_grader(name, task=True, locked=True, points=points))


def notebook(*cells: dict[str, Any]) -> Any:
    metadata = {
        "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    return nbformat.from_dict(
        {"cells": copy.deepcopy(list(cells)), "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    )


def answer(name: str, value: str) -> dict[str, Any]:
    return solution(name, f"def {name}():\n    ### BEGIN SOLUTION\n    return {value}\n    ### END SOLUTION")


def two_questions() -> Any:
    """Two coded questions (2 + 3 points, each with hidden tests) and an essay (2 points)."""
    return notebook(
        md("intro", "# A small lab"),
        parameters(),
        locked("setup", "import math\n\nbase = 40"),
        md("first-text", "## First: the answer"),
        answer("first", "base + 2"),
        graded(
            "first-test",
            "assert isinstance(first(), int)\n### BEGIN HIDDEN TESTS\nassert first() == 42\n### END HIDDEN TESTS",
            points=2,
        ),
        md("second-text", "## Second: twice n"),
        answer("second", "2 * n"),
        graded("second-test-kind", "assert second() > 0", points=1),
        graded("second-test", "### BEGIN HIDDEN TESTS\nassert second() == 6\n### END HIDDEN TESTS", points=2),
        md("words-text", "## In words"),
        essay("words", "Because it is six times seven.", points=2),
    )


def write(path: Path, nb: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(nb, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


LAB_TOML = """
[labs.{lab}]
title = "{title}"
summary = "A lab to test with."
needs = []
notebooks = [{notebooks}]
time_limits = {{ small = {{ cell = {cell}, notebook = {whole} }}, full = {{ cell = 60, notebook = 300 }} }}
"""


def course(root: Path, labs: dict[str, dict[str, Any]], *, cell: float = 20, whole: float = 120) -> Path:
    """A course of ``{lab: {notebook name: notebook}}`` with the project's own nbgrader configuration."""
    text = 'title = "A course to test with"\n'
    for lab, notebooks in labs.items():
        entries = ", ".join(f'{{ name = "{name}", title = "Notebook {name}" }}' for name in notebooks)
        text += LAB_TOML.format(lab=lab, title=f"Lab {lab}", notebooks=entries, cell=cell, whole=whole)
        for name, nb in notebooks.items():
            write(root / "solutions" / lab / f"{name}.ipynb", nb)
    (root / "course.toml").write_text(text, encoding="utf-8")
    (root / "nbgrader_config.py").write_text((ROOT / "nbgrader_config.py").read_text(), encoding="utf-8")
    return root


def short_folder() -> Path:
    """A folder with a path short enough for sockets in it; remove it with `remove`."""
    return Path(tempfile.mkdtemp(prefix="w2-"))


def remove(folder: Path) -> None:
    shutil.rmtree(folder)
