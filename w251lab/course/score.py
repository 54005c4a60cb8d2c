"""Score an executed notebook, fail closed: a test earns points only where it is known to have run to its end.

nbgrader's own ``determine_grade`` gives full marks to a test cell without an error, also to one that never ran. Here
the evidence has to be positive: the outcome ``completed`` that our engine recorded when the kernel replied, an
execution count, and no error among the outputs. No other record counts, papermill's own least of all: it marks cells
that never ran as completed.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from w251lab.accelerator import DEVICE_KEY
from w251lab.course.notebook import RECORD, Cell, Question, cells, questions, runnable
from w251lab.course.results import CellProblem, Outcome, QuestionResult, Reason, TestResult, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nbformat import NotebookNode

TRACEBACK_LINES = 15
_LINE_LENGTH = 300
_ANSI = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff]")  # what neither HTML nor XML may carry
_VERDICT_OF = {
    Outcome.COMPLETED: Verdict.PASSED,
    Outcome.ERROR: Verdict.FAILED,
    Outcome.TIMED_OUT: Verdict.TIMED_OUT,
    Outcome.KERNEL_DIED: Verdict.KERNEL_DIED,
    Outcome.NOT_RUN: Verdict.NOT_RUN,
}
# Which of several failed tests names the question's verdict: the gravest first.
_GRAVITY = (
    Verdict.UNGRADABLE,
    Verdict.TAMPERED,
    Verdict.KERNEL_DIED,
    Verdict.TIMED_OUT,
    Verdict.NOT_RUN,
    Verdict.FAILED,
    Verdict.PASSED,
)


@dataclass(frozen=True)
class Fault:
    """A fault found before the run, which decides a cell's verdict whatever it did (``tampered``, ``not_run``)."""

    verdict: Verdict
    reason: Reason


@dataclass(frozen=True)
class _Ran:
    """What one executed cell is known to have done."""

    outcome: Outcome
    seconds: float | None
    reason: Reason | None


def score(source: NotebookNode, executed: NotebookNode, faults: Mapping[str, Fault]) -> tuple[QuestionResult, ...]:
    """Judge every question of ``source`` by what its cells did in ``executed``.

    Args:
        source: The notebook that says which questions there are and what they are worth.
        executed: The notebook after its run.
        faults: grade_id -> fault found before the run; it overrides what the cell did.
    """
    nodes: dict[str, NotebookNode] = {}
    for node, cell in zip(executed["cells"], cells(executed), strict=True):
        nodes.setdefault(cell.key, node)
    return tuple(
        _manual(question, nodes, faults) if question.manual else _question(question, nodes, faults)
        for question in questions(source)
    )


def ungradable(source: NotebookNode, reason: str) -> tuple[QuestionResult, ...]:
    """Every question of ``source`` as ``ungradable``, for a notebook that could not even be read."""
    why = Reason(_one_line(reason))
    return tuple(
        QuestionResult(
            question.name,
            question.title,
            Verdict.UNGRADABLE,
            0.0,
            question.points,
            manual=question.manual,
            reason=why,
            tests=tuple(TestResult(test.grade_id, Verdict.UNGRADABLE, 0.0, test.points) for test in question.tests),
        )
        for question in questions(source)
    )


def cell_problems(executed: NotebookNode) -> tuple[int, int, tuple[CellProblem, ...]]:
    """Count the cells that should have completed, those that did, and say what the others did.

    A cell tagged ``raises-exception`` is expected to raise, and completes by doing so.
    """
    expected, completed, found = 0, 0, []
    for node, cell in zip(executed["cells"], cells(executed), strict=True):
        if not runnable(node):
            continue
        expected += 1
        ran = _what_ran(node)
        if ran.outcome is Outcome.COMPLETED or (ran.outcome is Outcome.ERROR and "raises-exception" in cell.tags):
            completed += 1
        else:
            found.append(CellProblem(cell.key, ran.outcome, ran.reason))
    return expected, completed, tuple(found)


