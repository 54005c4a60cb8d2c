"""What an instructor wants to know of a class: the marks' distribution, the hardest questions, what failed and why."""

from __future__ import annotations

import io
import re
from collections import Counter
from dataclasses import dataclass
from statistics import mean, median
from typing import TYPE_CHECKING

from markupsafe import Markup
from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from w251lab.course.report import WORDS
from w251lab.course.results import Verdict
from w251lab.grading.feedback import environment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from w251lab.course.catalog import Course, Lab
    from w251lab.course.results import QuestionResult
    from w251lab.grading.marks import NotebookMarks, StudentMarks

_BINS = 20
_ERROR = re.compile(r"\b([A-Za-z_]\w*(?:Error|Exception|Interrupt|Exit|Warning))\b")
_SLOWEST = 5


@dataclass(frozen=True)
class QuestionSummary:
    """One question over the whole class.

    Attributes:
        notebook: Its notebook.
        name: Its name.
        title: Its heading.
        most: Points to be had.
        average: Points earned on average, of those that are known; None where none is.
        passed: Students with all of its points.
        short: Students with fewer.
        open: Students whose points are not known yet.
    """

    notebook: str
    name: str
    title: str
    most: float
    average: float | None
    passed: int
    short: int
    open: int

    @property
    def share(self) -> float:
        """Points earned of those to be had, 0 to 1; 1 where it is worth nothing or not known."""
        return 1.0 if self.average is None or not self.most else self.average / self.most


@dataclass(frozen=True)
class ClassSummary:
    """A graded class.

    Attributes:
        lab: The lab.
        most: Points to be had.
        scores: (student, points) of those whose points are known.
        absent: Students who handed in nothing.
        waiting: Students of whom something waits for a person (essays, too).
        ungradable: (student, question, reason) of what could not be judged.
        questions: In the lab's order.
        reasons: (verdict, what, how many questions), most frequent first.
        repairs: (student, repair).
        seconds: Wall-clock seconds of each submitted notebook that was run.
        slowest: (student/notebook, seconds), slowest first.
        uncontained: Students whose code was run without a sandbox.
        elsewhere: ``student/notebook`` of those that this grader did not grade.
    """

    lab: Lab
    most: float
    scores: tuple[tuple[str, float], ...]
    absent: tuple[str, ...]
    waiting: tuple[str, ...]
    ungradable: tuple[tuple[str, str, str], ...]
    questions: tuple[QuestionSummary, ...]
    reasons: tuple[tuple[str, str, int], ...]
    repairs: tuple[tuple[str, str], ...]
    seconds: tuple[float, ...]
    slowest: tuple[tuple[str, float], ...]
    uncontained: tuple[str, ...]
    elsewhere: tuple[str, ...]

    @property
    def hardest(self) -> tuple[QuestionSummary, ...]:
        """The questions, the smallest share of points first; last those for which few marks are known."""
        return tuple(sorted(self.questions, key=lambda one: (one.open > one.passed + one.short, one.share)))

    @property
    def average(self) -> float | None:
        """Mean points of those that are known; None for nobody."""
        return mean(score for _, score in self.scores) if self.scores else None

    @property
    def middle(self) -> float | None:
        """Median points of those that are known; None for nobody."""
        return median(score for _, score in self.scores) if self.scores else None

    @property
    def typical_seconds(self) -> float | None:
        """Median seconds of a notebook; None where none was run."""
        return median(self.seconds) if self.seconds else None


def summarise(lab: Lab, marks: Sequence[StudentMarks]) -> ClassSummary:
    """Count and average the marks of a class.

    Args:
        lab: The lab.
        marks: Everybody's, from `w251lab.grading.marks.read_marks`.
    """
    handed = [one for one in marks if one.handed_in]
    graded = [(one, notebook) for one in handed for notebook in one.notebooks if notebook.graded]
    ran = [(f"{one.student}/{notebook.notebook}", _seconds(notebook)) for one, notebook in graded if _seconds(notebook)]
    return ClassSummary(
        lab=lab,
        most=max((one.most for one in marks), default=0.0),
        scores=tuple((one.student, one.score) for one in handed if not one.open),
        absent=tuple(one.student for one in marks if not one.handed_in),
        waiting=tuple(one.student for one in handed if one.waits),
        ungradable=tuple((one.student, name, reason) for one in handed for name, reason in one.ungradable),
        questions=_questions(graded),
        reasons=_reasons(graded),
        repairs=tuple((one.student, text) for one, notebook in graded for text in notebook.graded.repairs),  # type: ignore[union-attr]
        seconds=tuple(seconds for _, seconds in ran),
        slowest=tuple(sorted(ran, key=lambda one: -one[1])[:_SLOWEST]),
        uncontained=tuple(sorted({one.student for one, notebook in graded if _uncontained(notebook)})),
        elsewhere=tuple(
            f"{one.student}/{notebook.notebook}" for one in handed for notebook in one.notebooks if not notebook.graded
        ),
    )


def _seconds(notebook: NotebookMarks) -> float:
    return notebook.graded.result.seconds if notebook.graded else 0.0


