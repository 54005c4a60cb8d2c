"""The course's table of contents: ``course.toml`` read into typed, validated objects."""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from w251lab.errors import UsageError, W251Error

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

FILE_NAME = "course.toml"
SOLUTIONS = "solutions"
LABS = "labs"
SCALES = ("small", "full")
COURSE_VARIABLE = "W251LAB_COURSE"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_NEED = re.compile(r"[a-z][a-z0-9-]*")
_REQUIRED = object()


class CatalogError(W251Error):
    """``course.toml`` is missing, malformed, or does not agree with the files beside it."""


@dataclass(frozen=True)
class TimeLimit:
    """Wall-clock limits in seconds: for one cell, and for a whole notebook."""

    cell: float
    notebook: float


@dataclass(frozen=True)
class NotebookEntry:
    """One notebook of a lab: its file name without ``.ipynb``, its title, and its points where they are fixed."""

    name: str
    title: str
    points: float | None = None


@dataclass(frozen=True)
class Lab:
    """One lab (an nbgrader assignment).

    Attributes:
        name: The folder's name under ``solutions/`` and ``labs/``.
        title: For people.
        summary: One sentence.
        needs: What a machine must have to run it, in the words of ``w251lab doctor``.
        notebooks: In the order in which they are worked through; never empty.
        limits: Time limits per scale; has every scale.
        course: The course's folder.
    """

    name: str
    title: str
    summary: str
    needs: tuple[str, ...]
    notebooks: tuple[NotebookEntry, ...]
    limits: Mapping[str, TimeLimit]
    course: Path

    @property
    def solutions(self) -> Path:
        """The folder of the lab's source notebooks."""
        return self.course / SOLUTIONS / self.name

    @property
    def labs(self) -> Path:
        """The folder of the lab's released notebooks."""
        return self.course / LABS / self.name

    @property
    def reference(self) -> Path:
        """The folder that answers are held against: ``solutions`` where it exists, else (a student's copy) ``labs``."""
        return self.solutions if self.solutions.is_dir() else self.labs


@dataclass(frozen=True)
class Course:
    """A course: its folder, its title and its labs in order."""

    root: Path
    title: str
    labs: tuple[Lab, ...]

    def select(self, names: list[str] | None = None) -> tuple[Lab, ...]:
        """The labs of these names in catalog order; all of them when no name is given.

        Raises:
            UsageError: A name is unknown.
            CatalogError: The course has no lab.
        """
        known = {lab.name: lab for lab in self.labs}
        for name in names or ():
            if name not in known:
                raise UsageError(f"There is no lab {name!r} in this course.", nearest_hint(name, known))
        if not self.labs:
            raise CatalogError(f"{self.root / FILE_NAME} lists no lab.", "Add a [labs.NAME] table to it.")
        return tuple(lab for lab in self.labs if not names or lab.name in names)


def nearest_hint(name: str, known: Iterable[str]) -> str:
    """A remedy that names the closest of the ``known`` names, or lists all of them."""
    choices = sorted(known)
    close = difflib.get_close_matches(name, choices, n=1, cutoff=0.5)
    if close:
        return f"Did you mean {close[0]!r}?"
    return f"Known names: {', '.join(choices)}." if choices else "There is none to choose from."


def find_course(course: str | Path | None = None) -> Path:
    """The course's folder: ``course`` if given, else $W251LAB_COURSE, else the nearest one upwards with a course.toml.

    Raises:
        UsageError: The folder named by hand has no ``course.toml``.
        CatalogError: No folder from the working directory upwards has one.
    """
    named = course or os.environ.get(COURSE_VARIABLE)
    if named:
        root = Path(named).expanduser().resolve()
        if not (root / FILE_NAME).is_file():
            origin = "--course" if course else f"${COURSE_VARIABLE}"
            raise UsageError(f"{root} (from {origin}) has no {FILE_NAME}.", "Name the folder that holds it.")
        return root
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / FILE_NAME).is_file():
            return folder
    raise CatalogError(
        f"No {FILE_NAME} in {here} or in a folder above it.",
        f"Change into the course's folder, or name it with --course DIR or ${COURSE_VARIABLE}.",
    )


def load_course(course: str | Path | None = None) -> Course:
    """Read and validate the catalog of the course in ``course`` (see `find_course`).

    Raises:
        CatalogError: The file is malformed, has an unknown key, or does not agree with the notebooks on disk.
    """
    root = find_course(course)
    path = root / FILE_NAME
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CatalogError(f"{path} is not valid TOML: {error}.", "Correct the line that it names.") from error
    table = _Table(data, f"{path}", ("title", "labs"))
    labs = tuple(
        _lab(name, value, root, f"{path}, [labs.{name}]") for name, value in table.get("labs", dict, default={}).items()
    )
    loaded = Course(root=root, title=table.text("title"), labs=labs)
    _compare_with_disk(loaded)
    return loaded


