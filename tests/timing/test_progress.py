from __future__ import annotations

import io

from rich.console import Console

from w251lab.timing.progress import MeasurementProgress


def test_a_terminal_shows_what_comes_next() -> None:
    screen = io.StringIO()
    with MeasurementProgress(Console(file=screen, force_terminal=True, width=100, color_system=None)) as progress:
        progress(1, 4, "cuML, 1,000 rows")
    assert "cuML, 1,000 rows" in screen.getvalue()
    assert "1/4" in screen.getvalue()


def test_a_file_is_kept_clean() -> None:
    screen = io.StringIO()
    with MeasurementProgress(Console(file=screen)) as progress:
        progress(1, 4, "cuML, 1,000 rows")
    assert screen.getvalue().strip() == ""
