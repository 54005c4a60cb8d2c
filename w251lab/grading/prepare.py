"""Put a lab into the gradebook: its notebooks and cells, by nbgrader's own preprocessors, as its release does."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from nbgrader.api import Comment, Grade, SubmittedNotebook
from nbgrader.converters import GenerateAssignment
from nbgrader.coursedir import CourseDirectory
from nbgrader.nbgraderformat import ValidationError
from nbgrader.preprocessors import NbGraderPreprocessor, SaveCells

from w251lab.course.notebook import read_notebook
from w251lab.course.release import nbgrader_config
from w251lab.grading.gradebook import GradebookError

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from w251lab.course.catalog import Lab
    from w251lab.grading.layout import Layout

_log = logging.getLogger(f"{__name__}.nbgrader")
_log.setLevel(logging.CRITICAL)
_log.propagate = False


class _SaveCellsInto(SaveCells):  # type: ignore[misc]  # nbgrader ships no type information
    """nbgrader's step, with a gradebook that is open already instead of one of its own: so it is in our transaction."""

    def save(self, gradebook: Any, nb: NotebookNode, lab: str, notebook: str) -> None:
        self.gradebook = gradebook
        self.notebook_id, self.assignment_id = notebook, lab
        self.new_grade_cells: dict[str, Any] = {}
        self.new_solution_cells: dict[str, Any] = {}
        self.new_task_cells: dict[str, Any] = {}
        self.new_source_cells: dict[str, Any] = {}
        NbGraderPreprocessor.preprocess(self, nb, {})
        self._create_notebook(nb)


def prepare(gradebook: Any, layout: Layout, lab: Lab) -> None:
    """Write a lab's notebooks and cells into the gradebook, or bring them up to date. Call it within a transaction.

    Args:
        gradebook: nbgrader's.
        layout: The course's.
        lab: The lab; its source notebooks are read from ``solutions/``, with the hidden tests.

    Raises:
        GradebookError: The lab's cells differ from those that submissions were already graded for.
        UnreadableNotebookError: A source notebook cannot be read.
    """
    gradebook.check_course()  # some of nbgrader's steps open the gradebook without the course's id, and make this one
    gradebook.update_or_create_assignment(lab.name)
    wanted = {entry.name for entry in lab.notebooks}
    for notebook in list(gradebook.find_assignment(lab.name).notebooks):
        if notebook.name in wanted:
            continue
        if notebook.submissions:
            raise _differs(lab, f"the notebook {notebook.name} is no longer in the lab")
        gradebook.remove_notebook(notebook.name, lab.name)
    for name in sorted(wanted):
        nb = _with_hidden_tests(layout, lab, name)
        try:
            _SaveCellsInto(log=_log).save(gradebook, nb, lab.name, name)
        except RuntimeError as error:
            raise _differs(lab, f"{name} has other cells") from error


def _differs(lab: Lab, why: str) -> GradebookError:
    return GradebookError(
        f"{lab.name} is not what its earlier submissions were graded for: {why}.",
        "Put the cells back (their tests and points may change), or give the changed lab a name of its own. "
        f"'nbgrader db assignment remove {lab.name} --force' forgets the lab with all of its marks.",
    )


def _with_hidden_tests(layout: Layout, lab: Lab, name: str) -> NotebookNode:
    """The source as nbgrader keeps it: solutions taken out, hidden tests in, with checksums."""
    nb = read_notebook(lab.solutions / f"{name}.ipynb")
    config = nbgrader_config(layout.course.root)
    for part in ("header", "footer"):
        if part in config.IncludeHeaderFooter:  # nbgrader resolves these against the course's folder
            config.IncludeHeaderFooter[part] = str(layout.course.root / config.IncludeHeaderFooter[part])
    coursedir = CourseDirectory(config=config, root=str(layout.course.root))
    resources: dict[str, Any] = {
        "unique_key": name,
        "metadata": {"name": name, "path": str(lab.solutions)},
        "nbgrader": {"student": ".", "assignment": lab.name, "notebook": name, "db_url": layout.db_url},
    }
    for step in GenerateAssignment(coursedir=coursedir, config=config, log=_log).preprocessors:
        if step is SaveCells:
            break
        try:
            nb, resources = step(config=config, log=_log).preprocess(nb, resources)
        except (RuntimeError, ValueError, KeyError, ValidationError) as error:
            raise GradebookError(
                f"nbgrader refuses {lab.solutions.name}/{name}.ipynb: {error}.",
                "Run 'w251lab release', which says why.",
            ) from error
    return nb


def complete(gradebook: Any, submission: Any) -> None:
    """Give a submission the rows of notebooks that came into the lab after it was first graded."""
    present = {notebook.notebook_id for notebook in submission.notebooks}
    for notebook in submission.assignment.notebooks:
        if notebook.id in present:
            continue
        with gradebook.db.no_autoflush:
            row = SubmittedNotebook(notebook=notebook, assignment=submission)
            gradebook.db.add(row)
            for cell in [*notebook.grade_cells, *notebook.task_cells]:
                gradebook.db.add(Grade(cell_id=cell.id, notebook=row))
            for cell in [*notebook.solution_cells, *notebook.task_cells]:
                gradebook.db.add(Comment(cell_id=cell.id, notebook=row))
    gradebook.db.flush()
