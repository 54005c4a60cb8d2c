"""Scoring from recorded evidence: the notebooks carry what a run would have recorded. Real runs are in test_check."""

from __future__ import annotations

from typing import Any

import course_builder as b
import nbformat
import pytest

from w251lab.course.results import Reason, Verdict
from w251lab.course.score import Fault, cell_problems, plain, reported_device, score, ungradable

DIED = {"outcome": "kernel_died", "seconds": 1.0, "reason": "the kernel died with exit status 1"}
TIMED_OUT = {"outcome": "timed_out", "seconds": 9.0, "reason": "the cell's time limit of 9 s passed"}
NOT_RUN = {"outcome": "not_run", "seconds": 0.0, "reason": "the notebook's time limit was used up"}


def error(name: str, value: str = "", lines: int = 2) -> Any:
    frames = [f"\x1b[31mframe {number}\x1b[0m" for number in range(lines)]
    return nbformat.v4.new_output("error", ename=name, evalue=value, traceback=[*frames, f"{name}: {value}"])


def value(text: str) -> Any:
    return nbformat.v4.new_output("execute_result", data={"text/plain": text}, execution_count=1)


def ran(**changes: Any) -> Any:
    """The two-question notebook after a run with full marks, but for ``changes``: cell -> changes, None: deleted."""
    nb = b.two_questions()
    kept = []
    for count, cell in enumerate(nb.cells, 1):
        name = cell.id.replace("-", "_")
        if cell.cell_type == "code":
            cell.execution_count = count
            cell.metadata.w251lab = {"outcome": "completed", "seconds": 0.5}
        if name in changes:
            if changes[name] is None:
                continue
            record = changes[name].pop("record", ...)
            if record is None:
                del cell.metadata["w251lab"]
            elif record is not ...:
                cell.metadata.w251lab = record
            cell.update(changes[name])
        kept.append(cell)
    nb.cells = kept
    return nb


def verdicts(executed: Any, faults: dict[str, Fault] | None = None) -> dict[str, tuple[str, float]]:
    return {q.name: (str(q.verdict), q.earned) for q in score(b.two_questions(), executed, faults or {})}


def first(executed: Any, faults: dict[str, Fault] | None = None) -> Any:
    return score(b.two_questions(), executed, faults or {})[0]


def test_full_marks_and_review_points_apart() -> None:
    found = score(b.two_questions(), ran(), {})
    assert [(q.verdict, q.earned, q.points) for q in found] == [
        ("passed", 2, 2),
        ("passed", 3, 3),
        ("awaiting_review", 0, 2),
    ]
    assert all(q.full_marks for q in found)
    assert found[0].seconds == 1.0
    assert [test.seconds for test in found[1].tests] == [0.5, 0.5]


@pytest.mark.parametrize(
    ("change", "verdict", "reason"),
    [
        (None, "not_run", "test cell first-test is missing"),
        ({"execution_count": None}, "not_run", "no execution count"),
        ({"execution_count": True}, "not_run", "no execution count"),
        ({"record": None}, "not_run", "nothing records that it ran"),
        ({"record": {}}, "not_run", "unknown outcome"),
        ({"record": {"outcome": "splendid"}}, "not_run", "unknown outcome 'splendid'"),
        ({"record": NOT_RUN}, "not_run", "time limit was used up"),
        ({"record": DIED}, "kernel_died", "exit status 1"),
        ({"record": TIMED_OUT}, "timed_out", "limit of 9 s"),
        ({"record": {"outcome": "error", "seconds": 1}, "outputs": [error("AssertionError", "no")]}, "failed", "no"),
        ({"outputs": [error("AssertionError")]}, "failed", "AssertionError"),
        ({"cell_type": "raw"}, "not_run", "not a code cell"),
        ({"outputs": [value("1")]}, "failed", "partial credit: 1 of 2"),
        ({"outputs": [value("True")]}, "ungradable", "'True' is no partial credit"),
        ({"outputs": [value("nan")]}, "ungradable", "'nan'"),
        ({"outputs": [value("inf")]}, "ungradable", "'inf'"),
        ({"outputs": [value("-0.5")]}, "ungradable", "'-0.5'"),
        ({"outputs": [value("2.5")]}, "ungradable", "between 0 and 2"),
        ({"outputs": [value("1"), value("1")]}, "ungradable", ""),
        ({"outputs": [value("")]}, "ungradable", ""),
    ],
)
def test_a_test_cell_earns_points_only_on_positive_evidence(change: Any, verdict: str, reason: str) -> None:
    executed = ran(first_test=change)
    question = first(executed)
    assert question.verdict == verdict
    assert reason in question.reason.summary
    assert question.earned == (1 if reason.startswith("partial") else 0)
    assert verdicts(executed)["second"] == ("passed", 3)


@pytest.mark.parametrize("text", ["2", "2.0"])
def test_full_partial_credit_is_a_pass(text: str) -> None:
    assert verdicts(ran(first_test={"outputs": [value(text)]}))["first"] == ("passed", 2)


def test_output_on_stderr_alone_passes() -> None:
    careful = nbformat.v4.new_output("stream", name="stderr", text="careful")
    assert verdicts(ran(first_test={"outputs": [careful]}))["first"] == ("passed", 2)


def test_one_of_two_tests_keeps_its_points() -> None:
    executed = ran(second_test={"outputs": [error("AssertionError")]})
    assert verdicts(executed)["second"] == ("failed", 1)


