"""Figures put into a document between two markers: a script that measures again replaces its own and no more."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def markers(name: str) -> tuple[str, str]:
    """The lines between which the section of that name stands."""
    return f"<!-- {name}: begin -->", f"<!-- {name}: end -->"


def update(document: Path, name: str, text: str) -> None:
    """Put ``text`` between the markers of that name in ``document``.

    Raises:
        SystemExit: It has no such markers.
    """
    begin, end = markers(name)
    old = document.read_text() if document.exists() else ""
    new, count = re.subn(f"({begin}\n).*?({end})", lambda m: f"{m[1]}{text}\n{m[2]}", old, flags=re.DOTALL)
    if count != 1:
        raise SystemExit(f"{document} does not hold the lines {begin} and {end} once.")
    document.write_text(new)
