from __future__ import annotations

from typing import TYPE_CHECKING

from w251lab.bench import terminal

if TYPE_CHECKING:
    import pytest


def test_results_and_complaints_go_apart(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.output().print("a result " + "x" * 200)
    terminal.complaints().print("a complaint")
    said, complained = capsys.readouterr()
    assert said == "a result " + "x" * 200 + "\n", "lines are not broken"
    assert complained == "a complaint\n"
    assert terminal.output().width == 120