def reported_device(executed: NotebookNode) -> str | None:
    """The device that the notebook says it computed on: the last output with the metadata key `DEVICE_KEY`."""
    device = None
    for node in executed["cells"]:
        for output in node.get("outputs", ()):
            value = output.get("metadata", {}).get(DEVICE_KEY)
            if isinstance(value, str) and value.strip():
                device = _one_line(value)
    return device


def _manual(question: Question, nodes: Mapping[str, Any], faults: Mapping[str, Fault]) -> QuestionResult:
    fault = faults.get(question.name)
    verdict, reason = Verdict.AWAITING_REVIEW, None
    if fault is not None:
        verdict, reason = fault.verdict, fault.reason
    elif question.name not in nodes:
        verdict, reason = Verdict.NOT_RUN, Reason(f"the answer cell {question.name} is missing from the notebook")
    return QuestionResult(question.name, question.title, verdict, 0.0, question.points, manual=True, reason=reason)


def _question(question: Question, nodes: Mapping[str, Any], faults: Mapping[str, Fault]) -> QuestionResult:
    solution = question.solution
    cause = None if solution is None else _cause(solution, nodes, faults)
    tests = tuple(_test(test, nodes, faults, cause) for test in question.tests)
    seconds = [test.seconds for test in tests if test.seconds is not None]
    if solution is not None and (node := nodes.get(solution.grade_id)) is not None:
        seconds.append(_what_ran(node).seconds or 0.0)
    results: list[TestResult | Fault] = [*tests]
    if not tests and cause is not None:  # a question without points is judged by its solution cell alone
        results = [cause]
    worst = min(results, key=lambda result: _GRAVITY.index(result.verdict), default=None)
    return QuestionResult(
        question.name,
        question.title,
        worst.verdict if worst else Verdict.PASSED,
        sum(test.earned for test in tests),
        question.points,
        seconds=round(sum(seconds), 3) if seconds else None,
        reason=worst.reason if worst else None,
        tests=tests,
    )


def _cause(solution: Cell, nodes: Mapping[str, Any], faults: Mapping[str, Fault]) -> Fault | None:
    """What went wrong in the solution cell itself, which its tests' failures are blamed on; None when it completed."""
    if solution.grade_id in faults:
        return faults[solution.grade_id]
    node = nodes.get(solution.grade_id)
    if node is None:
        return Fault(Verdict.NOT_RUN, Reason(f"the solution cell {solution.grade_id} is missing from the notebook"))
    if not node["source"].strip() or solution.cell_type != "code":
        return None
    ran = _what_ran(node)
    if ran.outcome is Outcome.COMPLETED:
        return None
    reason = ran.reason or Reason(str(ran.outcome))
    return Fault(_VERDICT_OF[ran.outcome], Reason(f"in the solution cell: {reason.summary}", reason.traceback))


def _test(test: Cell, nodes: Mapping[str, Any], faults: Mapping[str, Fault], cause: Fault | None) -> TestResult:
    own = _judge_test(test, nodes, faults)
    if cause is None or own.verdict in (Verdict.TAMPERED, Verdict.UNGRADABLE, Verdict.KERNEL_DIED, Verdict.TIMED_OUT):
        return own
    # A test that passes although its solution cell raised an error (or was replaced by another cell) has passed: the
    # points are for what the test tests. After a time-out, a dead kernel or tampering nothing is known to be sound.
    excused = cause.verdict in (Verdict.FAILED, Verdict.NOT_RUN)
    if own.verdict is Verdict.PASSED and excused:
        return own
    if test.grade_id in faults or (own.verdict is Verdict.NOT_RUN and excused):
        return own
    return TestResult(test.grade_id, cause.verdict, 0.0, test.points, own.seconds, cause.reason)


