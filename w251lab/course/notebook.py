"""Notebooks as the course needs them: read strictly, seen as cells and questions, written as canonical bytes."""

from __future__ import annotations

import copy
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import nbformat
from nbformat.v4.nbjson import JSONReader
from nbformat.validator import iter_validate

from w251lab.errors import W251Error

if TYPE_CHECKING:
    from pathlib import Path

    from nbformat import NotebookNode

KERNELSPEC = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
#: The only cell metadata that is kept: nbgrader's own keys (``deletable`` and ``editable`` are set by its release).
CELL_METADATA = ("deletable", "editable", "nbgrader", "tags")

#: Key of what a run records, in the metadata of cells and of the notebook.
RECORD = "w251lab"
_SKIP_TAG = "skip-execution"  # nbclient's own
_CELL_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_MISSING_ID = re.compile(r"missing-cell-id-\d+")
# What Jupyter gives a new cell: eight hexadecimal digits, or a UUID with or without hyphens.
_RANDOM_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32}|[0-9a-f]{8}")
_HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*$", re.MULTILINE)


class UnreadableNotebookError(W251Error):
    """The file cannot be read as a notebook of format 4."""


@dataclass(frozen=True)
class Cell:
    """A typed view of one cell and of its nbgrader metadata (false, empty or 0 where a key is absent)."""

    index: int
    id: str
    cell_type: str
    source: str
    tags: tuple[str, ...]
    grade_id: str
    points: float
    grade: bool
    solution: bool
    locked: bool
    task: bool

    @property
    def is_test(self) -> bool:
        """An automatically graded test cell."""
        return self.grade and not self.solution

    @property
    def is_manual(self) -> bool:
        """An answer that a person grades: a graded solution cell, or an nbgrader task."""
        return self.task or (self.grade and self.solution)

    @property
    def is_locked(self) -> bool:
        """A cell that a student must not change: a test cell, a read-only cell or a task."""
        return self.is_test or (self.locked and not self.solution)

    @property
    def key(self) -> str:
        """The name that outlives editing: the grade_id, or the cell's own id for a cell unknown to nbgrader."""
        return self.grade_id or self.id


@dataclass(frozen=True)
class Question:
    """A solution cell with the test cells after it, or a manually graded answer or task (no tests).

    Attributes:
        name: The solution cell's grade_id; the first test's where tests come before any solution.
        title: The nearest heading above, or the name.
        solution: The cell to answer in; None for tests without one, and for a task.
        tests: Its test cells, in order.
        manual: Whether a person grades it.
        points: The most that can be earned.
    """

    name: str
    title: str
    solution: Cell | None
    tests: tuple[Cell, ...]
    manual: bool
    points: float


