from __future__ import annotations

import io

from rich.console import Console

from w251lab.course.progress import CellProgress


def drawn(*, terminal: bool) -> str:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=terminal, width=100, color_system=None)
    with CellProgress(console) as progress:
        progress("lab1/nb", 0, 8)
        progress("lab1/nb", 5, 8)
        progress("lab2/nb", 1, 3)
        progress._progress.refresh()
    return stream.getvalue()


def test_shows_cells_done_of_all_per_notebook() -> None:
    text = drawn(terminal=True)
    assert "lab1/nb" in text
    assert "5/8" in text
    assert "1/3" in text


def test_is_quiet_when_not_a_terminal() -> None:
    assert drawn(terminal=False).strip() == ""
