"""Hold a student's notebook against the source: put back what is locked, and say what was taken out or changed."""

from __future__ import annotations

import copy
import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from w251lab.course.catalog import LABS, NotebookEntry, nearest_hint
from w251lab.course.notebook import RECORD, Cell, cells, parse_notebook, read_notebook
from w251lab.course.results import Reason, Verdict
from w251lab.course.score import Fault
from w251lab.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from nbformat import NotebookNode

    from w251lab.course.catalog import Course, Lab


@dataclass
class Restored:
    """A notebook that is ready to run.

    Attributes:
        nb: With the locked cells and the hidden tests of the source in their places.
        faults: grade_id -> what was found wrong with that cell.
        notes: What else was put back or set aside, for people.
    """

    nb: NotebookNode
    faults: dict[str, Fault] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Reference:
    """What a submission is held against.

    Attributes:
        source: The notebook with all tests that are at hand; it says which questions there are.
        released: grade_id -> the sources under which a locked cell counts as unchanged.
        faults: grade_id -> a locked cell of the reference that is itself not as it was released.
        place: Where a student gets a lost cell back from.
        notes: For people.
    """

    source: NotebookNode
    released: dict[str, set[str]]
    faults: dict[str, Fault]
    place: str
    notes: tuple[str, ...] = ()


def find_notebooks(lab: Lab, path: Path) -> dict[str, Path]:
    """The submitted files of a lab: notebook name -> path (which need not exist).

    Args:
        lab: The lab.
        path: A folder with the lab's notebooks, or one notebook.

    Raises:
        UsageError: The path does not exist, or a notebook's name does not tell which one of the lab's it is.
    """
    names = [entry.name for entry in lab.notebooks]
    if path.is_dir() and path.suffix != ".ipynb":
        return {name: path / f"{name}.ipynb" for name in names}
    if not path.exists():
        raise UsageError(f"The submission {path} does not exist.", "Name a notebook, or a folder with the notebooks.")
    if path.stem in names:
        return {path.stem: path}
    if len(names) == 1:
        return {names[0]: path}
    raise UsageError(f"{path.name} is none of the notebooks of {lab.name}.", nearest_hint(path.stem, names))


def make_reference(course: Course, lab: Lab, entry: NotebookEntry) -> Reference:
    """The reference of one notebook: ``solutions/`` and the release made from it, else ``labs/`` alone."""
    # nbgrader loads all of its own server with it, for seconds; what grades a notebook uses `restore` alone.
    from nbgrader.utils import compute_checksum  # noqa: PLC0415

    from w251lab.course.release import has_solutions, release_notebook  # noqa: PLC0415

    file = f"{entry.name}.ipynb"
    source = read_notebook(lab.reference / file)
    released: dict[str, set[str]] = defaultdict(set)
    faults = {}
    notes = []
    for cell in cells(source):
        if cell.is_locked:
            released[cell.grade_id].add(_text(cell))
    if has_solutions(course) and lab.solutions.is_dir():
        for cell in cells(parse_notebook(release_notebook(lab, entry.name), file)):
            if cell.is_locked:
                released[cell.grade_id].add(_text(cell))
    else:
        # Without solutions/ a student's own copy is all there is: its checksums tell whether it is as released.
        for node, cell in zip(source["cells"], cells(source), strict=True):
            recorded = node["metadata"].get("nbgrader", {}).get("checksum")
            if cell.is_test and recorded != compute_checksum(node):
                why = Reason(f"test cell {cell.grade_id} in {LABS}/{lab.name}/{file} is not as it was released")
                faults[cell.grade_id] = Fault(Verdict.TAMPERED, why)
        notes = _set_aside_hidden_tests(source)
    return Reference(source, released, faults, f"{LABS}/{lab.name}/{file}", tuple(notes))


def _set_aside_hidden_tests(source: NotebookNode) -> list[str]:
    """Take test cells of which the release left nothing out of the score: they can only be judged by the grader."""
    hidden = [cell for cell in cells(source) if cell.is_test and not cell.source.strip()]
    for cell in hidden:
        source["cells"][cell.index]["metadata"]["nbgrader"] |= {"grade": False, "locked": True}
    points = sum(cell.points for cell in hidden)
    return [f"Hidden tests worth {points:g} points are not here; they run when the lab is graded."] if hidden else []


def restore(submitted: NotebookNode, reference: Reference) -> Restored:
    """Make a student's notebook ready to run.

    - A locked cell (read-only, parameters, task) is put back as in the source, also where it was deleted.
    - A test cell gets its hidden tests back. One that is absent makes its question ``not_run``; one that differs from
      the released one, or stands twice, makes it ``tampered``.
    - Answers stay as they are, also one that was split or copied into several cells. Unknown cells stay too; they have
      no say in the score.
    """
    nb = copy.deepcopy(submitted)
    nb["metadata"].pop("papermill", None)
    for node in nb["cells"]:
        node["metadata"].pop(RECORD, None)
        node["metadata"].pop("papermill", None)
        if node["cell_type"] == "code":
            node["outputs"], node["execution_count"] = [], None
    restored = Restored(nb, dict(reference.faults), list(reference.notes))
    source_views = cells(reference.source)
    _drop_copies(restored, {cell.key: cell for cell in source_views if cell.grade_id})
    for cell in source_views:
        if cell.is_locked:
            _put_back(restored, reference, cell, source_views)
        elif cell.solution:
            _relabel(restored, reference, cell)
    _make_ids_unique(nb)
    return restored


