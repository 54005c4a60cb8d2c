"""What all submissions of a notebook share, as the lab's own source says it. Nothing here loads nbgrader."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from w251lab.course.notebook import canonical_bytes, cells
from w251lab.grading.job import Job, Limits, SandboxKind
from w251lab.grading.student_kernel import NEVER_AHEAD

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nbformat import NotebookNode

    from w251lab.course.catalog import Lab, NotebookEntry


class Terms(TypedDict):
    """How a lab is graded: `Job`'s fields of the same names."""

    limits: Limits
    parameters: Mapping[str, Any]
    sandbox: SandboxKind
    gpu: str | None


def shared_job(
    lab: Lab, entry: NotebookEntry, nb: NotebookNode, *, files: Mapping[str, bytes], **terms: Unpack[Terms]
) -> Job:
    """The job of one of the lab's notebooks without a student.

    Args:
        lab: The lab.
        entry: The notebook's entry in the catalog.
        nb: The notebook, with solutions and hidden tests.
        files: The lab's own files beside it: relative POSIX path -> content.
        terms: How it is graded.
    """
    return Job(
        student="",
        lab=lab.name,
        notebook=entry.name,
        submitted=b"",
        source=canonical_bytes(nb),
        files=files,
        imports=imports_of([cell.source for cell in cells(nb) if cell.cell_type == "code"]),
        title=entry.title,
        needs=lab.needs,
        **terms,
    )


def imports_of(texts: list[str]) -> tuple[str, ...]:
    """The modules that code cells import, in order, but for those that no fork survives.

    A cell that is no Python by itself (it uses a magic) tells none.
    """
    found: dict[str, None] = {}
    for text in texts:
        try:
            tree = ast.parse(text)
        except (SyntaxError, ValueError):
            continue
        for node in ast.walk(tree):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            found |= dict.fromkeys(name for name in names if name.partition(".")[0] not in NEVER_AHEAD)
    return tuple(found)
