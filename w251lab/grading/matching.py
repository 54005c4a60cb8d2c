"""Find out which cell of a submitted notebook is which of the lab's: by id, then by grade_id, then by content."""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from w251lab.course.notebook import Cell, cells, parse_notebook

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nbformat import NotebookNode

_DEFINED = re.compile(r"^(?:async\s+def|def|class)\s+(\w+)", re.MULTILINE)
_ASSIGNED = re.compile(r"^(\w+)\s*(?::[^=\n]+)?=(?!=)", re.MULTILINE)


@dataclass(frozen=True)
class Lab:
    """The lab's own notebook.

    Attributes:
        nb: With the hidden tests.
        cells: Views of its cells.
        released: key -> the cell's text as students got it: no solutions, no hidden tests.
    """

    nb: NotebookNode
    cells: tuple[Cell, ...]
    released: dict[str, str]


@dataclass
class Matching:
    """What was recognised.

    Attributes:
        place: key of a cell of the lab -> index of the student's cell.
        copies: index of a student's cell -> key of the lab's cell that it is another copy of.
        undecided: key of an answer -> why it cannot be told which cell it is.
        found: What had to be found by its content, for people.
    """

    place: dict[str, int] = field(default_factory=dict)
    copies: dict[int, str] = field(default_factory=dict)
    undecided: dict[str, str] = field(default_factory=dict)
    found: list[str] = field(default_factory=list)


@lru_cache(maxsize=64)  # a class hands in the same few notebooks again and again
def read_lab(source: bytes) -> Lab:
    """The lab's notebook from its canonical bytes, with hidden tests and solutions. Not to be changed: it is shared.

    Raises:
        UnreadableNotebookError: They are not a notebook.
    """
    nb = parse_notebook(source, "the lab's notebook")
    views = tuple(cells(nb))
    return Lab(nb, views, {cell.key: normal(cell.source) for cell in cells(_released(nb))})


def _released(nb: NotebookNode) -> NotebookNode:
    from nbgrader.preprocessors import ClearHiddenTests, ClearSolutions  # noqa: PLC0415 - takes a second

    released = copy.deepcopy(nb)
    for step in (ClearSolutions, ClearHiddenTests):
        released, _ = step().preprocess(released, {})
    return released


def normal(text: str) -> str:
    """A cell's text as it counts for comparison: line ends and blanks at its end do not matter."""
    return text.replace("\r\n", "\n").rstrip()


def label(node: NotebookNode) -> str:
    """The grade_id that a cell claims to have; empty without one."""
    grader = node["metadata"].get("nbgrader")
    name = grader.get("grade_id") if isinstance(grader, dict) else None
    return name if isinstance(name, str) else ""


def match(nb: NotebookNode, lab: Lab) -> Matching:
    """Match the cells of ``nb`` with those of the lab.

    An id is what a student's editor never shows, so it says most; a copied or split cell has the grade_id of its
    origin and an id of its own. Content is asked only where both are lost: the exact text of a locked cell, the names
    that an answer has to define, the place of a written answer.
    """
    matching = Matching()
    nodes = nb["cells"]
    free = set(range(len(nodes)))
    labels = [label(node) for node in nodes]
    for cell in lab.cells:
        ids = [index for index in sorted(free) if nodes[index]["id"] == cell.id]
        if ids:
            _take(matching, free, cell, next((index for index in ids if labels[index] == cell.key), ids[0]))
    for cell in lab.cells:
        _by_label(matching, free, cell, lab, nodes, labels)
    known = {cell.id: cell.key for cell in lab.cells} | {cell.key: cell.key for cell in lab.cells if cell.grade_id}
    for index in sorted(free):
        origin = known.get(labels[index]) or known.get(nodes[index]["id"])
        if origin is not None:
            matching.copies[index] = origin
            free.discard(index)
    for cell in lab.cells:
        if cell.key not in matching.place and (cell.is_locked or not cell.grade_id):
            _by_text(matching, free, cell, lab, nodes)
    for cell in lab.cells:
        if cell.key not in matching.place and cell.solution:
            _by_content(matching, free, cell, lab, nodes)
    return matching


