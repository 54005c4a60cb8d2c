"""Write what grading found into nbgrader's gradebook and into ``autograded/``: one student's submission at a time.

The columns are filled as ``nbgrader autograde`` fills them, so that formgrader, manual marks, late penalties and
nbgrader's own export go on from there. What differs is what nbgrader gets wrong: a question that could not be judged
has no automatic mark and waits for a person, and a manual mark is asked for again only where its answer has changed.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from nbgrader.preprocessors import AssignLatePenalties
from sqlalchemy import select

from w251lab.course.notebook import cells, to_bytes
from w251lab.course.results import QuestionResult, Verdict
from w251lab.errors import W251Error
from w251lab.grading.autograded import as_autograded, placeholder, unanswered
from w251lab.grading.gradebook import RESULTS, WAIT, GradebookError, open_gradebook
from w251lab.grading.intake import NOT_HANDED_IN
from w251lab.grading.job import Graded, GradedFormatError
from w251lab.grading.layout import TIMESTAMP, Layout, write_whole
from w251lab.grading.prepare import complete, prepare

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from nbformat import NotebookNode

    from w251lab.course.catalog import Course, Lab
    from w251lab.grading.gradebook import Book

#: What formgrader shows at an answer that was left as it was released (nbgrader's own words).
NO_RESPONSE = "No response."


@dataclass(frozen=True)
class _Mark:
    """What a graded cell gets: the automatic score (None: there is none), and whether a person has to look."""

    score: float | None
    waits: bool


class GradebookWriter:
    """Writes submissions of one lab into the course's gradebook. Make one with `open_writer`."""

    def __init__(self, book: Book, layout: Layout, lab: Lab) -> None:
        self._book = book
        self._layout = layout
        self._lab = lab
        self._sources = {entry.name: (lab.solutions / f"{entry.name}.ipynb") for entry in lab.notebooks}
        with book.transaction() as gradebook:
            prepare(gradebook, layout, lab)

    def write(
        self,
        student: str,
        graded: Sequence[Graded],
        *,
        timestamp: datetime | None = None,
        files: Mapping[str, bytes] | None = None,
    ) -> None:
        """Write one student's submission: in one transaction, and the same again when it is repeated.

        Marks and comments that a person gave stay. Where the answer that they were given for has changed, or the
        automatic mark has, formgrader asks for them again.

        Args:
            student: The student's id; added to the gradebook if it is new.
            graded: Results of the lab's notebooks. Of a regrade, which has some of the questions only, the others stay.
            timestamp: When it was handed in, in UTC without a time zone; None leaves what is known.
            files: Relative path -> content of what lies beside the notebooks in ``autograded/``.

        Raises:
            GradebookError: The gradebook stays locked, is damaged, or does not have the lab's cells.
            W251Error: ``autograded/`` cannot be written.
        """
        for one in graded:
            if (one.student, one.lab) != (student, self._lab.name) or one.notebook not in self._sources:
                raise GradebookError(
                    f"{one.student}/{one.lab}/{one.notebook} is no part of {student}/{self._lab.name}."
                )
        with self._book.transaction() as gradebook:
            gradebook.update_or_create_student(student)
            when = {} if timestamp is None else {"timestamp": timestamp}
            with gradebook.db.no_autoflush:  # nbgrader makes the submission's rows before it adds the submission
                submission = gradebook.update_or_create_submission(self._lab.name, student, **when)
            complete(gradebook, submission)
            notebooks = {one.notebook: self._notebook(gradebook, one) for one in graded}
            self._late_penalties(
                gradebook, submission, [one.notebook for one in graded if one.fingerprint != NOT_HANDED_IN]
            )
            # Before the transaction ends: marks whose notebook formgrader cannot show would be the greater loss.
            self._write_files(student, notebooks, files or {}, timestamp)

    def _notebook(self, gradebook: Any, graded: Graded) -> bytes | None:
        """Fill one notebook's rows. Returns its file for ``autograded/``, or None where there is none to be."""
        row = gradebook.find_submission_notebook(graded.notebook, self._lab.name, graded.student)
        sources = {cell.name: cell.checksum for cell in row.notebook.source_cells}
        nb = None if graded.executed is None else as_autograded(graded.executed, sources)
        empty = set() if nb is None else unanswered(nb)
        earlier = self._earlier(gradebook, row.id)
        digests = _digests(nb, graded)
        marks = {
            name: mark
            for question in graded.result.questions
            for name, mark in _marks(question, empty, absent=graded.fingerprint == NOT_HANDED_IN).items()
        }
        known = {grade.name: grade for grade in row.grades}
        if strangers := sorted(marks.keys() - known.keys()):
            raise GradebookError(
                f"The gradebook does not know the cell {strangers[0]} of {graded.notebook}.",
                "The lab has changed since this was graded: grade it again.",
            )
        for name, mark in marks.items():
            _give(known[name], mark, changed=earlier is None or digests.get(name) != earlier[1].get(name))
        _comment(row, graded, empty)
        merged = graded if earlier is None else merge(earlier[0], graded)
        if _oddities(merged) and (earlier is None or _oddities(merged) != _oddities(earlier[0])):
            row.flagged = True  # once: a person may take the flag away
        self._keep(gradebook, row.id, merged, digests if earlier is None else earlier[1] | digests)
        if nb is not None:
            return to_bytes(nb)
        if graded.fingerprint == NOT_HANDED_IN:
            return None
        return placeholder(self._sources[graded.notebook].read_bytes(), graded)

    def _earlier(self, gradebook: Any, number: str) -> tuple[Graded, dict[str, str]] | None:
        found = gradebook.db.execute(select(RESULTS).where(RESULTS.c.notebook_id == number)).first()
        if found is None:
            return None
        try:
            return Graded.from_bytes(found.graded.encode()), dict(json.loads(found.answers))
        except (GradedFormatError, ValueError, TypeError):
            return None  # written by another version: as if nbgrader had graded it

    def _keep(self, gradebook: Any, number: str, graded: Graded, digests: Mapping[str, str]) -> None:
        gradebook.db.execute(RESULTS.delete().where(RESULTS.c.notebook_id == number))
        text = replace(graded, executed=None).to_bytes().decode()  # it lies in autograded/
        row = {"notebook_id": number, "fingerprint": graded.fingerprint, "graded": text, "answers": json.dumps(digests)}
        gradebook.db.execute(RESULTS.insert().values(**row))

    def _late_penalties(self, gradebook: Any, submission: Any, notebooks: Sequence[str]) -> None:
        """What nbgrader's own step and the course's own plugin take off for handing in late."""
        late = submission.total_seconds_late if submission.assignment.duedate is not None else 0
        if late > 0:  # what a penalty is of, the new scores, the database adds up
            gradebook.db.flush()
            gradebook.db.expire_all()
        for row in submission.notebooks:
            if row.name in notebooks:
                row.late_submission_penalty = self._penalty(row, submission.student_id, late) if late > 0 else None

    def _penalty(self, row: Any, student: str, late: float) -> float | None:
        step = AssignLatePenalties(config=self._layout.config)
        step.init_plugin()
        try:
            penalty = step.plugin_inst.late_submission_penalty(student, row.score, late)
        except Exception as error:  # the course's own code can fail in any way
            raise GradebookError(
                f"The course's plugin for late penalties failed: {type(error).__name__}: {error}.",
                "Correct AssignLatePenalties.plugin_class in nbgrader_config.py.",
            ) from error
        return None if penalty is None else min(max(penalty, 0), row.score)

    def _write_files(
        self,
        student: str,
        notebooks: Mapping[str, bytes | None],
        files: Mapping[str, bytes],
        timestamp: datetime | None,
    ) -> None:
        folder = self._layout.autograded(student, self._lab.name)
        try:
            for name, content in files.items():
                write_whole(folder / name, content)
            for name, notebook in notebooks.items():
                if notebook is not None:
                    write_whole(folder / f"{name}.ipynb", notebook)
            if timestamp is not None:
                write_whole(folder / TIMESTAMP, f"{timestamp.isoformat(sep=' ')} UTC\n".encode())
        except OSError as error:
            raise W251Error(
                f"{error.filename or folder} cannot be written: {error.strerror}.",
                "Make room, or give yourself the right to write there; then run this again.",
            ) from error


