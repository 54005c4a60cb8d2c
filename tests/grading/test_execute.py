"""Every cell gets a typed outcome, whatever it does, and the questions that do not depend on it still count."""

from __future__ import annotations

import itertools
import time
from dataclasses import replace
from typing import Any

import course_builder as build
import little_course as little
import pytest

from w251lab.course import engine
from w251lab.course.notebook import canonical_bytes
from w251lab.grading import execute, kernels
from w251lab.grading.execute import _length
from w251lab.grading.task import grade

pytestmark = pytest.mark.sandbox
SHORT = replace(little.LIMITS, cell=8, notebook=120)


def own_problem(text: str) -> tuple[str, str]:
    """The outcome and the reason of a student's own cell, of a submission whose questions all keep their marks."""
    graded = grade(little.job(submitted=little.with_cell(text), limits=SHORT))
    assert little.marks(graded) == little.POINTS, graded.result
    (problem,) = graded.result.problems
    assert problem.reason is not None
    return str(problem.outcome), problem.reason.summary


@pytest.mark.parametrize(
    ("text", "outcome", "reason"),
    [
        ("def broken(:", "error", "SyntaxError"),
        ("while True:\n    pass", "timed_out", "time limit of 8 s passed"),
        (
            "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True:\n    pass",
            "timed_out",
            "it ignored the interrupt, so its kernel was killed",
        ),
        ("import os\nos._exit(3)", "kernel_died", "exit status 3"),
        ("input('what now? ')", "error", "nobody is there to give it"),
        ("import getpass\ngetpass.getpass()", "error", "nobody is there to give it"),
        ("import ctypes\nctypes.string_at(0)", "kernel_died", "SIGSEGV"),
        ("raise SystemExit", "error", "SystemExit"),
        ("exit()", "kernel_died", "told its kernel to exit"),
    ],
)
def test_what_a_cell_did_is_known_and_the_rest_is_graded(text: str, outcome: str, reason: str) -> None:
    found = own_problem(text)
    assert found[0] == outcome
    assert reason in found[1]


def test_after_a_dead_kernel_only_what_was_lost_is_lost() -> None:
    answers = {"normalise": little.RIGHT["normalise"] + "\nkeep = 5\nimport os; os.kill(os.getpid(), 9)"}
    graded = grade(little.job(submitted=little.submission(answers)))
    verdicts = little.verdicts(graded)
    assert verdicts == {
        "row_means": "passed",
        "normalise": "kernel_died",
        "count_primes": "passed",
        "total": "passed",
    }
    assert any("Kernel restarted" in note for note in graded.result.notes)


def test_the_notebooks_own_limit_ends_it_and_says_so() -> None:
    text = "import time\ntime.sleep(100)"
    limits = replace(little.LIMITS, cell=60, notebook=4)
    graded = grade(little.job(submitted=little.with_cell(text, before="essay-text"), limits=limits))
    assert {"timed_out"} >= {str(problem.outcome) for problem in graded.result.problems if "own" in problem.cell}
    graded = grade(little.job(submitted=little.with_cell(text), limits=limits))
    assert set(little.verdicts(graded).values()) <= {"not_run", "timed_out"}
    assert sum(little.marks(graded).values()) == 0


def test_starting_a_kernel_takes_nothing_of_the_notebooks_time(monkeypatch: pytest.MonkeyPatch) -> None:
    late = 0.0
    begin = kernels.Place.start

    def slowly(*arguments: Any) -> Any:
        nonlocal late
        late += 10 * little.LIMITS.notebook
        return begin(*arguments)

    for module in (execute, engine):
        monkeypatch.setattr(module, "monotonic", lambda: time.monotonic() + late)
    monkeypatch.setattr(kernels.Place, "start", slowly)
    assert little.marks(grade(little.job())) == little.POINTS


def test_a_kernel_that_was_killed_when_memory_ran_out_is_no_students_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    kills = itertools.count()
    monkeypatch.setattr(execute, "out_of_memory_kills", lambda: next(kills))
    answers = {"total": "def total(_):\n    import os\n    os.kill(os.getpid(), 9)"}
    graded = grade(little.job(submitted=little.submission(answers)))
    assert set(little.verdicts(graded).values()) == {"ungradable"}
    assert "ran out of memory" in graded.result.questions[0].reason.summary


def test_a_test_that_does_not_end_is_timed_out() -> None:
    graded = grade(
        little.job(submitted=little.submission({"total": "def total(_):\n    while True:\n        pass"}), limits=SHORT)
    )
    assert little.verdicts(graded)["total"] == "timed_out"
    assert little.marks(graded) == little.POINTS | {"total": 0.0}


def test_a_test_may_give_a_part_of_its_points_and_print_and_wait() -> None:
    def lab(body: str) -> list[object]:
        return [
            build.parameters('device = "auto"\nscale = "small"'),
            build.solution("half", body),
            build.graded("half-test", "import sys\nprint('said', file=sys.stderr)\nhalf() / 2", points=2),
            build.solution("later", "async def later():\n    return 4"),
            build.graded("later-test", "import asyncio\nassert asyncio.run(later()) == 4", points=1),
        ]

    source = canonical_bytes(build.notebook(*lab("def half():\n    return 2")))
    graded = grade(replace(little.job(submitted=source), source=source))
    assert little.marks(graded) == {"half": 1.0, "later": 1.0}
    assert "said" in little.said(graded)
    forged = "class Two:\n    def __truediv__(self, _): return self\n    def __repr__(self): return '2.0'\nhalf = Two"
    submitted = canonical_bytes(build.notebook(*lab(forged)))
    graded = grade(replace(little.job(submitted=submitted), source=source))
    assert little.verdicts(graded)["half"] == "ungradable"
    assert little.marks(graded)["half"] == 0


def test_what_a_message_says_is_counted_however_deep_it_is() -> None:
    deep: object = "x" * 10
    for _ in range(100_000):
        deep = [deep]
    assert _length(deep) == 10
    assert _length({"ab": ["cde", 1]}) == 13
