"""The verb `grade`, and with `verbs` those before and after it."""
# nbgrader, papermill and dask take seconds to import, so each verb imports what it needs when it runs.
# ruff: noqa: PLC0415

from __future__ import annotations

import shlex
import signal
import sys
from collections import Counter
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from w251lab.course.catalog import load_course
from w251lab.errors import UsageError
from w251lab.grading import verbs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from w251lab.grading.grader import Summary
    from w251lab.grading.plan import Regrade


class Sandbox(StrEnum):
    """How a submission is contained."""

    BUBBLEWRAP = "bubblewrap"
    NONE = "none"


class Again(StrEnum):
    """What of the graded submissions is graded again."""

    CHANGED = "changed"
    FAILED = "failed"
    ALL = "all"


LabName = Annotated[str, typer.Argument(metavar="LAB", help="The lab's name.")]
CourseOption = Annotated[
    str | None, typer.Option("--course", metavar="DIR", help="The course's folder (default: found upwards from here).")
]


def register(app: typer.Typer) -> None:
    """Add the verbs of grading to ``app``."""
    app.command()(grade)
    verbs.register(app)


def grade(  # noqa: PLR0917 - typer reads the options from the signature
    lab: LabName,
    jobs: Annotated[
        int | None, typer.Option(metavar="N", help="How many submissions at once (default: one for each core).")
    ] = None,
    gpus: Annotated[
        str | None, typer.Option(metavar="LIST", help="Compute on these GPUs, one submission on each: 0,1.")
    ] = None,
    cluster: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="A dask scheduler: tcp://scheduler:8786.")
    ] = None,
    regrade: Annotated[
        Again | None,
        typer.Option(
            help="Grade again: the questions whose tests changed since, those that did not pass, or all. "
            "Marks that a person gave stay."
        ),
    ] = None,
    student: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only this student; may be given several times.")
    ] = None,
    scale: Annotated[str, typer.Option(help="How much to compute: small or full.")] = "small",
    memory: Annotated[str | None, typer.Option(metavar="SIZE", help="Memory of one submission (default: 4G).")] = None,
    sandbox: Annotated[
        Sandbox, typer.Option(help="'none' runs students' code as you, with your files and your network.")
    ] = Sandbox.BUBBLEWRAP,
    course: CourseOption = None,
) -> None:
    """Grade what was handed in: submitted/ becomes autograded/, gradebook.db and feedback/. Goes on where it was."""
    from w251lab.course.parameters import check_choice
    from w251lab.grading.cluster import Where
    from w251lab.grading.grader import Options, grade_lab
    from w251lab.grading.progress import ClassProgress

    check_choice("scale", scale, ("small", "full"))
    where = Where(jobs, tuple(word for word in (gpus or "").split(",") if word), cluster)
    options = Options(
        where=where,
        sandbox=sandbox.value,
        regrade=_what_again(regrade),
        students=tuple(student or ()),
        scale=scale,
        memory=_memory(memory) if memory else None,
    )
    loaded = load_course(course)
    (chosen,) = loaded.select([lab])
    console = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 120)
    if sandbox is Sandbox.NONE:
        console.print("[bold red]No sandbox[/]: students' code runs as you, because --sandbox none says so.")
    _spare_workers_this_module()
    with (
        _interruptible(shlex.join(["w251lab", *sys.argv[1:]]), console),
        ClassProgress(Console(stderr=True)) as progress,
    ):
        summary = grade_lab(loaded, chosen, options, progress)
    _tell(console, lab, summary)


def _what_again(regrade: Again | None) -> Regrade | None:
    if regrade is None:
        return None
    from w251lab.grading.plan import Regrade

    return Regrade(regrade.value)


def _memory(text: str) -> int:
    """Bytes from ``4G``, ``512M`` or a number.

    Raises:
        UsageError: It is no such thing, or less than 64 MB, in which no kernel starts.
    """
    units = {"K": 1024, "M": 1024**2, "G": 1024**3}
    number, unit = (text[:-1], text[-1].upper()) if text[-1:].upper() in units else (text, "")
    try:
        size = int(float(number) * units.get(unit, 1))
    except (ValueError, OverflowError):
        size = 0
    if size < 64 * 1024**2:
        raise UsageError(f"--memory cannot be {text!r}.", "Write it like 4G or 512M, at least 64M.")
    return size


def _spare_workers_this_module() -> None:
    """Keep Python from importing the command line, with every room's verbs, into each worker that it starts.

    A new process of `multiprocessing` imports the main module by its file, for classes that are pickled from there;
    ours has none.
    """
    main = sys.modules["__main__"]
    if getattr(main, "__file__", None) and Path(main.__file__).name == "w251lab":  # type: ignore[arg-type]
        main.__file__ = None


@contextmanager
def _interruptible(again: str, console: Console) -> Iterator[None]:
    """End in order on Ctrl-C and on SIGTERM, and say how to go on."""

    def stop(number: int, _frame: Any) -> None:
        signal.signal(number, signal.SIG_IGN)  # once is enough
        raise KeyboardInterrupt

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    except KeyboardInterrupt:
        console.print(f"interrupted; what was graded is kept. To go on: {escape(again)}")
        raise typer.Exit(130) from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _tell(console: Console, lab: str, summary: Summary) -> None:
    for line in summary.damage:
        console.print(f"[yellow]{escape(line)}[/]")
    if summary.graded:
        verdicts: Counter[str] = sum(summary.graded.values(), Counter())
        said = ", ".join(f"{count} {verdict.replace('_', ' ')}" for verdict, count in verdicts.most_common())
        console.print(f"{len(summary.graded)} graded: {said}.")
    else:
        console.print("Nothing to grade: nothing was handed in or changed since.")
    if summary.unchanged and summary.graded:
        console.print(f"{summary.unchanged} were graded already.")
    if summary.outdated:
        console.print(
            f"{summary.outdated} were graded with other tests than there are now. "
            f"To grade the questions that changed: w251lab grade {escape(lab)} --regrade changed"
        )
    for name, reason in sorted(summary.ungradable.items()):
        console.print(f"[bold red]{escape(name)}[/] waits for a person: {escape(reason)}")
    if summary.ungradable:
        console.print(f"Where it was this machine's fault, try once more: w251lab grade {escape(lab)} --regrade failed")
    if summary.review:
        console.print(f"{summary.review} have answers for a person to mark, in formgrader.")
