"""Find out which cell of a submitted notebook is which of the lab's: by id, then by grade_id, then by content."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from w251lab.course.notebook import Cell, cells, parse_notebook

if TYPE_CHECKING:
    from nbformat import NotebookNode

_STUBS = {"code": ("# YOUR CODE HERE", "raise NotImplementedError()"), "text": ("YOUR ANSWER HERE",)}
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
    return Lab(nb, views, {cell.key: normal(_released(cell)) for cell in views})


def _released(cell: Cell) -> str:
    """A cell's text as students get it, by the rules of nbgrader's own steps with its usual marks and stubs.

    nbgrader itself would be seconds of work for every process that grades; a test holds this against it.
    """
    text = _without(_without(cell.source, "HIDDEN TESTS"), "MARK SCHEME")
    if not cell.solution:
        return text
    stub = _STUBS["code" if cell.cell_type == "code" else "text"]
    if "BEGIN SOLUTION" not in text:
        return "\n".join(stub)
    lines = []
    for line in _without(text, "SOLUTION", keep_begin=True).split("\n"):
        indent = line[: len(line) - len(line.lstrip())]
        lines += [indent + part for part in stub] if "BEGIN SOLUTION" in line else [line]
    return "\n".join(lines)


def _without(text: str, mark: str, *, keep_begin: bool = False) -> str:
    """The text without the regions between the marks ``BEGIN mark`` and ``END mark``."""
    lines, inside = [], False
    for line in text.split("\n"):
        if f"BEGIN {mark}" in line:
            inside = True
            if keep_begin:
                lines.append(line)
        elif f"END {mark}" in line:
            inside = False
        elif not inside:
            lines.append(line)
    return "\n".join(lines)


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
    return _Search(nb["cells"], lab).run()


class _Search:
    """The steps of `match` over one notebook, each on the cells that the steps before have left."""

    def __init__(self, nodes: list[NotebookNode], lab: Lab) -> None:
        self.nodes = nodes
        self.lab = lab
        self.labels = [label(node) for node in nodes]
        self.texts = [normal(node["source"]) for node in nodes]
        self.free = set(range(len(nodes)))
        self.found = Matching()

    def run(self) -> Matching:
        for cell in self.lab.cells:
            self.by_id(cell)
        for cell in self.lab.cells:
            if cell.grade_id:
                self.answer_by_label(cell) if cell.solution else self.locked_by_label(cell)
        self.copies()
        missing = [cell for cell in self.lab.cells if cell.key not in self.found.place]
        for cell in missing:
            if cell.source.strip() and not cell.solution:
                self.by_text(cell)
        for cell in missing:
            if cell.solution:
                self.by_content(cell)
        return self.found

    def take(self, cell: Cell, index: int) -> None:
        self.found.place[cell.key] = index
        self.free.discard(index)

    def by_id(self, cell: Cell) -> None:
        claims = [index for index in sorted(self.free) if self.nodes[index]["id"] == cell.id]
        if claims:
            self.take(cell, next((index for index in claims if self.labels[index] == cell.key), claims[0]))

    def claims(self, cell: Cell) -> list[int]:
        """The cells without a place yet that carry this grade_id."""
        return [index for index in sorted(self.free) if self.labels[index] == cell.key]

    def locked_by_label(self, cell: Cell) -> None:
        claims = self.claims(cell)
        if claims and cell.key not in self.found.place:
            unchanged = [index for index in claims if self.texts[index] in self.as_released(cell)]
            self.take(cell, (unchanged or claims)[0])

    def answer_by_label(self, cell: Cell) -> None:
        """Of several copies of an answer, one that was filled in is it, rather than one that was left as it came."""
        placed = self.found.place.get(cell.key)
        claims = [*([] if placed is None else [placed]), *self.claims(cell)]
        if not claims:
            return
        filled = [index for index in claims if self.texts[index] != self.lab.released[cell.key]] or claims[:1]
        if cell.is_manual and placed is None and len({self.texts[index] for index in filled}) > 1:
            self.found.undecided[cell.key] = f"{len(filled)} different cells claim to be the answer {cell.key}"
        if placed is not None and placed not in filled:
            self.free.add(placed)
        self.take(cell, placed if placed is not None and placed in filled else filled[0])

    def copies(self) -> None:
        known = {cell.id: cell.key for cell in self.lab.cells}
        known |= {cell.grade_id: cell.key for cell in self.lab.cells if cell.grade_id}
        for index in sorted(self.free):
            origin = known.get(self.labels[index]) or known.get(self.nodes[index]["id"])
            if origin is not None:
                self.found.copies[index] = origin
                self.free.discard(index)

    def as_released(self, cell: Cell) -> set[str]:
        """The texts under which a cell of the lab counts as unchanged: the released one, and our own."""
        return {self.lab.released[cell.key], normal(cell.source)}

    def by_text(self, cell: Cell) -> None:
        for index in sorted(self.free):
            if self.nodes[index]["cell_type"] == cell.cell_type and self.texts[index] in self.as_released(cell):
                self.take(cell, index)
                if cell.grade_id:
                    self.found.found.append(f"The cell {cell.key} had lost its metadata and was known by its text.")
                return

    def by_content(self, cell: Cell) -> None:
        """Match an answer without id and grade_id: only where nothing else could be it."""
        within = self.window(cell)
        candidates = [
            index
            for index in sorted(self.free)
            if self.texts[index].strip() and self.nodes[index]["cell_type"] == cell.cell_type
        ]
        near = [index for index in candidates if index in within]
        if cell.cell_type == "code":
            names = _names(cell, self.lab)
            candidates = [index for index in candidates if not names.isdisjoint(_defined(self.texts[index]))]
            near = [index for index in candidates if index in within] or candidates
        if len({self.texts[index] for index in near}) > 1:
            why = f"the answer {cell.key} has lost its metadata, and {len(near)} cells could be it"
            self.found.undecided[cell.key] = why
        elif near:
            self.take(cell, near[0])
            self.found.found.append(f"The answer {cell.key} had lost its metadata and was known by its content.")

    def window(self, cell: Cell) -> range:
        """Where a lost cell can be: between the lab's cells before and after it that are there."""
        place = self.found.place
        before = [place[other.key] for other in self.lab.cells[: cell.index] if other.key in place]
        after = [place[other.key] for other in self.lab.cells[cell.index + 1 :] if other.key in place]
        return range(before[-1] + 1 if before else 0, after[0] if after else len(self.nodes))


def _names(cell: Cell, lab: Lab) -> set[str]:
    """What an answer has to define: the names of the released stub, else those that our solution defines."""
    return _defined(lab.released[cell.key]) or _defined(cell.source)


def _defined(text: str) -> set[str]:
    """The names that code defines at its top level; found by pattern, since it may not be valid Python."""
    return {*_DEFINED.findall(text), *_ASSIGNED.findall(text)}
