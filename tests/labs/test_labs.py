"""Every notebook of the course: its release, its solution at small scale, and its release unanswered.

No test looks at the clock: `make run` measures each notebook alone, and course.toml's limits end a run that hangs.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import planting
import pytest

from w251lab.course.catalog import load_course
from w251lab.course.check import check
from w251lab.course.notebook import cells
from w251lab.course.release import differences, release_lab, strangers

if TYPE_CHECKING:
    from pathlib import Path

    from w251lab.course.catalog import Lab
    from w251lab.course.check import Checked
    from w251lab.course.notebook import Cell

pytestmark = [pytest.mark.labs, pytest.mark.timeout(900)]  # a test may wait for the runs before its own

NOTEBOOKS = planting.notebooks(planting.HERE.parents[1])
#: For tests that run a notebook: in a run of the whole suite the first one, in CI all.
RUN = [
    name if notebook.is_first else pytest.param(name, marks=pytest.mark.thorough)
    for name, notebook in NOTEBOOKS.items()
]
COURSE = load_course(planting.HERE.parents[1])
MARKERS = ("BEGIN SOLUTION", "END SOLUTION", "BEGIN HIDDEN TESTS", "END HIDDEN TESTS")
QUICKSTART = "01_triton_quickstart/triton_quickstart"


def solve(notebook: planting.Notebook, folder: Path) -> Checked:
    """Our own solution, as it is: nothing is made shorter."""
    return check(notebook.course, [notebook.lab.name], planting.OPTIONS)


def hand_in_as_it_is(notebook: planting.Notebook, folder: Path) -> Checked:
    return planting.hand_in(notebook, planting.answered(notebook, {}), folder)


def plan_runs(runs: Any, items: list[pytest.Item]) -> None:
    for name in dict.fromkeys(item.callspec.params["name"] for item in items):
        notebook = NOTEBOOKS[name]
        runs.plan(f"{name}/solved", partial(solve, notebook))
        runs.plan(f"{name}/unanswered", partial(hand_in_as_it_is, notebook))


def test_there_is_a_lab() -> None:
    assert QUICKSTART in NOTEBOOKS


@pytest.mark.parametrize("lab", COURSE.labs, ids=lambda lab: lab.name)
def test_labs_is_what_solutions_makes(lab: Lab) -> None:
    assert [str(difference) for difference in differences(release_lab(lab))] == []
    assert strangers(COURSE) == []


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_the_release_gives_no_solution_and_no_hidden_test_away(name: str) -> None:
    notebook = NOTEBOOKS[name]
    text = (notebook.lab.labs / notebook.file).read_text(encoding="utf-8")
    assert not [marker for marker in MARKERS if marker in text]
    ours, given = notebook.source(), notebook.released()
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


@pytest.mark.parametrize("name", RUN)
def test_the_solution_has_full_marks(name: str, runs: Any) -> None:
    checked = runs[f"{name}/solved"]
    notebook = planting.judged(checked)
    wrong = [(q.name, q.verdict, q.reason) for q in notebook.questions if not q.full_marks]
    assert (wrong, notebook.problems) == ([], ())
    assert notebook.points > 0
    assert notebook.earned == notebook.points
    assert notebook.device
    assert notebook.device.startswith("cpu")
    assert checked.result.ok


@pytest.mark.parametrize("name", RUN)
def test_the_release_unanswered_earns_nothing(name: str, runs: Any) -> None:
    notebook = planting.judged(runs[f"{name}/unanswered"])
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


@pytest.mark.parametrize("name", [QUICKSTART])
def test_the_quickstart_is_worth_20_points_without_an_essay(name: str, runs: Any) -> None:
    result = runs[f"{name}/unanswered"].result
    assert result.totals() == {"earned": 0, "points": 20, "review_points": 5}
