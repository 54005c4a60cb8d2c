"""The process between a lab and its server: it ends the server when the lab ends, however the lab ends.

Run as a script with nothing but the standard library, by :mod:`w251lab.triton.server`::

    python supervisor.py PARENT_PID SHM_PREFIX RUN_FOLDER GRACE_SECONDS -- tritonserver ...

A notebook's kernel may be killed with SIGKILL, which no handler sees, and a server left behind keeps its ports, its
memory and its shared-memory blocks. So the supervisor, not the lab, owns the server. It stops it when its standard
input closes (the lab holds the other end), when its parent is no longer the lab, or on SIGTERM; it adopts and kills
the python backend's stubs, and removes what the server left in shared memory. Its exit status is the server's.
"""

from __future__ import annotations

import ctypes
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
POLL_SECONDS = 0.1


def _prctl(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl failed")


def _die() -> None:
    """In the server, before it starts: the kernel kills it if the supervisor itself is killed."""
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _children() -> list[int]:
    text = Path(f"/proc/self/task/{os.getpid()}/children").read_text()
    return [int(word) for word in text.split()]


def _kill_children() -> None:
    """Kill every process that the server left behind: as a subreaper, this process inherits them."""
    deadline = time.monotonic() + 5
    while (pids := _children()) and time.monotonic() < deadline:
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        for pid in pids:
            os.waitpid(pid, 0)


def _stop(server: subprocess.Popen[bytes], grace: float) -> None:
    """Ask the server to end, and make it end after ``grace`` seconds."""
    server.terminate()
    try:
        server.wait(grace)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def _parent_is_gone(parent: int) -> bool:
    if os.getppid() != parent:
        return True
    readable, _, _ = select.select([0], [], [], POLL_SECONDS)
    return bool(readable) and os.read(0, 4096) == b""


def supervise(parent: int, shm_prefix: str, run_folder: Path, grace: float, command: list[str]) -> int:
    """Run ``command`` until it ends or ``parent`` does; clean up; return the server's exit status.

    Args:
        parent: Process id of the lab.
        shm_prefix: Prefix of the names of the server's blocks in /dev/shm.
        run_folder: The run's own folder, removed at the end when the parent is no longer there to do it.
        grace: Seconds between SIGTERM and SIGKILL.
        command: The server's command line.
    """
    stopping = False

    def on_signal(_signum: int, _frame: object) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _prctl(PR_SET_CHILD_SUBREAPER, 1)
    orphaned = False
    # preexec_fn is safe here: this process has one thread.
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, preexec_fn=_die) as server:  # noqa: PLW1509
        while server.poll() is None:
            orphaned = _parent_is_gone(parent)
            if orphaned or stopping:
                _stop(server, grace)
    _kill_children()
    for block in Path("/dev/shm").glob(f"{shm_prefix}*"):  # noqa: S108
        block.unlink(missing_ok=True)
    if orphaned:
        shutil.rmtree(run_folder, ignore_errors=True)
    return server.returncode


if __name__ == "__main__":
    _parent, _prefix, _folder, _grace, _, *_command = sys.argv[1:]
    status = supervise(int(_parent), _prefix, Path(_folder), float(_grace), _command)
    sys.exit(status if status >= 0 else 128 - status)
