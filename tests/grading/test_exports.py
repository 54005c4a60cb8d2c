from __future__ import annotations

import csv
import io
import json
from datetime import datetime
from typing import TYPE_CHECKING

import class_of_six as six
import little_course as little
import pytest
from nbgrader.api import Gradebook

from w251lab.course.results import Verdict
from w251lab.errors import UsageError
from w251lab.grading.exports import Format, export
from w251lab.grading.marks import read_marks
from w251lab.grading.writer import open_writer

if TYPE_CHECKING:
    from pathlib import Path

    from w251lab.course.catalog import Course


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """Ada is good, Bob's total could not be judged, Cyd handed in nothing."""
    course = little.write_course(tmp_path_factory.mktemp("exports") / "course")
    bob = six.made("bob", verdicts={"total": Verdict.UNGRADABLE}, repairs=('=1+1, "quoted"\nand long',))
    with open_writer(course, course.labs[0]) as writer:
        writer.write("ada", [six.made("ada", wrong=("row_means",))], timestamp=datetime(2026, 3, 1))  # noqa: DTZ001
        writer.write("bob", [bob])
    with Gradebook(f"sqlite:///{course.root}/gradebook.db") as gradebook:
        gradebook.update_or_create_student("ada", first_name="Ada, Countess", last_name="Lovelace", lms_user_id="17")
        gradebook.add_student("cyd", last_name="=cmd()")
        grade = gradebook.find_grade(little.ESSAY, little.NOTEBOOK, little.LAB, "ada")
        grade.manual_score, grade.needs_manual_grade = 1.5, False
        gradebook.db.commit()
    return course


def exported(course: Course, form: Format, **options: str) -> str:
    return export(course.labs[0], read_marks(course, course.labs[0]), form, **options)


def rows(text: str) -> dict[str, dict[str, str]]:
    found = list(csv.DictReader(io.StringIO(text, newline="")))
    return {row.get("student_id") or row["SIS User ID"]: row for row in found}


def test_csv_quotes_and_leaves_open_what_is_open(course: Course) -> None:
    text = exported(course, Format.CSV)
    table = rows(text)
    assert list(table) == ["bob", "cyd", "ada"]
    ada, bob, cyd = table["ada"], table["bob"], table["cyd"]
    assert (ada["first_name"], ada["score"], ada["max_score"], ada["little"]) == ("Ada, Countess", "9.5", "12", "9.5")
    assert (ada["timestamp"], ada["needs_manual_grade"]) == ("2026-03-01 00:00:00", "0")
    assert (bob["score"], bob["raw_score"], bob["little"], bob["needs_manual_grade"]) == ("", "", "", "1")
    assert bob["ungradable"] == "total: why total is ungradable"
    assert bob["repairs"] == '\'=1+1, "quoted"\nand long'
    assert (cyd["score"], cyd["last_name"]) == ("0", "'=cmd()")


def test_canvas_gets_what_its_importer_reads(course: Course) -> None:
    """The rules are those of Canvas' gradebook_importer.rb."""
    lines = list(csv.reader(io.StringIO(exported(course, Format.CANVAS, assignment="Lab 1 (4711)"))))
    head, points, *students = lines
    assert head == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "Lab 1 (4711)"]
    assert "Points Possible" in points[0]
    assert points[-1] == "12"
    assert {len(line) for line in lines} == {6}
    assert students == [
        ["bob", "", "bob", "bob", "", ""],
        ["'=cmd()", "", "cyd", "cyd", "", ""],
        ["Lovelace, Ada, Countess", "17", "ada", "ada", "", "9.5"],
    ]
    assert exported(course, Format.CANVAS).splitlines()[0].endswith("Lab 01_little")


def test_json_says_everything(course: Course) -> None:
    data = json.loads(exported(course, Format.JSON))
    bob, cyd, ada = data["students"]
    assert (bob["score"], bob["ungradable"]) == (
        None,
        [{"question": "total", "reason": "why total is ungradable"}],
    )
    assert (cyd["handed_in"], cyd["notebooks"]) == (False, [])
    questions = {question["question"]: question for question in ada["notebooks"][0]["questions"]}
    assert questions["row_means"]["verdict"] == "failed"
    assert questions["essay"]["cells"]["essay"]["manual"] == 1.5
    assert set(questions["normalise"]["cells"]) == {"normalise-test-shape", "normalise-test"}


def test_a_mark_by_hand_closes_what_was_open(course: Course) -> None:
    with Gradebook(f"sqlite:///{course.root}/gradebook.db") as gradebook:
        grade = gradebook.find_grade("total-test", little.NOTEBOOK, little.LAB, "bob")
        grade.manual_score, grade.needs_manual_grade = 2.0, False
        gradebook.db.commit()
    bob = rows(exported(course, Format.CSV))["bob"]
    assert (bob["score"], bob["ungradable"], bob["needs_manual_grade"]) == ("9", "", "1")


def test_a_lab_that_was_not_graded_says_so(tmp_path: Path) -> None:
    course = little.write_course(tmp_path / "course")
    with pytest.raises(UsageError, match="w251lab grade 01_little"):
        read_marks(course, course.labs[0])