def _places(nb: NotebookNode, key: str) -> list[int]:
    """Where the cells of this grade_id stand. A cell whose nbgrader metadata was lost is known by its own id."""
    return [cell.index for cell in cells(nb) if cell.key == key]


def _drop_copies(restored: Restored, source: dict[str, Cell]) -> None:
    """Make cells that share a grade_id one cell: of locked cells the first is kept, of answers every one.

    Two copies of a test cell are tampered with: nothing says which one counts. Of an answer, which JupyterLab's "Split
    cell" gives to both halves together with its metadata, all but one become cells of the student's own.
    """
    cells_of = restored.nb["cells"]
    for key, cell in source.items():
        places = _places(restored.nb, key)
        if len(places) < 2:
            continue
        text = f"{len(places)} cells carry the grade_id {key}"
        if cell.solution:
            answer = next((index for index in places if cells_of[index]["cell_type"] == cell.cell_type), places[0])
            for number, index in enumerate((index for index in places if index != answer), 2):
                cells_of[index]["metadata"].pop("nbgrader", None)
                cells_of[index]["id"] = _free_id(f"copy-{number}-of-{key}", restored.nb, source)
            restored.notes.append(f"{text}: all were run.")
            continue
        if cell.grade:
            restored.faults[key] = Fault(Verdict.TAMPERED, Reason(f"{text}; keep one of them"))
        restored.notes.append(f"{text}: only the first was run.")
        for index in reversed(places[1:]):
            del cells_of[index]


def _free_id(wanted: str, nb: NotebookNode, source: dict[str, Cell]) -> str:
    """A valid cell id that neither the notebook nor the source uses: a cell without a grade_id is known by its id."""
    taken = {cell.key for cell in cells(nb)} | {node["id"] for node in nb["cells"]} | source.keys()
    base = re.sub(r"[^A-Za-z0-9_-]", "-", wanted)[:50]
    free, number = base, 2
    while free in taken:
        free, number = f"{base}-{number}", number + 1
    return free


def _put_back(restored: Restored, reference: Reference, cell: Cell, source_views: list[Cell]) -> None:
    nodes = restored.nb["cells"]
    original = copy.deepcopy(reference.source["cells"][cell.index])
    places = _places(restored.nb, cell.grade_id)
    if not places:
        if cell.is_test:
            why = f"test cell {cell.grade_id} is missing from the notebook; get it back from {reference.place}"
            restored.faults.setdefault(cell.grade_id, Fault(Verdict.NOT_RUN, Reason(why)))
            return
        nodes.insert(_place_after(restored.nb, cell, source_views), original)
        restored.notes.append(f"The locked cell {cell.grade_id} was missing and was put back.")
        return
    found = cells(restored.nb)[places[0]]
    unchanged = _text(found) in reference.released[cell.grade_id] and found.cell_type == cell.cell_type
    if not unchanged and cell.is_test:
        why = f"test cell {cell.grade_id} was changed; get it back from {reference.place}"
        restored.faults.setdefault(cell.grade_id, Fault(Verdict.TAMPERED, Reason(why)))
    elif not unchanged:
        restored.notes.append(f"The locked cell {cell.grade_id} was changed and was put back.")
    nodes[places[0]] = original


def _place_after(nb: NotebookNode, cell: Cell, source_views: list[Cell]) -> int:
    """Where a lost cell belongs: after the nearest cell before it in the source that is still there, else first."""
    for before in reversed(source_views[: cell.index]):
        if places := _places(nb, before.key):
            return places[0] + 1
    return 0


def _relabel(restored: Restored, reference: Reference, cell: Cell) -> None:
    """Give an answer cell the source's nbgrader metadata: what it is and what it is worth is not the student's say."""
    for index in _places(restored.nb, cell.grade_id):
        node = restored.nb["cells"][index]
        node["metadata"]["nbgrader"] = copy.deepcopy(reference.source["cells"][cell.index]["metadata"]["nbgrader"])
        if node["cell_type"] != cell.cell_type:
            why = f"the answer cell {cell.grade_id} is now a {node['cell_type']} cell, not a {cell.cell_type} cell"
            restored.faults.setdefault(cell.grade_id, Fault(Verdict.TAMPERED, Reason(why)))


def _make_ids_unique(nb: NotebookNode) -> None:
    taken: set[str] = set()
    for index, node in enumerate(nb["cells"]):
        if node["id"] in taken:
            node["id"] = f"cell-{index}"
        taken.add(node["id"])


def _text(cell: Cell) -> str:
    """A cell's source as it counts for comparison: line ends and blanks at its end do not matter."""
    return cell.source.replace("\r\n", "\n").rstrip()
