"""Make a submitted notebook ready to run: every cell of the lab's in its place, whatever the student did to it.

A deleted or edited test is put back and counts: what a student cannot see the use of is easily lost, and a test that
is ours again judges as well as before. Only the repair is listed. What cannot be decided makes its question
``ungradable``, which is not zero: it waits for a person.
"""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from w251lab.course.notebook import Cell, to_bytes
from w251lab.course.results import Reason, Verdict
from w251lab.course.score import Fault
from w251lab.course.submission import Reference
from w251lab.course.submission import restore as restore_cells
from w251lab.grading.matching import Lab, Matching, label, match, normal, read_lab
from w251lab.grading.reading import read_submitted

if TYPE_CHECKING:
    from nbformat import NotebookNode

#: Tag of a cell that was set aside: another copy of a locked cell, or parameters of an earlier run. It is not run.
QUARANTINED = "quarantined"
_CELL_ID = re.compile(r"[A-Za-z0-9_-]{1,60}")
_PARAMETER_TAGS = {"parameters", "injected-parameters"}


@dataclass(frozen=True)
class Restored:
    """A notebook that is ready to run.

    Attributes:
        notebook: Canonical-looking bytes: the student's answers and own cells, the lab's locked cells and hidden tests.
        faults: grade_id -> what decides that cell's verdict whatever it does, for `w251lab.course.score.score`.
        repairs: What was put back, set aside or mended, for people.
    """

    notebook: bytes
    faults: dict[str, Fault]
    repairs: tuple[str, ...]


@dataclass(frozen=True)
class _Placed:
    """One cell of the notebook under repair; ``key`` is that of the lab's cell that it is, or empty."""

    node: NotebookNode
    key: str = ""


def restore(submitted: bytes, source: bytes) -> Restored:
    """Hold a submitted notebook against the lab's and repair it. A pure function.

    Args:
        submitted: The file as it was handed in; any bytes.
        source: The lab's notebook with its hidden tests, in canonical bytes.

    Raises:
        UnreadableNotebookError: No notebook can be had from ``submitted``: it is ``ungradable``, for the reason in
            ``what``. Also where ``source`` is no notebook.
    """
    lab = read_lab(source)
    nb, repairs = read_submitted(submitted)
    matching = match(nb, lab)
    repairs += matching.found
    row = _row(nb, lab, matching, repairs)
    row = _in_order(row, lab, repairs)
    row = _put_back_missing(row, lab, repairs)
    nb["cells"] = [placed.node for placed in row]
    _name_own_cells(row, lab)
    # The course's own restoring comes last: it relabels answers, and notices whatever were still wrong.
    known = {cell.grade_id: {normal(cell.source)} for cell in lab.cells if cell.is_locked}
    checked = restore_cells(nb, Reference(lab.nb, known, {}, "the release"))
    faults = checked.faults | {key: Fault(Verdict.UNGRADABLE, Reason(why)) for key, why in matching.undecided.items()}
    repairs += [*checked.notes, *(f"Undecided: {why}." for why in matching.undecided.values())]
    return Restored(to_bytes(checked.nb), faults, tuple(repairs))


def _row(nb: NotebookNode, lab: Lab, matching: Matching, repairs: list[str]) -> list[_Placed]:
    """The student's cells in their order, those of the lab mended, what must not run set aside."""
    of_lab = {cell.key: cell for cell in lab.cells}
    keys = {index: key for key, index in matching.place.items()}
    row = []
    for index, node in enumerate(nb["cells"]):
        if index in keys:
            cell = of_lab[keys[index]]
            row.append(_Placed(_mended(node, cell, lab, repairs), cell.key))
        else:
            row.append(_Placed(_own(node, of_lab.get(matching.copies.get(index, "")), repairs)))
    return row


def _mended(node: NotebookNode, cell: Cell, lab: Lab, repairs: list[str]) -> NotebookNode:
    if cell.is_locked:
        same = normal(node["source"]) in (lab.released[cell.key], normal(cell.source))
        if not same or node["cell_type"] != cell.cell_type:
            what = "test" if cell.is_test else "locked cell"
            repairs.append(f"The {what} {cell.key} was changed; the course's own was put back and counts.")
        original: NotebookNode = copy.deepcopy(lab.nb["cells"][cell.index])
        return original
    node["id"] = cell.id
    if not cell.grade_id:
        node["metadata"] = {}
        return node
    if label(node) != cell.grade_id:
        repairs.append(f"The answer {cell.key} had lost its metadata or carried another's; it was given its own.")
    if node["cell_type"] != cell.cell_type:
        repairs.append(f"The answer {cell.key} was a {node['cell_type']} cell; it was made a {cell.cell_type} cell.")
        _retype(node, cell.cell_type)
    # All of an answer's metadata is the course's: what it is worth, and its tags, are not the student's say.
    node["metadata"] = copy.deepcopy(lab.nb["cells"][cell.index]["metadata"])
    return node


def _own(node: NotebookNode, origin: Cell | None, repairs: list[str]) -> NotebookNode:
    """A cell that is none of the lab's: it runs, unless it is another copy of a locked cell or of the parameters."""
    metadata = node["metadata"]
    tags = metadata.get("tags")
    tags = [tag for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else []
    if origin is not None and origin.solution:
        repairs.append(f"The answer {origin.key} stands in several cells; all of them were run.")
    elif origin is not None and origin.grade_id:
        repairs.append(f"Another copy of the cell {origin.key} was set aside and not run.")
    elif label(node):
        repairs.append(f"A cell with the unknown grade_id {label(node)[:60]!r} was taken as the student's own.")
    if "injected-parameters" in tags:
        repairs.append("Parameters that an earlier run had put in were set aside and not run.")
    aside = (origin is not None and origin.is_locked) or "injected-parameters" in tags
    kept = [tag for tag in tags if tag not in _PARAMETER_TAGS | {QUARANTINED}]
    if aside:
        kept.append(QUARANTINED)
        _retype(node, "raw")
    node["metadata"] = {"tags": kept} if kept else {}
    return node


def _retype(node: NotebookNode, cell_type: str) -> None:
    node["cell_type"] = cell_type
    for key in ("outputs", "execution_count", "attachments"):
        node.pop(key, None)
    if cell_type == "code":
        node["outputs"], node["execution_count"] = [], None


def _in_order(row: list[_Placed], lab: Lab, repairs: list[str]) -> list[_Placed]:
    """Move what stands out of the lab's order back into it, as few cells as that takes; answers rather stay."""
    rank = {cell.key: cell.index for cell in lab.cells if cell.grade_id}
    ranked = [index for index, placed in enumerate(row) if placed.key in rank]
    weights = [2 if lab.cells[rank[row[index].key]].solution else 1 for index in ranked]
    stay = {ranked[i] for i in _heaviest_rising([rank[row[index].key] for index in ranked], weights)}
    moved = [row[index] for index in ranked if index not in stay]
    if not moved:
        return row
    rest = [placed for index, placed in enumerate(row) if index in stay or placed.key not in rank]
    for placed in sorted(moved, key=lambda placed: rank[placed.key]):
        _insert(rest, placed, lab)
        repairs.append(f"The cell {placed.key} stood out of order and was put back in its place.")
    return rest


def _heaviest_rising(ranks: list[int], weights: list[int]) -> list[int]:
    """Indices of the rising subsequence of the greatest weight, by dynamic programming in O(n²)."""
    best: list[int] = []
    before: list[int] = []
    for i, rank in enumerate(ranks):
        weight, previous = max(((best[j], j) for j in range(i) if ranks[j] < rank), default=(0, -1))
        best.append(weight + weights[i])
        before.append(previous)
    at = max(range(len(best)), key=best.__getitem__, default=-1)
    chain = []
    while at >= 0:
        chain.append(at)
        at = before[at]
    return chain


def _put_back_missing(row: list[_Placed], lab: Lab, repairs: list[str]) -> list[_Placed]:
    for cell in lab.cells:
        if cell.is_locked and all(placed.key != cell.key for placed in row):
            _insert(row, _Placed(copy.deepcopy(lab.nb["cells"][cell.index]), cell.key), lab)
            what = "test" if cell.is_test else "locked cell"
            repairs.append(f"The {what} {cell.key} was missing; it was put back{' and counts' * cell.is_test}.")
    return row


def _insert(row: list[_Placed], new: _Placed, lab: Lab) -> None:
    """Put a cell in its place: a test as late as its order allows, after what a student added to the answer."""
    rank = {cell.key: cell.index for cell in lab.cells}
    here = rank[new.key]
    ranks = [rank.get(placed.key, -1) for placed in row]
    earlier = [i for i, other in enumerate(ranks) if 0 <= other < here and lab.cells[other].grade_id]
    at = earlier[-1] + 1 if earlier else 0
    if lab.cells[here].is_test:
        at = next((i for i in range(at, len(row)) if ranks[i] > here), len(row))
    row.insert(at, new)


def _name_own_cells(row: list[_Placed], lab: Lab) -> None:
    """Give every own cell an id that no other cell has: a cell without a grade_id is known by its id."""
    taken = {cell.id for cell in lab.cells} | {cell.key for cell in lab.cells}
    for number, placed in enumerate(row, 1):
        if placed.key:
            continue
        name = placed.node["id"]
        if name in taken or not _CELL_ID.fullmatch(name):
            name = f"own-cell-{number}"
        while name in taken:
            name += "-x"
        taken.add(name)
        placed.node["id"] = name
