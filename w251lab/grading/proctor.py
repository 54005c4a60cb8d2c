"""The grader's end of the guard: sends a test to a kernel, and reads the answer as data."""

from __future__ import annotations

import hmac
import json
import marshal
import select
import signal
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any

from w251lab.grading.guard_steps import TAG_LENGTH, checksum, crypt

if TYPE_CHECKING:
    from collections.abc import Callable

    from w251lab.grading.template import Contained

_ANSWER_LIMIT = 1 << 20
_GRACE = 3.0
_POLL = 200


@dataclass(frozen=True)
class Answer:
    """What the guard said of one test.

    Attributes:
        outcome: ``completed``, ``error``, ``timed_out`` (it was interrupted), ``died``, or ``forged``: the guard cannot
            have given this answer.
        change: What was found replaced, before the test or after it.
        ename: The error's class.
        evalue: The error's text.
        line: The line of the test from which the error came; 0 where that is unknown.
        value: The text of the last expression's value, or empty.
        out: Standard output.
        err: Standard error.
        traceback: Its lines.
    """

    outcome: str
    change: str = ""
    ename: str = ""
    evalue: str = ""
    line: int = 0
    value: str = ""
    out: str = ""
    err: str = ""
    traceback: tuple[str, ...] = ()


def _storable(text: object) -> str:
    """A text that can be written: half of a surrogate pair cannot."""
    return str(text).encode("utf-8", "replace").decode()


class Proctor:
    """The conversation with one kernel's guard.

    Args:
        contained: The kernel.
        key: The secret that it was given at its start.
    """

    def __init__(self, contained: Contained, key: bytes) -> None:
        self.contained, self.key, self.number = contained, key, 0

    def bindable(self, seconds: float) -> frozenset[str] | None:
        """Which names the guard has bound, before any student's code ran; None where it does not answer."""
        content, _ = self._ask(("resolve",), seconds, lambda: False)
        return None if content is None else frozenset(map(str, content))

    def run(self, request: tuple[Any, ...], seconds: float, cancelled: Callable[[], bool]) -> Answer:
        """Run one test for at most ``seconds``, then interrupt it, then kill the kernel."""
        content, how = self._ask(request, seconds, cancelled)
        if content is None:
            return Answer(how)
        if len(content) < 8:
            return Answer("forged")
        change, outcome, ename, evalue, at, value, out, err = map(_storable, content[:8])
        return Answer(
            how if how == "timed_out" else outcome if outcome in ("completed", "error") else "forged",
            change,
            ename[:200],
            evalue,
            int(at) if at.isascii() and at.isdigit() and len(at) < 9 else 0,
            value,
            out,
            err,
            tuple(map(_storable, content[8:])),
        )

    def _ask(
        self, request: tuple[Any, ...], seconds: float, cancelled: Callable[[], bool]
    ) -> tuple[list[Any] | None, str]:
        number = self.number
        self.number += 1
        hidden = crypt(self.key, number, marshal.dumps(request))
        data = checksum(self.key, number, b"request" + hidden) + hidden
        try:
            self.contained.grader.sendall(len(data).to_bytes(4, "big") + data)
        except OSError:
            return None, "died"
        whole, how = self._read(seconds, cancelled)
        if whole is None:
            return None, how
        tag, content = whole[:TAG_LENGTH], whole[TAG_LENGTH:]
        if not hmac.compare_digest(tag, checksum(self.key, number, b"answer" + content)):
            return None, "forged"
        try:
            said = json.loads(content)
        except (ValueError, RecursionError):
            return None, "forged"
        return (said, how) if isinstance(said, list) else (None, "forged")

    def _read(self, seconds: float, cancelled: Callable[[], bool]) -> tuple[bytes | None, str]:
        """The bytes of an answer, and ``timed_out`` where they came after an interrupt."""
        data, need, how = b"", 4, "answered"
        deadline = monotonic() + seconds
        poll = select.poll()
        poll.register(self.contained.grader, select.POLLIN)
        poll.register(self.contained.life, select.POLLIN)
        while len(data) < need:
            events = dict(poll.poll(_POLL))
            if self.contained.grader.fileno() in events:
                part = self.contained.grader.recv(need - len(data))
                if not part:
                    return None, "timed_out" if how == "timed_out" else "died"
                data += part
                if len(data) == 4 and need == 4:
                    need += int.from_bytes(data, "big")
                    if need > _ANSWER_LIMIT:
                        return None, "forged"
                continue
            if events:
                return None, "timed_out" if how == "timed_out" else "died"
            if monotonic() >= deadline or cancelled():
                if how == "timed_out":
                    self.contained.signal(signal.SIGKILL)
                    return None, "timed_out"
                how, deadline = "timed_out", monotonic() + _GRACE
                self.contained.signal(signal.SIGINT)
        return data[4:], how
