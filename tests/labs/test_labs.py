"""Every lab of the course: its release, its solution at small scale, and its release as it is, unanswered."""

from __future__ import annotations

from typing import TYPE_CHECKING

import planting
import pytest

from w251lab.course.catalog import load_course
from w251lab.course.check import check
from w251lab.course.notebook import cells, read_notebook
from w251lab.course.release import differences, release_lab, strangers

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

    from w251lab.course.catalog import Course
    from w251lab.course.check import Checked
    from w251lab.course.notebook import Cell

pytestmark = pytest.mark.labs

ROOT = planting.HERE.parents[1]
LABS = [lab.name for lab in load_course(ROOT).labs]
NOTEBOOKS = [(lab.name, entry.name) for lab in load_course(ROOT).labs for entry in lab.notebooks]
MARKERS = ("BEGIN SOLUTION", "END SOLUTION", "BEGIN HIDDEN TESTS", "END HIDDEN TESTS")
SECONDS = 60.0  # for one notebook at small scale on 2 cores


@pytest.fixture(scope="module")
def solved(course: Course, pool: ThreadPoolExecutor) -> dict[str, Future[Checked]]:
    return {name: pool.submit(check, course, [name], planting.OPTIONS) for name in LABS}


@pytest.fixture(scope="module")
def unanswered(
    course: Course, solved: dict[str, Future[Checked]], pool: ThreadPoolExecutor
) -> dict[str, Future[Checked]]:
    """After the solutions, which are to be fast."""
    return {
        lab.name: pool.submit(check, course, [lab.name], planting.OPTIONS, submission=lab.labs) for lab in course.labs
    }


def test_there_is_a_lab() -> None:
    assert LABS
    assert "01_triton_quickstart" in LABS


@pytest.mark.parametrize("name", LABS)
def test_labs_is_what_solutions_makes(name: str, course: Course) -> None:
    assert [str(difference) for difference in differences(release_lab(course.select([name])[0]))] == []
    assert strangers(course) == []


@pytest.mark.parametrize(("lab", "notebook"), NOTEBOOKS)
def test_the_release_gives_no_solution_and_no_hidden_test_away(lab: str, notebook: str, course: Course) -> None:
    chosen = course.select([lab])[0]
    path = chosen.labs / f"{notebook}.ipynb"
    text = path.read_text(encoding="utf-8")
    assert not [marker for marker in MARKERS if marker in text]
    ours = read_notebook(chosen.solutions / f"{notebook}.ipynb")
    given = read_notebook(path)
    secret, shown = _lines(cells(ours))
    telling = secret - shown  # what the source itself shows elsewhere is no secret
    assert len(telling) > len([cell for cell in cells(ours) if cell.is_test]), "the notebook has no secrets to keep"
    public = {line.strip() for node in given["cells"] for line in node["source"].splitlines()}
    assert sorted(telling & public) == []


def _lines(source: list[Cell]) -> tuple[set[str], set[str]]:
    """The lines between the markers of solutions and hidden tests or in an essay, and all others."""
    secret: set[str] = set()
    shown: set[str] = set()
    for cell in source:
        inside = cell.is_manual
        for line in map(str.strip, cell.source.splitlines()):
            if line.startswith(("### END SOLUTION", "### END HIDDEN TESTS")):
                inside = False
            elif line.startswith(("### BEGIN SOLUTION", "### BEGIN HIDDEN TESTS")):
                inside = True
            elif line:
                (secret if inside else shown).add(line)
    return secret, shown


@pytest.mark.parametrize("name", LABS)
def test_the_solution_has_full_marks_in_time(name: str, solved: dict[str, Future[Checked]]) -> None:
    checked = solved[name].result()
    for notebook in checked.result.notebooks:
        wrong = [(q.name, q.verdict, q.reason) for q in notebook.questions if not q.full_marks]
        assert (wrong, notebook.problems) == ([], ())
        assert notebook.points > 0
        assert notebook.earned == notebook.points
        assert notebook.device
        assert notebook.device.startswith("cpu")
        assert notebook.seconds < SECONDS, f"{notebook.lab}/{notebook.notebook} is slow"
    assert checked.result.ok


@pytest.mark.parametrize("name", LABS)
def test_the_release_as_it_is_earns_nothing(name: str, unanswered: dict[str, Future[Checked]]) -> None:
    for notebook in unanswered[name].result().result.notebooks:
        for question in notebook.questions:
            if question.manual:
                assert (question.verdict, question.earned) == ("awaiting_review", 0)
                continue
            assert (question.verdict, question.earned) == ("failed", 0), question.name
            assert question.reason
            assert "NotImplementedError" in question.reason.summary, question.name
        own = {q.name for q in notebook.questions} | {test.grade_id for q in notebook.questions for test in q.tests}
        assert [problem for problem in notebook.problems if problem.cell not in own] == [], "the lab itself broke"
        assert not [note for note in notebook.notes if "Kernel restarted" in note]


def test_the_quickstart_is_worth_20_points_without_an_essay(unanswered: dict[str, Future[Checked]]) -> None:
    result = unanswered["01_triton_quickstart"].result().result
    assert result.totals() == {"earned": 0, "points": 20, "review_points": 5}
