"""The verbs of the course flow: release, check, list, tidy."""
# nbgrader, papermill and jinja2 take seconds to import, so each verb imports what it needs when it runs: the other
# verbs of the command line must not wait for them.
# ruff: noqa: PLC0415

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from typer.core import TyperCommand

from w251lab.course.catalog import load_course
from w251lab.errors import UsageError


class Format(StrEnum):
    """Output formats of ``w251lab list``."""

    TABLE = "table"
    MARKDOWN = "markdown"
    JSON = "json"


Labs = Annotated[list[str] | None, typer.Argument(metavar="[LAB]...", help="Names of labs; all of them when left out.")]
CourseOption = Annotated[
    str | None, typer.Option("--course", metavar="DIR", help="The course's folder (default: found upwards from here).")
]


class _PairsCommand(TyperCommand):
    """Takes ``-p NAME VALUE`` as papermill does: typer has no repeatable option of two values."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Join every ``-p NAME VALUE`` into ``-p NAME=VALUE`` before the options are read."""
        joined: list[str] = []
        rest = iter(args)
        for arg in rest:
            joined.append(arg)
            if arg in ("-p", "--parameter"):
                name, value = next(rest, None), next(rest, None)
                if name is None or value is None:
                    raise UsageError(f"{arg} takes a name and a value.", f"Write {arg} NAME VALUE.")
                if not name.isidentifier():  # "-p a=b c" would be read as the pair a, "b=c"
                    raise UsageError(f"{name!r} cannot be a parameter's name.", f"Write {arg} NAME VALUE.")
                joined.append(f"{name}={value}")
        return super().parse_args(ctx, joined)


def _pair(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name, value


def register(app: typer.Typer) -> None:
    """Add the course's verbs to ``app``."""
    app.command()(release)
    app.command(cls=_PairsCommand)(check)
    app.command(name="list")(list_labs)
    app.command()(tidy)


def _console() -> Console:
    # A file or a CI log has no width of its own: wide enough for the table of a run.
    return Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 120)


def release(
    labs: Labs = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; say what differs, and exit 1 if anything.")
    ] = False,
    course: CourseOption = None,
) -> None:
    """Make labs/ from solutions/, with nbgrader's own preprocessors."""
    from w251lab.course.release import differences, release_lab, strangers, write_release

    loaded, console = load_course(course), _console()
    found = 0
    for lab in loaded.select(labs):
        released = release_lab(lab)
        if check:
            for difference in differences(released):
                console.print(escape(str(difference)))
                found += 1
        else:
            for name in write_release(released):
                console.print(f"labs/{escape(lab.name)}/{escape(name)}")
    for folder in strangers(loaded) if not labs else ():
        console.print(f"{escape(str(folder))} belongs to no lab in course.toml; remove it.")
        found += 1
    if found:
        if check:
            console.print(f"labs/ is not what solutions/ makes ({found} differences). Run: w251lab release")
        raise typer.Exit(1)
    console.print("labs/ is what solutions/ makes.")


def check(  # noqa: PLR0917 - typer reads the options from the signature
    labs: Labs = None,
    device: Annotated[str, typer.Option(help="Where to compute: auto, cpu or gpu.")] = "auto",
    scale: Annotated[str, typer.Option(help="How much to compute: small or full.")] = "small",
    parameter: Annotated[
        list[str] | None, typer.Option("-p", "--parameter", metavar="NAME VALUE", help="A notebook parameter.")
    ] = None,
    jobs: Annotated[int, typer.Option(help="How many notebooks to run at once.")] = 1,
    report: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where to write the report (default: report).")
    ] = None,
    submission: Annotated[
        Path | None, typer.Option(metavar="PATH", help="A student's notebook, or a folder with the lab's notebooks.")
    ] = None,
    course: CourseOption = None,
) -> None:
    """Run labs with papermill and score them; exit 0 only with full marks everywhere."""
    from w251lab.course import parameters
    from w251lab.course.check import Options
    from w251lab.course.check import check as run_check
    from w251lab.course.progress import CellProgress
    from w251lab.course.report import check_folder, shortcomings, table, write_report

    loaded, console = load_course(course), _console()
    options = Options(device, scale, parameters.parse([_pair(text) for text in parameter or []]), jobs)
    folder = report if report is not None else loaded.root / "report"
    check_folder(folder)  # before the run, which takes a while
    with CellProgress(Console(stderr=True)) as progress:
        checked = run_check(loaded, labs, options, submission=submission, progress=progress)
    index = write_report(checked.result, checked.executed, folder)
    console.print(table(checked.result))
    for place, reason in shortcomings(checked.result):
        console.print(f"[bold red]{escape(place)}[/] {escape(reason)}")
    console.print(f"Report: {escape(str(index))}")
    if not checked.result.ok:
        raise typer.Exit(1)


def list_labs(
    format: Annotated[Format, typer.Option(help="How to print the table.")] = Format.TABLE,  # noqa: A002 - the option's name
    update: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Put the Markdown table between the markers of a file.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="With --update: write nothing, exit 1 if out of date.")
    ] = False,
    course: CourseOption = None,
) -> None:
    """List the labs: notebooks, points and what they need."""
    from w251lab.course import listing

    if check and update is None:
        raise UsageError("--check goes with --update FILE.", "Write: w251lab list --update README.md --check")
    loaded = load_course(course)
    if update is not None:
        outdated = listing.update(loaded, update, check=check)
        if check and outdated:
            typer.echo(f"{update}: the table of labs is out of date. Run: w251lab list --update {update}")
            raise typer.Exit(1)
        typer.echo(f"{update}: the table of labs is {'updated' if outdated else 'up to date'}.")
    elif format is Format.TABLE:
        _console().print(listing.as_table(loaded))
    else:
        typer.echo(listing.as_markdown(loaded) if format is Format.MARKDOWN else listing.as_json(loaded))


def tidy(
    paths: Annotated[
        list[Path] | None, typer.Argument(metavar="[PATH]...", help="Notebooks or folders (default: solutions/).")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 1 if there is anything to do.")] = False,
    course: CourseOption = None,
) -> None:
    """Bring notebooks into canonical form: no outputs, stable readable ids, minimal metadata."""
    from w251lab.course.tidy import notebooks_in
    from w251lab.course.tidy import tidy as tidy_one

    files = notebooks_in(paths or [load_course(course).root / "solutions"])
    failed = False
    for path in files:
        tidied = tidy_one(path, check=check)
        for problem in tidied.fixed:
            typer.echo(f"{path}: {problem}{'' if check else ' (put right)'}")
        for problem in tidied.remaining:
            typer.echo(f"{path}: {problem}")
        failed |= bool(tidied.remaining) or (check and tidied.changed)
    if failed:
        raise typer.Exit(1)
    typer.echo(f"{len(files)} notebook{'' if len(files) == 1 else 's'} in canonical form.")