def _judge_test(test: Cell, nodes: Mapping[str, Any], faults: Mapping[str, Fault]) -> TestResult:
    node = nodes.get(test.grade_id)
    fault = faults.get(test.grade_id)
    if fault is not None:
        return TestResult(test.grade_id, fault.verdict, 0.0, test.points, None, fault.reason)
    if node is None:
        reason = Reason(f"test cell {test.grade_id} is missing from the notebook")
        return TestResult(test.grade_id, Verdict.NOT_RUN, 0.0, test.points, None, reason)
    ran = _what_ran(node)
    if ran.outcome is not Outcome.COMPLETED:
        return TestResult(test.grade_id, _VERDICT_OF[ran.outcome], 0.0, test.points, ran.seconds, ran.reason)
    earned, reason_text = _credit(node, test.points)
    if earned is None:
        return TestResult(test.grade_id, Verdict.UNGRADABLE, 0.0, test.points, ran.seconds, Reason(reason_text))
    if earned < test.points:
        partial = Reason(f"partial credit: {earned:g} of {test.points:g}")
        return TestResult(test.grade_id, Verdict.FAILED, earned, test.points, ran.seconds, partial)
    return TestResult(test.grade_id, Verdict.PASSED, earned, test.points, ran.seconds)


def _credit(node: NotebookNode, points: float) -> tuple[float | None, str]:
    """Points earned by a test cell that completed: all of them, or nbgrader's partial credit (the cell's value)."""
    values = [output for output in node["outputs"] if output.get("output_type") == "execute_result"]
    if not values:
        return points, ""
    text = values[-1].get("data", {}).get("text/plain", "")
    text = "".join(text) if isinstance(text, list) else str(text)
    try:
        credit = float(text)
    except ValueError:
        credit = math.nan
    if len(values) == 1 and math.isfinite(credit) and 0 <= credit <= points:
        return credit, ""
    return None, f"the test cell's value {_one_line(text)[:80]!r} is no partial credit between 0 and {points:g}"


def _what_ran(node: NotebookNode) -> _Ran:
    """What a cell is known to have done. Only our engine's record tells; without one it did not run."""
    if node["cell_type"] != "code":
        return _Ran(Outcome.NOT_RUN, None, Reason("it is not a code cell"))
    record = node["metadata"].get(RECORD)
    if not isinstance(record, dict):
        return _Ran(Outcome.NOT_RUN, None, Reason("nothing records that it ran"))
    outcome, seconds, said = _from_record(record)
    error = _error(node)
    if error is not None and outcome in (Outcome.COMPLETED, Outcome.ERROR, Outcome.NOT_RUN):
        return _Ran(Outcome.ERROR, seconds, error)
    if outcome is Outcome.COMPLETED:
        count = node.get("execution_count")
        if not isinstance(count, int) or isinstance(count, bool):
            return _Ran(Outcome.NOT_RUN, seconds, Reason("it has no execution count"))
        return _Ran(outcome, seconds, None)
    ran_at_all = outcome is not Outcome.NOT_RUN
    reason = Reason(_one_line(said or str(outcome)), error.traceback if error else "")
    return _Ran(outcome, seconds if ran_at_all else None, reason)


def _from_record(record: Mapping[str, Any]) -> tuple[Outcome, float | None, str]:
    try:
        outcome = Outcome(record.get("outcome", ""))
    except ValueError:
        return Outcome.NOT_RUN, None, f"its record has an unknown outcome {record.get('outcome')!r}"
    seconds = record.get("seconds")
    known = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    return outcome, float(seconds) if known else None, str(record.get("reason", ""))  # type: ignore[arg-type]


def _error(node: NotebookNode) -> Reason | None:
    """The last error output, with the end of its traceback."""
    errors = [output for output in node.get("outputs", ()) if output.get("output_type") == "error"]
    if not errors:
        return None
    error = errors[-1]
    lines = plain("\n".join(map(str, error.get("traceback", ())))).splitlines()
    tail = [line if len(line) <= _LINE_LENGTH else line[:_LINE_LENGTH] + " ..." for line in lines[-TRACEBACK_LINES:]]
    return Reason(_one_line(f"{error.get('ename')}: {error.get('evalue')}".rstrip(": ")), "\n".join(tail))


def plain(text: str) -> str:
    """Text without terminal colours and control characters."""
    return _CONTROL.sub("", _ANSI.sub("", text))


def _one_line(text: str) -> str:
    line = " ".join(plain(text).split())
    return line if len(line) <= _LINE_LENGTH else line[:_LINE_LENGTH] + " ..."
