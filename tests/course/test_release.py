from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import course_builder as b
import pytest
from nbgrader.api import Gradebook

from w251lab.course.catalog import CatalogError, Lab, load_course
from w251lab.course.notebook import cells, parse_notebook, read_notebook
from w251lab.course.release import (
    ReleaseError,
    differences,
    has_solutions,
    other_files,
    release_lab,
    release_notebook,
    strangers,
    write_release,
)

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    root = b.course(tmp_path / "a course", {"lab1": {"nb": b.two_questions()}})
    data = root / "solutions" / "lab1" / "data"
    data.mkdir()
    (data / "labels.txt").write_text("cat\n")
    return load_course(root).labs[0]


def nbgrader(*args: str, cwd: Path) -> str:
    """Run the plain nbgrader command, as an instructor would; returns what it said."""
    environment = os.environ | {"JUPYTER_CONFIG_DIR": str(cwd / "config"), "HOME": str(cwd / "home")}
    command = [sys.executable, "-m", "nbgrader", *args]
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout + done.stderr


def test_takes_out_solutions_and_hidden_tests_and_locks_the_rest(lab: Lab) -> None:
    nb = parse_notebook(release_notebook(lab, "nb"), "release")
    by_key = {cell.key: cell for cell in cells(nb)}
    text = json.dumps(nb)
    assert "base + 2" not in text
    assert "HIDDEN" not in text
    assert "== 42" not in text
    assert "six times seven" not in text
    assert by_key["first"].source.endswith("raise NotImplementedError()")
    assert by_key["second-test"].source == ""
    assert nb.cells[by_key["first-test"].index].metadata["editable"] is False
    assert [cell.id for cell in cells(nb)] == [cell.id for cell in cells(b.two_questions())]


def test_writes_is_clean_and_writes_nothing_the_second_time(lab: Lab) -> None:
    assert write_release(release_lab(lab)) == ["data/labels.txt", "nb.ipynb"]
    assert differences(release_lab(lab)) == []
    assert write_release(release_lab(lab)) == []


def test_removes_stale_files_and_leaves_checkpoints(lab: Lab) -> None:
    write_release(release_lab(lab))
    (lab.labs / "old.ipynb").write_text("{}")
    (lab.labs / "data" / "old.txt").write_text("old")
    (lab.labs / ".ipynb_checkpoints").mkdir()
    kept = lab.labs / ".ipynb_checkpoints" / "nb-checkpoint.ipynb"
    kept.write_text("{}")
    found = {(d.file, d.message) for d in differences(release_lab(lab))}
    assert found == {
        ("labs/lab1/data/old.txt", "is not part of the release"),
        ("labs/lab1/old.ipynb", "is not part of the release"),
    }
    assert write_release(release_lab(lab)) == ["data/old.txt", "old.ipynb"]
    assert kept.exists()
    assert differences(release_lab(lab)) == []


def test_is_the_same_wherever_and_whenever_it_is_made(lab: Lab, tmp_path: Path) -> None:
    copy = tmp_path / "elsewhere"
    shutil.copytree(lab.course, copy)
    nb = read_notebook(copy / "solutions" / "lab1" / "nb.ipynb")
    nb.cells[2].outputs = [{"output_type": "stream", "name": "stdout", "text": "ran here"}]
    nb.cells[2].execution_count = 12
    nb.metadata["language_info"]["version"] = "3.12.1"
    b.write(copy / "solutions" / "lab1" / "nb.ipynb", nb)
    assert release_lab(load_course(copy).labs[0]).files == release_lab(lab).files


def test_refuses_what_nbgrader_refuses_and_says_where(lab: Lab) -> None:
    path = lab.solutions / "nb.ipynb"
    nb = b.two_questions()
    nb.cells[4].source = "### BEGIN SOLUTION\n1"
    b.write(path, nb)
    with pytest.raises(ReleaseError, match="no end solution statement") as caught:
        release_notebook(lab, "nb")
    assert "nb.ipynb" in caught.value.what
    nb = b.two_questions()
    nb.cells[2].source = "### BEGIN HIDDEN TESTS\n1\n### END HIDDEN TESTS"
    b.write(path, nb)
    with pytest.raises(ReleaseError, match="Hidden test region detected in a non-grade cell"):
        release_notebook(lab, "nb")
    b.write(path, b.notebook(b.answer("q", "1"), b.answer("q", "2")))
    with pytest.raises(ReleaseError, match="grade_id stands on 2 cells"):
        release_notebook(lab, "nb")


def test_refuses_links_and_a_missing_source(lab: Lab) -> None:
    (lab.solutions / "link").symlink_to("nb.ipynb")
    with pytest.raises(ReleaseError, match="symbolic link"):
        release_lab(lab)
    assert other_files(lab.solutions, [], skip_links=True).keys() == {"data/labels.txt"}
    shutil.rmtree(lab.solutions)
    with pytest.raises(ReleaseError, match="cannot be released"):
        release_lab(lab)


def test_points_of_the_catalog_must_be_those_of_the_cells(lab: Lab) -> None:
    toml = lab.course / "course.toml"
    toml.write_text(toml.read_text().replace('title = "Notebook nb"', 'title = "Notebook nb", points = 8'))
    with pytest.raises(CatalogError, match="8 points; its cells add up to 7"):
        release_lab(load_course(lab.course).labs[0])
    toml.write_text(toml.read_text().replace("points = 8", "points = 7"))
    release_lab(load_course(lab.course).labs[0])


def test_strangers_under_labs_are_named(lab: Lab) -> None:
    write_release(release_lab(lab))
    (lab.course / "labs" / "gone").mkdir()
    (lab.course / "labs" / ".ipynb_checkpoints").mkdir()
    course = load_course(lab.course)
    assert [path.name for path in strangers(course)] == ["gone"]
    assert has_solutions(course)


def test_the_plain_nbgrader_commands_work_and_agree(lab: Lab) -> None:
    """generate_assignment gives our bytes; validate, autograde and generate_feedback take them from there."""
    root = lab.course
    (root / "home").mkdir()
    nbgrader("generate_assignment", "lab1", cwd=root)
    assert (lab.labs / "nb.ipynb").read_bytes() == release_notebook(lab, "nb")
    assert differences(release_lab(lab)) == []
    said = nbgrader("validate", "solutions/lab1/nb.ipynb", "labs/lab1/nb.ipynb", cwd=root)
    assert said.index("Success") < said.index("VALIDATION FAILED")
    submitted = root / "submitted" / "ada" / "lab1"
    shutil.copytree(lab.labs, submitted)
    nb = read_notebook(submitted / "nb.ipynb")
    for cell in cells(nb):
        if cell.grade_id == "first":
            nb.cells[cell.index].source = "def first():\n    return 42"
    b.write(submitted / "nb.ipynb", nb)
    nbgrader("autograde", "lab1", cwd=root)
    nbgrader("generate_feedback", "lab1", cwd=root)
    with Gradebook(f"sqlite:///{root}/gradebook.db") as gradebook:
        graded = gradebook.find_submission("lab1", "ada")
        assert (graded.score, graded.max_score) == (2.0, 7.0)
    assert (root / "feedback" / "ada" / "lab1" / "nb.html").stat().st_size > 1000
