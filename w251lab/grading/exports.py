"""Write a lab's marks for other programs: CSV, the file that Canvas imports, and JSON.

What could not be judged is not worth zero. Its mark is left empty, and the reason stands in a column of its own.
"""

from __future__ import annotations

import csv
import io
import json
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from w251lab.course.catalog import Lab
    from w251lab.grading.marks import NotebookMarks, StudentMarks

#: Version of the layout of the JSON export; raised when a field changes its meaning or goes away.
SCHEMA_VERSION = 1
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Format(StrEnum):
    """What ``w251lab export`` can write."""

    CSV = "csv"
    CANVAS = "canvas"
    JSON = "json"


def export(lab: Lab, marks: Sequence[StudentMarks], form: Format, *, assignment: str = "") -> str:
    """The marks of a lab as text.

    Args:
        lab: The lab.
        marks: Of `w251lab.grading.marks.read_marks`.
        form: The format.
        assignment: For Canvas: the assignment's column as Canvas itself exports it, ``Title (12345)``. Without it
            Canvas looks for an assignment with the lab's title, and offers to make one where there is none.
    """
    if form is Format.CANVAS:
        return as_canvas(marks, assignment or lab.title)
    return as_json(lab, marks) if form is Format.JSON else as_csv(lab, marks)


def as_csv(lab: Lab, marks: Sequence[StudentMarks]) -> str:
    """One row for each student: nbgrader's own columns first, then each notebook's points, and what is open and why."""
    names = [entry.name for entry in lab.notebooks]
    head = ["assignment", "timestamp", "student_id", "last_name", "first_name", "email"]
    head += ["raw_score", "late_submission_penalty", "score", "max_score", *names]
    head += ["needs_manual_grade", "ungradable", "repairs"]
    rows = []
    for one in marks:
        points = {notebook.notebook: _points(notebook.score, one) for notebook in one.notebooks}
        who = [lab.name, one.timestamp or "", one.student, one.last_name, one.first_name, one.email]
        scores = [_points(one.raw, one), f"{one.penalty:g}", _points(one.score, one), f"{one.most:g}"]
        reasons = "; ".join(f"{name}: {reason}" for name, reason in one.ungradable)
        rows.append(
            [
                *who,
                *scores,
                *(points.get(name, "") for name in names),
                int(one.waits),
                reasons,
                "; ".join(_repairs(one)),
            ]
        )
    return _written(head, rows)


def as_canvas(marks: Iterable[StudentMarks], assignment: str) -> str:
    """The file for Canvas' "Import" in the gradebook.

    Canvas finds a student by ID (its own number, nbgrader's ``lms_user_id``), else by SIS User ID or SIS Login ID, for
    which nbgrader's student id stands here, else by the name. The row of points comes before the students. Who handed
    in nothing, and what is still open, has an empty cell. The layout is that which Canvas' own importer reads
    (``gradebook_importer.rb`` in Canvas' sources).
    """
    marks = list(marks)
    most = f"{max((one.most for one in marks), default=0):g}"
    rows: list[list[Any]] = [["    Points Possible", "", "", "", "", most]]
    for one in marks:
        name = ", ".join(part for part in (one.last_name, one.first_name) if part) or one.student
        score = _points(one.score, one) if one.handed_in else ""
        rows.append([name, one.platform_id, one.student, one.student, "", score])
    return _written(["Student", "ID", "SIS User ID", "SIS Login ID", "Section", assignment], rows)


def as_json(lab: Lab, marks: Iterable[StudentMarks]) -> str:
    """Everything that is known of each student's marks, question by question."""
    data = {
        "schema_version": SCHEMA_VERSION,
        "lab": lab.name,
        "title": lab.title,
        "students": [_student(one) for one in marks],
    }
    return json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _student(one: StudentMarks) -> dict[str, Any]:
    return {
        "student": one.student,
        "first_name": one.first_name,
        "last_name": one.last_name,
        "email": one.email,
        "handed_in": one.handed_in,
        "timestamp": one.timestamp.isoformat() + "Z" if one.timestamp else None,
        "score": None if one.open else one.score,
        "raw_score": None if one.open else one.raw,
        "late_submission_penalty": one.penalty,
        "max_score": one.most,
        "needs_manual_grade": one.waits,
        "ungradable": [{"question": name, "reason": reason} for name, reason in one.ungradable],
        "notebooks": [_notebook(notebook) for notebook in one.notebooks],
    }


def _notebook(notebook: NotebookMarks) -> dict[str, Any]:
    graded = notebook.graded
    return {
        "notebook": notebook.notebook,
        "score": notebook.score,
        "max_score": notebook.most,
        "repairs": list(graded.repairs) if graded else [],
        "sandbox": graded.sandbox if graded else None,
        "questions": [
            {
                "question": question.name,
                "title": question.title,
                "verdict": str(question.verdict),
                "reason": question.reason.summary if question.reason else None,
                "cells": {
                    name: {"score": mark.score, "max_score": mark.most, "manual": mark.manual, "waits": mark.waits}
                    for name, mark in notebook.cells.items()
                    if name == question.name or name in {test.grade_id for test in question.tests}
                },
            }
            for question in (graded.result.questions if graded else ())
        ],
    }


def _repairs(one: StudentMarks) -> list[str]:
    return [repair for notebook in one.notebooks if notebook.graded for repair in notebook.graded.repairs]


def _points(score: float, one: StudentMarks) -> str:
    return "" if one.open else f"{score:g}"


def _written(head: list[str], rows: Iterable[Sequence[Any]]) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(head)
    writer.writerows([_safe(value) for value in row] for row in rows)
    return text.getvalue()


def _safe(value: object) -> object:
    """A text that no spreadsheet takes for a formula: reasons and names come from students."""
    if isinstance(value, str) and value.startswith(_FORMULA) and not value.lstrip("+-").replace(".", "", 1).isdigit():
        return "'" + value
    return value
