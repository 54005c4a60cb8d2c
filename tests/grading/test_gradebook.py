"""The gradebook against nbgrader's own: what ``nbgrader autograde`` writes of the same submissions is what we write."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import class_of_six as six
import little_course as little
import pytest
from nbgrader.api import Gradebook
from nbgrader.utils import parse_utc

from w251lab.grading.writer import open_writer

if TYPE_CHECKING:
    from pathlib import Path

    from w251lab.course.catalog import Course

DUE = datetime(2026, 3, 2)  # noqa: DTZ001 - nbgrader keeps UTC without a zone
#: Every table that nbgrader fills, with the random ids replaced by what they stand for.
TABLES = {
    "assignment": "SELECT name, duedate, course_id FROM assignment",
    "notebook": "SELECT name, kernelspec FROM notebook",
    "source_cell": "SELECT name, cell_type, locked, source, checksum FROM source_cell",
    "grade_cells": "SELECT name, max_score, cell_type FROM grade_cells NATURAL JOIN base_cell",
    "solution_cells": "SELECT name FROM solution_cells NATURAL JOIN base_cell",
    "task_cells": "SELECT name, max_score, cell_type FROM task_cells NATURAL JOIN base_cell",
    "student": "SELECT * FROM student",
    "submitted_assignment": "SELECT student_id, timestamp, extension FROM submitted_assignment",
    "submitted_notebook": """SELECT student_id, notebook.name, flagged, late_submission_penalty FROM submitted_notebook
        JOIN notebook ON notebook.id = submitted_notebook.notebook_id
        JOIN submitted_assignment ON submitted_assignment.id = submitted_notebook.assignment_id""",
    "grade": """SELECT student_id, base_cell.name, auto_score, manual_score, extra_credit, needs_manual_grade FROM grade
        JOIN base_cell ON base_cell.id = cell_id JOIN submitted_notebook ON submitted_notebook.id = grade.notebook_id
        JOIN submitted_assignment ON submitted_assignment.id = submitted_notebook.assignment_id""",
    "comment": """SELECT student_id, base_cell.name, auto_comment, manual_comment FROM comment
        JOIN base_cell ON base_cell.id = cell_id JOIN submitted_notebook ON submitted_notebook.id = comment.notebook_id
        JOIN submitted_assignment ON submitted_assignment.id = submitted_notebook.assignment_id""",
    "alembic_version": "SELECT * FROM alembic_version",
    "course": "SELECT * FROM course",
}


def tables(course: Course) -> dict[str, list[Any]]:
    connection = sqlite3.connect(course.root / "gradebook.db")
    try:
        return {name: sorted(connection.execute(query), key=repr) for name, query in TABLES.items()}
    finally:
        connection.close()


#: nbgrader's own steps, one after the other in one process: each of its commands takes seconds to start.
PROGRAM = """
import sys
from nbgrader.api import Gradebook
from nbgrader.apps.api import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from nbgrader.plugins.export import CsvExportPlugin
from traitlets.config.loader import PyFileConfigLoader
from datetime import datetime

config = PyFileConfigLoader("nbgrader_config.py", path=".").load_config()
coursedir = CourseDirectory(config=config)
api = NbGraderAPI(coursedir, config=config)
lab, *steps = sys.argv[1:]
for step in steps:
    name, _, student = step.partition(":")
    if name == "due":
        with Gradebook(coursedir.db_url) as gradebook:
            gradebook.update_or_create_assignment(lab, duedate=datetime.fromisoformat(student))
    elif name == "export":
        with Gradebook(coursedir.db_url) as gradebook:
            CsvExportPlugin(config=config).export(gradebook)
    else:
        done = getattr(api, name)(lab, *([student] if student else []), force=True)
        assert done["success"], done
"""


def nbgrader(course: Course, *steps: str) -> None:
    home = course.root.parent / "home"
    own = {name: str(home / name) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "IPYTHONDIR")}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, little.LAB, *steps],
        cwd=course.root,
        env=os.environ | own | {"HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
        timeout=800,
    )
    assert done.returncode == 0, done.stderr[-3000:]


def set_due(course: Course) -> None:
    with Gradebook(f"sqlite:///{course.root}/gradebook.db") as gradebook:
        gradebook.update_or_create_assignment(little.LAB, duedate=DUE)


def write(course: Course, students: Any = tuple(six.STUDENTS), **changes: Any) -> None:
    with open_writer(course, course.labs[0]) as writer:
        for student in students:
            when = parse_utc(six.TIMES.get(student))
            writer.write(student, [replace(six.graded(student), **changes)], timestamp=when, files=little.FILES)


@pytest.fixture
def course(tmp_path: Path) -> Course:
    return six.write_course(tmp_path / "ours")


@pytest.mark.timeout(900)  # nbgrader runs one submission after another, each in a new kernel
def test_the_gradebook_equals_nbgraders_own(tmp_path: Path, course: Course) -> None:
    theirs = six.write_course(tmp_path / "theirs")
    grading = [f"autograde:{student}" for student in six.STUDENTS]
    nbgrader(theirs, "generate_assignment", f"due:{DUE.isoformat()}", *grading, "export")
    with open_writer(course, course.labs[0]):
        pass  # puts the lab into the gradebook, so that it can have a due date
    set_due(course)
    write(course)
    assert {name for name, rows in tables(theirs).items() if not rows} == {"task_cells"}
    for name, rows in tables(theirs).items():
        assert tables(course)[name] == rows, name
    late = [row[-1] for row in tables(course)["submitted_notebook"]]
    assert late.count(None) == 4  # the two late ones have lost their points
    before = tables(course)
    write(course)
    assert tables(course) == before
    nbgrader(course, "export", "generate_feedback:ada")  # goes on from what we put into autograded/
    assert (course.root / "grades.csv").read_text() == (theirs.root / "grades.csv").read_text()
    assert "Sum over count" in (course.root / "feedback" / "ada" / little.LAB / "little.html").read_text()