@pytest.mark.parametrize(("record", "verdict"), [(TIMED_OUT, "timed_out"), (DIED, "kernel_died")])
def test_the_cause_in_the_solution_cell_is_blamed(record: dict[str, Any], verdict: str) -> None:
    executed = ran(first={"record": dict(record)}, first_test={"outputs": [error("NameError", "name 'first'")]})
    question = first(executed)
    assert (question.verdict, question.earned) == (verdict, 0)
    assert question.reason.summary.startswith("in the solution cell: ")
    assert record["reason"] in question.reason.summary
    # And a test that would pass without its solution cell proves nothing.
    assert verdicts(ran(first={"record": dict(record)}))["first"] == (verdict, 0)


def test_a_syntax_error_in_the_solution_cell_fails_that_question_only() -> None:
    executed = ran(
        first={"record": {"outcome": "error", "seconds": 0}, "outputs": [error("SyntaxError", "invalid syntax")]},
        first_test={"outputs": [error("NameError", "name 'first' is not defined")]},
    )
    question = first(executed)
    assert question.verdict == "failed"
    assert question.reason.summary == "in the solution cell: SyntaxError: invalid syntax"
    assert verdicts(executed)["second"] == ("passed", 3)


def test_a_stray_error_in_the_solution_cell_costs_nothing_when_the_tests_pass() -> None:
    executed = ran(first={"record": {"outcome": "error", "seconds": 0}, "outputs": [error("ValueError")]})
    assert verdicts(executed)["first"] == ("passed", 2)


def test_an_answer_in_another_cell_counts_and_its_absence_is_told() -> None:
    assert verdicts(ran(first=None))["first"] == ("passed", 2)
    question = first(ran(first=None, first_test={"outputs": [error("NameError")]}))
    assert (question.verdict, question.reason.summary) == (
        "not_run",
        "the solution cell first is missing from the notebook",
    )


def test_faults_found_before_the_run_override_it() -> None:
    faults = {"second-test": Fault(Verdict.TAMPERED, Reason("it was changed"))}
    assert verdicts(ran(), faults) == {
        "first": ("passed", 2),
        "second": ("tampered", 1),
        "words": ("awaiting_review", 0),
    }
    solution = {"first": Fault(Verdict.TAMPERED, Reason("2 cells"))}
    assert verdicts(ran(), solution)["first"] == ("tampered", 0)
    manual = {"words": Fault(Verdict.TAMPERED, Reason("2 cells"))}
    assert verdicts(ran(), manual)["words"] == ("tampered", 0)
    assert verdicts(ran(words=None))["words"] == ("not_run", 0)


def test_the_end_of_the_traceback_is_kept_without_colours() -> None:
    question = first(ran(first_test={"outputs": [error("AssertionError", "x" * 5000, lines=40)]}))
    lines = question.reason.traceback.splitlines()
    assert len(lines) == 15
    assert lines[0] == "frame 26"
    assert "\x1b" not in question.reason.traceback
    assert len(question.reason.summary) < 400
    assert plain("a\x1b[1;31mb\x1b[0m\x00c\ud800\r") == "abc"


def test_papermills_own_record_is_no_evidence() -> None:
    executed = ran()
    del executed.cells[5].metadata["w251lab"]
    executed.cells[5].metadata.papermill = {
        "status": "completed",
        "exception": False,
        "start_time": "x",
        "duration": 0.25,
    }
    assert verdicts(executed)["first"] == ("not_run", 0)


def test_an_unreadable_notebook_is_ungradable_in_every_question() -> None:
    found = ungradable(b.two_questions(), "nb.ipynb is empty.")
    assert {q.verdict for q in found} == {Verdict.UNGRADABLE}
    assert sum(q.earned for q in found) == 0
    assert sum(q.points for q in found) == 7
    assert not any(q.full_marks for q in found)


def test_a_question_without_tests_is_judged_by_its_cell() -> None:
    nb = b.notebook(b.solution("play", "x = 1"))
    executed = b.notebook(b.solution("play", "x = 1"))
    assert score(nb, executed, {})[0].verdict == "not_run"
    executed.cells[0].execution_count = 1
    executed.cells[0].metadata.w251lab = {"outcome": "completed", "seconds": 0.1}
    assert score(nb, executed, {})[0].verdict == "passed"


def test_cells_that_should_have_completed_are_counted() -> None:
    assert cell_problems(ran()) == (7, 7, ())
    executed = ran(setup={"outputs": [error("ImportError", "no module")]}, first_test={"record": None})
    expected, completed, found = cell_problems(executed)
    assert (expected, completed) == (7, 5)
    assert [(p.cell, str(p.outcome), p.reason.summary) for p in found] == [
        ("setup", "error", "ImportError: no module"),
        ("first-test", "not_run", "nothing records that it ran"),
    ]
    executed.cells[2].metadata.tags = ["raises-exception"]
    assert cell_problems(executed)[1] == 6


def test_the_device_is_what_the_notebook_reported_last() -> None:
    assert reported_device(ran()) is None
    shown = [
        nbformat.v4.new_output("display_data", metadata={"w251lab.device": text}) for text in ("cpu", "gpu: X", " ")
    ]
    assert reported_device(ran(setup={"outputs": shown})) == "gpu: X"
    shown[1].metadata["w251lab.device"] = 7
    assert reported_device(ran(setup={"outputs": shown})) == "cpu"
