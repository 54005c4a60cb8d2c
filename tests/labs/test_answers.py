"""Planted answers to every notebook: each wrong one is caught and costs its own question only, each right one passes.

Shown for each notebook of the course, by two kinds of runs:

- *In one kernel*, with our own solution around them, every answer that no hand-in holds is judged by its question's
  tests: so each wrong answer is caught by the test that its second line names, each right one earns all points, and
  what a wrong one leaves behind (in the kernel, on a server, in a folder) hurts no answer to a later question.
- *Handed in* as a student does it, with wrong answers to some questions and right ones to the others: each wrong one
  costs its own points, and no cell of the lab fails for want of a right answer. For every two questions there is a
  hand-in with the earlier one wrong and the later one right; a kernel runs the cells in order, so an answer cannot
  cost an earlier question. This takes minutes, and is done for the first notebook of the course. ``test_labs`` has all
  answers right, and all missing, for every notebook: no cell of it needs an answer.
"""

from __future__ import annotations

from functools import partial
from itertools import combinations
from typing import TYPE_CHECKING, Any

import planting
import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from w251lab.course.check import Checked

pytestmark = [pytest.mark.labs, pytest.mark.timeout(900)]  # a test may wait for the runs before its own

NOTEBOOKS = planting.notebooks(planting.HERE.parents[1])
LABS = list(dict.fromkeys(notebook.lab.name for notebook in NOTEBOOKS.values()))
HAND_INS = [
    (name, number)
    for name, notebook in NOTEBOOKS.items()
    if notebook.is_first
    for number in range(planting.group_size(len(notebook.graded)))
]


def plan_runs(runs: Any, items: list[pytest.Item]) -> None:
    for item in items:
        name, number = item.callspec.params["name"], item.callspec.params.get("number")
        if number is None:
            runs.plan(f"{name}/bench", partial(planting.bench, NOTEBOOKS[name]), early=True)
        else:
            runs.plan(f"{name}/hand-in {number}", partial(hand_in, NOTEBOOKS[name], number))


def hand_in(notebook: planting.Notebook, number: int, folder: Path) -> Checked:
    sources = {question: answer.source for question, answer in notebook.plans[number].items()}
    return planting.hand_in(notebook, planting.answered(notebook, sources), folder)


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_every_question_has_planted_answers(name: str) -> None:
    for question, have in NOTEBOOKS[name].answers.items():
        assert len(have.wrong) >= 3, question
        assert len(have.right) >= 2, question
        for answer in (*have.wrong, *have.right):
            where = f"{question}/{answer.name}"
            assert answer.source.startswith("# "), f"{where} does not say what the student thought"
            assert bool(answer.caught) == answer.name.startswith("wrong_"), where
            assert answer.source != have.reference.source, where


@pytest.mark.parametrize("lab", LABS)
def test_what_is_planted_belongs_to_one_question(lab: str) -> None:
    of_the_lab = [notebook for notebook in NOTEBOOKS.values() if notebook.lab.name == lab]
    questions = [question for notebook in of_the_lab for question in notebook.graded]
    assert len(questions) == len(set(questions)), "two notebooks have a question of the same name"
    for path in (planting.HERE / lab / "answers").glob("*/*.py"):
        assert path.parent.name in questions, f"{path}: there is no such question"
        assert path.stem.startswith(("wrong_", "right_")) or path.stem == "reset", f"{path}: neither wrong nor right"


@pytest.mark.parametrize("questions", range(1, 20))
def test_the_hand_ins_separate_every_question_from_those_before_it(questions: int) -> None:
    plans = planting.group_plans(made_up(questions))
    assert len(plans) == planting.group_size(questions)
    for earlier, later in combinations(plans[0], 2):
        assert any(plan[earlier].caught and not plan[later].caught for plan in plans), f"{earlier} and {later}"
    for question in plans[0]:
        wrong = [plan[question].name for plan in plans if plan[question].caught]
        assert len(wrong) == len(set(wrong)), "the same wrong answer twice"
        assert wrong or question == f"q{questions - 1}", "never wrong"
        assert len(wrong) < len(plans) or question == "q0", "never right"


def made_up(questions: int) -> Mapping[str, planting.Planted]:
    def answers(question: str, kind: str) -> tuple[planting.Answer, ...]:
        caught = "AssertionError: no" if kind == "wrong" else ""
        return tuple(planting.Answer(question, f"{kind}_{number}", "", caught) for number in range(5))

    return {
        name: planting.Planted(
            answers(name, "wrong"),
            answers(name, "right"),
            planting.Answer(name, "stub", ""),
            planting.Answer(name, "reference", ""),
        )
        for name in (f"q{number}" for number in range(questions))
    }


@pytest.mark.thorough
@pytest.mark.parametrize("name", NOTEBOOKS)
def test_every_other_answer_is_judged_rightly_in_one_kernel(name: str, runs: Any) -> None:
    notebook = NOTEBOOKS[name]
    result = planting.judged(runs[f"{name}/bench"])
    trials = notebook.trials
    for question, have in notebook.answers.items():
        tried = {plan[question].name for plan in notebook.plans} | {answer.name for answer in trials[question]}
        assert tried == {answer.name for answer in (*have.wrong, *have.right, have.stub, have.reference)}
        assert trials[question][-1].name == "reference"
    judged = {question.name: question for question in result.questions if not question.manual}
    assert len(judged) == sum(map(len, trials.values()))
    complaints = [
        planting.complaint(judged[f"{question}__{answer.name}"], answer)
        for question in trials
        for answer in trials[question]
    ]
    assert not list(filter(None, complaints))
    ungraded = [problem for problem in result.problems if "__" not in problem.cell]
    assert not ungraded, "a cell of the lab itself failed"


@pytest.mark.thorough
@pytest.mark.parametrize(("name", "number"), HAND_INS)
def test_wrong_answers_are_caught_and_cost_no_other_question(name: str, number: int, runs: Any) -> None:
    result = planting.judged(runs[f"{name}/hand-in {number}"])
    plan = NOTEBOOKS[name].plans[number]
    judged = {question.name: question for question in result.questions if not question.manual}
    assert set(judged) == set(plan)
    complaints = [planting.complaint(judged[question], answer) for question, answer in plan.items()]
    assert not list(filter(None, complaints))
    right = {question for question, answer in plan.items() if not answer.caught}
    assert result.earned == sum(judged[question].points for question in right)
    own = set(plan) | {test.grade_id for question in result.questions for test in question.tests}
    ungraded = [problem for problem in result.problems if problem.cell not in own]
    assert not ungraded, "a wrong answer broke a cell that is not its own"
