from __future__ import annotations

from typing import TYPE_CHECKING

import course_builder as b
import pytest

from w251lab.course.catalog import CatalogError, find_course, load_course, nearest_hint
from w251lab.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def course(tmp_path: Path) -> Path:
    return b.course(tmp_path / "a course", {"lab1": {"nb": b.two_questions()}, "lab2": {"other": b.two_questions()}})


def edit(course: Path, old: str, new: str) -> None:
    path = course / "course.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_reads_a_course(course: Path) -> None:
    loaded = load_course(course)
    assert loaded.title == "A course to test with"
    assert [lab.name for lab in loaded.labs] == ["lab1", "lab2"]
    lab = loaded.labs[0]
    assert (lab.notebooks[0].name, lab.notebooks[0].points) == ("nb", None)
    assert (lab.limits["small"].cell, lab.limits["full"].notebook) == (20, 300)
    assert lab.reference == course.resolve() / "solutions" / "lab1"


def test_the_projects_own_catalog_names_the_quickstart(root: Path) -> None:
    text = (root / "course.toml").read_text()
    assert "[labs.01_triton_quickstart]" in text
    assert 'needs = ["triton-server"]' in text


def test_is_found_upwards_by_variable_and_by_hand(
    course: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("W251LAB_COURSE", raising=False)
    monkeypatch.chdir(course / "solutions" / "lab1")
    assert find_course() == course.resolve()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CatalogError, match=r"No course\.toml in"):
        find_course()
    monkeypatch.setenv("W251LAB_COURSE", str(course))
    assert find_course() == course.resolve()
    with pytest.raises(UsageError, match=r"from --course"):
        find_course(tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "message", "remedy"),
    [
        ("title = ", "titel = ", "unknown key 'titel'", "'title'"),
        ('title = "Lab lab1"', "title = 3", "'title' cannot be 3", ""),
        ('title = "Lab lab1"', 'title = " "', "'title' is empty", ""),
        ('title = "Lab lab1"', "", "lacks the key 'title'", ""),
        ("needs = []", 'needs = ["A GPU"]', "a need is a lower-case word", ""),
        ("cell = 20", "cell = 0", "must be a number above 0", ""),
        ("cell = 20", "cell = true", "cannot be True", ""),
        ("full = {", "huge = {", "unknown key 'huge'", ""),
        ('name = "nb"', 'name = "nb.ipynb"', "is not a notebook's name", "without '.ipynb'"),
        ('name = "nb"', 'name = "bn"', "does not have it", ""),
        ("[labs.lab1]", "[labs.lab9]", "does not have it", ""),
        ('notebooks = [{ name = "nb", title = "Notebook nb" }]', "notebooks = []", "at least one notebook", ""),
        ("title", "title = [", "is not valid TOML", ""),
    ],
)
def test_tolerates_nothing_silently(course: Path, old: str, new: str, message: str, remedy: str) -> None:
    edit(course, old, new)
    with pytest.raises(CatalogError) as caught:
        load_course(course)
    assert message in caught.value.what
    assert remedy in caught.value.remedy


def test_a_notebook_that_no_lab_lists_is_an_error(course: Path) -> None:
    b.write(course / "solutions" / "lab1" / "extra.ipynb", b.two_questions())
    with pytest.raises(CatalogError, match=r"extra\.ipynb is not listed"):
        load_course(course)
    (course / "solutions" / "lab1" / "extra.ipynb").rename(course / "solutions" / "lab1" / "extra.txt")
    b.write(course / "solutions" / "lab3" / "new.ipynb", b.two_questions())
    with pytest.raises(CatalogError, match="belongs to no lab"):
        load_course(course)


def test_selects_in_catalog_order_and_names_the_nearest(course: Path) -> None:
    loaded = load_course(course)
    assert [lab.name for lab in loaded.select(["lab2", "lab1"])] == ["lab1", "lab2"]
    with pytest.raises(UsageError) as caught:
        loaded.select(["labb2"])
    assert "lab2" in caught.value.remedy


def test_an_empty_course_selects_nothing_only_with_an_error(tmp_path: Path) -> None:
    (tmp_path / "course.toml").write_text('title = "Empty"\n')
    with pytest.raises(CatalogError, match="lists no lab"):
        load_course(tmp_path).select([])


def test_hint_lists_what_there_is_when_nothing_is_near() -> None:
    assert nearest_hint("zzz", ["alpha", "beta"]) == "Known names: alpha, beta."
    assert nearest_hint("alhpa", ["alpha", "beta"]) == "Did you mean 'alpha'?"
