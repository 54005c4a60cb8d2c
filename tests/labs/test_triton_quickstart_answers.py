"""Planted answers to the Triton quickstart: each wrong one is caught and costs its own question only."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING

import planting
import pytest

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

    from w251lab.course.catalog import Course, Lab
    from w251lab.course.check import Checked

pytestmark = pytest.mark.labs

RUNS = 6  # two for each bit of the numbers of 8 questions
QUESTIONS = ("ready", "classes", "gpu", "swap", "average_batch", "time_shares", "batching", "instances")
# The server and the repository remember `batched`; everything else that an answer leaves is a name.
RESETS = {
    "batching": """
import shutil

with triton.client() as client:
    if client.is_ready("batched"):
        client.unload("batched")
shutil.rmtree(models / "batched", ignore_errors=True)
"""
}
# Nothing that is graded rests on the sweeps, and they take half of a run.
SHORT_SWEEPS = """
sweep_for_long = load.sweep
load.sweep = lambda *args, seconds, **options: sweep_for_long(*args, seconds=0.1, warmup=0.1, **options)
"""
NOT_NEEDED = {"batching_sweep", "batching_plot", "instances_sweep", "compare_recorded"}
IN_ONE_KERNEL = "in one kernel"


@pytest.fixture(scope="module")
def answers(quickstart: Lab) -> dict[str, planting.Planted]:
    return planting.planted(quickstart)


@pytest.fixture(scope="module")
def plans(answers: dict[str, planting.Planted]) -> list[dict[str, planting.Answer]]:
    return planting.group_plans(answers)


@pytest.fixture(scope="module")
def trials(
    answers: dict[str, planting.Planted], plans: list[dict[str, planting.Answer]]
) -> dict[str, list[planting.Answer]]:
    return planting.remaining(answers, plans)


@pytest.fixture(scope="module")
def runs(
    course: Course,
    quickstart: Lab,
    plans: list[dict[str, planting.Answer]],
    trials: dict[str, list[planting.Answer]],
    *,
    pool: ThreadPoolExecutor,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[int | str, Future[Checked]]:
    """All runs, under way at the same time: the group runs by number, and the one with all other answers."""
    bench = planting.bench(course, quickstart, trials, RESETS, NOT_NEEDED)
    under_way: dict[int | str, Future[Checked]] = {IN_ONE_KERNEL: pool.submit(bench, tmp_path_factory.mktemp("bench"))}
    for number, plan in enumerate(plans):
        nb = planting.answered(quickstart, {name: answer.source for name, answer in plan.items()})
        nb = planting.with_own_cell(nb, "setup", "short_sweeps", SHORT_SWEEPS)
        folder = tmp_path_factory.mktemp(f"group {number} ")
        under_way[number] = pool.submit(planting.hand_in, course, quickstart, nb, folder)
    return under_way


def test_every_question_has_planted_answers(answers: dict[str, planting.Planted]) -> None:
    assert tuple(answers) == QUESTIONS
    for name, have in answers.items():
        assert len(have.wrong) >= 3, name
        assert len(have.right) >= 2, name
        for answer in (*have.wrong, *have.right):
            where = f"{name}/{answer.name}"
            assert answer.source.startswith("# "), f"{where} does not say what the student thought"
            assert bool(answer.caught) == answer.name.startswith("wrong_"), where
            assert answer.source != have.reference.source, where
    folder = planting.HERE / "01_triton_quickstart" / "answers"
    assert {path.parent.name for path in folder.glob("*/*.py")} == set(answers), (
        "answers to a question that does not exist"
    )


def test_the_group_runs_separate_every_pair_of_questions(
    answers: dict[str, planting.Planted], plans: list[dict[str, planting.Answer]]
) -> None:
    assert len(plans) == RUNS
    for one, other in permutations(answers, 2):
        assert any(plan[one].caught and not plan[other].caught for plan in plans), f"{one} and {other}"
    for name in answers:
        wrong = [plan[name].name for plan in plans if plan[name].caught]
        right = {plan[name].name for plan in plans if not plan[name].caught}
        assert len(wrong) == len(set(wrong)) == 3
        assert len(right) >= 2


def test_every_planted_answer_is_tried(
    answers: dict[str, planting.Planted],
    plans: list[dict[str, planting.Answer]],
    trials: dict[str, list[planting.Answer]],
) -> None:
    for name, have in answers.items():
        tried = {plan[name].name for plan in plans} | {answer.name for answer in trials[name]}
        assert tried == {answer.name for answer in (*have.wrong, *have.right, have.stub, have.reference)}
        assert trials[name][-1].name == "reference"


def test_every_other_answer_is_judged_rightly_in_one_kernel(
    runs: dict[int | str, Future[Checked]], trials: dict[str, list[planting.Answer]]
) -> None:
    result = runs[IN_ONE_KERNEL].result().result.notebooks[0]
    judged = {question.name: question for question in result.questions if not question.manual}
    assert len(judged) == sum(map(len, trials.values()))
    complaints = [
        planting.complaint(judged[f"{name}__{answer.name}"], answer) for name in trials for answer in trials[name]
    ]
    assert not list(filter(None, complaints))
    ungraded = [problem for problem in result.problems if "__" not in problem.cell]
    assert not ungraded, "a cell of the lab itself failed"


@pytest.mark.parametrize("number", range(RUNS))
def test_wrong_answers_are_caught_and_cost_no_other_question(
    number: int, runs: dict[int | str, Future[Checked]], plans: list[dict[str, planting.Answer]]
) -> None:
    result = runs[number].result().result.notebooks[0]
    judged = {question.name: question for question in result.questions if not question.manual}
    assert set(judged) == set(plans[number])
    complaints = [planting.complaint(judged[name], answer) for name, answer in plans[number].items()]
    assert not list(filter(None, complaints))
    right = {name for name, answer in plans[number].items() if not answer.caught}
    assert result.earned == sum(judged[name].points for name in right)
    ungraded = [problem for problem in result.problems if problem.cell.removeprefix("test_") not in judged]
    assert not ungraded, "a wrong answer broke a cell that is not its own"
