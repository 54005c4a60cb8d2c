"""What must not go on in the process while the clock runs: collecting garbage, and another measurement."""

from __future__ import annotations

import contextlib
import gc
import threading
from typing import TYPE_CHECKING

from w251lab.errors import W251Error
from w251lab.timing.placement import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def no_collection() -> Iterator[None]:
    """Let Python's cyclic garbage collector rest, if it was at work."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


_busy = threading.Lock()
_running = ""


@contextlib.contextmanager
def alone(name: str) -> Iterator[None]:
    """One measurement at a time in this process: a second would be counted into the first, and slow it down."""
    global _running  # noqa: PLW0603  # it belongs to the lock
    if not _busy.acquire(blocking=False):
        raise W251Error(
            f"{quoted(name)} was to be measured while {_running} is being measured",
            "measure one after the other: take the inner measurement out of the measured function, and wait for the "
            "one in another thread",
        )
    _running = quoted(name)
    try:
        yield
    finally:
        _running = ""
        _busy.release()
