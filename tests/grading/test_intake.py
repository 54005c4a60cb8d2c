from __future__ import annotations

import os
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

import little_course as little
import pytest

from w251lab.course.notebook import UnreadableNotebookError
from w251lab.course.results import Verdict
from w251lab.errors import UsageError
from w251lab.grading import intake

if TYPE_CHECKING:
    from pathlib import Path

    from w251lab.course.catalog import Course


@pytest.fixture
def course(tmp_path: Path) -> Course:
    return little.write_course(tmp_path / "a course [1]")


def hand_in(course: Course, student: str, name: str = "little.ipynb", content: bytes = b"{}") -> Path:
    path = course.root / "submitted" / student / little.LAB / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def found(course: Course, *students: str) -> tuple[intake.Submission, ...]:
    return intake.find_submissions(course, course.labs[0], students)


def test_what_nbgrader_collected_is_found_with_its_time(course: Course) -> None:
    hand_in(course, "zoé")
    path = hand_in(course, "ada")
    hand_in(course, "ada", "timestamp.txt", b"2026-03-01 12:00:00 EST\n")
    hand_in(course, "ada", "helper.py", b"x = 1")
    hand_in(course, ".hidden")
    ada, zoe = found(course)
    assert (ada.student, zoe.student) == ("ada", "zoé")
    assert ada.notebooks == {"little": path}
    assert ada.timestamp == datetime(2026, 3, 1, 17)  # noqa: DTZ001 - nbgrader keeps UTC without a zone
    assert list(ada.files) == ["helper.py"]
    assert (ada.missing, ada.notes, zoe.timestamp) == ((), (), None)
    assert [one.student for one in found(course, "zoé")] == ["zoé"]


@pytest.mark.parametrize(("text", "said"), [(b"yesterday-ish 99", "cannot be read"), (b"", "empty"), (b"\xff", "read")])
def test_a_bad_timestamp_is_a_note_and_no_guess(course: Course, text: bytes, said: str) -> None:
    hand_in(course, "ada")
    hand_in(course, "ada", "timestamp.txt", text)
    (ada,) = found(course)
    assert ada.timestamp is None
    assert said in ada.notes[0]


def test_a_lengthened_name_is_taken_and_two_are_not_guessed_at(course: Course) -> None:
    hand_in(course, "ada", "little (1).ipynb")
    for name in ("little-Copy1.ipynb", "little_copy.ipynb"):
        hand_in(course, "bob", name)
    ada, bob = found(course)
    assert ada.notebooks["little"].name == "little (1).ipynb"
    assert "taken as little.ipynb" in ada.notes[0]
    assert (bob.notebooks, bob.missing) == ({}, ("little",))
    assert "cannot be told" in bob.notes[0]


def test_links_and_too_much_are_left_out(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "MOST_BYTES", 10)
    monkeypatch.setattr(intake, "MOST_FILES", 2)
    secret = course.root / "gradebook.db"
    secret.write_bytes(b"secret")
    path = hand_in(course, "ada", content=b"x" * 11)
    path.with_name("link.db").symlink_to(secret)
    for name in ("a.csv", "b.csv", "c.csv"):
        hand_in(course, "ada", name, b"1")
    hand_in(course, "ada", "big.csv", b"x" * 11)
    os.mkfifo(path.with_name("pipe"))
    (ada,) = found(course)
    assert sorted(ada.files) == ["a.csv", "b.csv"]
    assert len(ada.notes) == 3
    with pytest.raises(UnreadableNotebookError, match="too large"):
        intake.read_submitted_file(path)


@pytest.mark.parametrize("kind", ["link", "pipe", "folder", "gone"])
def test_what_is_no_file_is_not_read(course: Course, kind: str) -> None:
    path = hand_in(course, "ada")
    path.unlink()
    if kind == "link":
        path.symlink_to("/etc/passwd")
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    with pytest.raises(UnreadableNotebookError):
        intake.read_submitted_file(path)


def test_a_students_folder_that_is_a_link_is_not_followed(course: Course) -> None:
    elsewhere = course.root / "elsewhere"
    elsewhere.mkdir()
    (course.root / "submitted" / "eve").mkdir(parents=True)
    (course.root / "submitted" / "eve" / little.LAB).symlink_to(elsewhere)
    (eve,) = found(course)
    assert (eve.notebooks, eve.missing) == ({}, ("little",))


def test_the_courses_own_files_win(course: Course) -> None:
    hand_in(course, "ada")
    hand_in(course, "ada", "numbers.csv", b"31")
    hand_in(course, "ada", "helper.py", b"x = 1")
    hand_in(course, "ada", "deeper/x", b"1")
    files, notes = intake.files_beside(course, course.labs[0], found(course)[0])
    assert files == little.FILES | {"helper.py": b"x = 1", "deeper/x": b"1"}
    assert notes == ["The submitted file numbers.csv was left out: the course has its own."]


def test_nothing_handed_in_says_what_to_do(course: Course) -> None:
    with pytest.raises(UsageError, match="w251lab collect"):
        found(course)
    hand_in(course, "ada")
    with pytest.raises(UsageError, match="by bob"):
        found(course, "bob")


def test_what_could_not_be_graded_is_not_what_was_not_handed_in(course: Course) -> None:
    lab = course.labs[0]
    arguments = ("ada", lab, lab.notebooks[0], little.source_bytes())
    waits = intake.ungraded(*arguments, reason="it is empty").result
    absent = intake.not_handed_in(*arguments).result
    assert {question.verdict for question in waits.questions} == {Verdict.UNGRADABLE}
    assert {question.verdict for question in absent.questions} == {Verdict.NOT_RUN}
    assert (waits.points, absent.points, absent.review_points) == (10, 10, 2)
    assert all(test.verdict is Verdict.NOT_RUN for question in absent.questions for test in question.tests)


def test_a_folder_or_a_file_that_cannot_be_read_concerns_its_student_alone(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand_in(course, "ada", content=little.submission())
    hand_in(course, "bob", content=little.submission())
    look = intake._other_files

    def refuse(folder: Path, *rest: object) -> dict[str, Path]:
        if "bob" in folder.parts:
            raise PermissionError(13, "Permission denied", str(folder))
        return look(folder, *rest)

    monkeypatch.setattr(intake, "_other_files", refuse)
    ada, bob = found(course)
    assert (ada.missing, ada.notes) == ((), ())
    assert bob.notebooks == {}
    assert "cannot be read: Permission denied" in bob.notes[0]
    gone = replace(ada, files={"numbers.csv": course.root / "gone", "own.txt": course.root / "gone"})
    files, notes = intake.files_beside(course, course.labs[0], gone)
    assert files == little.FILES
    assert len(notes) == 2
