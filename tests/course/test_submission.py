from __future__ import annotations

import copy
import shutil
from typing import TYPE_CHECKING, Any

import course_builder as b
import nbformat
import pytest

from w251lab.course.catalog import Course, load_course
from w251lab.course.notebook import cells, questions, read_notebook
from w251lab.course.release import release_lab, write_release
from w251lab.course.submission import find_notebooks, make_reference, restore
from w251lab.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def course(tmp_path: Path) -> Course:
    course = load_course(b.course(tmp_path / "a course", {"lab1": {"nb": b.two_questions()}}))
    write_release(release_lab(course.labs[0]))
    return course


@pytest.fixture
def released(course: Course) -> Any:
    return read_notebook(course.labs[0].labs / "nb.ipynb")


def restored(course: Course, nb: Any) -> Any:
    return restore(nb, make_reference(course, course.labs[0], course.labs[0].notebooks[0]))


def at(nb: Any, key: str) -> int:
    return next(cell.index for cell in cells(nb) if cell.key == key)


def faults(found: Any) -> dict[str, str]:
    return {key: str(fault.verdict) for key, fault in found.faults.items()}


def test_hidden_tests_come_back_and_answers_stay(course: Course, released: Any) -> None:
    released.cells[at(released, "first")].source = "def first():\n    return 42"
    found = restored(course, released)
    assert found.faults == {}
    assert found.notes == []
    assert "== 42" in found.nb.cells[at(found.nb, "first-test")].source
    assert found.nb.cells[at(found.nb, "first")].source == "def first():\n    return 42"
    assert found.nb.cells[at(found.nb, "second-test")].source.startswith("### BEGIN HIDDEN TESTS")


def test_our_own_solution_is_a_good_submission(course: Course) -> None:
    assert restored(course, b.two_questions()).faults == {}


def test_line_ends_and_trailing_blanks_are_no_change(course: Course, released: Any) -> None:
    cell = released.cells[at(released, "first-test")]
    cell.source = cell.source.replace("\n", "\r\n") + "\n "
    assert restored(course, released).faults == {}


def test_a_missing_test_cell_is_not_run(course: Course, released: Any) -> None:
    del released.cells[at(released, "first-test")]
    found = restored(course, released)
    assert faults(found) == {"first-test": "not_run"}
    assert found.faults["first-test"].reason.summary == (
        "test cell first-test is missing from the notebook; get it back from labs/lab1/nb.ipynb"
    )


@pytest.mark.parametrize("change", [{"source": "assert True"}, {"source": ""}, {"cell_type": "raw"}])
def test_an_edited_test_cell_is_tampered_and_replaced(course: Course, released: Any, change: dict[str, str]) -> None:
    released.cells[at(released, "first-test")].update(change)
    found = restored(course, released)
    assert faults(found) == {"first-test": "tampered"}
    assert "== 42" in found.nb.cells[at(found.nb, "first-test")].source


def test_duplicates_of_tests_are_tampered(course: Course, released: Any) -> None:
    for key in ("first-test", "setup"):
        copied = copy.deepcopy(released.cells[at(released, key)])
        copied.id = f"copy-of-{key}"
        released.cells.append(copied)
    found = restored(course, released)
    assert faults(found) == {"first-test": "tampered"}
    assert len(found.nb.cells) == len(b.two_questions().cells)
    assert any("setup" in note for note in found.notes)


def test_a_split_answer_keeps_all_its_parts_and_is_no_fault(course: Course, released: Any) -> None:
    """As JupyterLab's "Split cell" leaves it: both halves with the metadata, the second with an id of its own."""
    for key in ("second", "words"):
        place = at(released, key)
        half = copy.deepcopy(released.cells[place])
        released.cells[place].source = "the first half"
        half.source = "the second half"
        half.id = f"half-of-{key}"
        released.cells.insert(place + 1, half)
    nbformat.validate(released)
    found = restored(course, released)
    assert found.faults == {}
    assert found.notes == [
        "2 cells carry the grade_id second: all were run.",
        "2 cells carry the grade_id words: all were run.",
    ]
    for key in ("second", "words"):
        place = at(found.nb, key)
        first, second = found.nb.cells[place : place + 2]
        assert (first.source, second.source) == ("the first half", "the second half")
        assert "nbgrader" in first.metadata
        assert "nbgrader" not in second.metadata
    nbformat.validate(found.nb)
    assert len({cell.id for cell in found.nb.cells}) == len(found.nb.cells)


