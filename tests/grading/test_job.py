from __future__ import annotations

import json
import pickle
from dataclasses import replace

import little_course as little
import pytest

from w251lab.course.results import CellProblem, NotebookResult, Outcome, QuestionResult, Reason, TestResult, Verdict
from w251lab.grading.job import Graded, GradedFormatError, Limits

OTHER = {
    "student": "bob",
    "lab": "02",
    "notebook": "n",
    "submitted": b"x",
    "source": b"y",
    "files": {"numbers.csv": b"3"},
    "parameters": {"device": "gpu"},
    "limits": Limits(memory=1),
    "sandbox": "none",
    "gpu": "0",
    "questions": ("total",),
    "needs": ("triton-server",),
}


def graded() -> Graded:
    tests = (TestResult("t", Verdict.FAILED, 0.5, 2.0, 0.1, Reason("AssertionError: é", "a\nb")),)
    question = QuestionResult("q", "Q", Verdict.FAILED, 0.5, 2.0, seconds=0.2, reason=Reason("no"), tests=tests)
    manual = QuestionResult("m", "M", Verdict.AWAITING_REVIEW, 0.0, 2.0, manual=True)
    problem = CellProblem("own", Outcome.KERNEL_DIED, Reason("SIGKILL"))
    result = NotebookResult(
        "01", "n", "N", (question, manual), 1.5, "cpu", 3, 2, (problem,), ("restored",), judged_cells=False
    )
    return Graded("ada", "01", "n", "f" * 64, result, '{"é": 1}'.encode(), ("put back",), "none", 2.0, 1.0, "host/1")


def test_everything_comes_back_from_json() -> None:
    assert Graded.from_bytes(graded().to_bytes()) == graded()
    assert json.loads(graded().to_bytes())["result"]["questions"][0]["verdict"] == "failed"


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b"null", b'{"version": 1}', b"\xff", b"[" * 100_000])
def test_damaged_bytes_are_refused(damage: bytes) -> None:
    with pytest.raises(GradedFormatError):
        Graded.from_bytes(damage)


def test_a_cut_journal_entry_and_another_version_are_refused() -> None:
    whole = graded().to_bytes()
    for content in (whole[:-1], whole[: len(whole) // 2], whole.replace(b'"version": 1', b'"version": 0')):
        with pytest.raises(GradedFormatError):
            Graded.from_bytes(content)


@pytest.mark.parametrize("name", OTHER)
def test_what_decides_the_result_is_in_the_fingerprint(name: str) -> None:
    job = little.job()
    assert replace(job, **{name: OTHER[name]}).fingerprint != job.fingerprint


def test_what_does_not_decide_is_not_in_the_fingerprint_and_a_job_travels() -> None:
    job = little.job(gpu="0")
    assert replace(job, gpu="1", imports=()).fingerprint == job.fingerprint
    assert pickle.loads(pickle.dumps(job)) == job  # noqa: S301 - as dask sends it
    assert (
        replace(job, files=dict(reversed([*job.files.items(), ("a", b"")]))).fingerprint
        == replace(job, files=job.files | {"a": b""}).fingerprint
    )


def test_the_little_course_releases_no_secret() -> None:
    assert all(secret.encode() in little.source_bytes() for secret in little.SECRETS)
    assert not any(secret.encode() in little.released_bytes() for secret in little.SECRETS)
