"""Make ``labs/`` from ``solutions/`` with nbgrader's own preprocessors, or say how the two differ."""

from __future__ import annotations

import fnmatch
import io
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nbconvert.exporters import NotebookExporter
from nbgrader.converters import GenerateAssignment
from nbgrader.coursedir import CourseDirectory
from nbgrader.nbgraderformat import ValidationError
from nbgrader.preprocessors import NbGraderPreprocessor, SaveCells
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

from w251lab.course.catalog import FILE_NAME, LABS, SOLUTIONS, CatalogError, Course, Lab
from w251lab.course.difference import Difference, compare
from w251lab.course.notebook import canonical, points, read_notebook
from w251lab.course.tidy import problems
from w251lab.errors import W251Error

if TYPE_CHECKING:
    from pathlib import Path

    from nbformat import NotebookNode

CONFIG_NAME = "nbgrader_config.py"
_nbgrader_log = logging.getLogger(f"{__name__}.nbgrader")
_nbgrader_log.setLevel(logging.ERROR)
_nbgrader_log.propagate = False
_nbgrader_log.addHandler(logging.NullHandler())
_MODE = 0o644  # what nbgrader gives a released file


class ReleaseError(W251Error):
    """A source notebook that cannot be released."""


class CanonicalForm(NbGraderPreprocessor):  # type: ignore[misc]  # nbgrader ships no type information
    """The last step of a release, for ``nbgrader_config.py``: canonical metadata, ids and layout."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Replace the notebook by its canonical form."""
        return canonical(nb), resources


@dataclass(frozen=True)
class ReleasedLab:
    """The files of one released lab: path relative to ``labs/NAME`` -> content."""

    lab: Lab
    files: dict[str, bytes]


def nbgrader_config(root: Path) -> Config:
    """The course's own nbgrader configuration; an empty one where there is no ``nbgrader_config.py``."""
    if not (root / CONFIG_NAME).is_file():
        return Config()
    config: Config = PyFileConfigLoader(CONFIG_NAME, path=str(root)).load_config()
    return config


def release_notebook(lab: Lab, notebook: str) -> bytes:
    """The released form of one source notebook, in memory.

    The preprocessors are those of ``nbgrader generate_assignment`` in its order, under the course's own
    configuration, without the one that writes to the gradebook.

    Raises:
        ReleaseError: nbgrader refuses the notebook, or its cells have problems.
        UnreadableNotebookError: The source is not a notebook.
    """
    path = lab.solutions / f"{notebook}.ipynb"
    nb = read_notebook(path)
    unresolved = problems(nb)
    if unresolved:
        raise ReleaseError(
            f"{path} cannot be released:\n  " + "\n  ".join(map(str, unresolved)),
            "Run 'w251lab tidy', and correct what it leaves.",
        )
    # nbgrader explains a refusal in its log and raises an exception without a word: keep the log for our message.
    said = io.StringIO()
    handler = logging.StreamHandler(said)
    _nbgrader_log.addHandler(handler)
    try:
        text, _ = _exporter(lab).from_notebook_node(nb, _resources(lab, notebook))
    except (RuntimeError, ValueError, KeyError, OSError, ValidationError) as error:
        reason = (str(error).strip() or said.getvalue().strip()).split()
        raise ReleaseError(
            f"nbgrader cannot release {path}: {' '.join(reason)[:500]}", "Correct the cell and release again."
        ) from error
    finally:
        _nbgrader_log.removeHandler(handler)
    released: str = text
    return released.encode()


def _exporter(lab: Lab) -> Any:
    """Nbgrader's steps in its order under the course's configuration, without the one that fills the gradebook."""
    config = nbgrader_config(lab.course)
    for name in ("header", "footer"):
        if name in config.IncludeHeaderFooter:  # nbgrader resolves these against the course's folder
            config.IncludeHeaderFooter[name] = str(lab.course / config.IncludeHeaderFooter[name])
    coursedir = CourseDirectory(config=config, root=str(lab.course))
    steps = GenerateAssignment(coursedir=coursedir, config=config, log=_nbgrader_log).preprocessors
    config.Exporter.default_preprocessors = []
    exporter = NotebookExporter(config=config, log=_nbgrader_log)  # type: ignore[no-untyped-call]
    for step in [*(step for step in steps if step is not SaveCells), CanonicalForm]:
        exporter.register_preprocessor(  # type: ignore[no-untyped-call]
            step(config=config, log=_nbgrader_log), enabled=True
        )
    return exporter


