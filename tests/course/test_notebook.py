from __future__ import annotations

import json
from typing import TYPE_CHECKING

import course_builder as b
import nbformat
import pytest

from w251lab.course.notebook import (
    UnreadableNotebookError,
    canonical,
    canonical_bytes,
    cells,
    is_readable_id,
    parse_notebook,
    points,
    questions,
    read_notebook,
    runnable,
)

if TYPE_CHECKING:
    from pathlib import Path


def test_sees_the_kinds_of_cells() -> None:
    kinds = {cell.key: cell for cell in cells(b.two_questions())}
    assert kinds["first-test"].is_test
    assert kinds["first-test"].points == 2
    assert kinds["setup"].is_locked
    assert not kinds["setup"].is_test
    assert kinds["words"].is_manual
    assert not kinds["words"].is_locked
    assert kinds["first"].solution
    assert kinds["intro"].grade_id == ""


def test_groups_questions_with_titles_and_points() -> None:
    found = questions(b.two_questions())
    assert [(q.name, q.points, q.manual, len(q.tests)) for q in found] == [
        ("first", 2, False, 1),
        ("second", 3, False, 2),
        ("words", 2, True, 0),
    ]
    assert [q.title for q in found] == ["First: the answer", "Second: twice n", "In words"]
    assert points(b.two_questions()) == 7


def test_a_task_and_tests_without_a_solution_are_questions_too() -> None:
    nb = b.notebook(
        b.graded("environment-test", "assert True", points=1),
        b.task("draw", "# Draw something", points=3),
        b.answer("second", "1"),
        b.solution("third", "x = 1"),
        b.graded("third-test", "assert x == 1", points=4),
    )
    found = [(q.name, q.points, q.manual, q.solution and q.solution.grade_id) for q in questions(nb)]
    assert found == [
        ("environment-test", 1, False, None),
        ("draw", 3, True, None),
        ("second", 0, False, "second"),
        ("third", 4, False, "third"),
    ]


def test_tests_after_a_manual_answer_are_a_question_of_their_own() -> None:
    manual = b.solution("plot", "x = 2")
    manual["metadata"]["nbgrader"] |= {"grade": True, "points": 5}
    found = questions(b.notebook(manual, b.graded("plot-test", "assert x == 2", points=1)))
    assert [(q.name, q.points, q.manual) for q in found] == [("plot", 5, True), ("plot-test", 1, False)]


def test_canonical_form_drops_what_differs_from_machine_to_machine() -> None:
    nb = b.two_questions()
    setup = nb.cells[2]
    setup.outputs = [nbformat.v4.new_output("stream", text="hello")]
    setup.execution_count = 7
    setup.metadata["collapsed"] = True
    setup.metadata["execution"] = {"shell": 1}
    setup.id = "0a1b2c3d"
    setup.source = "a = 1\r\nb = 2\r"
    nb.metadata["widgets"] = {"x": 1}
    nb.metadata["language_info"]["version"] = "3.99"
    clean = canonical(nb)
    assert (clean.cells[2].outputs, clean.cells[2].execution_count) == ([], None)
    assert set(clean.cells[2].metadata) == {"nbgrader"}
    assert clean.cells[2].id == "setup"
    assert clean.cells[2].source == "a = 1\nb = 2\n"
    assert set(clean.metadata) == {"kernelspec", "language_info"}
    assert setup.execution_count == 7, "the argument is not changed"


def test_canonical_bytes_are_stable_and_what_nbformat_writes() -> None:
    content = canonical_bytes(b.two_questions())
    nb = parse_notebook(content, "again")
    assert canonical_bytes(nb) == content
    assert content == nbformat.writes(nb, version=4).encode() + b"\n"
    assert b"\r" not in content
    nbformat.validate(nb)


def test_attachments_of_a_text_survive() -> None:
    nb = b.notebook(b.md("picture", "![a](attachment:a.png)"))
    nb.cells[0]["attachments"] = {"a.png": {"image/png": "AAAA"}}
    assert canonical(nb).cells[0]["attachments"] == {"a.png": {"image/png": "AAAA"}}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"  \n", "is empty"),
        (b"{", "is not JSON"),
        (b"\xff\xfe\x00", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b"[]", "has no list of cells"),
        (b'{"cells": {}}', "has no list of cells"),
        (b'{"cells": [], "nbformat": 3, "nbformat_minor": 0, "metadata": {}}', "has notebook format 3"),
        (b'{"cells": [], "nbformat": 4, "nbformat_minor": 5}', "is not a valid notebook"),
        (b'{"cells": [7], "nbformat": 4, "nbformat_minor": 5, "metadata": {}}', "is not a valid notebook"),
        (
            b'{"cells": [{"cell_type": "code"}], "nbformat": 4, "nbformat_minor": 5, "metadata": {}}',
            "'metadata' is a required property",
        ),
    ],
)
def test_unreadable_notebooks_say_why(content: bytes, message: str) -> None:
    with pytest.raises(UnreadableNotebookError) as caught:
        parse_notebook(content, "x.ipynb")
    assert message in caught.value.what
    assert "x.ipynb" in caught.value.what


def test_a_directory_and_a_missing_file_are_unreadable(tmp_path: Path) -> None:
    with pytest.raises(UnreadableNotebookError, match="cannot be read"):
        read_notebook(tmp_path)
    with pytest.raises(UnreadableNotebookError, match="No such file"):
        read_notebook(tmp_path / "none.ipynb")


def test_cells_without_ids_are_read_with_placeholders() -> None:
    data = json.loads(canonical_bytes(b.two_questions()))
    data["nbformat_minor"] = 4
    for cell in data["cells"]:
        del cell["id"]
    nb = parse_notebook(json.dumps(data).encode(), "old")
    assert not any(is_readable_id(cell.id) for cell in cells(nb))
    assert canonical(nb).cells[2].id == "setup"


def test_metadata_of_wrong_types_counts_as_absent() -> None:
    nb = b.notebook(b.code("odd", "1", nbgrader=[1], tags="x"), b.graded("t", "1"))
    nb.cells[1].metadata.nbgrader["points"] = "many"
    odd, test = cells(nb)
    assert (odd.grade_id, odd.tags) == ("", ())
    assert test.points == 0


@pytest.mark.parametrize(
    ("cell_id", "readable"),
    [
        ("count-classes", True),
        ("q1_test", True),
        ("deadbeef", False),
        ("2e5b6d0f-7c1a-4b58-8f8e-0d7e3d7a9c11", False),
        ("missing-cell-id-3", False),
        ("a b", False),
        ("", False),
    ],
)
def test_readable_ids(cell_id: str, readable: bool) -> None:
    assert is_readable_id(cell_id) is readable


def test_what_is_runnable() -> None:
    nb = b.notebook(b.code("a", "1"), b.code("b", " \n"), b.md("c", "x"), b.code("d", "1", tags=["skip-execution"]))
    assert [runnable(node) for node in nb.cells] == [True, False, False, False]
