"""Take out of a text what only the hidden tests say: a student's page must not show it.

The grader's own reasons say nothing of hidden tests. This is the second lock: an error's text can hold whatever a
student's code made of the values that a hidden test gave it.
"""

from __future__ import annotations

import builtins
import keyword
import re
from typing import TYPE_CHECKING

from w251lab.course.notebook import cells, parse_notebook
from w251lab.grading.matching import read_lab

if TYPE_CHECKING:
    from collections.abc import Iterable

#: What stands in place of something hidden.
GAP = "…"
_SHORTEST = 4  # letters of a line that says something: a bracket alone does not
_WORD = re.compile(r"\d+\.\d+|\w+")
#: The numbers of cells and lines in a traceback, and the class at the begin of an error's line.
_NUMBERS = re.compile(r"In\s?\[\d+\]|\bline \d+|^[- >]*\d+(?= |$)", re.MULTILINE)
_TEST_LINE = re.compile(r'File "<test (?P<test>[^"]+)>", line (?P<number>\d{1,6})')
_CLASS = re.compile(r"\b[A-Za-z_]\w*(?:Error|Exception|Warning|Exit|Interrupt)\b")
_STRING = re.compile(r"'([^'\n]{2,})'|\"([^\"\n]{2,})\"")
_ALWAYS = {*dir(builtins), *keyword.kwlist, *keyword.softkwlist, "py", "line", "File", "Cell", "In"}


class Redactor:
    """Knows what only the hidden tests of one notebook say, against what its student has seen or written.

    Args:
        source: The lab's notebook with the hidden tests, in canonical bytes.
        executed: The student's notebook as it ran; what they wrote themselves is no secret. None where there is none.
    """

    def __init__(self, source: bytes, executed: bytes | None) -> None:
        lab = read_lab(source)
        seen = list(lab.released.values())
        if executed is not None:
            own = [cell.source for cell in cells(parse_notebook(executed, "the notebook that was run"))]
            locked = {cell.source for cell in lab.cells if cell.is_locked}
            seen += [text for text in own if text not in locked]
        hidden = [
            line for cell in lab.cells if cell.is_test for line in _hidden_lines(cell.source, lab.released[cell.key])
        ]
        visible = "\n".join(seen)
        words = _words(_STRING.sub("", line) for line in hidden) - _words(seen) - _ALWAYS
        strings = {text for line in hidden for text in _strings(line) if text not in visible}
        self._tests = {cell.grade_id: cell.source.splitlines() for cell in lab.cells if cell.is_test}
        self._lines = {line for line in hidden if len(line) >= _SHORTEST}
        parts = [re.escape(text) for text in sorted(strings, key=len, reverse=True)]
        parts += [rf"(?<!\w){re.escape(word)}(?!\w)" for word in sorted(words, key=len, reverse=True)]
        self._secret = re.compile("|".join(parts)) if parts else None

    def __call__(self, text: str) -> str:
        """The text with a gap for each hidden line, name, number and piece of text."""
        kept = [GAP if self._is_hidden(line) else line for line in text.splitlines()]
        clean = "\n".join(kept)
        return clean if self._secret is None else self._secret.sub(GAP, clean)

    def error(self, summary: str, traceback: str) -> tuple[str, str]:
        """An error's line and traceback as they may be shown: of one that came from a hidden test only its class.

        A traceback may show hidden lines around a visible one that failed: they are taken out. Where the failing line
        itself is hidden, or the error's text holds something hidden, what else it says may be made of hidden values.
        """
        lines = [line for given in traceback.splitlines() for line in self._with_test_line(given)]
        hidden = [line for line in lines if self._is_hidden(line)]
        shown = "\n".join(line for line in lines if not self._is_hidden(line))
        numbered = _NUMBERS.sub("", f"{shown}\n{summary}")
        failed_there = any(line.lstrip().startswith("--") for line in hidden)
        if not failed_there and (self._secret is None or not self._secret.search(numbered)):
            return summary, shown
        name = _CLASS.search(summary)
        return f"{self(name[0]) if name else 'An error'} in a hidden test", ""

    def _with_test_line(self, line: str) -> list[str]:
        """A traceback's line, and under one that names a line of a test that line's text, which the kernel lacks."""
        found = _TEST_LINE.search(line)
        source = self._tests.get(found["test"], []) if found else []
        number = int(found["number"]) if found else 0
        return [line, f"    {source[number - 1].strip()}"] if 0 < number <= len(source) else [line]

    def _is_hidden(self, line: str) -> bool:
        return any(hidden in line for hidden in self._lines)


def _hidden_lines(source: str, released: str) -> list[str]:
    """The lines of a test that its released form does not have."""
    seen = {line.strip() for line in released.splitlines()}
    return [line.strip() for line in source.splitlines() if line.strip() and line.strip() not in seen]


def _words(texts: Iterable[str]) -> set[str]:
    return {word for text in texts for word in _WORD.findall(text)}


def _strings(line: str) -> list[str]:
    return [first or second for first, second in _STRING.findall(line)]