class _Table:
    """A TOML table under validation: every key is known, every value of its type."""

    def __init__(self, data: object, where: str, known: tuple[str, ...]) -> None:
        if not isinstance(data, dict):
            raise CatalogError(f"{where} must be a table.", "See the other labs in the file for the layout.")
        self.data: dict[str, Any] = data
        self.where = where
        for key in data:
            if key not in known:
                raise CatalogError(f"{where} has an unknown key {key!r}.", nearest_hint(key, known))

    def get(self, key: str, kind: type | tuple[type, ...], default: Any = _REQUIRED) -> Any:
        if key not in self.data:
            if default is _REQUIRED:
                raise CatalogError(f"{self.where} lacks the key {key!r}.", "Add it.")
            return default
        value = self.data[key]
        if not isinstance(value, kind) or isinstance(value, bool):
            raise CatalogError(f"{self.where}: {key!r} cannot be {value!r}.", "Correct the type of the value.")
        return value

    def text(self, key: str) -> str:
        value: str = self.get(key, str)
        if not value.strip():
            raise CatalogError(f"{self.where}: {key!r} is empty.", "Write one line.")
        return value

    def number(self, key: str, default: Any = _REQUIRED) -> Any:
        value = self.get(key, (int, float), default)
        if value is not None and not 0 < value < float("inf"):
            raise CatalogError(f"{self.where}: {key!r} must be a number above 0, not {value!r}.", "Correct it.")
        return value


def _lab(name: str, data: object, root: Path, where: str) -> Lab:
    table = _Table(data, where, ("title", "summary", "needs", "notebooks", "time_limits"))
    if not _NAME.fullmatch(name):
        raise CatalogError(f"{where}: a lab's name is a folder's name of letters, digits, '_' and '-'.", "Rename it.")
    needs = table.get("needs", list, default=[])
    for need in needs:
        if not isinstance(need, str) or not _NEED.fullmatch(need):
            raise CatalogError(f"{where}: a need is a lower-case word such as 'gpu', not {need!r}.", "Correct it.")
    entries = tuple(
        _notebook(item, f"{where}, notebook {number}") for number, item in enumerate(table.get("notebooks", list), 1)
    )
    names = [entry.name for entry in entries]
    if not entries or len(set(names)) != len(names):
        raise CatalogError(f"{where}: 'notebooks' must name at least one notebook, each once.", "Correct the list.")
    return Lab(
        name=name,
        title=table.text("title"),
        summary=table.text("summary"),
        needs=tuple(needs),
        notebooks=entries,
        limits=_limits(table.get("time_limits", dict), f"{where}, time_limits"),
        course=root,
    )


def _notebook(data: object, where: str) -> NotebookEntry:
    table = _Table(data, where, ("name", "title", "points"))
    name = table.text("name")
    if not _NAME.fullmatch(name):
        raise CatalogError(f"{where}: {name!r} is not a notebook's name.", "Give the file name without '.ipynb'.")
    return NotebookEntry(name=name, title=table.text("title"), points=table.number("points", None))


def _limits(data: object, where: str) -> dict[str, TimeLimit]:
    table = _Table(data, where, SCALES)
    limits = {}
    for scale in SCALES:
        inner = _Table(table.get(scale, dict), f"{where}.{scale}", ("cell", "notebook"))
        limits[scale] = TimeLimit(cell=inner.number("cell"), notebook=inner.number("notebook"))
    return limits


def _compare_with_disk(course: Course) -> None:
    """Every listed notebook exists, and every notebook beside them is listed."""
    for lab in course.labs:
        listed = {f"{entry.name}.ipynb" for entry in lab.notebooks}
        present = {path.name for path in lab.reference.glob("*.ipynb")}
        for name in sorted(listed - present):
            raise CatalogError(
                f"{FILE_NAME} lists {lab.name}/{name}, and {lab.reference} does not have it.",
                "Write the notebook, or correct the list.",
            )
        for name in sorted(present - listed):
            raise CatalogError(
                f"{lab.reference / name} is not listed in {FILE_NAME}.",
                f"Add it to [labs.{lab.name}], or move it away.",
            )
    known = {lab.name for lab in course.labs}
    for path in sorted((course.root / SOLUTIONS).glob("*/*.ipynb")):
        if path.parent.name not in known:
            raise CatalogError(
                f"{path} belongs to no lab in {FILE_NAME}.", f"Add a table [labs.{path.parent.name}] for its folder."
            )
