"""The command line: ``w251lab VERB``. Each room brings its own verbs; this module joins them and prints errors."""

from __future__ import annotations

import sys
from typing import Any

import typer
from rich.console import Console
from rich.markup import escape
from typer.core import TyperGroup

from w251lab.assets import commands as assets_commands
from w251lab.course import commands as course_commands
from w251lab.dali import commands as dali_commands
from w251lab.dali.loading import commands as loading_commands
from w251lab.doctor import commands as doctor_commands
from w251lab.errors import UsageError, W251Error
from w251lab.faces import commands as faces_commands
from w251lab.grading import commands as grading_commands
from w251lab.rapids import commands as rapids_commands
from w251lab.triton import commands as triton_commands


class _Verbs(TyperGroup):
    """Says that a verb was interrupted: of a KeyboardInterrupt Typer makes exit status 130, in silence."""

    def invoke(self, ctx: Any) -> Any:
        """Run the verb that was asked for. One that has said more of its interruption raises `typer.Exit(130)`."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            _errors().print("interrupted")
            raise typer.Exit(130) from None


app = typer.Typer(
    name="w251lab",
    cls=_Verbs,
    help="Release, run, check and grade the labs, and serve models to them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
course_commands.register(app)
grading_commands.register(app)
doctor_commands.register(app)
triton_commands.register(app)
dali_commands.register(app)
assets_commands.register(app)
faces_commands.register(app)
bench = typer.Typer(help="Measure a topic's work: CPU against GPU.", no_args_is_help=True)
rapids_commands.register(bench)
loading_commands.register(bench)
app.add_typer(bench, name="bench")


def main() -> None:
    """Run a verb. Exit status: 0 done, 1 the work failed, 2 wrong usage, 130 interrupted."""
    try:
        app()
    except W251Error as error:
        console = _errors()
        console.print(f"[bold red]error:[/] {escape(error.what)}", soft_wrap=True)
        if error.remedy:
            console.print(f"[bold]what to do:[/] {escape(error.remedy)}", soft_wrap=True)
        sys.exit(2 if isinstance(error, UsageError) else 1)


def _errors() -> Console:
    return Console(stderr=True, highlight=False)
