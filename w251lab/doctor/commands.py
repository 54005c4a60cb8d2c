"""The verb ``w251lab doctor``."""
# The verbs of the command line must not wait for what only this one imports.
# ruff: noqa: PLC0415

from __future__ import annotations

import signal
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console

from w251lab.course.catalog import CatalogError, Lab, find_course, load_course
from w251lab.errors import W251Error


def register(app: typer.Typer) -> None:
    """Add the verb to ``app``."""
    app.command()(doctor)


def doctor(
    labs: Annotated[
        list[str] | None, typer.Argument(metavar="[LAB]...", help="Names of labs; all of them when left out.")
    ] = None,
    device: Annotated[str, typer.Option(help="Where the labs are to compute: auto, cpu or gpu.")] = "auto",
    json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
    course: Annotated[
        str | None,
        typer.Option("--course", metavar="DIR", help="The course's folder (default: found upwards from here)."),
    ] = None,
) -> None:
    """Say what this machine has, which labs it can run, and what to do about the rest."""
    from w251lab.doctor import report
    from w251lab.doctor.examination import examine
    from w251lab.doctor.facts import gather

    try:
        Path.cwd()
    except FileNotFoundError as error:
        raise W251Error("The current folder does not exist any more.", "Go to one that does: cd") from error
    chosen, note = _labs(labs, course)
    signal.signal(signal.SIGTERM, _interrupt)  # no check outlives the doctor
    errors = Console(stderr=True, highlight=False)
    with errors.status("checking") as status:
        found = examine(chosen, device, started=lambda names: status.update(f"checking {names}"))
    if json:
        typer.echo(report.as_json(gather(), found))
    else:
        console = Console(highlight=False)
        console.print(report.tables(gather(), found))
        for remedy in report.remedies(found):
            console.print(remedy, soft_wrap=True)
    if note:
        errors.print(note, soft_wrap=True)
    if not found.ok:
        raise typer.Exit(1)


def _labs(names: list[str] | None, course: str | None) -> tuple[tuple[Lab, ...], str]:
    """The labs that were asked for; outside a course none, and a note."""
    try:
        root = find_course(course)
    except CatalogError as error:
        if names:
            raise
        return (), f"{error.what} So no lab was looked at. {error.remedy}"
    return load_course(root).select(names), ""


def _interrupt(_signal: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt
