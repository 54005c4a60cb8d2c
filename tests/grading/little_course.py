"""A course with one small lab, submissions of known quality, and the jobs that grade them.

The lab ``01_little`` has one notebook, ``little``: four coded questions (10 points, hidden tests in each), an essay
(2 points) and a file that the last question reads. It needs NumPy and nothing else.
"""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

import course_builder as build

from w251lab.course.catalog import load_course
from w251lab.course.notebook import canonical_bytes, cells, parse_notebook, to_bytes
from w251lab.course.release import release_lab, write_release
from w251lab.grading.job import Job, Limits

if TYPE_CHECKING:
    from pathlib import Path

    from w251lab.course.catalog import Course
    from w251lab.grading.job import Graded

LAB = "01_little"
NOTEBOOK = "little"
FILES = {"numbers.csv": b"3\n1\n4\n1\n5\n9\n2\n6\n"}
PARAMETERS = {"device": "cpu", "scale": "small"}
LIMITS = Limits(memory=2 * 1024**3, cell=60, notebook=300)

#: Question -> the right answer's body.
RIGHT = {
    "row_means": "def row_means(table):\n    return np.asarray(table).mean(axis=1)",
    "normalise": "def normalise(vector):\n    vector = np.asarray(vector, float)\n"
    "    return vector / np.linalg.norm(vector)",
    "count_primes": "def count_primes(n):\n    return sum(all(k % d for d in range(2, k)) for k in range(2, n))",
    "total": "def total(path):\n    return float(np.loadtxt(path).sum())",
}
#: Question -> an honest wrong answer's body.
WRONG = {
    "row_means": "def row_means(table):\n    return np.asarray(table).mean(axis=0)",
    "normalise": "def normalise(vector):\n    return np.asarray(vector, float) / np.max(vector)",
    "count_primes": "def count_primes(n):\n    return n // 2",
    "total": "def total(path):\n    return float(np.loadtxt(path).max())",
}
#: Question -> points. The test cells of ``normalise`` are worth 1 (visible) and 2 (hidden).
POINTS = {"row_means": 2.0, "normalise": 3.0, "count_primes": 2.0, "total": 3.0}
ESSAY = "essay"
#: What stands in hidden tests alone; no student may ever see it.
SECRETS = ("hidden-row-means", "hidden-normalise", "hidden-primes", "hidden-total")


def source() -> Any:
    """The lab's notebook with its solutions and hidden tests."""
    return build.notebook(
        build.md("intro", "# A little lab"),
        build.parameters('device = "auto"\nscale = "small"'),
        build.locked("setup", "import numpy as np"),
        build.md("row-means-text", "## Means of rows"),
        _answer("row_means"),
        build.graded(
            "row_means-test",
            "assert row_means([[1, 3]]).shape == (1,)\n"
            + _hidden("assert row_means([[1, 3], [5, 9]]).tolist() == [2, 7], 'hidden-row-means'"),
            points=2,
        ),
        build.md("normalise-text", "## Length one"),
        _answer("normalise"),
        build.graded("normalise-test-shape", "assert normalise([3, 4]).shape == (2,)", points=1),
        build.graded(
            "normalise-test",
            _hidden("np.testing.assert_allclose(normalise([3, 4]), [0.6, 0.8], err_msg='hidden-normalise')"),
            points=2,
        ),
        build.md("count-primes-text", "## Primes"),
        _answer("count_primes"),
        build.graded(
            "count_primes-test",
            "assert count_primes(3) == 1\n" + _hidden("assert count_primes(30) == 10, 'hidden-primes'"),
            points=2,
        ),
        build.md("total-text", "## A file's total"),
        _answer("total"),
        build.graded(
            "total-test",
            "assert isinstance(total('numbers.csv'), float)\n"
            + _hidden("assert total('numbers.csv') == 31, 'hidden-total'"),
            points=3,
        ),
        build.md("essay-text", "## In words"),
        build.essay(ESSAY, "Because a mean is a sum over a count.", points=2),
    )


def _answer(name: str) -> dict[str, Any]:
    head, _, body = RIGHT[name].partition("\n")
    return build.solution(name, f"{head}\n    ### BEGIN SOLUTION\n{body}\n    ### END SOLUTION")


def _hidden(text: str) -> str:
    return f"### BEGIN HIDDEN TESTS\n{text}\n### END HIDDEN TESTS"


