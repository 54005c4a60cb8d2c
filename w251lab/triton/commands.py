"""The verbs that start a server and speak to one."""

from __future__ import annotations

import typer


def register(app: typer.Typer) -> None:
    """Add the server's verbs to ``app``."""
