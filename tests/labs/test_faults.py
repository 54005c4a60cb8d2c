"""Planted faults in the Triton quickstart, as a student hands them in: each costs its own question, with its reason."""

from __future__ import annotations

import copy
import json
from functools import partial
from typing import TYPE_CHECKING, Any

import planting
import psutil
import pytest

from w251lab.course.catalog import TimeLimit
from w251lab.course.notebook import cells, questions
from w251lab.course.results import Verdict
from w251lab.course.score import score

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from nbformat import NotebookNode

    from w251lab.course.check import Checked

pytestmark = [pytest.mark.labs, pytest.mark.thorough, pytest.mark.timeout(900)]  # a test may wait for the runs before its own

QUICKSTART = planting.notebooks(planting.HERE.parents[1])["01_triton_quickstart/triton_quickstart"]
LIMIT = TimeLimit(cell=20, notebook=240)
# A cell of the student's own: which kernel this is, and which server it has started.
DIARY = """
import os
import time

with open({path!r}, "a") as diary:
    print(json.dumps({{"kernel": os.getpid(), "command": triton.command, "time": time.time()}}), file=diary)
"""
# Question -> verdict and words of the reason. Every other question is answered rightly and has to be worth its points.
FIRST = {
    "ready": ("kernel_died", "the kernel died with exit status 1 while this cell ran"),
    "classes": ("not_run", "test cell test_classes is missing from the notebook"),
    "gpu": ("tampered", "test cell test_gpu was changed"),
    "swap": ("not_run", "tagged to skip"),
    "average_batch": ("failed", "in the solution cell: SyntaxError"),
    "instances": ("timed_out", "the cell's time limit of 20 s passed"),
}
SECOND = {
    "gpu": ("failed", "in the solution cell: SyntaxError"),
    "swap": ("timed_out", "the cell's time limit of 20 s passed"),
    "average_batch": ("tampered", "2 cells carry the grade_id test_average_batch"),
    "time_shares": ("kernel_died", "the kernel died with exit status 1 while this cell ran"),
    "batching": ("not_run", "the solution cell batching is missing"),
}
WAITS_FOR_EVER = """
import time

def swap(client, old, new):
    client.load(new)
    client.unload(old)
    while not client.is_ready(old):  # the wrong one: it never comes back
        time.sleep(0.1)
"""
EXITS = """
import os

def time_shares(before, after):
    os._exit(1)
"""


def at(nb: NotebookNode, key: str) -> int:
    return next(cell.index for cell in cells(nb) if cell.key == key)


def right(number: int) -> dict[str, str]:
    return {name: have.right[number % len(have.right)].source for name, have in QUICKSTART.answers.items()}


def first() -> NotebookNode:
    nb = planting.answered(QUICKSTART, right(0))
    planting.cell_of(nb, "ready")["source"] += "\nimport os\nos._exit(1)"
    planting.cell_of(nb, "test_gpu")["source"] = "assert True"
    planting.cell_of(nb, "swap")["metadata"]["tags"] = ["skip-execution"]
    planting.cell_of(nb, "average_batch")["source"] = "def average_batch(before, after)\n    return 4.5"
    planting.cell_of(nb, "instances")["source"] += "\nimport time\nwhile True:\n    time.sleep(0.1)"
    del nb["cells"][at(nb, "test_classes")]
    return nb


def second() -> NotebookNode:
    nb = planting.answered(QUICKSTART, right(1))
    planting.cell_of(nb, "gpu")["source"] += "\n    return sees_gpu and"
    planting.cell_of(nb, "swap")["source"] = WAITS_FOR_EVER
    planting.cell_of(nb, "time_shares")["source"] = EXITS
    twin = copy.deepcopy(planting.cell_of(nb, "test_average_batch"))
    nb["cells"].append(twin | {"id": "pasted"})
    del nb["cells"][at(nb, "batching")]
    return nb