def write_course(root: Path) -> Course:
    """The course in ``root``, with solutions/ and the released labs/."""
    build.course(root, {LAB: {NOTEBOOK: source()}}, cell=LIMITS.cell, whole=LIMITS.notebook)
    for name, content in FILES.items():
        (root / "solutions" / LAB / name).write_bytes(content)
    course = load_course(root)
    write_release(release_lab(course.labs[0]))
    return course


@cache
def source_bytes() -> bytes:
    """`source` in canonical bytes."""
    return canonical_bytes(source())


@cache
def released_bytes() -> bytes:
    """What a student gets, made by the project's own release."""
    folder = build.short_folder()
    try:
        course = write_course(folder)
        return (course.labs[0].labs / f"{NOTEBOOK}.ipynb").read_bytes()
    finally:
        build.remove(folder)


def released() -> Any:
    """A fresh copy of the released notebook, to be changed at will."""
    return parse_notebook(released_bytes(), NOTEBOOK)


def place(nb: Any, name: str) -> int:
    """Where the cell of this grade_id (or id) stands."""
    return next(cell.index for cell in cells(nb) if cell.key == name)


def answered(answers: dict[str, str] | None = None, essay: str = "Sum over count.") -> Any:
    """The released notebook with right answers, ``answers`` in place of some of them, and an essay."""
    nb = released()
    for name, text in (RIGHT | (answers or {})).items():
        nb["cells"][place(nb, name)]["source"] = text
    nb["cells"][place(nb, ESSAY)]["source"] = essay
    return nb


def add_cell(nb: Any, text: str, *, before: str) -> Any:
    """The notebook with a student's own code cell before the cell named ``before``."""
    extra = build.notebook(build.code(f"own-{len(nb['cells'])}", text))
    nb["cells"].insert(place(nb, before), extra["cells"][0])
    return nb


def with_cell(text: str, answers: dict[str, str] | None = None, *, before: str = "row-means-text") -> bytes:
    """A submission with a student's own cell before the cell named ``before``, as bytes."""
    return to_bytes(add_cell(answered(answers), text, before=before))


def marks(graded: Graded) -> dict[str, float]:
    """Question -> points earned, of the questions that are graded automatically."""
    return {question.name: question.earned for question in graded.result.questions if not question.manual}


def verdicts(graded: Graded) -> dict[str, str]:
    """Question -> verdict, of the questions that are graded automatically."""
    return {question.name: str(question.verdict) for question in graded.result.questions if not question.manual}


def said(graded: Graded) -> str:
    """All text that the notebook put out, tests included: an instructor's view."""
    texts = []
    for node in json.loads(graded.executed or b'{"cells": []}')["cells"]:
        for output in node.get("outputs", ()):
            texts += ["".join(output.get("text", ())), "".join(output.get("traceback", ()))]
    return "\n".join(texts)


def submission(answers: dict[str, str] | None = None, essay: str = "Sum over count.") -> bytes:
    """`answered` as the bytes that are handed in."""
    return to_bytes(answered(answers, essay))


def honest() -> dict[str, tuple[bytes, dict[str, float]]]:
    """Kind of an honest submission -> its bytes and the points of each question."""
    none = dict.fromkeys(POINTS, 0.0)
    partly = {"normalise": WRONG["normalise"], "total": WRONG["total"]}
    return {
        "perfect": (submission(), POINTS),
        "one-wrong": (submission({"count_primes": WRONG["count_primes"]}), POINTS | {"count_primes": 0.0}),
        "partial": (submission(partly), POINTS | {"normalise": 1.0, "total": 0.0}),
        "raises": (submission({"row_means": "raise ValueError('I gave up')"}), POINTS | {"row_means": 0.0}),
        "all-wrong": (submission(WRONG), none | {"normalise": 1.0}),
        "untouched": (released_bytes(), none),
    }


def job(student: str = "ada", submitted: bytes | None = None, **changes: Any) -> Job:
    """The job that grades ``submitted`` (by default a perfect one); ``changes`` replace other fields."""
    base = Job(
        student=student,
        lab=LAB,
        notebook=NOTEBOOK,
        submitted=submission() if submitted is None else submitted,
        source=source_bytes(),
        files=FILES,
        parameters=PARAMETERS,
        limits=LIMITS,
        imports=("numpy",),
        title=f"Notebook {NOTEBOOK}",
    )
    return replace(base, **changes)
