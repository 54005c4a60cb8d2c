"""What the gradebook keeps when it is written again, interrupted, locked, damaged or given something unusual."""

from __future__ import annotations

import json
import sqlite3
import threading
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import class_of_six as six
import little_course as little
import pytest
from nbgrader.api import Gradebook

from w251lab.course.catalog import load_course
from w251lab.course.notebook import read_notebook, to_bytes
from w251lab.course.results import Verdict
from w251lab.grading import intake
from w251lab.grading.gradebook import GradebookError
from w251lab.grading.writer import open_writer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from w251lab.course.catalog import Course
    from w251lab.grading.job import Graded


@pytest.fixture
def course(tmp_path: Path) -> Course:
    return little.write_course(tmp_path / "course")


def write(course: Course, *graded: Graded, **options: Any) -> None:
    with open_writer(course, course.labs[0], **options) as writer:
        for one in graded:
            writer.write(one.student, [one])


@contextmanager
def book(course: Course) -> Iterator[Any]:
    with Gradebook(f"sqlite:///{course.root}/gradebook.db") as gradebook:
        yield gradebook


def cell(course: Course, name: str, student: str = "ada") -> dict[str, Any]:
    with book(course) as gradebook:
        grade = gradebook.find_grade(name, little.NOTEBOOK, little.LAB, student)
        keys = ("auto_score", "manual_score", "needs_manual_grade")
        return {key: getattr(grade, key) for key in keys}


def comment(course: Course, name: str, student: str = "ada") -> tuple[Any, Any]:
    with book(course) as gradebook:
        found = gradebook.find_comment(name, little.NOTEBOOK, little.LAB, student)
        return found.auto_comment, found.manual_comment


def mark_by_hand(course: Course, name: str, score: float) -> None:
    """As formgrader does."""
    with book(course) as gradebook:
        grade = gradebook.find_grade(name, little.NOTEBOOK, little.LAB, "ada")
        grade.manual_score, grade.needs_manual_grade = score, False
        if name in little.POINTS or name == little.ESSAY:
            gradebook.find_comment(name, little.NOTEBOOK, little.LAB, "ada").manual_comment = "well said"
        gradebook.db.commit()


def dump(course: Course) -> list[str]:
    with closing(sqlite3.connect(course.root / "gradebook.db")) as connection:
        return list(connection.iterdump())


def marks(score: float | None, *, manual: float | None = None, waits: bool) -> dict[str, Any]:
    return {"auto_score": score, "manual_score": manual, "needs_manual_grade": waits}


def test_a_manual_mark_stays_and_is_asked_for_again_only_after_a_change(course: Course) -> None:
    write(course, six.made("ada"))
    assert cell(course, little.ESSAY) == marks(None, waits=True)
    mark_by_hand(course, little.ESSAY, 1.5)
    mark_by_hand(course, "total-test", 1.0)
    write(course, six.made("ada", fingerprint="other tests"))
    assert cell(course, little.ESSAY) == marks(None, manual=1.5, waits=False)
    assert cell(course, "total-test") == marks(3.0, manual=1.0, waits=False)
    assert comment(course, little.ESSAY) == (None, "well said")
    write(course, six.made("ada", essay="Something else.", wrong=("total",)))
    assert cell(course, little.ESSAY) == marks(None, manual=1.5, waits=True)
    assert cell(course, "total-test") == marks(0.0, manual=1.0, waits=True)
    assert comment(course, little.ESSAY) == (None, "well said")


def test_a_changed_answer_asks_again_also_where_the_automatic_mark_is_the_same(course: Course) -> None:
    write(course, six.made("ada", wrong=("total",)))
    mark_by_hand(course, "total-test", 2.0)
    write(course, six.made("ada", verdicts={"total": Verdict.FAILED}))  # another answer, again no points
    assert cell(course, "total-test") == marks(0.0, manual=2.0, waits=True)


