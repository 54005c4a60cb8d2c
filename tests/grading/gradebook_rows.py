"""Read a gradebook without nbgrader: to compare two of them, and to see what was really written."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_QUERY = """
    SELECT assignment.student_id, base_cell.name, auto_score, manual_score, needs_manual_grade
    FROM grade JOIN base_cell ON base_cell.id = grade.cell_id
    JOIN submitted_notebook AS notebook ON notebook.id = grade.notebook_id
    JOIN submitted_assignment AS assignment ON assignment.id = notebook.assignment_id
"""


def gradebook(course: Path) -> dict[tuple[str, str], tuple[float | None, float | None, bool]]:
    """(student, cell) -> automatic mark, manual mark, whether a person has to look."""
    with closing(sqlite3.connect(course / "gradebook.db")) as book:
        rows = book.execute(_QUERY).fetchall()
    return {(student, cell): (auto, manual, bool(needs)) for student, cell, auto, manual, needs in rows}
