"""Stand-ins for grading that do what a submission says: for tests that look at the schedule and the journal only.

A module of its own, which the workers of a test import by its name (see `conftest`).
"""

from __future__ import annotations

import os
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from w251lab.course.results import NotebookResult, QuestionResult, Verdict
from w251lab.grading.job import Graded, SandboxError

if TYPE_CHECKING:
    from w251lab.grading.job import Job


class Log:
    """A watch that remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []
        self.workers: set[str] = set()
        self.under_way = self.most = 0
        self.numbers: set[int] = set()

    def places(self, number: int) -> None:
        self.numbers.add(number)

    def started(self, job: Job) -> None:
        self.told.append(("started", job.student))
        self.under_way += 1
        self.most = max(self.most, self.under_way)

    def finished(self, job: Job, graded: Graded) -> None:  # noqa: ARG002
        self.told.append(("finished", job.student))
        self.under_way -= 1

    def lost(self, job: Job, worker: str, *, again: bool) -> None:
        self.told.append(("again" if again else "given up", job.student))
        self.workers.add(worker)
        self.under_way -= again

    def waiting(self, seconds: float) -> None:
        pass

    def of(self, student: str) -> list[str]:
        return [what for what, who in self.told if who == student]


def graded(job: Job, reason: str = "") -> Graded:
    """What was seen of the job, as one question; with a reason, an ungradable one."""
    seen = f"{job.submitted.decode()} {sorted(job.files)} {len(job.source)} {job.questions}"
    verdict = Verdict.UNGRADABLE if reason else Verdict.PASSED
    question = QuestionResult("q", reason or seen, verdict, 0.0, 1.0)
    result = NotebookResult(job.lab, job.notebook, job.title, (question,), judged_cells=False)
    return Graded(job.student, job.lab, job.notebook, job.fingerprint, result)


def act(job: Job) -> Graded:
    """A stand-in for grading that does what the submission says: only the schedule is looked at here."""
    word, _, argument = job.submitted.decode().partition(" ")
    if word == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if word == "die-once":
        mark = Path(argument)
        if not mark.exists():
            mark.write_text("")
            os.kill(os.getpid(), signal.SIGKILL)
    if word == "no-sandbox":
        raise SandboxError("This machine has no bubblewrap.", "Install it.")
    if word == "broken":
        raise ZeroDivisionError("our own mistake")
    if word == "sleep":
        time.sleep(float(argument))
    return graded(job)


def device(job: Job) -> Graded:
    return graded(job, str(job.gpu))


def mark(job: Job) -> Graded:
    """Judge the little lab by the answers' text, without running anything. A student may wait, or kill the worker once.

    The words of a submission are in its essay: ``sleep 2`` or ``die-once PATH``.
    """
    if "little_course" not in sys.modules:  # in a worker, which has no pytest to load it
        import conftest  # noqa: F401, PLC0415
    from little_course import ESSAY, RIGHT  # noqa: PLC0415

    from w251lab.course.notebook import (  # noqa: PLC0415
        UnreadableNotebookError,
        cells,
        parse_notebook,
        questions,
    )
    from w251lab.course.results import TestResult  # noqa: PLC0415
    from w251lab.course.score import ungradable  # noqa: PLC0415
    from w251lab.grading.restore import restore  # noqa: PLC0415

    source = parse_notebook(job.source, "source")
    try:
        executed = restore(job.submitted, job.source).notebook
    except UnreadableNotebookError as error:
        result = NotebookResult(job.lab, job.notebook, job.title, ungradable(source, error.what), judged_cells=False)
        return Graded(job.student, job.lab, job.notebook, job.fingerprint, result)
    answers = {cell.key: cell.source for cell in cells(parse_notebook(executed, "executed"))}
    act(replace(job, submitted=answers[ESSAY].encode()))
    found = []
    for question in questions(source):
        if job.questions is not None and question.name not in job.questions:
            continue
        verdict = Verdict.AWAITING_REVIEW
        if not question.manual:
            verdict = Verdict.PASSED if answers[question.name] == RIGHT[question.name] else Verdict.FAILED
        tests = tuple(
            TestResult(test.grade_id, verdict, test.points * (verdict is Verdict.PASSED), test.points)
            for test in question.tests
        )
        earned = sum(test.earned for test in tests)
        found.append(
            QuestionResult(
                question.name, question.title, verdict, earned, question.points, manual=question.manual, tests=tests
            )
        )
    result = NotebookResult(job.lab, job.notebook, job.title, tuple(found), judged_cells=False)
    return Graded(job.student, job.lab, job.notebook, job.fingerprint, result, executed)


def imports_of_templates() -> list[tuple[str, ...]]:
    """On a worker: what the processes that it forks kernels from have imported, once they are ready."""
    from w251lab.grading import kernels, worker  # noqa: PLC0415

    for thread in worker._warming:
        thread.join()
    return [key[1] for key in kernels._templates]
