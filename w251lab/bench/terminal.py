"""Where a run's tables and complaints go."""

from __future__ import annotations

import sys

from rich.console import Console


def output() -> Console:
    """For what was asked for."""
    # A file or a CI log has no width of its own: wide enough for the tables.
    return Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 120)


def complaints() -> Console:
    """For what else there is to say."""
    return Console(stderr=True, highlight=False, soft_wrap=True)
