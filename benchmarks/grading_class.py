"""A class for `benchmarks/grading.py`: a quick lab, or one notebook of a real lab, with copies handed in."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat

ROOT = Path(__file__).resolve().parents[1]
TOML = """title = "Benchmark"
[labs.{lab}]
title = "Measured"
summary = "What is graded here is measured."
needs = {needs}
notebooks = [{{ name = "{notebook}", title = "Measured" }}]
time_limits = {{ small = {{ cell = 400, notebook = 1800 }}, full = {{ cell = 400, notebook = 1800 }} }}
"""
WORK = """def f{n}(m):
    total = 0.0
    for k in range(m):
        total += float(np.sqrt(x + k).sum())
    return total"""
# The cells in a bare process, as IPython runs them, after their imports: CPU seconds of it and of its children.
BARE = """
import contextlib, io, json, os, sys, warnings
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
for name in json.loads(sys.argv[2]):
    with contextlib.suppress(ImportError):
        __import__(name)
def used():
    return sum(os.times()[:4])
start = used()
with contextlib.redirect_stdout(io.StringIO()):
    for source in json.loads(open(sys.argv[1]).read()):
        shell.run_cell(source).raise_error()
print("seconds", used() - start)
"""


@dataclass(frozen=True)
class Measured:
    """The lab that is graded.

    Attributes:
        lab: Its name.
        notebook: The name of its one notebook.
    """

    lab: str = "01_quick"
    notebook: str = "quick"

    @property
    def is_real(self) -> bool:
        """Whether it is one of this course's labs; else it is made here."""
        return (ROOT / "solutions" / self.lab).is_dir()

    def needs(self) -> list[str]:
        """What the lab needs of a machine, in the catalog's words."""
        catalog = tomllib.loads((ROOT / "course.toml").read_text(encoding="utf-8"))["labs"]
        return list(catalog.get(self.lab, {}).get("needs", []))

    def source(self) -> Any:
        """The notebook with solutions and hidden tests."""
        if self.is_real:
            return nbformat.read(ROOT / "solutions" / self.lab / f"{self.notebook}.ipynb", 4)
        return quick_notebook()


def cell(kind: str, name: str, source: str, **grader: Any) -> Any:
    """A cell with nbgrader's metadata where there is any."""
    made = nbformat.v4.new_code_cell(source) if kind == "code" else nbformat.v4.new_markdown_cell(source)
    made["id"] = name
    if grader:
        base = {
            "grade": False,
            "grade_id": name,
            "locked": False,
            "schema_version": 3,
            "solution": False,
            "task": False,
        }
        made["metadata"]["nbgrader"] = base | grader
    if name == "parameters":
        made["metadata"]["tags"] = ["parameters"]
    return made


def quick_notebook() -> Any:
    """Parameters, a set-up, and five answers with a test each, half of it hidden.

    The arrays stay in the cache: with large ones the page faults of the allocator would be measured, and they depend on
    what a process has allocated before.
    """
    cells = [
        cell("code", "parameters", 'device = "auto"\nscale = "small"', locked=True),
        cell("code", "setup", "import numpy as np\nx = np.arange(10_000, dtype=float)", locked=True),
    ]
    for n in range(5):
        answer = f"### BEGIN SOLUTION\n{WORK.format(n=n)}\n### END SOLUTION"
        test = f"assert f{n}(1) > 0\n### BEGIN HIDDEN TESTS\nassert f{n}(5000) > f{n}(1)\n### END HIDDEN TESTS"
        cells += [
            cell("markdown", f"text-{n}", f"## Question {n}"),
            cell("code", f"f{n}", answer, solution=True),
            cell("code", f"f{n}-test", test, grade=True, locked=True, points=2),
        ]
    nb = nbformat.v4.new_notebook(cells=cells)
    nb["metadata"]["kernelspec"] = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    nb["metadata"]["language_info"] = {"name": "python"}
    return nb


def course(folder: Path, copies: int, measured: Measured) -> Path:
    """A course with so many copies of the right answers handed in."""
    root = folder / "course"
    solutions = root / "solutions" / measured.lab
    if measured.is_real:
        others = shutil.ignore_patterns("*.ipynb", "__pycache__", ".ipynb_checkpoints")
        shutil.copytree(ROOT / "solutions" / measured.lab, solutions, ignore=others)
    else:
        solutions.mkdir(parents=True)
    (root / "course.toml").write_text(
        TOML.format(lab=measured.lab, notebook=measured.notebook, needs=json.dumps(measured.needs()))
    )
    shutil.copy(ROOT / "nbgrader_config.py", root)
    nb = measured.source()
    nbformat.write(nb, solutions / f"{measured.notebook}.ipynb")
    run(root, "-m", "nbgrader", "generate_assignment", measured.lab, "--force")
    release = root / "labs" / measured.lab
    submitted = nbformat.read(release / f"{measured.notebook}.ipynb", 4)
    answers = {name: one["source"] for one in nb["cells"] if (name := _answer(one))}
    for one in submitted["cells"]:
        one["source"] = answers.get(_answer(one), one["source"])
    for number in range(copies):
        place = root / "submitted" / f"student{number:04}" / measured.lab
        shutil.copytree(release, place)
        nbformat.write(submitted, place / f"{measured.notebook}.ipynb")
    return root


def _answer(one: Any) -> str:
    """The grade_id of a cell that a student fills in; empty for others."""
    grader = one["metadata"].get("nbgrader", {})
    return grader["grade_id"] if grader.get("solution") else ""


def run(root: Path, *words: str) -> float:
    """Run this interpreter with these words; the seconds that it took."""
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    start = time.monotonic()
    done = subprocess.run(
        [sys.executable, *words], cwd=root, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{words}: {done.stdout}{done.stderr}")
    return time.monotonic() - start


def cell_seconds(root: Path, measured: Measured, rounds: int) -> float:
    """CPU seconds of the submission's cells alone, median of so many bare runs after the imports."""
    from w251lab.grading.part import imports_of  # noqa: PLC0415

    sources = [one["source"] for one in measured.source()["cells"] if one["cell_type"] == "code"]
    cells = root / "cells.json"
    cells.write_text(json.dumps(sources))
    words = [sys.executable, "-c", BARE, str(cells), json.dumps(imports_of(sources))]
    found = []
    for _ in range(rounds):
        done = subprocess.run(words, cwd=root / "solutions" / measured.lab, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"the cells do not run by themselves: {done.stdout[-2000:]}{done.stderr[-2000:]}")
        found.append(float(done.stdout.split("seconds")[-1]))
    return statistics.median(found)