def read_notebook(path: Path) -> NotebookNode:
    """Read a notebook file.

    Raises:
        UnreadableNotebookError: It is absent, a directory, not JSON, or not a notebook of format 4.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UnreadableNotebookError(
            f"{path} cannot be read: {error.strerror}.", "Name an existing .ipynb file."
        ) from error
    return parse_notebook(content, str(path))


def parse_notebook(content: bytes, name: str) -> NotebookNode:
    """A notebook from its bytes; a cell without an id gets a placeholder that `w251lab.course.tidy` replaces.

    Args:
        content: JSON in UTF-8.
        name: What to call it in errors.

    Raises:
        UnreadableNotebookError: It is not JSON, or not a notebook of format 4.
    """
    if not content.strip():
        raise UnreadableNotebookError(f"{name} is empty.", "Save the notebook again.")
    try:
        data = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise UnreadableNotebookError(f"{name} is not JSON: {error}.", "Save it again from Jupyter.") from error
    if not isinstance(data, dict) or not isinstance(data.get("cells"), list):
        raise UnreadableNotebookError(f"{name} has no list of cells.", "Save it again from Jupyter.")
    if data.get("nbformat") != 4:
        raise UnreadableNotebookError(
            f"{name} has notebook format {data.get('nbformat')!r}, not 4.", "Open it in Jupyter and save it."
        )
    for index, cell in enumerate(data["cells"]):
        if isinstance(cell, dict) and not (isinstance(cell.get("id"), str) and _CELL_ID.fullmatch(cell["id"])):
            cell["id"] = f"missing-cell-id-{index}"
    data["nbformat_minor"] = 5
    for fault in iter_validate(data, version=4, version_minor=5, relax_add_props=True):  # type: ignore[no-untyped-call]
        where = "/".join(str(part) for part in fault.path) or "its top level"
        raise UnreadableNotebookError(
            f"{name} is not a valid notebook, at {where}: {fault.message[:200]}.", "Save it again from Jupyter."
        )
    nb: NotebookNode = JSONReader().to_notebook(data)  # type: ignore[no-untyped-call]
    return nb


def view(node: NotebookNode, index: int) -> Cell:
    """The typed view of one cell; metadata of a wrong type counts as absent."""
    metadata = node["metadata"]
    grader = metadata.get("nbgrader")
    grader = grader if isinstance(grader, dict) else {}
    tags = metadata.get("tags")
    points = grader.get("points")
    grade_id = grader.get("grade_id")
    flags = {key: grader.get(key) is True for key in ("grade", "solution", "locked", "task")}
    return Cell(
        index=index,
        id=node.get("id", ""),
        cell_type=node["cell_type"],
        source=node["source"],
        tags=tuple(tag for tag in tags if isinstance(tag, str)) if isinstance(tags, list) else (),
        grade_id=grade_id if isinstance(grade_id, str) and any(flags.values()) else "",
        points=float(points) if isinstance(points, int | float) and not isinstance(points, bool) else 0.0,
        **flags,
    )


def cells(nb: NotebookNode) -> list[Cell]:
    """Typed views of all cells."""
    return [view(node, index) for index, node in enumerate(nb["cells"])]


def questions(nb: NotebookNode) -> list[Question]:
    """The questions of a source notebook, in order."""
    found: list[Question] = []
    title = ""
    solution: Cell | None = None
    tests: list[Cell] = []
    answered_title = ""

    def close() -> None:
        # A manually graded answer is a question of its own, so only tests after it make another one.
        lead = tests[0] if solution is None or solution.is_manual else solution
        points = sum(test.points for test in tests)
        found.append(Question(lead.grade_id, answered_title or lead.grade_id, solution, tuple(tests), False, points))

    def flush() -> None:
        if tests or (solution is not None and not solution.is_manual):
            close()

    for cell in cells(nb):
        if cell.task or cell.solution:
            flush()
            solution, tests, answered_title = (None if cell.task else cell), [], title
            if cell.is_manual:
                found.append(Question(cell.grade_id, title or cell.grade_id, solution, (), True, cell.points))
        elif cell.is_test:
            answered_title = answered_title or title
            tests.append(cell)
        if cell.cell_type == "markdown" and (headings := _HEADING.findall(cell.source)):
            title = headings[-1]
    flush()
    return found


def runnable(node: NotebookNode) -> bool:
    """Whether running the notebook runs this cell: code that is neither empty nor tagged ``skip-execution``."""
    return (
        node["cell_type"] == "code"
        and bool(node["source"].strip())
        and _SKIP_TAG not in node["metadata"].get("tags", [])
    )


def points(nb: NotebookNode) -> float:
    """All points of a source notebook, automatically and manually graded."""
    return sum(question.points for question in questions(nb))


def is_readable_id(cell_id: str) -> bool:
    """Whether a cell's id is a name, not something that Jupyter drew at random."""
    return bool(_CELL_ID.fullmatch(cell_id)) and not (_RANDOM_ID.fullmatch(cell_id) or _MISSING_ID.fullmatch(cell_id))


def canonical(nb: NotebookNode) -> NotebookNode:
    """A copy in canonical form: format 4.5, no outputs or counts, minimal metadata, id = grade_id, LF line ends.

    Other ids are left as they are. A release keeps nbgrader's checksums: they are part of its metadata.
    """
    nodes: list[dict[str, Any]] = []
    for node, cell in zip(nb["cells"], cells(nb), strict=True):
        metadata = {key: copy.deepcopy(node["metadata"][key]) for key in CELL_METADATA if key in node["metadata"]}
        if not metadata.get("tags", True):
            del metadata["tags"]
        fresh: dict[str, Any] = {
            "cell_type": cell.cell_type,
            "id": cell.grade_id if _CELL_ID.fullmatch(cell.grade_id) else cell.id,
            "metadata": metadata,
            "source": cell.source.replace("\r\n", "\n").replace("\r", "\n"),
        }
        if cell.cell_type == "code":
            fresh |= {"execution_count": None, "outputs": []}
        elif node.get("attachments"):
            fresh["attachments"] = copy.deepcopy(node["attachments"])
        nodes.append(fresh)
    metadata = {"kernelspec": dict(KERNELSPEC), "language_info": {"name": "python"}}
    clean: NotebookNode = nbformat.from_dict(  # type: ignore[no-untyped-call]
        {"cells": nodes, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    )
    return clean


def canonical_bytes(nb: NotebookNode) -> bytes:
    """The canonical form as UTF-8: sorted keys, indent 1, LF, a final newline. What nbformat itself would write."""
    return to_bytes(canonical(nb))


def to_bytes(nb: NotebookNode) -> bytes:
    """A notebook as UTF-8 bytes in nbformat's own layout, with a final newline."""
    text: str = nbformat.v4.writes(nb)  # type: ignore[no-untyped-call]
    return (text.rstrip("\n") + "\n").encode()
