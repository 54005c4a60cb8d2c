"""Bring source notebooks into canonical form, and report what only an author can decide."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from w251lab.course.notebook import canonical_bytes, cells, is_readable_id, parse_notebook, read_notebook
from w251lab.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from nbformat import NotebookNode

_NBGRADER_SCHEMA = 3


@dataclass(frozen=True)
class Problem:
    """Something about a notebook that is not as it must be.

    Attributes:
        cell: The cell's name, or its position where it has none; empty for the notebook as a whole.
        message: What is wrong.
        fixable: Whether `tidy` puts it right by itself.
    """

    cell: str
    message: str
    fixable: bool = False

    def __str__(self) -> str:
        """One line."""
        return f"cell {self.cell}: {self.message}" if self.cell else self.message


@dataclass(frozen=True)
class Tidied:
    """One notebook after `tidy`: whether its bytes had to change, what was put right, and what is left to a person."""

    path: Path
    changed: bool
    fixed: tuple[Problem, ...]
    remaining: tuple[Problem, ...]


def problems(nb: NotebookNode) -> list[Problem]:
    """What is wrong with a notebook's cells: ids that are no names, duplicates, incomplete nbgrader metadata."""
    found = []
    views = cells(nb)
    grade_ids = Counter(cell.grade_id for cell in views if cell.grade_id)
    ids = Counter(cell.id for cell in views if not cell.grade_id)
    found += [
        Problem(grade_id, f"this grade_id stands on {count} cells; rename all but one")
        for grade_id, count in grade_ids.items()
        if count > 1
    ]
    for node, cell in zip(nb["cells"], views, strict=True):
        place = cell.key if is_readable_id(cell.key) else f"number {cell.index + 1}"
        if cell.grade_id:
            if cell.id != cell.grade_id:
                found.append(Problem(place, f"its id {cell.id!r} is not its grade_id", fixable=True))
            if not is_readable_id(cell.grade_id):
                found.append(Problem(place, f"its grade_id {cell.grade_id!r} is not a readable name"))
        elif not is_readable_id(cell.id):
            found.append(Problem(place, f"its id {cell.id!r} is not a readable name", fixable=True))
        elif ids[cell.id] > 1 or cell.id in grade_ids:
            found.append(Problem(place, f"the id {cell.id!r} stands on several cells", fixable=True))
        found += [Problem(place, message) for message in _grader_problems(node)]
    return found


def _grader_problems(node: NotebookNode) -> list[str]:
    grader = node["metadata"].get("nbgrader")
    if grader is None:
        return []
    if not isinstance(grader, dict) or grader.get("schema_version") != _NBGRADER_SCHEMA:
        return [f"its nbgrader metadata is not of schema version {_NBGRADER_SCHEMA}; save it with the toolbar"]
    found = [
        f"nbgrader's {key!r} must be true or false, not {grader.get(key)!r}"
        for key in ("grade", "locked", "solution")
        if not isinstance(grader.get(key), bool)
    ]
    active = any(grader.get(key) for key in ("grade", "locked", "solution", "task"))
    if active and not grader.get("grade_id"):
        found.append("it has no grade_id")
    amount = grader.get("points")
    graded = grader.get("grade") or grader.get("task")
    if graded and (isinstance(amount, bool) or not isinstance(amount, int | float) or not 0 <= amount < float("inf")):
        found.append(f"its points must be a number of at least 0, not {amount!r}")
    return found


def name_cells(nb: NotebookNode) -> None:
    """Give every cell without a readable, unique id a name made from its first words. Other ids never change."""
    taken = {cell.grade_id for cell in cells(nb) if cell.grade_id}
    for node, cell in zip(nb["cells"], cells(nb), strict=True):
        if cell.grade_id:
            continue
        if not is_readable_id(cell.id) or cell.id in taken:
            node["id"] = _name(cell.source, cell.cell_type, taken)
        taken.add(node["id"])


def _name(source: str, cell_type: str, taken: set[str]) -> str:
    line = next((line for line in source.splitlines() if re.search(r"[A-Za-z]{2}", line)), cell_type)
    words = re.findall(r"[a-z0-9]+", line.lower())[:5]
    base = "-".join(words)[:40].strip("-")
    if not is_readable_id(base):
        base = f"{cell_type}-{base}".strip("-")
    name, number = base, 2
    while name in taken:
        name, number = f"{base}-{number}", number + 1
    return name


def tidy(path: Path, *, check: bool = False) -> Tidied:
    """Put one notebook into canonical form.

    Args:
        path: The notebook.
        check: Write nothing; only report.

    Raises:
        UnreadableNotebookError: It is not a notebook.
    """
    nb = read_notebook(path)
    before = path.read_bytes()
    found = problems(nb)
    name_cells(nb)
    after = canonical_bytes(nb)
    fixed = [problem for problem in found if problem.fixable]
    if before != after and not fixed:
        fixed.append(Problem("", "not in canonical form (outputs, counts, metadata or layout)"))
    if before != after and not check:
        path.write_bytes(after)
    remaining = [problem for problem in problems(parse_notebook(after, str(path))) if not problem.fixable]
    return Tidied(path=path, changed=before != after, fixed=tuple(fixed), remaining=tuple(remaining))


def notebooks_in(paths: list[Path]) -> list[Path]:
    """The notebooks named by files and folders, without Jupyter's checkpoints, sorted.

    Raises:
        UsageError: A path does not exist, or there is no notebook in any of them.
    """
    found: set[Path] = set()
    for path in paths:
        if not path.exists():
            raise UsageError(f"{path} does not exist.", "Name a notebook or a folder.")
        found |= {path} if path.is_file() else set(path.rglob("*.ipynb"))
    result = sorted(path for path in found if ".ipynb_checkpoints" not in path.parts)
    if not result:
        raise UsageError(f"No notebook in {', '.join(map(str, paths))}.", "Name a notebook or a folder with notebooks.")
    return result
