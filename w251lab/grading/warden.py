"""The process beside a student's kernel, inside its sandbox: starts it, watches what it uses, reaps what it leaves.

In a PID namespace of its own it is process 1: when it ends, the kernel (of the operating system) ends all others.
"""

from __future__ import annotations

import os
import resource
import select
import signal
import traceback
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from w251lab.grading import isolate, wire

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

_POLL = 0.1
_LOG_TAIL = 2000
#: A folder in /proc, and the numbers in its ``status``.
Told = tuple[str, dict[str, int]]


@dataclass
class Watch:
    """Limits of a submission, and what was seen of it.

    Attributes:
        memory: Bytes of memory over all processes, files in memory included.
        processes: Processes and threads.
        log_limit: Bytes that may be written to the log.
        everything: Whether every process in sight belongs to the submission (a PID namespace of its own).
    """

    memory: int
    processes: int
    log_limit: int
    everything: bool
    log: bytes = b""
    logged: int = 0
    why: str = ""

    def look(self) -> str:
        """Why the submission has to end now; empty where it keeps its limits."""
        seen = [told for pid in self.members() if (told := _look_at(pid)) is not None]
        # What a process has in common with others is told by the system only after it has walked through all of its
        # pages. The quick answer may lag behind by some, so half of the limit is enough to ask.
        if self._memory(seen, _at_most) > self.memory / 2 and self._memory(seen, _exactly) > self.memory:
            return f"it used more than {self.memory / 1024**2:,.0f} MiB of memory, so it was stopped"
        if sum(status.get("Threads", 0) for _, status in seen) > self.processes:
            return f"it had more than {self.processes} processes and threads, so it was stopped"
        if self.logged > self.log_limit:
            return f"it wrote more than {self.log_limit:,} bytes past Jupyter, so it was stopped"
        return ""

    def members(self) -> list[int]:
        """The submission's processes."""
        parents = {}
        for name in os.listdir("/proc"):  # noqa: PTH208 - ten times a second: names are enough
            if name.isdigit():
                with suppress(OSError, IndexError, ValueError):
                    stat = Path(f"/proc/{name}/stat").read_bytes()
                    parents[int(name)] = int(stat.rpartition(b")")[2].split()[1])
        me = os.getpid()
        if self.everything:
            return [pid for pid in parents if pid not in (1, me)]
        found, fresh = [], [me]
        while fresh:
            fresh = [pid for pid, parent in parents.items() if parent in fresh]
            found += fresh
        return found

    def _memory(self, seen: list[Told], measure: Callable[[Told], tuple[int, int]]) -> int:
        """Bytes that all processes use together, files in memory included, by one of the two measures below."""
        own = shared = 0
        for told in seen:
            anonymous, named = measure(told)
            own += anonymous + _memory_files(told[0])
            shared += named
        return own + (max(shared, self._files()) if self.everything else shared)

    @staticmethod
    def _files() -> int:
        """Bytes in the submission's private file systems, which are in memory, and in System V shared memory."""
        total = 0
        for folder in ("/tmp", os.environ.get("HOME", "/"), "/dev/shm"):  # noqa: S108 - the sandbox's own
            with suppress(OSError):
                space = os.statvfs(folder)
                total += (space.f_blocks - space.f_bfree) * space.f_frsize
        with suppress(OSError, ValueError, IndexError):
            for line in Path("/proc/sysvipc/shm").read_text().splitlines()[1:]:
                total += int(line.split()[14])
        return total


def _look_at(pid: int) -> Told | None:
    """A process's folder in /proc and its status; None where it has ended.

    One whose first thread has ended, and others have not, looks like a dead one there, and uses memory all the same:
    then it is the folder of a thread that lives.
    """
    folder = f"/proc/{pid}"
    try:
        status = _fields(f"{folder}/status")
        if "RssAnon" in status or status.get("Threads", 0) < 2:
            return folder, status
        threads = os.listdir(f"{folder}/task")  # noqa: PTH208
    except (OSError, ValueError):
        return None
    for thread in threads:
        with suppress(OSError, ValueError):
            told = _fields(f"{folder}/task/{thread}/status")
            if "RssAnon" in told:
                return f"{folder}/task/{thread}", told
    return folder, status


def _at_most(told: Told) -> tuple[int, int]:
    """Bytes of a process's own memory, and of memory that it shares by name: each page in full."""
    _, status = told
    return status.get("RssAnon", 0) * 1024, status.get("RssShmem", 0) * 1024