def _take(matching: Matching, free: set[int], cell: Cell, index: int) -> None:
    matching.place[cell.key] = index
    free.discard(index)


def _by_label(
    matching: Matching, free: set[int], cell: Cell, lab: Lab, nodes: list[NotebookNode], labels: list[str]
) -> None:
    """Match by grade_id. An answer of which one copy was filled in and the other left as it came is the former."""
    claims = [index for index in sorted(free) if cell.grade_id and labels[index] == cell.key]
    placed = matching.place.get(cell.key)
    if not cell.solution:
        if claims and placed is None:
            same = [index for index in claims if normal(nodes[index]["source"]) in _texts(cell, lab)]
            _take(matching, free, cell, (same or claims)[0])
        return
    claims = [*([] if placed is None else [placed]), *claims]
    if not claims:
        return
    filled = [index for index in claims if normal(nodes[index]["source"]) != lab.released[cell.key]] or claims[:1]
    texts = {normal(nodes[index]["source"]) for index in filled}
    chosen = placed if placed in filled else filled[0]
    if cell.is_manual and placed is None and len(texts) > 1:
        matching.undecided[cell.key] = f"{len(filled)} different cells claim to be the answer {cell.key}"
    if placed is not None and chosen != placed:
        free.add(placed)
    _take(matching, free, cell, chosen)


def _texts(cell: Cell, lab: Lab) -> set[str]:
    """The texts under which a cell of the lab counts as unchanged: the released one, and our own."""
    return {lab.released[cell.key], normal(cell.source)}


def _by_text(matching: Matching, free: set[int], cell: Cell, lab: Lab, nodes: list[NotebookNode]) -> None:
    if not cell.source.strip():
        return
    for index in sorted(free):
        if nodes[index]["cell_type"] == cell.cell_type and normal(nodes[index]["source"]) in _texts(cell, lab):
            _take(matching, free, cell, index)
            if cell.grade_id:
                matching.found.append(f"The cell {cell.key} had lost its metadata and was known by its text.")
            return


def _by_content(matching: Matching, free: set[int], cell: Cell, lab: Lab, nodes: list[NotebookNode]) -> None:
    """Match an answer without id and grade_id: only where nothing else could be it."""
    within = _window(matching, cell, lab, len(nodes))
    candidates = [index for index in sorted(free) if nodes[index]["source"].strip()]
    if cell.cell_type == "code":
        names = _names(cell, lab)
        candidates = [i for i in candidates if nodes[i]["cell_type"] == "code" and _fits(nodes[i]["source"], names)]
        if len(candidates) > 1:
            candidates = [index for index in candidates if index in within] or candidates
    else:
        candidates = [i for i in candidates if nodes[i]["cell_type"] == cell.cell_type and i in within]
    if len({normal(nodes[index]["source"]) for index in candidates}) > 1:
        matching.undecided[cell.key] = (
            f"the answer {cell.key} has lost its metadata, and {len(candidates)} cells could be it"
        )
    elif candidates:
        _take(matching, free, cell, candidates[0])
        matching.found.append(f"The answer {cell.key} had lost its metadata and was known by its content.")


def _window(matching: Matching, cell: Cell, lab: Lab, length: int) -> range:
    """Where a lost cell can be: between the lab's cells before and after it that are there."""
    before = [matching.place[c.key] for c in lab.cells[: cell.index] if c.key in matching.place]
    after = [matching.place[c.key] for c in lab.cells[cell.index + 1 :] if c.key in matching.place]
    return range(before[-1] + 1 if before else 0, after[0] if after else length)


def _names(cell: Cell, lab: Lab) -> set[str]:
    """What an answer has to define: the functions and classes of the released stub, else what our solution defines."""
    stub = set(_DEFINED.findall(lab.released[cell.key])) | set(_ASSIGNED.findall(lab.released[cell.key]))
    return stub or set(_DEFINED.findall(cell.source)) | set(_ASSIGNED.findall(cell.source))


def _fits(text: str, names: Iterable[str]) -> bool:
    defined = set(_DEFINED.findall(text)) | set(_ASSIGNED.findall(text))
    return not defined.isdisjoint(names)
