"""Read a lab's marks out of the gradebook: what a person gave, what the grader found, and why."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from nbgrader.api import MissingEntry
from sqlalchemy import select

from w251lab.course.results import Verdict
from w251lab.errors import UsageError
from w251lab.grading.gradebook import RESULTS, WAIT, open_gradebook
from w251lab.grading.job import Graded, GradedFormatError
from w251lab.grading.layout import Layout

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from w251lab.course.catalog import Course, Lab


@dataclass(frozen=True)
class CellMark:
    """The mark of one graded cell. ``score`` is what counts: the manual mark or the automatic one, and extra credit."""

    score: float
    most: float
    manual: float | None
    waits: bool


@dataclass(frozen=True)
class NotebookMarks:
    """The marks of one submitted notebook.

    Attributes:
        notebook: Its name.
        score: Points, before a late penalty.
        most: Points to be had.
        penalty: Points taken off for handing in late.
        cells: grade_id of a graded cell -> its mark.
        comments: grade_id of an answer -> what a person wrote.
        graded: What the grader found; None where nbgrader graded it.
    """

    notebook: str
    score: float
    most: float
    penalty: float
    cells: Mapping[str, CellMark]
    comments: Mapping[str, str]
    graded: Graded | None


@dataclass(frozen=True)
class StudentMarks:
    """The marks of one student in one lab.

    Attributes:
        student: nbgrader's student id.
        first_name: May be empty, like the next ones.
        last_name: Family name.
        email: Address.
        platform_id: The learning platform's number of the student.
        handed_in: Whether there is a submission.
        timestamp: When, in UTC; None where unknown.
        notebooks: Of the submission, in the lab's order.
        most: Points to be had in the lab.
    """

    student: str
    first_name: str
    last_name: str
    email: str
    platform_id: str
    handed_in: bool
    timestamp: datetime | None
    notebooks: tuple[NotebookMarks, ...]
    most: float

    @property
    def raw(self) -> float:
        """Points before late penalties."""
        return sum(notebook.score for notebook in self.notebooks)

    @property
    def penalty(self) -> float:
        """Points taken off for handing in late."""
        return sum(notebook.penalty for notebook in self.notebooks)

    @property
    def score(self) -> float:
        """Points that count, as nbgrader's export has them."""
        return max(0.0, self.raw - self.penalty)

    @property
    def waits(self) -> bool:
        """Whether a person still has to look at something."""
        return any(mark.waits for notebook in self.notebooks for mark in notebook.cells.values())

    @property
    def ungradable(self) -> tuple[tuple[str, str], ...]:
        """(question, reason) of what could not be judged and has no manual mark yet: it is not worth zero, but open."""
        found = []
        for notebook in self.notebooks:
            for question in notebook.graded.result.questions if notebook.graded else ():
                names = [question.name] if question.manual else [test.grade_id for test in question.tests]
                undecided = [
                    name for name in names if notebook.cells[name].waits and notebook.cells[name].manual is None
                ]
                if question.verdict is Verdict.UNGRADABLE and undecided:
                    name = question.name if len(self.notebooks) == 1 else f"{notebook.notebook}/{question.name}"
                    found.append((name, question.reason.summary if question.reason else "unknown"))
        return tuple(found)

    @property
    def open(self) -> bool:
        """Whether the score is not known yet: something could not be judged, and no person has marked it."""
        return bool(self.ungradable)


def read_marks(course: Course, lab: Lab, *, wait: float = WAIT) -> tuple[StudentMarks, ...]:
    """Every student of the gradebook with their marks in ``lab``, sorted by last name, first name, id.

    Args:
        course: The course.
        lab: One of its labs.
        wait: Seconds for which a locked gradebook is waited for.

    Raises:
        UsageError: The lab was not graded yet.
        GradebookError: The gradebook cannot be used.
    """
    layout = Layout(course)
    ungraded = UsageError(f"{lab.name} was not graded yet.", f"Run: w251lab grade {lab.name}")
    if not layout.has_gradebook():
        raise ungraded
    with open_gradebook(layout, wait=wait) as book, book.transaction() as gradebook:
        try:
            assignment = gradebook.find_assignment(lab.name)
        except MissingEntry as error:
            raise ungraded from error
        results = {row.notebook_id: row.graded for row in gradebook.db.execute(select(RESULTS))}
        submissions = {submission.student_id: submission for submission in assignment.submissions}
        order = [entry.name for entry in lab.notebooks]
        found = [
            _student(student, submissions.get(student.id), results, order, assignment.max_score)
            for student in gradebook.students
        ]
    return tuple(sorted(found, key=lambda one: (one.last_name, one.first_name, one.student)))


def _student(student: Any, submission: Any, results: Mapping[str, str], order: list[str], most: float) -> StudentMarks:
    rows = [] if submission is None else [row for row in submission.notebooks if row.name in order]
    return StudentMarks(
        student=student.id,
        first_name=student.first_name or "",
        last_name=student.last_name or "",
        email=student.email or "",
        platform_id=student.lms_user_id or "",
        handed_in=submission is not None,
        timestamp=None if submission is None else submission.timestamp,
        notebooks=tuple(_notebook(row, results.get(row.id)) for row in sorted(rows, key=lambda r: order.index(r.name))),
        most=most,
    )


def _notebook(row: Any, graded: str | None) -> NotebookMarks:
    cells = {
        grade.name: CellMark(grade.score, grade.max_score, grade.manual_score, bool(grade.needs_manual_grade))
        for grade in row.grades
    }
    comments = {one.name: one.manual_comment for one in row.comments if one.manual_comment}
    penalty = row.late_submission_penalty or 0.0
    return NotebookMarks(row.name, row.score, row.max_score, penalty, cells, comments, _read(graded, cells))


def _read(text: str | None, cells: Mapping[str, CellMark]) -> Graded | None:
    """A stored result; None where there is none, or it is of another version or of other cells."""
    if text is None:
        return None
    try:
        graded = Graded.from_bytes(text.encode())
    except GradedFormatError:
        return None
    known = [q for q in graded.result.questions if all(t.grade_id in cells for t in q.tests) and (q.tests or q.manual)]
    kept = tuple(question for question in known if not question.manual or question.name in cells)
    return replace(graded, result=replace(graded.result, questions=kept))