def test_an_essay_that_was_left_empty_is_no_work_for_a_person(course: Course) -> None:
    empty = little.released()["cells"][little.place(little.released(), little.ESSAY)]["source"]
    write(course, six.made("ada", essay=empty))
    assert cell(course, little.ESSAY) == marks(0.0, waits=False)
    assert comment(course, little.ESSAY) == ("No response.", None)


def test_ungradable_is_not_zero_and_waits_for_a_person(course: Course) -> None:
    odd = six.made("ada", verdicts={"total": Verdict.UNGRADABLE, "row_means": Verdict.TIMED_OUT})
    write(course, odd)
    assert cell(course, "total-test") == marks(None, waits=True)
    assert cell(course, "row_means-test") == marks(0.0, waits=False)
    assert comment(course, "total") == ("Could not be graded: why total is ungradable.", None)
    with book(course) as gradebook:
        row = gradebook.find_submission_notebook(little.NOTEBOOK, little.LAB, "ada")
        assert (row.flagged, row.needs_manual_grade, row.score, row.max_score) == (True, True, 5.0, 12.0)
    write(course, six.made("ada", fingerprint="later"))
    assert cell(course, "total-test") == marks(3.0, waits=False)
    assert comment(course, "total") == (None, None)


def test_what_looks_tampered_with_earns_nothing_until_a_person_has_looked(course: Course) -> None:
    write(course, six.made("ada", verdicts={"total": Verdict.TAMPERED}))
    assert cell(course, "total-test") == marks(0.0, waits=True)
    assert comment(course, "total") == ("A person has to look: why total is tampered.", None)


def test_an_unreadable_notebook_can_be_marked_in_formgrader(course: Course) -> None:
    lab = course.labs[0]
    write(course, intake.ungraded("ada", lab, lab.notebooks[0], little.source_bytes(), reason="it is <b>empty</b>"))
    nb = read_notebook(course.root / "autograded" / "ada" / little.LAB / "little.ipynb")
    assert "    it is <b>empty</b>" in nb["cells"][0]["source"]
    assert {name for name in (*little.POINTS, little.ESSAY) if little.place(nb, name)} == {*little.POINTS, little.ESSAY}
    assert cell(course, "normalise-test-shape") == marks(None, waits=True)
    assert "return" not in nb["cells"][little.place(nb, "total")]["source"]


def test_what_was_not_handed_in_earns_nothing_and_waits_for_nobody(course: Course) -> None:
    lab = course.labs[0]
    write(course, intake.not_handed_in("ada", lab, lab.notebooks[0], little.source_bytes()))
    assert cell(course, "total-test") == cell(course, little.ESSAY) == marks(0.0, waits=False)
    assert not (course.root / "autograded").exists()


def test_a_repair_is_flagged_once(course: Course) -> None:
    def flagged(value: bool | None = None) -> bool:
        with book(course) as gradebook:
            row = gradebook.find_submission_notebook(little.NOTEBOOK, little.LAB, "ada")
            if value is not None:
                row.flagged = value
                gradebook.db.commit()
            return bool(row.flagged)

    write(course, six.made("ada", repairs=("a test was put back",)))
    assert flagged()
    flagged(value=False)  # a person has looked at it
    write(course, six.made("ada", repairs=("a test was put back",), fingerprint="again"))
    assert not flagged()
    write(course, six.made("ada", repairs=("a test was put back", "another, too")))
    assert flagged()


def test_a_regrade_of_one_question_leaves_the_others(course: Course) -> None:
    write(course, six.made("ada", wrong=("total", "row_means")))
    write(course, six.made("ada", wrong=("row_means",), only=("total",), fingerprint="regrade"))
    assert cell(course, "total-test") == marks(3.0, waits=False)
    assert cell(course, "row_means-test") == marks(0.0, waits=False)
    with closing(sqlite3.connect(course.root / "gradebook.db")) as connection:
        ((text,),) = connection.execute("SELECT graded FROM w251lab_result")
    kept = json.loads(text)["result"]["questions"]
    assert [(one["name"], one["verdict"]) for one in kept] == [
        ("row_means", "failed"),
        ("normalise", "passed"),
        ("count_primes", "passed"),
        ("total", "passed"),
        ("essay", "awaiting_review"),
    ]


