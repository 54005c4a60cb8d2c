"""Grade one submission: bytes in, verdicts out. This is what a worker does, on this machine or on another."""

from __future__ import annotations

import os
import socket
from dataclasses import replace
from functools import lru_cache
from time import monotonic
from typing import TYPE_CHECKING

from w251lab.course.notebook import UnreadableNotebookError, cells, parse_notebook, questions, to_bytes
from w251lab.course.results import NotebookResult
from w251lab.course.score import cell_problems, reported_device, score, ungradable
from w251lab.grading import kernels, sandbox
from w251lab.grading.execute import ContainedSession, run
from w251lab.grading.job import Graded, SandboxError
from w251lab.grading.lab_tests import Tests
from w251lab.grading.matching import read_lab
from w251lab.grading.outputs import storable, without_hidden
from w251lab.grading.restore import restore

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from w251lab.grading.job import Job
    from w251lab.grading.restore import Restored

_ATTEMPTS = 2
_PARAMETERS = "parameters"


def warm(job: Job) -> None:
    """Start the process that the kernels of a notebook's submissions are forked from, so that the first need not wait.

    Args:
        job: The notebook's, without a student.

    Raises:
        SandboxError: It does not start.
        UnreadableNotebookError: ``job.source`` is no notebook.
    """
    if job.sandbox == "bubblewrap":
        sandbox.require_tools()
    kernels.warm(job, _tests(job.source))


def grade(job: Job) -> Graded:
    """Restore a submission, run it in a sandbox and score it.

    Whatever a student did is a verdict. What cannot be read, and a kernel that does not start twice, is
    ``ungradable``, which is not zero: it waits for a person.

    Raises:
        SandboxError: This machine cannot contain a submission at all; the remedy is in it.
        UnreadableNotebookError: ``job.source``, the lab's own notebook, is none.
    """
    start = monotonic()
    try:
        source = read_lab(job.source).nb
    except UnreadableNotebookError as error:
        raise UnreadableNotebookError(f"The source of {job.lab}/{job.notebook}: {error.what}", error.remedy) from error
    if job.sandbox == "bubblewrap":
        sandbox.require_tools()
    try:
        restored = restore(job.submitted, job.source)
    except UnreadableNotebookError as error:
        return _finished(job, start, _all_ungradable(job, source, error.what))
    except Exception as error:  # noqa: BLE001 - one submission must not end the run of a class
        return _finished(job, start, _all_ungradable(job, source, _could_not("be restored", error)))
    reason = ""
    for _ in range(_ATTEMPTS):
        try:
            return _graded(job, source, restored, start)
        except SandboxError as failed:
            if job.sandbox == "bubblewrap" and not kernels.has_contained():
                sandbox.check()  # where nothing can be contained it is not the submission's doing, and the run ends
            reason = _could_not("be run", failed)
            kernels.forget(job)
        except Exception as failed:  # noqa: BLE001 - as above; a second attempt would end in the same way
            reason = _could_not("be run", failed)
            break
    return _finished(job, start, _all_ungradable(job, source, reason), repairs=restored.repairs)


def _could_not(what: str, error: Exception) -> str:
    said = error.what if isinstance(error, SandboxError) else f"{type(error).__name__}: {error}"
    return f"The notebook could not {what}: {said}"


def _all_ungradable(job: Job, source: NotebookNode, reason: str) -> NotebookResult:
    return NotebookResult(job.lab, job.notebook, job.title, ungradable(source, reason), judged_cells=False)


def _graded(job: Job, source: NotebookNode, restored: Restored, start: float) -> Graded:
    tests = _tests(job.source)
    asked = None if job.questions is None else frozenset(job.questions)
    wanted = None
    if asked is not None:
        wanted = frozenset(
            test.grade_id for question in questions(source) if question.name in asked for test in question.tests
        )
    with kernels.place(job, tests) as place:
        session = ContainedSession(tests, job.limits, wanted=wanted, start=place.start, make_folder=place.make_folder)
        nb = parse_notebook(restored.notebook, job.name)
        _tag_parameters(nb, source)
        executed = storable(run(session, nb, dict(job.parameters)))
    faults = session.faults | restored.faults
    judged = without_hidden(executed, session.answers)
    count, completed, problems = cell_problems(judged)
    result = NotebookResult(
        job.lab,
        job.notebook,
        job.title,
        score(source, judged, faults),
        seconds=round(monotonic() - start, 3),
        device=reported_device(executed),
        cells=count,
        completed=completed,
        problems=problems,
        notes=(
            *restored.repairs,
            *(f"Kernel restarted: {text}." for text in executed["metadata"]["w251lab"]["restarts"]),
            *place.notes,
        ),
        judged_cells=False,
    )
    return _finished(
        job,
        start,
        result,
        executed=to_bytes(executed),
        repairs=restored.repairs,
        cpu_seconds=session.cpu_seconds,
    )


@lru_cache(maxsize=8)  # a worker grades many submissions of few notebooks
def _tests(source: bytes) -> Tests:
    return Tests(read_lab(source).nb)


def _tag_parameters(nb: NotebookNode, source: NotebookNode) -> None:
    """See that papermill finds the cell after which the parameters go, where a student's copy has lost its tag."""
    tagged = {cell.key for cell in cells(source) if _PARAMETERS in cell.tags}
    for cell in cells(nb):
        if cell.key in tagged and _PARAMETERS not in cell.tags:
            nb["cells"][cell.index]["metadata"]["tags"] = [*cell.tags, _PARAMETERS]


def _finished(
    job: Job,
    start: float,
    result: NotebookResult,
    *,
    executed: bytes | None = None,
    repairs: tuple[str, ...] = (),
    cpu_seconds: float = 0.0,
) -> Graded:
    if job.questions is not None:
        asked = set(job.questions)
        result = replace(result, questions=tuple(question for question in result.questions if question.name in asked))
    return Graded(
        student=job.student,
        lab=job.lab,
        notebook=job.notebook,
        fingerprint=job.fingerprint,
        result=result,
        executed=executed,
        repairs=repairs,
        sandbox=job.sandbox,
        seconds=round(monotonic() - start, 3),
        cpu_seconds=round(cpu_seconds, 3),
        worker=f"{socket.gethostname()}/{os.getpid()}",
    )
