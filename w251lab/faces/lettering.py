"""Words on a figure, whatever letters they are in.

matplotlib brings DejaVu Sans along, which has the Latin, Greek and Cyrillic letters and many more. For others the first
font of this machine that has them is taken; a letter that none has is drawn as matplotlib's box for missing ones.
"""

from __future__ import annotations

import functools
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from matplotlib import font_manager

if TYPE_CHECKING:
    from collections.abc import Iterator

FAMILY: Final = "DejaVu Sans"


def families(words: str) -> list[str]:
    """The fonts that ``words`` need, as matplotlib takes them: the usual one, and those for what it lacks."""
    missing = {ord(letter) for letter in words if not letter.isspace()} - _letters(_usual())
    found = [FAMILY]
    if missing:
        for entry in font_manager.fontManager.ttflist:
            if entry.name.startswith("Last Resort"):  # matplotlib's boxes, which it takes by itself
                continue
            if has := missing & _letters(entry.fname):
                found.append(entry.name)
                missing -= has
            if not missing:
                break
    return found


@contextmanager
def drawing() -> Iterator[None]:
    """While a figure is drawn: matplotlib does not warn of letters that are drawn as boxes."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from", category=UserWarning)
        yield


def _usual() -> str:
    return font_manager.findfont(FAMILY)


@functools.cache
def _letters(file: str) -> frozenset[int]:
    return frozenset(font_manager.get_font(file).get_charmap())
