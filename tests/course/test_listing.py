from __future__ import annotations

import json
from typing import TYPE_CHECKING

import course_builder as b
import pytest
from rich.console import Console

from w251lab.course.catalog import Course, load_course
from w251lab.course.listing import BEGIN, END, as_json, as_markdown, as_table, update
from w251lab.errors import W251Error

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def course(tmp_path: Path) -> Course:
    root = b.course(tmp_path / "a course", {"lab1": {"nb": b.two_questions()}, "lab2": {"x": b.notebook()}})
    toml = root / "course.toml"
    toml.write_text(
        toml.read_text().replace("needs = []", 'needs = ["gpu", "docker"]', 1).replace("A lab to", "A | to")
    )
    return load_course(root)


def test_table(course: Course) -> None:
    console = Console(width=120)
    with console.capture() as capture:
        console.print(as_table(course))
    lines = capture.get().splitlines()
    assert any("lab1" in line and "7" in line and "gpu, docker" in line for line in lines)
    assert any("lab2" in line and "nothing" in line for line in lines)


def test_markdown(course: Course) -> None:
    lines = as_markdown(course).splitlines()
    assert lines[2] == "| Lab lab1 | [Notebook nb](labs/lab1/nb.ipynb) | A \\| to test with. | 7 | gpu, docker |"
    assert len(lines) == 4


def test_json(course: Course) -> None:
    data = json.loads(as_json(course))
    assert [lab["name"] for lab in data["labs"]] == ["lab1", "lab2"]
    assert data["labs"][0]["notebooks"] == [{"name": "nb", "title": "Notebook nb", "points": 7}]
    assert data["labs"][0]["time_limits"]["small"] == {"cell": 20, "notebook": 120}


def test_updates_between_markers_only(course: Course, tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(f"# Title\n\n{BEGIN}\nold\n{END}\n\nThe rest.\n")
    assert update(course, readme, check=True)
    assert "old" in readme.read_text()
    assert update(course, readme)
    text = readme.read_text()
    assert text.startswith("# Title\n")
    assert text.endswith("\n\nThe rest.\n")
    assert as_markdown(course) in text
    assert not update(course, readme)
    assert not update(course, readme, check=True)


@pytest.mark.parametrize("text", ["nothing", BEGIN, f"{END}{BEGIN}", f"{BEGIN}{END}{BEGIN}{END}"])
def test_bad_markers_are_told(course: Course, tmp_path: Path, text: str) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(text)
    with pytest.raises(W251Error, match="no single pair of markers"):
        update(course, readme)
    with pytest.raises(W251Error, match="does not exist"):
        update(course, tmp_path / "none.md")
