"""Say where two sets of files differ: for a notebook, which cell and how."""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass

from w251lab.course.notebook import Cell, UnreadableNotebookError, cells, parse_notebook

_DIFF_LINES = 16


@dataclass(frozen=True)
class Difference:
    """One place where a file is not what it must be.

    Attributes:
        file: The file, relative to the course.
        cell: The cell's id; empty where the difference is not inside a cell.
        message: What differs.
        diff: A short unified diff; may be empty.
    """

    file: str
    cell: str
    message: str
    diff: str = ""

    def __str__(self) -> str:
        """The place, the message, and the diff indented below."""
        place = f"{self.file}, cell {self.cell}" if self.cell else self.file
        lines = "".join(f"\n    {line}" for line in self.diff.splitlines())
        return f"{place}: {self.message}{lines}"


def compare(folder: str, expected: dict[str, bytes], actual: dict[str, bytes]) -> list[Difference]:
    """Compare two sets of files, relative path -> content.

    Args:
        folder: Put before the paths in the result.
        expected: What must be there.
        actual: What is there.
    """
    found = []
    for name in sorted(expected.keys() | actual.keys()):
        file = f"{folder}/{name}"
        if name not in actual:
            found.append(Difference(file, "", "is missing"))
        elif name not in expected:
            found.append(Difference(file, "", "is not part of the release"))
        elif expected[name] != actual[name]:
            found += _in_file(file, expected[name], actual[name])
    return found


def _in_file(file: str, expected: bytes, actual: bytes) -> list[Difference]:
    if file.endswith(".ipynb"):
        return _in_notebook(file, expected, actual)
    try:
        diff = _unified(expected.decode(), actual.decode())
    except UnicodeDecodeError:
        diff = ""
    return [Difference(file, "", "differs", diff)]


def _in_notebook(file: str, expected: bytes, actual: bytes) -> list[Difference]:
    wanted = parse_notebook(expected, "the release")
    try:
        present = parse_notebook(actual, file)
    except UnreadableNotebookError as error:
        return [Difference(file, "", error.what)]
    # By id, and by position among cells of the same id, so that a duplicate is not lost.
    left, right = _by_key(cells(wanted)), _by_key(cells(present))
    found = []
    for key, cell in left.items():
        if key not in right:
            found.append(Difference(file, cell.id, "is missing"))
            continue
        other = right[key]
        if cell.source != other.source:
            found.append(Difference(file, cell.id, "its source differs", _unified(cell.source, other.source)))
            continue
        before, after = _dump(wanted["cells"][cell.index]), _dump(present["cells"][other.index])
        if before != after:
            found.append(Difference(file, cell.id, "its metadata or outputs differ", _unified(before, after)))
    found += [Difference(file, right[key].id, "is not part of the release") for key in right if key not in left]
    if not found and list(left) != list(right):
        found.append(Difference(file, "", "its cells are in another order", _unified_ids(list(left), list(right))))
    if not found:
        before, after = _dump(wanted["metadata"]), _dump(present["metadata"])
        found.append(Difference(file, "", "its metadata or layout differs", _unified(before, after)))
    return found


def _by_key(views: list[Cell]) -> dict[tuple[str, int], Cell]:
    keyed: dict[tuple[str, int], Cell] = {}
    for cell in views:
        copies = sum(1 for key in keyed if key[0] == cell.id)
        keyed[cell.id, copies] = cell
    return keyed


def _unified_ids(left: list[tuple[str, int]], right: list[tuple[str, int]]) -> str:
    return _unified("\n".join(key for key, _ in left), "\n".join(key for key, _ in right))


def _dump(value: object) -> str:
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False)


def _unified(expected: str, actual: str) -> str:
    lines = list(
        difflib.unified_diff(expected.splitlines(), actual.splitlines(), "release", "present", lineterm="", n=1)
    )
    kept = lines[:_DIFF_LINES]
    if len(lines) > len(kept):
        kept.append(f"... {len(lines) - len(kept)} more lines")
    return "\n".join(kept)
