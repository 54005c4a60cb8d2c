from __future__ import annotations

import pytest

from w251lab.course.results import CellProblem, NotebookResult, Outcome, QuestionResult, Verdict


def notebook(*questions: QuestionResult, problems: tuple[CellProblem, ...] = (), ours: bool = True) -> NotebookResult:
    return NotebookResult("lab", "nb", "Title", questions, problems=problems, judged_cells=ours)


PASSED = QuestionResult("a", "a", Verdict.PASSED, 2, 2)
REVIEW = QuestionResult("w", "w", Verdict.AWAITING_REVIEW, 0, 3, manual=True)


def test_points_for_review_count_neither_for_nor_against() -> None:
    found = notebook(PASSED, REVIEW)
    assert (found.earned, found.points, found.review_points, found.ok) == (2, 2, 3, True)


@pytest.mark.parametrize("verdict", [verdict for verdict in Verdict if verdict is not Verdict.PASSED])
def test_only_passed_is_full_marks(verdict: Verdict) -> None:
    assert not notebook(PASSED, QuestionResult("b", "b", verdict, 2, 2)).ok
    assert notebook(QuestionResult("w", "w", verdict, 0, 3, manual=True)).ok is (verdict is Verdict.AWAITING_REVIEW)


def test_cells_count_for_our_solutions_only() -> None:
    problem = CellProblem("demo", Outcome.ERROR)
    assert not notebook(PASSED, problems=(problem,)).ok
    assert notebook(PASSED, problems=(problem,), ours=False).ok