def _exactly(told: Told) -> tuple[int, int]:
    """The same, with pages that a fork has in common with others counted once in all."""
    folder, _ = told
    with suppress(OSError, KeyError, ValueError):
        rollup = _fields(f"{folder}/smaps_rollup")
        return rollup["Pss_Anon"] * 1024, rollup["Pss_Shmem"] * 1024
    # It has made itself unreadable, or the system is an old one; or it has ended since, and uses nothing any more.
    with suppress(OSError, ValueError):
        return _at_most((folder, _fields(f"{folder}/status")))
    return 0, 0


def _fields(path: str) -> dict[str, int]:
    """The lines ``name: number ...`` of a file in /proc."""
    found = {}
    for line in Path(path).read_text(errors="replace").splitlines():
        name, _, value = line.partition(":")
        number = value.split(maxsplit=1)[:1]
        if number and number[0].isdigit():
            found[name] = int(number[0])
    return found


def _memory_files(process: str) -> int:
    """Bytes in files that exist in memory and in no folder (memfd_create), by the process's folder in /proc."""
    total, seen = 0, set()
    folder = f"{process}/fd"
    with suppress(OSError):
        for name in os.listdir(folder):  # noqa: PTH208
            with suppress(OSError):
                path = f"{folder}/{name}"
                if os.readlink(path).startswith("/memfd:"):  # noqa: PTH115
                    found = os.stat(path)  # noqa: PTH116
                    if found.st_ino not in seen:
                        seen.add(found.st_ino)
                        total += found.st_blocks * 512
    return total


def keep(life: socket.socket, spec: dict[str, Any], kernel: Callable[[int], None], *, everything: bool) -> None:
    """Fork the student's kernel, watch it to its end, tell the grader, and exit. Does not return.

    Args:
        life: Where the grader is told; the kernel does not get it.
        spec: ``memory``, ``processes`` and ``log_limit``.
        kernel: Called in the child with the file descriptor of its log; must not return.
        everything: See `Watch`.
    """
    reading, writing = os.pipe()
    isolate.adopt_orphans()
    pid = os.fork()
    if pid == 0:
        life.close()
        os.close(reading)
        try:
            kernel(writing)
        except BaseException:  # noqa: BLE001 - its last words go to the log
            os.write(2, traceback.format_exc().encode()[-_LOG_TAIL:])
        finally:
            os._exit(70)
    os.close(writing)
    watch = Watch(spec["memory"], spec["processes"], spec["log_limit"], everything)
    status = _until_it_ends(pid, reading, life, watch)
    _end_all(watch)
    use = resource.getrusage(resource.RUSAGE_CHILDREN)
    with suppress(OSError):
        wire.send(
            life,
            {
                "exit": os.waitstatus_to_exitcode(status),
                "cpu": round(use.ru_utime + use.ru_stime, 3),
                "why": watch.why,
                "log": watch.log.decode(errors="replace"),
            },
        )
    os._exit(0)


def _until_it_ends(pid: int, log: int, life: socket.socket, watch: Watch) -> int:
    """Watch the kernel until it is gone. Returns its wait status."""
    os.set_blocking(log, False)
    poll = select.poll()
    handle = os.pidfd_open(pid)
    poll.register(handle, select.POLLIN)
    poll.register(log, select.POLLIN)
    poll.register(life, select.POLLIN)
    next_look = 0.0
    while True:
        events = dict(poll.poll(_POLL * 1000))
        if log in events:
            part = _read(log)
            watch.logged += len(part)
            watch.log = (watch.log + part)[-_LOG_TAIL:]
            if not part:
                poll.unregister(log)
        if life.fileno() in events:  # the grader has hung up, or says by any message that it is over
            os.kill(pid, signal.SIGKILL)
            poll.unregister(life)
        if handle in events:
            status = os.waitpid(pid, 0)[1]
            watch.log = (watch.log + _read(log))[-_LOG_TAIL:]
            return status
        if monotonic() >= next_look:
            _reap(pid)
            if not watch.why and (why := watch.look()):
                watch.why = why
                os.kill(pid, signal.SIGKILL)
                _kill(watch.members())
            next_look = monotonic() + _POLL


def _read(log: int) -> bytes:
    try:
        return os.read(log, 1 << 16)
    except BlockingIOError:
        return b""


def _reap(kernel: int) -> None:
    """Collect orphans that have ended, but not the kernel's own process: its status is wanted."""
    with suppress(ChildProcessError):
        while (found := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)) is not None:
            if found.si_pid == kernel:
                return
            os.waitpid(found.si_pid, os.WNOHANG)


def _end_all(watch: Watch) -> None:
    """Kill what the kernel has left behind, again and again: a fork bomb makes new ones meanwhile."""
    deadline = monotonic() + 5
    while monotonic() < deadline:
        left = watch.members()
        if not left:
            return
        _kill(left)
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def _kill(pids: list[int]) -> None:
    for pid in pids:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
