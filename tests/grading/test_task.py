from __future__ import annotations

import json
from dataclasses import replace

import little_course as little
import pytest

from w251lab.course.notebook import UnreadableNotebookError, parse_notebook, to_bytes
from w251lab.grading import task
from w251lab.grading.job import Graded, Job
from w251lab.grading.task import grade


@pytest.mark.sandbox
@pytest.mark.parametrize("kind", little.honest())
def test_an_honest_submission_gets_exactly_its_marks(kind: str) -> None:
    submitted, expected = little.honest()[kind]
    job = little.job(kind, submitted)
    graded = grade(job)
    assert little.marks(graded) == expected
    assert graded.fingerprint == job.fingerprint
    assert graded.sandbox == "bubblewrap"
    assert graded.cpu_seconds > 0
    assert Graded.from_bytes(graded.to_bytes()) == graded
    manual = [question for question in graded.result.questions if question.manual]
    assert [str(question.verdict) for question in manual] == ["awaiting_review"]
    executed = json.loads(graded.executed or b"")
    sources = ["".join(cell["source"]) for cell in executed["cells"]]
    assert all(any(secret in source for source in sources) for secret in little.SECRETS)  # for autograded/


def test_without_a_sandbox_it_is_the_same_and_says_so() -> None:
    text = "import os\nhere = sorted(os.listdir('.'))\nprint('HERE', here)"
    graded = grade(little.job(submitted=little.with_cell(text), sandbox="none"))
    assert little.marks(graded) == little.POINTS
    assert graded.sandbox == "none"
    assert "HERE ['numbers.csv']" in little.said(graded)


def test_without_a_sandbox_too_nothing_stays_behind() -> None:
    text = "import os, time\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(1000)\nprint('PID', os.getpid())"
    graded = grade(little.job(submitted=little.with_cell(text), sandbox="none"))
    session = int(little.said(graded).split("PID")[1].split()[0])
    assert little.marks(graded) == little.POINTS
    with pytest.raises(ProcessLookupError):
        task.os.kill(session, 0)


@pytest.mark.sandbox
@pytest.mark.parametrize("submitted", [b"", b"{", b"\xff\xfe", b'{"cells": 3}', b"null"])
def test_what_cannot_be_read_waits_for_a_person(submitted: bytes) -> None:
    graded = grade(little.job(submitted=submitted))
    assert set(little.verdicts(graded).values()) == {"ungradable"}
    assert all(question.reason and question.reason.summary for question in graded.result.questions)
    assert graded.executed is None


@pytest.mark.sandbox
def test_a_regrade_judges_the_questions_it_was_asked_for() -> None:
    graded = grade(little.job(submitted=little.submission(little.WRONG), questions=("total", "normalise")))
    assert little.marks(graded) == {"normalise": 1.0, "total": 0.0}
    executed = json.loads(graded.executed or b"")
    (other,) = [cell for cell in executed["cells"] if cell["id"] == "row_means-test"]
    assert other["metadata"]["w251lab"]["outcome"] == "not_run"


def test_our_own_broken_source_is_no_students_fault() -> None:
    with pytest.raises(UnreadableNotebookError):
        grade(replace(little.job(sandbox="none"), source=b"{"))


def test_a_fault_of_the_grader_is_ungradable(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("a bug of ours")

    monkeypatch.setattr(task, "run", fail)
    graded = grade(little.job(sandbox="none"))
    assert set(little.verdicts(graded).values()) == {"ungradable"}
    assert "a bug of ours" in graded.result.questions[0].reason.summary


@pytest.mark.sandbox
def test_parameters_reach_the_notebook_and_files_beside_it_are_private_copies() -> None:
    nb = little.answered()
    little.add_cell(nb, "print('GOT', device, scale)\nopen('numbers.csv', 'w').write('0')", before="essay-text")
    job: Job = little.job(submitted=to_bytes(nb))
    for _ in range(2):
        graded = grade(job)
        assert "GOT cpu small" in little.said(graded)
        assert little.marks(graded) == little.POINTS


@pytest.mark.sandbox
def test_a_students_module_is_found_but_not_in_place_of_what_is_loaded() -> None:
    files = {**little.FILES, "helper.py": b"value = 7", "random.py": b"1 / 0", "sub/data.txt": b"x"}
    text = "import helper, random, os\nprint('GOT', helper.value, random.random() < 1, os.path.exists('sub/data.txt'))"
    graded = grade(little.job(submitted=little.with_cell(text), files=files))
    assert "GOT 7 True True" in little.said(graded)
    assert little.marks(graded) == little.POINTS


FORGED = """
kernel = get_ipython().kernel
def say(kind, **content):
    kernel.session.send(kernel.iopub_socket, kind, content, parent=kernel.get_parent())
say("execute_input", execution_count="many", code="")
say("display_data", data={"text/plain": 5}, metadata={}, transient={})
say("stream", name=["stdout"], text="x")
say("error", ename="E", evalue={}, traceback="none")
print("half of a pair: \\ud800")
"""


@pytest.mark.sandbox
def test_what_no_notebook_can_hold_is_left_out_and_costs_nothing() -> None:
    """The gradebook's writer reads the notebook again: one that it cannot read would stop the whole class."""
    answers = {"row_means": little.RIGHT["row_means"].replace("    return", "    print('\\ud800')\n    return")}
    graded = grade(little.job(submitted=little.with_cell(FORGED, answers)))
    assert little.marks(graded) == little.POINTS
    parse_notebook(graded.executed, "as it ran")
    assert Graded.from_bytes(graded.to_bytes()) == graded