def _resources(lab: Lab, notebook: str) -> dict[str, Any]:
    return {
        "unique_key": notebook,
        "metadata": {"name": notebook, "path": str(lab.solutions)},
        "nbgrader": {"student": ".", "assignment": lab.name, "notebook": notebook, "db_url": ""},
    }


def check_points(lab: Lab) -> None:
    """Hold the points in the catalog against the notebooks' own cells.

    Raises:
        CatalogError: They differ.
    """
    for entry in lab.notebooks:
        if entry.points is None:
            continue
        actual = points(read_notebook(lab.solutions / f"{entry.name}.ipynb"))
        if actual != entry.points:
            raise CatalogError(
                f"{FILE_NAME} gives {lab.name}/{entry.name} {entry.points:g} points; its cells add up to {actual:g}.",
                "Correct the one that is wrong.",
            )


def other_files(folder: Path, ignore: list[str], *, skip_links: bool = False) -> dict[str, Path]:
    """The files under ``folder`` that are not notebooks and match no pattern of ``ignore``: relative path -> path.

    Args:
        folder: Where to look.
        ignore: Patterns of names; a folder that matches is left out with all it holds.
        skip_links: Leave symbolic links out silently (a student's folder) instead of refusing them.

    Raises:
        ReleaseError: One of them is a symbolic link: it would not be the same on another machine.
    """
    found = {}
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        if any(fnmatch.fnmatch(part, pattern) for part in relative.parts for pattern in ignore):
            continue
        if path.is_symlink():
            if skip_links:
                continue
            raise ReleaseError(f"{path} is a symbolic link.", "Put the file itself there.")
        if path.is_file() and path.suffix != ".ipynb":
            found[relative.as_posix()] = path
    return found


def ignored_names(root: Path) -> list[str]:
    """The patterns of file names that nbgrader never copies in this course."""
    names: list[str] = CourseDirectory(config=nbgrader_config(root), root=str(root)).ignore
    return names


def release_lab(lab: Lab) -> ReleasedLab:
    """Everything that ``labs/NAME`` must hold, in memory.

    Raises:
        ReleaseError: There is no source, or it cannot be released.
        CatalogError: The catalog's points are not those of the cells.
    """
    if not lab.solutions.is_dir():
        raise ReleaseError(
            f"{lab.solutions} does not exist, so {lab.name} cannot be released.",
            "Releasing needs the instructor's checkout, which has solutions/.",
        )
    check_points(lab)
    files = {f"{entry.name}.ipynb": release_notebook(lab, entry.name) for entry in lab.notebooks}
    files |= {name: path.read_bytes() for name, path in other_files(lab.solutions, ignored_names(lab.course)).items()}
    return ReleasedLab(lab, files)


def write_release(released: ReleasedLab) -> list[str]:
    """Make ``labs/NAME`` hold exactly the released files. Returns the relative paths that changed, sorted."""
    folder = released.lab.labs
    present = _present(released.lab)
    changed = []
    for name in sorted(present.keys() - released.files.keys()):
        present[name].unlink()
        changed.append(name)
    for name, content in released.files.items():
        path = folder / name
        if name in present and path.read_bytes() == content:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        path.chmod(_MODE)
        changed.append(name)
    return sorted(changed)


def differences(released: ReleasedLab) -> list[Difference]:
    """How ``labs/NAME`` differs from the released files; empty when it does not."""
    present = {name: path.read_bytes() for name, path in _present(released.lab).items()}
    return compare(f"{LABS}/{released.lab.name}", released.files, present)


def strangers(course: Course) -> list[Path]:
    """Folders under ``labs/`` that belong to no lab of the catalog."""
    known = {lab.name for lab in course.labs}
    ignore = ignored_names(course.root)
    return [
        path
        for path in sorted((course.root / LABS).glob("*"))
        if path.is_dir() and path.name not in known and not any(fnmatch.fnmatch(path.name, name) for name in ignore)
    ]


def has_solutions(course: Course) -> bool:
    """Whether this is an instructor's checkout."""
    return (course.root / SOLUTIONS).is_dir()


def _present(lab: Lab) -> dict[str, Path]:
    found = other_files(lab.labs, ignored_names(lab.course))
    return found | {path.name: path for path in lab.labs.glob("*.ipynb")}