def test_what_is_interrupted_leaves_the_gradebook_as_it_was(course: Course) -> None:
    class Interrupted(dict[str, bytes]):
        def items(self) -> Any:
            raise KeyboardInterrupt

    write(course, six.made("ada"))
    before = dump(course)
    with open_writer(course, course.labs[0]) as writer, pytest.raises(KeyboardInterrupt):
        writer.write("bob", [six.made("bob")], files=Interrupted(a=b""))
    assert dump(course) == before
    write(course, six.made("bob"))
    assert cell(course, "total-test", "bob") == marks(3.0, waits=False)


def test_a_locked_gradebook_is_waited_for(course: Course) -> None:
    write(course, six.made("ada"))
    other = sqlite3.connect(course.root / "gradebook.db", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    before = dump(course)
    with pytest.raises(GradebookError, match=r"locked.*\n.*finish, or end it"):
        write(course, six.made("ada", wrong=("total",)), wait=0.1)
    assert dump(course) == before
    threading.Timer(0.5, lambda: other.execute("COMMIT")).start()
    write(course, six.made("ada", wrong=("total",)), wait=120)
    assert cell(course, "total-test") == marks(0.0, waits=False)
    other.close()


def old_nbgrader(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("ALTER TABLE student DROP COLUMN lms_user_id")


def another_database(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE mine (x)")


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lambda path: path.write_bytes(b"garbage" * 1000), "not an SQLite database"),
        (lambda path: path.write_bytes(path.read_bytes()[:5000]), "damaged"),
        (lambda path: path.write_bytes(path.read_bytes()[:4096] + bytes(path.stat().st_size - 4096)), "damaged"),
        (another_database, "no gradebook of nbgrader"),
        (old_nbgrader, "nbgrader db upgrade"),
    ],
)
def test_what_is_no_good_gradebook_is_refused_and_left_alone(course: Course, harm: Any, said: str) -> None:
    write(course, six.made("ada"))
    path = course.root / "gradebook.db"
    harm(path)
    before = path.read_bytes()
    with pytest.raises(GradebookError, match=said):
        write(course, six.made("ada", wrong=("total",)))
    assert path.read_bytes() == before


def test_an_empty_file_becomes_a_gradebook_and_nothing_is_left_beside_it(course: Course) -> None:
    (course.root / "gradebook.db").touch()
    write(course, six.made("ada"))
    assert not list(course.root.glob(".gradebook-*"))
    assert cell(course, "total-test")["auto_score"] == 3.0


def change_source(course: Course, old: str, new: str) -> Course:
    path = course.labs[0].solutions / "little.ipynb"
    path.write_text(path.read_text().replace(old, new))
    return load_course(course.root)


def test_tests_and_points_may_change_but_not_which_cells_there_are(course: Course) -> None:
    write(course, six.made("ada"))
    write(change_source(course, '"points": 3', '"points": 5'), six.made("ada"))
    with book(course) as gradebook:
        assert gradebook.find_assignment(little.LAB).max_score == 14
        assert gradebook.find_submission(little.LAB, "ada").score == 10
    with pytest.raises(GradebookError, match="not what its earlier submissions were graded for"):
        write(change_source(course, "total-test", "sum-test"), six.made("ada"))


def test_a_notebook_that_came_later_is_added_to_earlier_submissions(course: Course) -> None:
    write(course, six.made("ada"))
    nb = little.source()
    (course.labs[0].solutions / "second.ipynb").write_bytes(to_bytes(nb))
    text = (course.root / "course.toml").read_text()
    entry = '{ name = "little", title = "Notebook little" }'
    (course.root / "course.toml").write_text(text.replace(entry, f"{entry}, {entry.replace('little', 'second')}"))
    write(load_course(course.root), six.made("ada"))
    with book(course) as gradebook:
        assert gradebook.find_grade("total-test", "second", little.LAB, "ada").needs_manual_grade
