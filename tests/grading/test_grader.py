from __future__ import annotations

import io
from datetime import datetime
from typing import TYPE_CHECKING

import little_course as little
import pytest
from gradebook_rows import gradebook as rows
from nbgrader.api import Gradebook
from rich.console import Console
from stand_in import mark
from typer.testing import CliRunner

from w251lab.cli import app
from w251lab.course.notebook import parse_notebook, to_bytes
from w251lab.errors import UsageError
from w251lab.grading import grader
from w251lab.grading.cluster import Where, connect
from w251lab.grading.grader import Options, Summary, grade_lab
from w251lab.grading.journal import JournalError, Lock
from w251lab.grading.part import imports_of
from w251lab.grading.plan import Regrade
from w251lab.grading.progress import ClassProgress

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from w251lab.course.catalog import Course

STUDENTS = {"ada": {}, "bob": {"total": little.WRONG["total"]}, "cyd": little.WRONG}


@pytest.fixture(scope="module")
def where() -> Iterator[Where]:
    """A cluster that the tests of this file reach by its address, as one on other machines."""
    with connect(Where(jobs=2)) as client:
        yield Where(cluster=client.scheduler.address)


@pytest.fixture
def course(tmp_path: Path) -> Course:
    course = little.write_course(tmp_path)
    for student, answers in STUDENTS.items():
        hand_in(course, student, little.submission(answers))
    return course


def hand_in(course: Course, student: str, content: bytes | None) -> None:
    path = course.root / "submitted" / student / little.LAB / f"{little.NOTEBOOK}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    if content is not None:
        path.write_bytes(content)


def run(course: Course, where: Where, **options: object) -> tuple[Summary, str]:
    screen = io.StringIO()
    with ClassProgress(Console(file=screen, width=200)) as progress:
        found = grade_lab(course, course.labs[0], Options(where=where, **options), progress, grade=mark)
    return found, screen.getvalue()


def gradebook(course: Course) -> dict[tuple[str, str], tuple[float | None, float | None, bool]]:
    return rows(course.root)


def change_source(course: Course, old: str, new: str) -> None:
    path = course.root / "solutions" / little.LAB / f"{little.NOTEBOOK}.ipynb"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def set_manual(course: Course, student: str, cell: str, score: float) -> None:
    with Gradebook(f"sqlite:///{course.root / 'gradebook.db'}") as book:
        grade = book.find_grade(cell, little.NOTEBOOK, little.LAB, student)
        grade.manual_score, grade.needs_manual_grade = score, False
        book.db.commit()


def test_a_class_is_graded_once_then_only_what_is_new(course: Course, where: Where) -> None:
    hand_in(course, "dee", None)  # nothing in the folder
    hand_in(course, "eve", b"\x00 no notebook")
    (course.root / "submitted" / "fay" / little.LAB).mkdir(parents=True)
    (course.root / "submitted" / "fay" / little.LAB / f"{little.NOTEBOOK}.ipynb").symlink_to("/etc/passwd")
    first, _ = run(course, where)
    assert {name: dict(verdicts) for name, verdicts in first.graded.items()}["bob/little"] == {
        "passed": 3,
        "failed": 1,
        "awaiting_review": 1,
    }
    assert set(first.ungradable) == {"dee/little", "eve/little", "fay/little"}
    assert "No notebook" in first.ungradable["dee/little"]
    marks = gradebook(course)
    assert [marks[student, "total-test"][0] for student in ("ada", "bob", "cyd")] == [3, 0, 0]
    assert marks["eve", "total-test"] == (None, None, True)  # not zero: it waits for a person
    assert (course.root / "autograded" / "ada" / little.LAB / f"{little.NOTEBOOK}.ipynb").is_file()

    again, _ = run(course, where)
    assert again.graded == {}
    assert again.unchanged == 6
    assert gradebook(course) == marks

    hand_in(course, "bob", little.submission())
    hand_in(course, "gus", little.submission())
    third, _ = run(course, where)
    assert set(third.graded) == {"bob/little", "gus/little"}
    assert gradebook(course)["bob", "total-test"][0] == 3


