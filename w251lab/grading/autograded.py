"""The notebooks in ``autograded/``, as formgrader and nbgrader's feedback read them: with the marks' cells in place."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import nbformat
from nbgrader.utils import compute_checksum

from w251lab.course.notebook import RECORD, cells, parse_notebook, to_bytes
from w251lab.grading.matching import read_lab

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nbformat import NotebookNode

    from w251lab.grading.job import Graded


def as_autograded(executed: bytes, checksums: Mapping[str, str]) -> NotebookNode:
    """The notebook as it ran, with nbgrader's checksums and without our records.

    Args:
        executed: The notebook as it ran.
        checksums: grade_id -> the checksum of that cell as it was released, from the gradebook.

    Raises:
        UnreadableNotebookError: ``executed`` is no notebook.
    """
    nb = parse_notebook(executed, "the notebook that was run")
    nb["metadata"].pop(RECORD, None)
    nb["metadata"].pop("papermill", None)
    for node, cell in zip(nb["cells"], cells(nb), strict=True):
        grader = node["metadata"].get("nbgrader")
        if cell.grade_id and cell.grade_id in checksums:
            grader["checksum"] = checksums[cell.grade_id]
        for key in (RECORD, "papermill"):
            node["metadata"].pop(key, None)
    return nb


def unanswered(nb: NotebookNode) -> set[str]:
    """The answers that were left as they were released, by nbgrader's own rule: the checksum is still the released."""
    return {
        cell.grade_id
        for node, cell in zip(nb["cells"], cells(nb), strict=True)
        if cell.solution and cell.grade_id and node["metadata"]["nbgrader"].get("checksum") == compute_checksum(node)
    }


def placeholder(source: bytes, graded: Graded) -> bytes:
    """A notebook for formgrader where none could be run: the lab's own cells, with the reason on top.

    formgrader shows only submissions that have a notebook in ``autograded/``, and a person has to be able to mark.
    """
    lab = read_lab(source)
    reason = next((question.reason.summary for question in graded.result.questions if question.reason), "no reason")
    nb = copy.deepcopy(lab.nb)
    text = "\n".join(["**This notebook could not be graded; it waits for a person.**", "", f"    {reason}"])
    notice = nbformat.from_dict(  # type: ignore[no-untyped-call]
        {"cell_type": "markdown", "id": "could-not-be-graded", "metadata": {}, "source": text}
    )
    for node, cell in zip(nb["cells"], lab.cells, strict=True):
        if cell.solution:
            node["source"] = lab.released[cell.key]
    nb["cells"].insert(0, notice)
    return to_bytes(nb)