@contextmanager
def open_writer(course: Course, lab: Lab, *, wait: float = WAIT) -> Iterator[GradebookWriter]:
    """A writer for the submissions of ``lab``; the lab is put into the gradebook first where it is not there.

    Args:
        course: The course.
        lab: One of its labs, with its source in ``solutions/``.
        wait: Seconds for which a gradebook that another program is writing to is waited for.

    Raises:
        GradebookError: The gradebook cannot be used; it is left as it is.
    """
    layout = Layout(course)
    with open_gradebook(layout, wait=wait) as book:
        yield GradebookWriter(book, layout, lab)


_UNUSUAL = {Verdict.UNGRADABLE, Verdict.TAMPERED}


def _marks(question: QuestionResult, empty: set[str], *, absent: bool) -> dict[str, _Mark]:
    """grade_id -> mark of each graded cell of a question."""
    if not question.manual:
        # Nothing is earned by tampering; but what looks like it may be an honest mistake, so a person decides.
        return {
            test.grade_id: _Mark(
                None if test.verdict is Verdict.UNGRADABLE else test.earned, waits=test.verdict in _UNUSUAL
            )
            for test in question.tests
        }
    if absent or (question.name in empty and question.verdict is Verdict.AWAITING_REVIEW):
        return {question.name: _Mark(0.0, waits=False)}
    return {question.name: _Mark(None, waits=True)}