def _uncontained(notebook: NotebookMarks) -> bool:
    graded = notebook.graded
    return graded is not None and graded.sandbox == "none" and graded.result.seconds > 0


def _cells(question: QuestionResult) -> list[str]:
    return [question.name] if question.manual else [test.grade_id for test in question.tests]


def _questions(graded: list[tuple[StudentMarks, NotebookMarks]]) -> tuple[QuestionSummary, ...]:
    known: dict[tuple[str, str], QuestionResult] = {}
    points: dict[tuple[str, str], list[float | None]] = {}
    most: dict[tuple[str, str], float] = {}
    for _, notebook in graded:
        for question in notebook.graded.result.questions:  # type: ignore[union-attr]
            key = (notebook.notebook, question.name)
            cells = [notebook.cells[name] for name in _cells(question)]
            waits = any(cell.waits and cell.manual is None for cell in cells)
            known.setdefault(key, question)
            points.setdefault(key, []).append(None if waits else sum(cell.score for cell in cells))
            most[key] = sum(cell.most for cell in cells)
    found = []
    for (notebook_name, name), question in known.items():
        key = (notebook_name, name)
        got = [score for score in points[key] if score is not None]
        full = sum(score >= most[key] for score in got)
        average = mean(got) if got else None
        counts = (full, len(got) - full, len(points[key]) - len(got))
        found.append(QuestionSummary(notebook_name, name, question.title, most[key], average, *counts))
    return tuple(found)


def _reasons(graded: list[tuple[StudentMarks, NotebookMarks]]) -> tuple[tuple[str, str, int], ...]:
    """Why questions did not pass: the verdict, and of failures the error's class."""
    counted: Counter[tuple[str, str]] = Counter()
    for _, notebook in graded:
        for question in notebook.graded.result.questions:  # type: ignore[union-attr]
            if question.full_marks:
                continue
            error = _ERROR.search(question.reason.summary) if question.reason else None
            what = error[1] if error and question.verdict is Verdict.FAILED else ""
            counted[WORDS[question.verdict], what] += 1
    return tuple((verdict, what, number) for (verdict, what), number in counted.most_common())


def table(summary: ClassSummary) -> RenderableType:
    """The class for the terminal: the marks, the questions from the hardest on, and what is open."""
    head = Text(f"{summary.lab.name}: {len(summary.scores)} marked")
    if summary.average is not None and summary.middle is not None:
        head.append(f", mean {summary.average:.1f}, median {summary.middle:g} of {summary.most:g}")
    if summary.typical_seconds is not None:
        head.append(f"; {summary.typical_seconds:.1f} s for a notebook (median)")
    view = Table(box=box.SIMPLE_HEAD)
    view.add_column("Question, hardest first", overflow="fold")
    for name in ("Points", "Full marks", "Fewer", "Open"):
        view.add_column(name, justify="right", no_wrap=True)
    for question in summary.hardest:
        average = "–" if question.average is None else f"{question.average:.1f}"  # noqa: RUF001 - a dash
        counts = (str(question.passed), str(question.short), str(question.open))
        view.add_row(f"{question.title} ({question.name})", f"{average} / {question.most:g}", *counts)
    lines = [Text(f"{number:4d}  {verdict}{f': {what}' if what else ''}") for verdict, what, number in summary.reasons]
    lines += [
        Text(f"Ungradable: {student}, {name}: {reason}", style="bold red")
        for student, name, reason in summary.ungradable
    ]
    if summary.waiting:
        lines.append(Text(f"Wait for a person: {', '.join(summary.waiting)}"))
    if summary.uncontained:
        lines.append(Text(f"Graded without a sandbox: {', '.join(summary.uncontained)}", style="bold red"))
    return Group(head, view, *lines)


def html(course: Course, summary: ClassSummary) -> str:
    """The class as one self-contained page, with one plot."""
    return (
        environment()
        .get_template("class_report.html.j2")
        .render(course=course, summary=summary, plot=Markup(_plot(summary)))  # noqa: S704 - matplotlib's own SVG
    )


def _plot(summary: ClassSummary) -> str:
    """The distribution of the marks as SVG; empty where there are none."""
    if not summary.scores:
        return ""
    import matplotlib as mpl  # noqa: PLC0415 - takes a second
    from matplotlib.figure import Figure  # noqa: PLC0415
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415

    most = max(summary.most, *(score for _, score in summary.scores), 1.0)
    bins = min(_BINS, max(int(most), 1))
    with mpl.rc_context({"svg.hashsalt": "w251lab", "font.size": 9}):
        figure = Figure(figsize=(7.6, 2.6), layout="constrained")
        axes = figure.add_subplot()
        axes.hist(
            [score for _, score in summary.scores], bins=bins, range=(0, most), color="#3b6fd4", edgecolor="white"
        )
        if summary.middle is not None:
            axes.axvline(summary.middle, color="#b42318", linewidth=1.5, label=f"median {summary.middle:g}")
            axes.legend(frameon=False)
        axes.set_xlabel(f"Points of {summary.most:g}")
        axes.set_ylabel("Students")
        axes.set_xlim(0, most)
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        axes.spines[["top", "right"]].set_visible(False)
        text = io.StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    return text.getvalue()[text.getvalue().index("<svg") :]
