"""Stand-ins for grading that do what a submission says: for tests that look at the schedule and the journal only.

A module of its own, which the workers of a test import by its name (see `conftest`).
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

from w251lab.course.results import NotebookResult, QuestionResult, Verdict
from w251lab.grading.job import Graded, SandboxError

if TYPE_CHECKING:
    from w251lab.grading.job import Job


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
