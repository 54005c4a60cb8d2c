"""The page that a student gets for each notebook: what passed, what failed and why, what a person wrote.

It shows the student's own answers and errors, and neither the hidden tests' text nor anything of another student.
Pages go where nbgrader puts its own, ``feedback/STUDENT/LAB/NOTEBOOK.html``: its ``release_feedback`` hands them out.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined

from w251lab.course.notebook import UnreadableNotebookError, cells, parse_notebook
from w251lab.course.report import WORDS
from w251lab.course.results import Verdict
from w251lab.errors import W251Error
from w251lab.grading.layout import Layout, write_whole
from w251lab.grading.redact import Redactor

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from w251lab.course.catalog import Course, Lab
    from w251lab.course.results import QuestionResult
    from w251lab.grading.marks import NotebookMarks, StudentMarks


@dataclass(frozen=True)
class QuestionFeedback:
    """One question as its student sees it.

    Attributes:
        title: Its heading.
        state: ``passed``, ``failed``, ``partly``, ``waits`` or ``marked`` (by a person).
        word: The state for people.
        score: Points; None where they are not known yet.
        most: Points to be had.
        summary: Why it did not pass; empty where it did.
        traceback: The end of the student's own error.
        comment: What a person wrote.
        answer: The student's own answer.
        manual: Whether a person grades it.
    """

    title: str
    state: str
    word: str
    score: float | None
    most: float
    summary: str
    traceback: str
    comment: str
    answer: str
    manual: bool


@functools.cache
def environment() -> Environment:
    """The templates of grading, with everything escaped. One for all pages: each is compiled once."""
    made = Environment(
        loader=PackageLoader("w251lab.grading"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["points"] = lambda value: f"{value:g}"
    return made


def write_feedback(course: Course, lab: Lab, marks: Sequence[StudentMarks]) -> tuple[list[Path], list[str]]:
    """Write the pages of these students.

    Args:
        course: The course.
        lab: The lab.
        marks: Whose pages, from `w251lab.grading.marks.read_marks`.

    Returns:
        The pages written, and ``student/notebook`` of those that this grader did not grade.

    Raises:
        W251Error: A page cannot be written, or the lab's source cannot be read.
    """
    layout = Layout(course)
    sources = {entry.name: (lab.solutions / f"{entry.name}.ipynb").read_bytes() for entry in lab.notebooks}
    written, left = [], []
    for student in marks:
        for notebook in student.notebooks:
            if notebook.graded is None:
                left.append(f"{student.student}/{notebook.notebook}")
                continue
            ran = layout.autograded(student.student, lab.name) / f"{notebook.notebook}.ipynb"
            executed = ran.read_bytes() if ran.is_file() else None
            path = layout.feedback(student.student, lab.name) / f"{notebook.notebook}.html"
            page = html(lab, student, notebook, sources[notebook.notebook], executed)
            try:
                write_whole(path, page.encode())
            except OSError as error:
                raise W251Error(
                    f"{path} cannot be written: {error.strerror}.",
                    "Make room, or give yourself the right to write there.",
                ) from error
            written.append(path)
    return written, left


def html(lab: Lab, student: StudentMarks, notebook: NotebookMarks, source: bytes, executed: bytes | None) -> str:
    """One student's page for one notebook, self-contained.

    Args:
        lab: The lab.
        student: Whose page.
        notebook: The notebook's marks; graded by this grader.
        source: The lab's notebook with the hidden tests, in canonical bytes: what must not be shown.
        executed: The notebook as it ran, for the student's own answers; None where there is none.
    """
    assert notebook.graded is not None
    redact = Redactor(source, executed)
    answers = {} if executed is None else _answers(executed)
    graded = notebook.graded
    questions = [_question(question, notebook, answers, redact) for question in graded.result.questions]
    name = " ".join(part for part in (student.first_name, student.last_name) if part) or student.student
    return (
        environment()
        .get_template("feedback.html.j2")
        .render(
            lab=lab,
            name=name,
            student=student,
            notebook=notebook,
            title=graded.result.title or notebook.notebook,
            score=max(0.0, notebook.score - notebook.penalty),
            open=any(question.score is None for question in questions),
            questions=questions,
            repairs=[redact(repair) for repair in graded.repairs],
        )
    )


def _answers(executed: bytes) -> dict[str, str]:
    try:
        views = cells(parse_notebook(executed, "the notebook that was run"))
    except UnreadableNotebookError:
        return {}
    return {cell.grade_id: cell.source for cell in views if cell.solution and cell.grade_id}


def _question(
    question: QuestionResult, notebook: NotebookMarks, answers: dict[str, str], redact: Redactor
) -> QuestionFeedback:
    names = [question.name] if question.manual else [test.grade_id for test in question.tests]
    found = [notebook.cells[name] for name in names if name in notebook.cells]
    most = sum(mark.most for mark in found)
    waits = any(mark.waits and mark.manual is None for mark in found)
    score = None if waits else sum(mark.score for mark in found)
    state, word = _state(question, score, most, marked=any(mark.manual is not None for mark in found))
    good = state == "passed"
    reason = None if good or (question.manual and question.verdict is Verdict.AWAITING_REVIEW) else question.reason
    summary, traceback = redact.error(reason.summary, reason.traceback) if reason else ("", "")
    return QuestionFeedback(
        title=question.title,
        state=state,
        word=word,
        score=score,
        most=most,
        summary=summary,
        traceback=traceback,
        comment=notebook.comments.get(question.name, ""),
        answer=answers.get(question.name, ""),
        manual=question.manual,
    )


def _state(question: QuestionResult, score: float | None, most: float, *, marked: bool) -> tuple[str, str]:
    if score is None:
        return "waits", "waits for a person"
    if marked:
        return "marked", "marked by a person"
    if question.manual:
        return ("failed", "no answer") if score < most else ("passed", WORDS[Verdict.PASSED])
    if question.verdict is Verdict.PASSED:
        return "passed", WORDS[Verdict.PASSED]
    return ("partly", "partly passed") if score > 0 else ("failed", WORDS[question.verdict])
