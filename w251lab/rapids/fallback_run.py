"""The process in which a script runs under an accelerator: start it, wait, end it, read its answer."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from w251lab.errors import W251Error

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_LINES = 12  # of a traceback that is shown


@dataclass(frozen=True)
class Ran:
    """A script that ran to its end.

    Attributes:
        answer: ``steps``, ``seconds`` and ``versions``, as :mod:`w251lab.rapids.fallback_child` wrote them.
        output: What it printed.
    """

    answer: dict[str, Any]
    output: str


def run(
    script: Path, kind: str, args: Sequence[str], timeout: float, environment: Mapping[str, str] | None = None
) -> Ran:
    """Run ``script`` in a process of its own under the accelerator ``kind``.

    Args:
        script: Absolute.
        kind: A name that the child knows.
        args: For the script.
        timeout: Seconds after which it, and all that it started, is killed.
        environment: Variables for the child, in addition to this process's.

    Raises:
        W251Error: It failed, or did not end in time.
    """
    with tempfile.TemporaryDirectory(prefix="w251lab-profile-") as folder:
        answer, out, err = (Path(folder) / name for name in ("answer.json", "output.txt", "errors.txt"))
        child = [sys.executable, "-P", "-m", "w251lab.rapids.fallback_child", str(answer), kind, str(script), *args]
        # Files, not pipes: a process that the script leaves behind would hold a pipe open.
        with out.open("wb") as stdout, err.open("wb") as stderr:
            code = _wait(child, stdout, stderr, timeout, os.environ | (environment or {}))
        output, said = _read(out), _read(err)
        if code is None:
            raise W251Error(
                f"{script.name} did not end within {timeout:g} s under {kind}{_tail(said)}",
                "give it less to do, or more time: profile(..., timeout=...)",
            )
        if code or not answer.exists():
            raise W251Error(
                f"{script.name} failed under {kind}: it ended {_how(code)}{_tail(said)}",
                "see that it runs without the accelerator: python " + script.name,
            )
        sys.stderr.write(said)
        found: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
    return Ran(found, output)


def _wait(child: Sequence[str], stdout: Any, stderr: Any, timeout: float, environment: Mapping[str, str]) -> int | None:
    """The exit status; None after the time is over. Nothing that the child started outlives this call."""
    # A session of its own, so that all of it can be ended.
    process = subprocess.Popen(
        child, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, env=environment, start_new_session=True
    )
    try:
        return process.wait(timeout)
    except subprocess.TimeoutExpired:
        return None
    finally:
        with contextlib.suppress(ProcessLookupError):  # it left nobody behind
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _read(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="replace")


def _how(code: int) -> str:
    if code < 0:
        return f"by {signal.Signals(-code).name}"
    return f"with exit status {code}" if code else "before its profile was written"


def _tail(said: str) -> str:
    lines = [line for line in said.splitlines() if line.strip()][-_LINES:]
    return (":\n" + "\n".join(f"    {line}" for line in lines)) if lines else ", and said nothing"
