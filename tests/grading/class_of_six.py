"""Six students who handed in the little lab, and what grading found, made once for all tests that go on from there."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import little_course as little

from w251lab.course.notebook import to_bytes
from w251lab.course.results import NotebookResult, Reason, Verdict
from w251lab.course.score import ungradable
from w251lab.grading import sandbox
from w251lab.grading.job import Graded, SandboxError
from w251lab.grading.restore import restore
from w251lab.grading.task import grade

if TYPE_CHECKING:
    from pathlib import Path

    from w251lab.course.catalog import Course

#: Student -> kind of submission, in `little_course.honest`'s words.
STUDENTS = dict(zip(("ada", "bob", "cyd", "dee", "eve", "fay"), little.honest(), strict=True))
#: Student -> when it was handed in. Eve and Fay are late.
TIMES = {
    "ada": "2026-03-01 12:00:00 UTC",
    "bob": "2026-03-01 12:00:00 EST",
    "eve": "2026-03-03 08:00:00 UTC",
    "fay": "2026-03-04 00:00:00 UTC",
}


def write_course(root: Path) -> Course:
    """The little course with the six submissions in ``submitted/``; whoever is late gets no points."""
    course = little.write_course(root)
    config = root / "nbgrader_config.py"
    config.write_text(config.read_text() + '\nc.LateSubmissionPlugin.penalty_method = "zero"\n')
    for student, kind in STUDENTS.items():
        hand_in(course, student, little.honest()[kind][0])
        if student in TIMES:
            (root / "submitted" / student / little.LAB / "timestamp.txt").write_text(TIMES[student] + "\n")
    return course


def hand_in(course: Course, student: str, content: bytes) -> Path:
    """Put a notebook into ``submitted/``."""
    path = course.root / "submitted" / student / little.LAB / f"{little.NOTEBOOK}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def graded(student: str) -> Graded:
    """What grading that student's submission finds."""
    return _run()[student]


@cache
def _run() -> dict[str, Graded]:
    """Grade the six submissions, contained where this machine can do it: what matters here comes after the grading."""
    kind = "bubblewrap" if _can_contain() else "none"
    jobs = {name: little.job(name, little.honest()[STUDENTS[name]][0], sandbox=kind) for name in STUDENTS}
    return {student: grade(job) for student, job in jobs.items()}


def _can_contain() -> bool:
    try:
        sandbox.check()
    except SandboxError:
        return False
    return True


def made(
    student: str,
    *,
    wrong: tuple[str, ...] = (),
    essay: str = "Sum over count.",
    fingerprint: str = "print",
    repairs: tuple[str, ...] = (),
    verdicts: dict[str, Verdict] | None = None,
    only: tuple[str, ...] | None = None,
) -> Graded:
    """What grading finds, put together by hand: for tests of what is done with a result, which need no kernel.

    Args:
        student: Whose.
        wrong: Questions with a wrong answer.
        essay: The essay's text.
        fingerprint: Of the job.
        repairs: What was repaired.
        verdicts: Question -> another verdict than passed or failed; it earns nothing.
        only: The questions of a regrade.
    """
    nb = little.answered({name: little.WRONG[name] for name in wrong}, essay)
    executed = restore(to_bytes(nb), little.source_bytes()).notebook
    given = dict.fromkeys(wrong, Verdict.FAILED) | (verdicts or {})
    questions = []
    for question in ungradable(little.source(), "it was not run"):
        if only is not None and question.name not in only:
            continue
        verdict = given.get(question.name, Verdict.AWAITING_REVIEW if question.manual else Verdict.PASSED)
        good = verdict is Verdict.PASSED
        reason = None if good or verdict is Verdict.AWAITING_REVIEW else Reason(f"why {question.name} is {verdict}")
        tests = tuple(replace(one, verdict=verdict, earned=one.points * good) for one in question.tests)
        earned = sum(one.earned for one in tests)
        questions.append(replace(question, verdict=verdict, earned=earned, reason=reason, tests=tests, seconds=0.1))
    result = NotebookResult(little.LAB, little.NOTEBOOK, "Little", tuple(questions), 1.5, judged_cells=False)
    return Graded(student, little.LAB, little.NOTEBOOK, fingerprint, result, executed, repairs)
