"""The verbs of the course flow."""

from __future__ import annotations

import typer


def register(app: typer.Typer) -> None:
    """Add the course's verbs to ``app``."""
