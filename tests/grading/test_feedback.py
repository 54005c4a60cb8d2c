from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import class_of_six as six
import little_course as little
import pytest
from nbgrader.api import Gradebook

from w251lab.course.notebook import to_bytes
from w251lab.course.results import Reason, Verdict
from w251lab.grading import intake
from w251lab.grading.feedback import write_feedback
from w251lab.grading.marks import read_marks
from w251lab.grading.redact import GAP, Redactor
from w251lab.grading.writer import open_writer

if TYPE_CHECKING:
    from pathlib import Path

    from w251lab.course.catalog import Course

VOID = {"meta", "br", "img", "hr", "link", "input"}


class Strict(HTMLParser):
    """Notes what a page loads from elsewhere, and whether its tags match."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loads: list[str] = []
        self.words: list[str] = []
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.loads += [f"{tag} {name}={value}" for name, value in attrs if name in {"src", "href", "onerror", "onload"}]
        if tag == "script":
            self.loads.append(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.words.append(data)


def read(page: str) -> str:
    """The page's words; it has to be well formed and to load nothing."""
    parser = Strict()
    parser.feed(page)
    parser.close()
    assert (parser.loads, parser.wrong, parser.open) == ([], [], [])
    assert page.startswith("<!DOCTYPE html>")
    return " ".join(" ".join(parser.words).split())


def pages(course: Course) -> dict[str, str]:
    written, left = write_feedback(course, course.labs[0], read_marks(course, course.labs[0]))
    assert left == []
    return {path.parts[-3]: path.read_text() for path in written}


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The pages of the class of six, of results of real kernels, whose errors name hidden tests."""
    course = six.write_course(tmp_path_factory.mktemp("feedback") / "course")
    with open_writer(course, course.labs[0]) as writer:
        for student in six.STUDENTS:
            writer.write(student, [six.graded(student)])
    return pages(course)


def test_what_failed_and_why_with_the_students_own_error(real: dict[str, str]) -> None:
    words = read(real["dee"])
    assert "ValueError: I gave up" in words
    assert "8 / 12" in words
    assert "Length one passed" in words
    assert "partly passed" in read(real["cyd"])
    assert "no answer" in read(real["fay"])
    assert "waits for a person" in read(real["ada"])
    assert "assert row_means([[1, 3]]).shape == (1,)" in read(real["eve"])  # the visible test that failed
    assert "AssertionError: in a hidden test" in read(real["bob"])


def test_no_page_has_a_word_of_a_hidden_test_or_of_another_student(real: dict[str, str]) -> None:
    assert b"hidden-primes" in (six.graded("eve").executed or b"")  # it was there to be told
    assert "assert_allclose" in str(six.graded("eve").result)
    for student, page in real.items():
        assert not [secret for secret in little.SECRETS if secret in page]
        assert "assert_allclose" not in page
        assert "HIDDEN TESTS" not in page
        assert not [number for number in ("0.6", "0.8", "0.25", "DESIRED") if number in read(page)]
        others = set(six.STUDENTS) - {student}
        assert not [other for other in others if f">{other}<" in page or f" {other}<" in page or f"({other})" in page]


@pytest.fixture
def course(tmp_path: Path) -> Course:
    return little.write_course(tmp_path / "course")


def test_a_page_shows_what_a_person_gave_and_wrote_and_nothing_runs_in_it(course: Course) -> None:
    hostile = "<script>alert(1)</script><img src=x onerror=alert(2)>"
    lab = course.labs[0]
    with open_writer(course, lab) as writer:
        writer.write("ada", [six.made("ada", essay=hostile, repairs=(hostile,), verdicts={"total": Verdict.TIMED_OUT})])
        writer.write("bob", [intake.ungraded("bob", lab, lab.notebooks[0], little.source_bytes(), reason=hostile)])
    with Gradebook(f"sqlite:///{course.root}/gradebook.db") as gradebook:
        gradebook.update_or_create_student("ada", first_name="Ada <b>", last_name="Lovelace & Co")
        grade = gradebook.find_grade(little.ESSAY, little.NOTEBOOK, little.LAB, "ada")
        grade.manual_score, grade.needs_manual_grade = 1.5, False
        gradebook.find_comment(little.ESSAY, little.NOTEBOOK, little.LAB, "ada").manual_comment = f"Well! {hostile}"
        gradebook.db.commit()
    found = {student: read(page) for student, page in pages(course).items()}
    assert "feedback for Ada <b> Lovelace & Co (ada)" in found["ada"]
    assert "marked by a person 1.5 / 2" in found["ada"]
    assert f"Well! {hostile}" in found["ada"]
    assert "timed out 0 / 3" in found["ada"]
    assert "8.5 / 12" in found["ada"]
    assert "so far" not in found["ada"]
    assert found["bob"].count("waits for a person \u2013 /") == 5
    assert "so far" in found["bob"]


def test_a_result_that_tells_hidden_things_is_not_believed(course: Course) -> None:
    graded = six.made("ada", wrong=("total", "count_primes"))
    tell = Reason("AssertionError: hidden-total", "----> 3 assert total('numbers.csv') == 31, 'hidden-total'\nx = 31")
    questions = tuple(replace(one, reason=tell if one.reason else None) for one in graded.result.questions)
    with open_writer(course, course.labs[0]) as writer:
        writer.write("ada", [replace(graded, result=replace(graded.result, questions=questions))])
    words = read(pages(course)["ada"])
    assert "AssertionError in a hidden test" in words
    assert "31" not in words
    assert "hidden-total" not in words


def test_what_is_hidden_is_what_the_student_neither_saw_nor_wrote() -> None:
    redact = Redactor(little.source_bytes(), little.submission())
    assert redact("AssertionError: hidden-row-means") == f"AssertionError: {GAP}"
    assert redact("got [2, 7] of 30") == f"got [2, {GAP}] of {GAP}"
    assert redact("ValueError: shapes (3,) and (4,)") == "ValueError: shapes (3,) and (4,)"
    assert redact("----> 2 assert row_means([[1, 3], [5, 9]]).tolist() == [2, 7], 'x'\nmine = 1").endswith("mine = 1")
    assert "assert" in redact("assert row_means([[1, 3]]).shape == (1,)")
    hidden = "----> 3 assert count_primes(30) == 10, 'hidden-primes'"
    assert redact.error("AssertionError: no", f"frame 1\n{hidden}\nmine") == ("AssertionError in a hidden test", "")
    assert redact.error("KeyError: 30", "mine") == ("KeyError in a hidden test", "")
    context = hidden.replace("----> 3", "      3")
    assert redact.error("ValueError: 2", f"Cell In[30], line 10\n{context}") == (
        "ValueError: 2",
        "Cell In[30], line 10",
    )
    written = little.add_cell(little.answered(), "guess = 30", before="essay-text")
    assert Redactor(little.source_bytes(), to_bytes(written))("30") == "30"