def test_of_several_answers_the_one_of_the_right_kind_is_the_answer(course: Course, released: Any) -> None:
    place = at(released, "first")
    note = b.md("first", "My notes on the answer.")
    note["metadata"] = copy.deepcopy(released.cells[place].metadata)
    released.cells.insert(place, nbformat.from_dict(note))
    found = restored(course, released)
    assert found.faults == {}
    assert found.nb.cells[at(found.nb, "first")].cell_type == "code"


def test_locked_cells_are_put_back(course: Course, released: Any) -> None:
    released.cells[at(released, "setup")].source = "base = 42"
    del released.cells[at(released, "parameters")]
    found = restored(course, released)
    assert found.faults == {}
    assert found.nb.cells[at(found.nb, "setup")].source == "import math\n\nbase = 40"
    assert at(found.nb, "parameters") == 1, "after the text that it follows in the source"
    assert found.nb.cells[1].metadata.tags == ["parameters"]
    assert len(found.notes) == 2


def test_metadata_is_ours_whatever_the_student_wrote(course: Course, released: Any) -> None:
    test = released.cells[at(released, "first-test")]
    test.metadata.nbgrader.points = 100
    test.metadata.tags = ["skip-execution"]
    test.metadata.w251lab = {"outcome": "completed", "seconds": 1}
    answer = released.cells[at(released, "first")]
    answer.metadata.nbgrader["grade"] = True
    answer.metadata.nbgrader["points"] = 50
    answer.metadata.w251lab = {"outcome": "completed", "seconds": 1}
    answer.execution_count = 3
    found = restored(course, released)
    test, answer = (found.nb.cells[at(found.nb, key)] for key in ("first-test", "first"))
    assert test.metadata.nbgrader.points == 2
    assert "tags" not in test.metadata
    assert answer.metadata.nbgrader.grade is False
    assert "w251lab" not in answer.metadata
    assert answer.execution_count is None


def test_cells_that_lost_their_metadata_are_known_by_their_ids(course: Course, released: Any) -> None:
    for cell in released.cells:
        cell.metadata = type(cell.metadata)()
    found = restored(course, released)
    assert found.faults == {}
    assert "== 42" in found.nb.cells[at(found.nb, "first-test")].source


def test_an_answer_cell_of_another_type_is_tampered(course: Course, released: Any) -> None:
    cell = released.cells[at(released, "first")]
    cell.cell_type = "markdown"
    del cell["outputs"], cell["execution_count"]
    assert faults(restored(course, released)) == {"first": "tampered"}


def test_without_solutions_the_checksums_tell(course: Course, released: Any) -> None:
    shutil.rmtree(course.root / "solutions")
    student = load_course(course.root)
    # Completely hidden tests cannot be judged on a student's machine: they are set aside, and that is said.
    found = restored(student, released)
    assert found.faults == {}
    assert found.notes == ["Hidden tests worth 2 points are not here; they run when the lab is graded."]
    source = make_reference(student, student.labs[0], student.labs[0].notebooks[0]).source
    assert [question.points for question in questions(source)] == [2, 1, 2]
    path = student.labs[0].labs / "nb.ipynb"
    released.cells[at(released, "first-test")].source = "assert True"
    b.write(path, released)
    assert faults(restored(student, read_notebook(path)))["first-test"] == "tampered"


def test_finds_the_notebooks_of_a_submission(tmp_path: Path) -> None:
    root = b.course(tmp_path / "c", {"one": {"nb": b.two_questions()}, "two": {"a": b.notebook(), "b": b.notebook()}})
    one, two = load_course(root).labs
    mine = b.write(tmp_path / "mine.ipynb", b.notebook())
    second = b.write(tmp_path / "b.ipynb", b.notebook())
    assert find_notebooks(one, mine) == {"nb": mine}
    assert find_notebooks(two, second) == {"b": second}
    assert find_notebooks(two, tmp_path) == {"a": tmp_path / "a.ipynb", "b": second}
    with pytest.raises(UsageError, match="none of the notebooks of two"):
        find_notebooks(two, mine)
    with pytest.raises(UsageError, match="does not exist"):
        find_notebooks(one, tmp_path / "none")