def test_regrading_takes_the_changed_questions_only_and_leaves_manual_marks(course: Course, where: Where) -> None:
    run(course, where)
    set_manual(course, "ada", little.ESSAY, 1.5)
    set_manual(course, "cyd", "normalise-test", 0.5)
    before = gradebook(course)
    change_source(course, "assert total('numbers.csv') == 31", "assert total('numbers.csv') in (31, 9)")

    seen, _ = run(course, where)
    assert (seen.graded, seen.unchanged, seen.outdated) == ({}, 3, 3)  # said, not done unasked

    changed, _ = run(course, where, regrade=Regrade.CHANGED)
    assert {name: sum(verdicts.values()) for name, verdicts in changed.graded.items()} == {
        f"{student}/little": 5 for student in STUDENTS
    }
    assert gradebook(course) == before  # the stand-in judges as before: nothing else moved
    assert run(course, where, regrade=Regrade.CHANGED)[0].graded == {}

    failed, _ = run(course, where, regrade=Regrade.FAILED)
    assert set(failed.graded) == {"bob/little", "cyd/little"}
    every, _ = run(course, where, regrade=Regrade.ALL, students=("ada",))
    assert set(every.graded) == {"ada/little"}
    assert gradebook(course) == before


def test_a_change_of_common_ground_concerns_every_question(course: Course, where: Where) -> None:
    run(course, where, students=("ada",))
    (course.root / "solutions" / little.LAB / "numbers.csv").write_bytes(b"3\n1\n")
    seen, _ = run(course, where, students=("ada",))
    assert seen.outdated == 1
    change = run(course, where, students=("ada",), regrade=Regrade.CHANGED)[0]
    assert sum(change.graded["ada/little"].values()) == 5


def test_what_was_graded_and_not_written_is_written_without_grading(course: Course, where: Where) -> None:
    run(course, where)
    marks = gradebook(course)
    (course.root / "gradebook.db").unlink()
    again, _ = run(course, where)
    assert again.graded == {}
    assert gradebook(course) == marks


def test_another_time_of_handing_in_reaches_the_gradebook_without_grading(course: Course, where: Where) -> None:
    def handed_in(text: str) -> object:
        (course.root / "submitted" / "ada" / little.LAB / "timestamp.txt").write_text(text)
        seen, _ = run(course, where, students=("ada",))
        with Gradebook(f"sqlite:///{course.root / 'gradebook.db'}") as book:
            return bool(seen.graded), book.find_submission(little.LAB, "ada").timestamp

    assert handed_in("2026-03-01 12:00:00 UTC") == (True, datetime(2026, 3, 1, 12, 0))  # noqa: DTZ001 - as nbgrader keeps it
    assert handed_in("2026-03-09 12:00:00 UTC") == (False, datetime(2026, 3, 9, 12, 0))  # noqa: DTZ001


def test_a_page_that_is_missing_is_written_again(course: Course, where: Where) -> None:
    run(course, where)
    page = course.root / "feedback" / "ada" / little.LAB / f"{little.NOTEBOOK}.html"
    page.unlink()
    assert run(course, where)[0].graded == {}
    assert page.is_file()


def test_a_torn_journal_costs_one_grading_and_says_so(course: Course, where: Where) -> None:
    run(course, where)
    marks = gradebook(course)
    path = course.root / ".grading" / f"{little.LAB}.journal"
    lines = path.read_bytes().splitlines(keepends=True)
    graded = [line for line in lines if b'{"graded":' in line]
    path.write_bytes(b"".join(graded)[:-40])
    again, _ = run(course, where)
    assert len(again.graded) == 1
    assert "not written to its end" in again.damage[0]
    assert gradebook(course) == marks


def test_two_graders_and_a_copy_without_solutions_are_refused(course: Course, where: Where, tmp_path: Path) -> None:
    with Lock(course.root), pytest.raises(JournalError, match="being graded already, by process"):
        run(course, where)
    (course.root / "solutions").rename(tmp_path / "away")
    with pytest.raises(UsageError, match="no hidden tests to grade by"):
        run(course, where)


def test_a_students_own_files_count_as_part_of_what_was_handed_in(course: Course, where: Where) -> None:
    run(course, where)
    (course.root / "submitted" / "ada" / little.LAB / "helper.py").write_text("x = 1")
    again, _ = run(course, where)
    assert set(again.graded) == {"ada/little"}


def test_a_notebook_that_changes_nothing_in_its_bytes_is_the_same(course: Course) -> None:
    assert to_bytes(parse_notebook(little.submission(), "n")) == little.submission()


@pytest.mark.parametrize("word", list(Regrade))
def test_the_verb_passes_on_what_to_grade_again(course: Course, word: Regrade, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Options] = []
    monkeypatch.setattr(grader, "grade_lab", lambda _c, _l, options, _p: asked.append(options) or Summary())
    command = ["grade", little.LAB, "--regrade", str(word), "--course", str(course.root)]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    assert asked[0].regrade is word


def test_what_is_imported_ahead() -> None:
    texts = ["import numpy as np\nfrom pathlib import Path", "%matplotlib inline", "import torch, cudf.pandas, numpy"]
    assert imports_of(texts) == ("numpy", "pathlib")