def _give(grade: Any, mark: _Mark, *, changed: bool) -> None:
    """Set the automatic mark. A mark that a person gave stays; it waits for them again where what it judged changed."""
    changed = changed or grade.auto_score != mark.score
    grade.auto_score = mark.score
    if grade.manual_score is None:
        grade.needs_manual_grade = mark.waits
    elif changed:
        grade.needs_manual_grade = True


def _comment(row: Any, graded: Graded, empty: set[str]) -> None:
    """The automatic comments: nbgrader's own at an answer that was left empty, and why something has no mark."""
    comments = {comment.name: comment for comment in row.comments}
    for question in graded.result.questions:
        comment = comments.get(question.name)
        if comment is None:
            continue
        if question.verdict in _UNUSUAL or (question.manual and question.verdict is Verdict.NOT_RUN):
            comment.auto_comment = None if graded.fingerprint == NOT_HANDED_IN else _reason(question)
        else:
            comment.auto_comment = NO_RESPONSE if question.name in empty else None


def _reason(question: QuestionResult) -> str:
    word = "Could not be graded" if question.verdict is Verdict.UNGRADABLE else "A person has to look"
    return f"{word}: {question.reason.summary}." if question.reason else f"{word}."


def _oddities(graded: Graded) -> tuple[str, ...]:
    """What a person should look at: formgrader shows a flag for it."""
    odd = [
        f"{question.name}: {question.verdict}" for question in graded.result.questions if question.verdict in _UNUSUAL
    ]
    return (*graded.repairs, *odd)


def _digests(nb: NotebookNode | None, graded: Graded) -> dict[str, str]:
    """grade_id of each graded cell -> digest of the answer that its mark is for; a task's is the whole notebook."""
    answers: dict[str, str] = {}
    whole = ""
    if nb is not None:
        views = cells(nb)
        answers = {cell.grade_id: cell.source for cell in views if cell.grade_id and cell.solution}
        whole = "\0".join(cell.source for cell in views if not cell.is_locked)
    found: dict[str, str] = {}
    for question in graded.result.questions:
        names = [question.name] if question.manual else [test.grade_id for test in question.tests]
        found |= dict.fromkeys(names, _digest(answers.get(question.name, whole)))
    return found


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def merge(earlier: Graded, later: Graded) -> Graded:
    """The later result, with the earlier one's questions where only some were graded again; in the earlier's order."""
    again = {question.name: question for question in later.result.questions}
    before = [question.name for question in earlier.result.questions]
    kept = [again.pop(question.name, question) for question in earlier.result.questions]
    if later.fingerprint == earlier.fingerprint or not set(before) - {q.name for q in later.result.questions}:
        return later
    questions = (*kept, *again.values())
    return replace(later, result=replace(later.result, questions=questions))
