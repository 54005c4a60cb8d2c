from __future__ import annotations

import course_builder as b

from w251lab.course.difference import compare
from w251lab.course.notebook import canonical_bytes, to_bytes


def one(change: object) -> str:
    """The only difference that ``change``, applied to a copy of the released notebook, makes."""
    expected = canonical_bytes(b.two_questions())
    nb = b.two_questions()
    change(nb)
    found = compare("labs/lab1", {"nb.ipynb": expected}, {"nb.ipynb": to_bytes(nb)})
    assert len(found) == 1, found
    return str(found[0])


def test_same_is_no_difference() -> None:
    content = canonical_bytes(b.two_questions())
    assert compare("labs", {"nb.ipynb": content}, {"nb.ipynb": content}) == []


def test_an_edited_cell_is_named_with_a_diff() -> None:
    text = one(lambda nb: nb.cells[5].update(source=nb.cells[5].source.replace("42", "43")))
    assert text.startswith("labs/lab1/nb.ipynb, cell first-test: its source differs")
    assert "-assert first() == 42" in text
    assert "+assert first() == 43" in text


def test_metadata_missing_extra_order_and_layout() -> None:
    assert "cell first-test: its metadata or outputs differ" in one(
        lambda nb: nb.cells[5].metadata.nbgrader.update(points=9)
    )
    assert "cell setup: is missing" in one(lambda nb: nb.cells.pop(2))
    assert "cell more: is not part of the release" in one(
        lambda nb: nb.cells.append(b.notebook(b.md("more", "x")).cells[0])
    )
    assert "another order" in one(lambda nb: nb.cells.insert(0, nb.cells.pop(3)))
    assert "metadata or layout differs" in one(lambda nb: nb.metadata.update(more=1))


def test_a_duplicate_cell_is_not_lost() -> None:
    assert "cell setup: is not part of the release" in one(lambda nb: nb.cells.append(nb.cells[2]))


def test_files() -> None:
    expected = {
        "a.txt": b"one\ntwo\n",
        "b.bin": b"\xff\x00",
        "gone.txt": b"",
        "nb.ipynb": canonical_bytes(b.notebook()),
    }
    actual = {"a.txt": b"one\n2\n", "b.bin": b"\xff\x01", "new.txt": b"", "nb.ipynb": b"not a notebook"}
    found = [str(difference) for difference in compare("labs", expected, actual)]
    assert found[0].startswith("labs/a.txt: differs")
    assert "-two" in found[0]
    assert found[1] == "labs/b.bin: differs"
    assert found[2] == "labs/gone.txt: is missing"
    assert found[3].startswith("labs/nb.ipynb: labs/nb.ipynb is not JSON")
    assert found[4] == "labs/new.txt: is not part of the release"


def test_a_long_diff_is_cut() -> None:
    expected, actual = ("\n".join(f"{word} {n}" for n in range(100)).encode() for word in ("a", "b"))
    (difference,) = compare("labs", {"x.txt": expected}, {"x.txt": actual})
    assert difference.diff.splitlines()[-1].endswith("more lines")
    assert len(difference.diff.splitlines()) < 20
