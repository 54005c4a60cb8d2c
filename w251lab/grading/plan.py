"""What has to be graded: held against the journal, submission by submission and question by question."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Unpack

from w251lab.course.notebook import cells, parse_notebook, questions, read_notebook, to_bytes
from w251lab.course.results import Verdict
from w251lab.grading.intake import files_beside, read_submitted_file
from w251lab.grading.job import VERSION
from w251lab.grading.part import Terms, shared_job

if TYPE_CHECKING:
    from collections.abc import Mapping

    from w251lab.course.catalog import Course, Lab, NotebookEntry
    from w251lab.grading.intake import Submission
    from w251lab.grading.job import Job
    from w251lab.grading.journal import Entry

_SETTLED = frozenset({Verdict.PASSED, Verdict.AWAITING_REVIEW})


class Regrade(StrEnum):
    """What of the graded submissions is graded again."""

    CHANGED = "changed"
    FAILED = "failed"
    ALL = "all"


@dataclass(frozen=True)
class Part:
    """What all submissions of one notebook share.

    Attributes:
        entry: The notebook's entry in the catalog.
        job: The job without a student, with the lab's own files.
        basis: Question -> digest of what it is judged by: its own tests and points, and what all questions stand on.
    """

    entry: NotebookEntry
    job: Job
    basis: Mapping[str, str]


@dataclass(frozen=True)
class Todo:
    """One notebook of one student that has to be graded.

    Attributes:
        submission: Where it lies.
        notebook: The notebook's name.
        digest: SHA-256 of what was handed in.
        questions: Only these; None for all.
    """

    submission: Submission
    notebook: str
    digest: str
    questions: tuple[str, ...] | None


def make_parts(course: Course, lab: Lab, **terms: Unpack[Terms]) -> dict[str, Part]:
    """The shared part of each of the lab's notebooks, by the notebook's name.

    Args:
        course: The course.
        lab: One of its labs.
        terms: How it is graded, see `w251lab.grading.part.Terms`.

    Raises:
        UnreadableNotebookError: A source notebook cannot be read.
    """
    files, _ = files_beside(course, lab, _nobody(lab))
    parts = {}
    for entry in lab.notebooks:
        nb = read_notebook(lab.reference / f"{entry.name}.ipynb")
        job = shared_job(lab, entry, nb, files=files, **terms)
        parts[entry.name] = Part(entry, job, _basis(nb, job))
    return parts


def _nobody(lab: Lab) -> Submission:
    from w251lab.grading.intake import Submission  # noqa: PLC0415

    return Submission("", lab.name, {}, (), {}, None)


def _basis(nb: Any, job: Job) -> dict[str, str]:
    """Question -> digest. A solution's text decides nothing; a locked cell, a file or a parameter decides them all."""
    found = questions(nb)
    tests = {test.grade_id for question in found for test in question.tests}
    common = {
        "version": VERSION,
        "cells": [
            (cell.key, cell.cell_type, cell.source)
            for cell in cells(nb)
            if cell.cell_type == "code" and not cell.solution and cell.grade_id not in tests
        ],
        "files": {name: _digest(content) for name, content in job.files.items()},
        "parameters": dict(job.parameters),
        "gpu": job.gpu is not None,
    }
    ground = _digest(json.dumps(common, sort_keys=True).encode())
    return {
        question.name: _digest(
            json.dumps(
                [ground, question.points, question.manual, [(t.grade_id, t.points, t.source) for t in question.tests]]
            ).encode()
        )
        for question in found
    }


def digest_of(submission: Submission, notebook: str) -> str:
    """SHA-256 over what a student handed in for one notebook: the notebook and the files beside it.

    What cannot be read counts by its name alone.
    """
    content: list[object] = [notebook]
    if notebook in submission.notebooks:
        content.append(_file_digest(submission.notebooks[notebook]))
    content += sorted((name, _file_digest(path)) for name, path in submission.files.items())
    return _digest(json.dumps(content).encode())


def _file_digest(path: Any) -> str:
    try:
        if path.is_symlink() or not path.is_file():
            return "no file of its own"
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        return f"unreadable: {error.strerror}"


def decide(
    known: Entry | None, digest: str, basis: Mapping[str, str], regrade: Regrade | None
) -> tuple[str, ...] | bool | None:
    """What to grade of one notebook.

    Args:
        known: What the journal has of it.
        digest: Of what is handed in now.
        basis: Of the lab's notebook now.
        regrade: What of what is graded to grade again.

    Returns:
        False for nothing, None for the whole notebook, or the names of questions.
    """
    if known is None or known.submission != digest or regrade is Regrade.ALL:
        return None
    if regrade is Regrade.FAILED:
        names = tuple(name for name in basis if known.verdicts.get(name) not in _SETTLED)
    elif regrade is Regrade.CHANGED:
        names = outdated(known, basis)
    else:
        names = ()
    return names or False


def outdated(known: Entry, basis: Mapping[str, str]) -> tuple[str, ...]:
    """The questions that were judged by something else than is there now."""
    return tuple(name for name, digest in basis.items() if known.basis.get(name) != digest)


def make_job(course: Course, lab: Lab, part: Part, todo: Todo) -> tuple[Job, list[str]]:
    """The job of one submission, and notes on what of it was left out.

    Raises:
        UnreadableNotebookError: The notebook cannot be read at all.
    """
    submission = todo.submission
    submitted = read_submitted_file(submission.notebooks[todo.notebook])
    files, notes = files_beside(course, lab, submission)
    job = replace(part.job, student=submission.student, submitted=submitted, files=files, questions=todo.questions)
    return job, [*submission.notes, *notes]


def with_earlier_outputs(
    earlier: bytes | None, later: bytes | None, source: bytes, asked: tuple[str, ...]
) -> bytes | None:
    """The notebook of a regrade, in which the tests of the other questions did not run: with what they said before."""
    if earlier is None or later is None:
        return later or earlier
    others = {
        test.grade_id
        for question in questions(parse_notebook(source, "the source"))
        if question.name not in asked
        for test in question.tests
    }
    before, nb = parse_notebook(earlier, "the earlier run"), parse_notebook(later, "the run")
    said = {cell.key: node for node, cell in zip(before["cells"], cells(before), strict=True) if cell.key in others}
    for node, cell in zip(nb["cells"], cells(nb), strict=True):
        if cell.key in said:
            for key in ("outputs", "execution_count"):
                node[key] = said[cell.key].get(key, node[key])
    return to_bytes(nb)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
