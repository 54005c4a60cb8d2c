"""The process between a lab and its server: it ends the server when the lab ends, however the lab ends.

Run as a script with nothing but the standard library, by :mod:`w251lab.triton.server`::

    python supervisor.py PARENT_PID SHM_PREFIX GRACE_SECONDS HTTP_ADDRESS FOLDER... -- tritonserver ...

A notebook's kernel may be killed with SIGKILL, which no handler sees, and a server left behind keeps its ports, its
memory and its shared-memory blocks. So the supervisor, not the lab, owns the server. It stops it when its standard
input closes (the lab holds the other end), when its parent is no longer the lab, or on SIGTERM; it adopts and kills
the python backend's stubs, and removes what the server left in shared memory. Its exit status is the server's.
"""

from __future__ import annotations

import ctypes
import http.client
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
import urllib.parse
from pathlib import Path

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
POLL_SECONDS = 0.1
# Triton's python backend makes an empty folder of this name at its start, whatever TMPDIR says, and leaves it there if
# it is killed.
BACKEND_FOLDERS = Path("/tmp"), "python_env_*"  # noqa: S108
STARTS_WITHIN = 10.0  # seconds: a server has made its folder by then


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


def _stop(server: subprocess.Popen[bytes], grace: float, http_address: str) -> None:
    """Have the models finalize and the server end, and make it end after ``grace`` seconds.

    Asked to end, Triton waits for the requests under way, then for every open HTTP connection (an idle one of a lab's
    client holds it up for as long as it may), then has each model's stub finalize and end, then sleeps whole seconds
    between looks at whether that is done. So the models are unloaded first, and with its last stub gone there is
    nothing left to lose: the server is killed then.
    """
    deadline = time.monotonic() + grace
    _unload_all(http_address)
    server.terminate()
    looks_without_stubs = 0
    while server.poll() is None and time.monotonic() < deadline and looks_without_stubs < 3:
        looks_without_stubs = 0 if _has_children(server.pid) else looks_without_stubs + 1
        time.sleep(0.02)
    server.kill()
    server.wait()


def _unload_all(http_address: str) -> None:
    """Order the server to unload its models; it goes about it while this returns."""
    connection = http.client.HTTPConnection(http_address, timeout=2)
    try:
        for name in [entry["name"] for entry in json.loads(_post(connection, "index", b'{"ready": true}'))]:
            _post(connection, f"models/{urllib.parse.quote(name, safe='')}/unload")
    except (OSError, http.client.HTTPException, ValueError, TypeError, KeyError) as error:
        # It does not listen yet, or not any more: the signal that follows does as well, and takes longer.
        sys.stderr.write(f"the models were not unloaded first: {error!r}\n")
    finally:
        connection.close()


def _post(connection: http.client.HTTPConnection, path: str, body: bytes = b"{}") -> bytes:
    """What the server's model repository extension answers."""
    connection.request("POST", f"/v2/repository/{path}", body)
    return connection.getresponse().read()


def _has_children(pid: int) -> bool:
    """Whether any thread of a process has a child process."""
    try:
        return any(file.read_text().strip() for file in Path(f"/proc/{pid}/task").glob("*/children"))
    except OSError:  # a thread that ended between listing and reading: look again
        return True


def _parent_is_gone(parent: int) -> bool:
    if os.getppid() != parent:
        return True
    readable, _, _ = select.select([0], [], [], POLL_SECONDS)
    return bool(readable) and os.read(0, 4096) == b""


def remove_shared_memory(prefix: str) -> None:
    """Remove the blocks of shared memory whose names begin with ``prefix``."""
    for block in Path("/dev/shm").glob(f"{prefix}*"):  # noqa: S108
        block.unlink(missing_ok=True)


def _backend_folders() -> set[Path]:
    folder, pattern = BACKEND_FOLDERS
    return set(folder.glob(pattern))


def _remove_backend_folders(others: set[Path], started: float) -> None:
    """Remove the empty folders that were made while this server started, unless they were there before."""
    for folder in _backend_folders() - others:
        try:
            status = folder.stat()
            if status.st_uid == os.getuid() and started - 1 <= status.st_ctime <= started + STARTS_WITHIN:
                folder.rmdir()
        except OSError:  # another server's supervisor was quicker, or it holds a packed environment: not ours
            continue


def supervise(
    command: list[str], *, parent: int, shm_prefix: str, grace: float, http_address: str, folders: list[Path]
) -> int:
    """Run ``command`` until it ends or ``parent`` does; clean up; return the server's exit status.

    Args:
        command: The server's command line.
        parent: Process id of the lab.
        shm_prefix: Prefix of the names of the server's blocks in /dev/shm.
        grace: Seconds that a stop may take until the server is killed.
        http_address: Where the server listens for HTTP.
        folders: The run's own folders, removed at the end when the parent is no longer there to do it.

    Returns:
        The server's exit status; 0 if it was asked to stop.
    """
    stopping = False

    def on_signal(_signum: int, _frame: object) -> None:
        nonlocal stopping
        stopping = True

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, on_signal)
    _prctl(PR_SET_CHILD_SUBREAPER, 1)
    orphaned = False
    others, started = _backend_folders(), time.time()
    # The server's own lines go where this process's do. Its standard input is not ours.
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, preexec_fn=_die) as server:  # noqa: PLW1509
        while server.poll() is None:
            orphaned = _parent_is_gone(parent)
            if orphaned or stopping:
                _stop(server, grace, http_address)
    _kill_children()
    remove_shared_memory(shm_prefix)
    _remove_backend_folders(others, started)
    # A parent that died while the server was stopping, or right after the server, removes nothing either.
    if orphaned or os.getppid() != parent:
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)
    return 0 if orphaned or stopping else server.returncode


if __name__ == "__main__":
    _separator = sys.argv.index("--")
    _parent, _prefix, _grace, _http, *_folders = sys.argv[1:_separator]
    status = supervise(
        sys.argv[_separator + 1 :],
        parent=int(_parent),
        shm_prefix=_prefix,
        grace=float(_grace),
        http_address=_http,
        folders=[Path(folder) for folder in _folders],
    )
    sys.exit(status if status >= 0 else 128 - status)
