from __future__ import annotations

from typing import TYPE_CHECKING

import class_of_six as six
import little_course as little
import pytest
import typer
from nbgrader.api import Gradebook
from rich.console import Console
from typer.testing import CliRunner

from w251lab.course.results import Verdict
from w251lab.grading import intake, verbs
from w251lab.grading.class_report import ClassSummary, html, summarise, table
from w251lab.grading.marks import read_marks
from w251lab.grading.writer import open_writer

if TYPE_CHECKING:
    from w251lab.course.catalog import Course

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    course = little.write_course(tmp_path_factory.mktemp("report") / "course")
    lab = course.labs[0]
    odd = {"total": Verdict.UNGRADABLE, "row_means": Verdict.TIMED_OUT}
    with open_writer(course, lab) as writer:
        writer.write("ada", [six.made("ada")])
        writer.write("bob", [six.made("bob", wrong=("count_primes", "total"))])
        writer.write("cyd", [six.made("cyd", wrong=("count_primes",), verdicts=odd, repairs=(HOSTILE,))])
        writer.write("dee", [intake.not_handed_in("dee", lab, lab.notebooks[0], little.source_bytes())])
    with Gradebook(f"sqlite:///{course.root}/gradebook.db") as gradebook:
        gradebook.add_student("eve")
    return course


@pytest.fixture
def summary(course: Course) -> ClassSummary:
    return summarise(course.labs[0], read_marks(course, course.labs[0]))


def test_the_figures(summary: ClassSummary) -> None:
    assert dict(summary.scores) == {"ada": 10, "bob": 5, "dee": 0}
    assert (summary.average, summary.middle, summary.most) == (5, 5, 12)
    assert (summary.absent, summary.waiting) == (("eve",), ("ada", "bob", "cyd"))
    assert summary.ungradable == (("cyd", "total", "why total is ungradable"),)
    assert [question.name for question in summary.hardest][-1] == "essay"  # hardly anybody's is known
    primes = next(question for question in summary.questions if question.name == "count_primes")
    assert (primes.passed, primes.short, primes.open, primes.average) == (1, 3, 0, 0.5)
    total = next(question for question in summary.questions if question.name == "total")
    assert (total.passed, total.short, total.open, total.average) == (1, 2, 1, 1)
    assert summary.hardest[0] is primes
    assert ("timed out", "", 1) in summary.reasons
    assert summary.seconds == (1.5, 1.5, 1.5)
    assert summary.repairs == (("cyd", HOSTILE),)


def test_the_page_is_whole_escaped_and_has_one_plot(course: Course, summary: ClassSummary) -> None:
    page = html(course, summary)
    assert page.count("<svg") == page.count("</svg>") == 1
    assert HOSTILE not in page
    assert "&lt;script&gt;" in page
    assert not [word for word in ("<script", "src=", "http-equiv", "@import") if word in page]
    assert "Handed in nothing: eve" in page
    assert page == html(course, summary)


def test_the_table_says_what_is_open(summary: ClassSummary) -> None:
    console = Console(width=100)
    with console.capture() as said:
        console.print(table(summary))
    text = said.get()
    assert "mean 5.0, median 5 of 12" in text
    assert "Ungradable: cyd, total" in text
    assert text.index("Primes") < text.index("In words")


def test_a_class_of_nobody_has_a_report_too(course: Course) -> None:
    empty = summarise(course.labs[0], ())
    assert (empty.average, empty.middle, empty.typical_seconds) == (None, None, None)
    assert "<svg" not in html(course, empty)
    console = Console(width=100)
    with console.capture() as said:
        console.print(table(empty))
    assert "0 marked" in said.get()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["export", little.LAB], "01_little,,bob"),
        (["export", little.LAB, "--format", "canvas"], "SIS Login ID"),
        (["report", little.LAB], "Report: "),
        (["feedback", little.LAB, "--student", "ada"], "1 pages in feedback/"),
    ],
)
def test_the_verbs(course: Course, words: list[str], said: str) -> None:
    app = typer.Typer()
    verbs.register(app)
    done = CliRunner().invoke(app, [*words, "--course", str(course.root)], catch_exceptions=False)
    assert done.exit_code == 0
    assert said in done.output