def plan_runs(runs: Any, items: list[pytest.Item]) -> None:
    for name, make in {"first": first, "second": second}.items():
        runs.plan(f"faults/{name}", partial(keep_diary_and_hand_in, make), early=True)


def keep_diary_and_hand_in(make: Callable[[], NotebookNode], folder: Path) -> Checked:
    nb = planting.with_own_cell(make(), "start_server", "diary", DIARY.format(path=str(folder / "diary.jsonl")))
    return planting.hand_in(QUICKSTART, nb, folder, LIMIT)


@pytest.mark.parametrize(("name", "faults"), [("first", FIRST), ("second", SECOND)])
def test_each_fault_costs_its_own_question_and_no_other(
    name: str, faults: dict[str, tuple[str, str]], runs: Any
) -> None:
    result = planting.judged(runs[f"faults/{name}"])
    expected = dict.fromkeys(QUICKSTART.graded, "passed")
    expected |= {question: verdict for question, (verdict, _) in faults.items()}
    assert planting.verdicts(result) == expected
    for question in result.questions:
        if question.manual:
            continue
        assert question.earned == (0 if question.name in faults else question.points), question.name
        said = question.reason.summary if question.reason else ""
        assert faults.get(question.name, ("", ""))[1] in said, question.name


def test_what_was_put_back_and_started_again_is_noted(runs: Any) -> None:
    notes = planting.judged(runs["faults/first"]).notes
    assert [note for note in notes if note.startswith("Kernel restarted: cell ready: the kernel died")]
    assert len([note for note in notes if note.startswith("Kernel restarted")]) == 1
    notes = planting.judged(runs["faults/second"]).notes
    assert any(note.startswith("Kernel restarted: cell test_time_shares: the kernel died") for note in notes)
    assert "2 cells carry the grade_id test_average_batch: only the first was run." in notes


@pytest.mark.parametrize("name", ["first", "second"])
def test_a_killed_kernel_takes_its_server_with_it_and_nothing_is_left(
    name: str, runs: Any, remains: Callable[..., list[str]]
) -> None:
    planting.judged(runs[f"faults/{name}"])
    diary = [json.loads(line) for line in (runs.folder(f"faults/{name}") / "diary.jsonl").read_text().splitlines()]
    assert len({entry["kernel"] for entry in diary}) == 2, "one kernel, and the one after it died"
    assert len({tuple(entry["command"]) for entry in diary}) == 2, "the second kernel has started a server of its own"
    for entry in diary:
        assert remains(tuple(entry["command"]), wait=20) == []
        kernel = psutil.Process(entry["kernel"]) if psutil.pid_exists(entry["kernel"]) else None
        assert kernel is None or kernel.create_time() > entry["time"], "the kernel lives"


@pytest.mark.parametrize("loss", ["cleared", "no record", "deleted", "other type"])
def test_a_test_cell_without_evidence_that_it_ran_is_worth_nothing(loss: str, runs: Any) -> None:
    source = QUICKSTART.source()
    executed = runs["faults/first"].executed[QUICKSTART.name]
    before = {q.name: q for q in score(source, executed, {})}
    passed = [name for name, question in before.items() if question.verdict is Verdict.PASSED]
    assert {"time_shares", "batching"} <= set(passed)
    tests = {question.name: question.tests[0].grade_id for question in questions(source) if question.tests}
    for name in passed:
        nb = copy.deepcopy(executed)
        node = planting.cell_of(nb, tests[name])
        if loss == "cleared":  # as Jupyter's "clear all outputs" does
            node["outputs"], node["execution_count"] = [], None
        elif loss == "no record":
            node["metadata"].pop("w251lab")
            node["metadata"].pop("papermill", None)
        elif loss == "deleted":
            del nb["cells"][at(nb, tests[name])]
        else:
            node["cell_type"] = "raw"
        after = {q.name: q for q in score(source, nb, {})}
        assert (after[name].verdict, after[name].earned) == (Verdict.NOT_RUN, 0.0)
        assert after[name].reason
        assert all(after[other] == before[other] for other in before if other != name)
