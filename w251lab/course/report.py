"""Tell a run's results: a table on the terminal, an HTML page, JUnit XML and JSON."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined
from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite
from rich import box
from rich.table import Table
from rich.text import Text

from w251lab.course.notebook import to_bytes
from w251lab.course.results import NotebookResult, QuestionResult, RunResult, Verdict
from w251lab.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from nbformat import NotebookNode

WORDS = {
    Verdict.PASSED: "passed",
    Verdict.FAILED: "failed",
    Verdict.TIMED_OUT: "timed out",
    Verdict.KERNEL_DIED: "kernel died",
    Verdict.NOT_RUN: "not run",
    Verdict.TAMPERED: "tampered",
    Verdict.UNGRADABLE: "ungradable",
    Verdict.AWAITING_REVIEW: "awaiting review",
}
RESULTS = "results.json"


def device_words(asked: str, used: str | None) -> str:
    """The device for a person: what was asked for, and what the notebook reported, or ``unknown``."""
    return used if used == asked else f"{asked} → {used or 'unknown'}"


def table(result: RunResult) -> Table:
    """The run as a table: lab, notebook, points earned / possible, seconds, device."""
    view = Table(box=box.SIMPLE_HEAD, show_footer=len(result.notebooks) > 1)
    totals = result.totals()
    review = totals["review_points"]
    view.add_column("Lab", "Total", overflow="fold")
    view.add_column("Notebook", overflow="fold")
    view.add_column("Points", f"{totals['earned']:g} / {totals['points']:g}", justify="right", no_wrap=True)
    if review:
        view.add_column("For review", f"{review:g}", justify="right")
    view.add_column("Cells", justify="right", no_wrap=True)
    view.add_column("Seconds", f"{result.seconds:.1f}", justify="right")
    view.add_column("Device", overflow="fold")
    for notebook in result.notebooks:
        points = Text(f"{notebook.earned:g} / {notebook.points:g}", style="green" if notebook.ok else "bold red")
        row: list[str | Text] = [notebook.lab, notebook.notebook, points]
        if review:
            row.append(f"{notebook.review_points:g}")
        row += [
            f"{notebook.completed} / {notebook.cells}",
            f"{notebook.seconds:.1f}",
            device_words(result.device, notebook.device),
        ]
        view.add_row(*row)
    return view


def shortcomings(result: RunResult) -> Iterator[tuple[str, str]]:
    """What stands between this run and full marks: (place, reason) pairs, one per question or cell."""
    for notebook in result.notebooks:
        place = f"{notebook.lab}/{notebook.notebook}"
        told = set()
        for question in notebook.questions:
            if question.full_marks:
                continue
            told |= {question.name, *(test.grade_id for test in question.tests)}
            reason = question.reason.summary if question.reason else ""
            marks = f"{question.earned:g} / {question.points:g}"
            yield f"{place}: {question.name} ({marks})", f"{WORDS[question.verdict]}. {reason}".rstrip(". ") + "."
        for problem in notebook.problems if notebook.judged_cells else ():
            if problem.cell not in told:
                reason = problem.reason.summary if problem.reason else ""
                yield f"{place}: cell {problem.cell}", f"{problem.outcome}. {reason}".rstrip(". ") + "."


def check_folder(folder: Path) -> None:
    """Refuse a folder for the report in which something else already has one of the report's names.

    Raises:
        UsageError: It is no folder, or holds such a file and no ``results.json`` of an earlier run.
    """
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"--report {folder} is not a folder.", "Name a folder.")
    foreign = [name for name in ("index.html", "junit.xml", "notebooks", RESULTS) if (folder / name).exists()]
    if foreign and _earlier(folder) is None:
        raise UsageError(
            f"{folder / foreign[0]} is not from an earlier report, and a report would overwrite it.",
            "Name another folder with --report, or move it away.",
        )


def _earlier(folder: Path) -> list[Path] | None:
    """The executed notebooks that an earlier run left in ``folder``; None where no report of ours is there."""
    try:
        data = json.loads((folder / RESULTS).read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    ours = {"schema_version", *(field.name for field in fields(RunResult))}
    if not isinstance(data, dict) or not ours <= data.keys() or not isinstance(data["notebooks"], list):
        return None
    kept = folder / "notebooks"
    paths = [
        kept / str(entry.get("lab")) / f"{entry.get('notebook')}.ipynb"
        for entry in data["notebooks"]
        if isinstance(entry, dict)
    ]
    # Whatever somebody wrote into that file: nothing outside the report's own folder is named.
    return [path for path in paths if path.resolve().is_relative_to(kept.resolve())]


def write_report(result: RunResult, executed: Mapping[str, NotebookNode], folder: Path) -> Path:
    """Write ``index.html``, ``junit.xml``, ``results.json`` and the executed notebooks into ``folder``.

    The notebooks that an earlier run's ``results.json`` lists are removed, so that the folder tells of one run. Other
    files stay.

    Returns:
        The path of ``index.html``.

    Raises:
        UsageError: Something else is in the way (see `check_folder`).
    """
    check_folder(folder)
    kept = folder / "notebooks"
    kept.mkdir(parents=True, exist_ok=True)
    for old in _earlier(folder) or ():
        old.unlink(missing_ok=True)
    # First what says that the rest is ours, so that a run that is killed here does not stand in the next one's way.
    (folder / RESULTS).write_text(
        json.dumps(result.to_dict(), indent=1, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8"
    )
    for name, nb in executed.items():
        path = kept / f"{name}.ipynb"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(to_bytes(nb))
    junit(result).write(str(folder / "junit.xml"), pretty=True)
    index = folder / "index.html"
    index.write_text(html(result), encoding="utf-8")
    return index


def html(result: RunResult) -> str:
    """The run as one self-contained HTML page."""
    environment = Environment(
        loader=PackageLoader("w251lab.course"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {"words": WORDS, "device_words": device_words}
    return environment.get_template("report.html.j2").render(run=result, totals=result.totals())


def junit(result: RunResult) -> JUnitXml:
    """The run as JUnit XML: a suite per notebook, a test case per question, and one for the ungraded cells."""
    xml = JUnitXml("w251lab check")
    for notebook in result.notebooks:
        suite = TestSuite(f"{notebook.lab}/{notebook.notebook}")
        suite.timestamp = result.started
        properties = {
            "device.asked": result.device,
            "device.used": notebook.device or "unknown",
            "scale": result.scale,
            "machine": result.environment.machine,
            "python": result.environment.python,
        }
        for name, value in properties.items():
            suite.add_property(name, value)
        for question in notebook.questions:
            suite.add_testcase(_case(notebook, question))
        if notebook.judged_cells:
            suite.add_testcase(_cells_case(notebook))
        suite.time = notebook.seconds
        xml.add_testsuite(suite)
    return xml


def _case(notebook: NotebookResult, question: QuestionResult) -> TestCase:
    case = TestCase(question.name, classname=f"{notebook.lab}.{notebook.notebook}", time=question.seconds or 0.0)
    reason = question.reason.summary if question.reason else ""
    trace = question.reason.traceback if question.reason else ""
    message = f"{WORDS[question.verdict]} ({question.earned:g} of {question.points:g} points). {reason}".rstrip()
    if question.verdict is Verdict.PASSED:
        return case
    kinds = {Verdict.AWAITING_REVIEW: Skipped, Verdict.FAILED: Failure}
    entry = kinds.get(question.verdict, Error)(message, str(question.verdict))
    entry.text = trace
    case.result = [entry]
    return case


def _cells_case(notebook: NotebookResult) -> TestCase:
    """Whether every cell of our own solution completed, also those without points."""
    case = TestCase("every-cell-completes", classname=f"{notebook.lab}.{notebook.notebook}", time=notebook.seconds)
    if notebook.problems:
        lines = [f"{p.cell}: {p.outcome}. {p.reason.summary if p.reason else ''}" for p in notebook.problems]
        entry = Failure(f"{notebook.completed} of {notebook.cells} cells completed", "cells")
        entry.text = "\n".join(lines)
        case.result = [entry]
    return case
