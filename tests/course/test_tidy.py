from __future__ import annotations

import json
from typing import TYPE_CHECKING

import course_builder as b
import pytest

from w251lab.course.notebook import canonical_bytes, cells, read_notebook
from w251lab.course.tidy import notebooks_in, problems, tidy
from w251lab.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


def messages(nb: object) -> list[str]:
    return [str(problem) for problem in problems(nb)]


def test_a_good_notebook_has_no_problem_and_stays(tmp_path: Path) -> None:
    path = tmp_path / "nb.ipynb"
    path.write_bytes(canonical_bytes(b.two_questions()))
    assert problems(b.two_questions()) == []
    tidied = tidy(path)
    assert (tidied.changed, tidied.fixed, tidied.remaining) == (False, (), ())


def test_random_missing_and_duplicate_ids_become_names(tmp_path: Path) -> None:
    nb = b.notebook(
        b.md("0a1b2c3d", "# The first words of a text\nmore"),
        b.code("x", "import numpy as np"),
        b.code("x", "print(1)"),
        b.code("deadbeef", "1 + 1"),
        b.answer("first", "1"),
        b.md("first", "A text with the id of a grade_id"),
    )
    path = b.write(tmp_path / "nb.ipynb", nb)
    assert [problem.fixable for problem in problems(read_notebook(path))] == [True] * 5
    assert tidy(path, check=True).changed
    assert read_notebook(path).cells[0].id == "0a1b2c3d", "--check writes nothing"
    tidied = tidy(path)
    assert tidied.remaining == ()
    ids = [cell.id for cell in cells(read_notebook(path))]
    assert ids == [
        "the-first-words-of-a",
        "x",
        "print-1",
        "code",
        "first",
        "a-text-with-the-id",
    ]
    assert not tidy(path).changed


def test_ids_never_change_once_they_are_names(tmp_path: Path) -> None:
    path = b.write(tmp_path / "nb.ipynb", b.notebook(b.md("intro", "# Something else by now")))
    tidy(path)
    assert read_notebook(path).cells[0].id == "intro"


def test_a_duplicate_grade_id_is_left_to_the_author(tmp_path: Path) -> None:
    path = b.write(tmp_path / "nb.ipynb", b.notebook(b.answer("q", "1"), b.answer("q", "2")))
    tidied = tidy(path)
    assert [str(problem) for problem in tidied.remaining] == [
        "cell q: this grade_id stands on 2 cells; rename all but one"
    ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema_version": 1}, "schema version 3"),
        ({"points": None}, "points must be a number"),
        ({"points": -1}, "points must be a number"),
        ({"points": True}, "points must be a number"),
        ({"locked": "yes"}, "must be true or false"),
        ({"grade_id": ""}, "has no grade_id"),
        ({"grade_id": "q 1"}, "not a readable name"),
    ],
)
def test_incomplete_nbgrader_metadata_is_reported(change: dict[str, object], message: str) -> None:
    nb = b.notebook(b.graded("q", "assert True"))
    nb.cells[0].metadata.nbgrader |= change
    assert any(message in text for text in messages(nb))


def test_finds_notebooks_but_no_checkpoints(tmp_path: Path) -> None:
    kept = b.write(tmp_path / "a b" / "nb.ipynb", b.two_questions())
    b.write(tmp_path / "a b" / ".ipynb_checkpoints" / "nb.ipynb", b.two_questions())
    assert notebooks_in([tmp_path]) == [kept]
    assert notebooks_in([kept, tmp_path]) == [kept]
    with pytest.raises(UsageError, match="does not exist"):
        notebooks_in([tmp_path / "none"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="No notebook"):
        notebooks_in([tmp_path / "empty"])


def test_outputs_are_taken_out(tmp_path: Path) -> None:
    nb = b.notebook(b.code("run", "1"))
    nb.cells[0].execution_count = 3
    path = b.write(tmp_path / "nb.ipynb", nb)
    assert "canonical form" in str(tidy(path).fixed[0])
    assert json.loads(path.read_text())["cells"][0]["execution_count"] is None
