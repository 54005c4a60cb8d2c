"""The verbs before and after grading: collect, feedback, export, report."""
# nbgrader, jinja2 and matplotlib take seconds to import, so each verb imports what it needs when it runs.
# ruff: noqa: PLC0415

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path  # noqa: TC003 - typer reads it from the signatures
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape

from w251lab.course.catalog import load_course
from w251lab.errors import UsageError, W251Error

if TYPE_CHECKING:
    from w251lab.course.catalog import Course, Lab
    from w251lab.grading.marks import StudentMarks


class ExportFormat(StrEnum):
    """What ``w251lab export`` can write."""

    CSV = "csv"
    CANVAS = "canvas"
    JSON = "json"


LabName = Annotated[str, typer.Argument(metavar="LAB", help="The lab's name.")]
Students = Annotated[
    list[str] | None, typer.Option("--student", metavar="NAME", help="Only this student; may be given several times.")
]
CourseOption = Annotated[
    str | None, typer.Option("--course", metavar="DIR", help="The course's folder (default: found upwards from here).")
]


def register(app: typer.Typer) -> None:
    """Add these verbs to ``app``."""
    for verb in (collect, feedback, export, report):
        app.command()(verb)


def _console() -> Console:
    return Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 120)


def _loaded(lab: str, course: str | None) -> tuple[Course, Lab]:
    loaded = load_course(course)
    (chosen,) = loaded.select([lab])
    return loaded, chosen


def _marks(course: Course, lab: Lab, students: list[str] | None) -> tuple[StudentMarks, ...]:
    from w251lab.grading.marks import read_marks

    marks = read_marks(course, lab)
    if absent := sorted(set(students or ()) - {one.student for one in marks}):
        raise UsageError(f"The gradebook has no student {', '.join(absent)}.", "Known names: w251lab export LAB")
    return tuple(one for one in marks if not students or one.student in students)


def _write(path: Path, text: str) -> None:
    from w251lab.grading.layout import write_whole

    try:
        write_whole(path, text.encode())
    except OSError as error:
        raise W251Error(
            f"{path} cannot be written: {error.strerror}.", "Name another place, or give yourself the right."
        ) from error


def collect(
    lab: LabName,
    export: Annotated[Path, typer.Argument(metavar="EXPORT", help="A learning platform's export: a zip or a folder.")],
    pattern: Annotated[
        str | None,
        typer.Option(metavar="REGEX", help="How to read the names of files: with the group student_id, see nbgrader."),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Overwrite what was handed in before and differs.")
    ] = False,
    course: CourseOption = None,
) -> None:
    """Put a learning platform's export (Canvas, Moodle, Blackboard, student_notebook.ipynb) into submitted/."""
    from w251lab.grading.collect import collect as collect_export

    loaded, chosen = _loaded(lab, course)
    done = collect_export(loaded, chosen, export, pattern=pattern, replace=replace, roster=_roster(loaded))
    console = _console()
    for path, why in done.left:
        console.print(f"[bold]not taken[/] {escape(path)}: {escape(why)}")
    console.print(f"{len(done.taken)} files put into submitted/, {len(done.unchanged)} were there already.")
    if not done.taken and not done.unchanged:
        raise typer.Exit(1)


def _roster(course: Course) -> dict[str, str]:
    """The platform's number of each student whom the gradebook knows by one."""
    from w251lab.grading.gradebook import open_gradebook
    from w251lab.grading.layout import Layout

    layout = Layout(course)
    if not layout.has_gradebook():
        return {}
    with open_gradebook(layout) as book, book.transaction() as gradebook:
        return {student.lms_user_id: student.id for student in gradebook.students if student.lms_user_id}


def feedback(lab: LabName, student: Students = None, course: CourseOption = None) -> None:
    """Write a page for each student: what passed, what failed and why. Nothing of the hidden tests is in it."""
    from w251lab.grading.feedback import write_feedback

    loaded, chosen = _loaded(lab, course)
    written, left = write_feedback(loaded, chosen, _marks(loaded, chosen, student))
    console = _console()
    for name in left:
        console.print(f"[bold]no page[/] for {escape(name)}: nbgrader graded it. Run: w251lab grade {escape(lab)}")
    console.print(f"{len(written)} pages in feedback/. 'nbgrader release_feedback {escape(lab)}' hands them out.")


def export(  # noqa: PLR0917 - typer reads the options from the signature
    lab: LabName,
    format: Annotated[ExportFormat, typer.Option(help="What to write.")] = ExportFormat.CSV,  # noqa: A002 - the option's name
    to: Annotated[Path | None, typer.Option(metavar="FILE", help="Where to (default: the terminal).")] = None,
    assignment: Annotated[
        str, typer.Option(metavar="NAME", help="Canvas: the assignment's column in Canvas' own export: 'Title (123)'.")
    ] = "",
    student: Students = None,
    course: CourseOption = None,
) -> None:
    """Write the marks as CSV, as the file that Canvas imports, or as JSON."""
    from w251lab.grading.exports import Format
    from w251lab.grading.exports import export as export_marks

    loaded, chosen = _loaded(lab, course)
    marks = _marks(loaded, chosen, student)
    text = export_marks(chosen, marks, Format(format.value), assignment=assignment)
    unfinished = [one.student for one in marks if one.open]
    if unfinished:
        console = Console(stderr=True, highlight=False, soft_wrap=True)
        console.print(f"[bold]left empty[/], because something could not be judged: {escape(', '.join(unfinished))}")
    if to is None:
        typer.echo(text, nl=False)
    else:
        _write(to, text)
        typer.echo(f"{len(marks)} students: {to}")


def report(
    lab: LabName,
    to: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where to (default: reports/LAB.html in the course's folder).")
    ] = None,
    course: CourseOption = None,
) -> None:
    """Show how a class did: distribution, hardest questions, failures by reason, time. Also as a page."""
    from w251lab.grading.class_report import html, summarise, table

    loaded, chosen = _loaded(lab, course)
    summary = summarise(chosen, _marks(loaded, chosen, None))
    path = to or loaded.root / "reports" / f"{chosen.name}.html"
    _write(path, html(loaded, summary))
    console = _console()
    console.print(table(summary))
    console.print(f"Report: {escape(str(path))}")
