"""Processes that have imported a lab's libraries and fork a kernel for each submission: the grader's end of them.

One is kept for each notebook and worker process. It is started by a thread that lives as long as the process, because
the operating system's "die with the parent" means the parent's thread.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Any

from w251lab.course.kernel import kernel_environment
from w251lab.grading import sandbox, wire
from w251lab.grading.job import SandboxError

if TYPE_CHECKING:
    from pathlib import Path

    from w251lab.grading.job import SandboxKind

#: Seconds until a template has done its imports, and until a fork of it answers.
STARTUP = 180.0
_END = 5.0
_launcher = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sandboxes")


@dataclass
class Contained:
    """One kernel in its sandbox.

    Attributes:
        folder: Of its sockets, outside.
        grader: The connection of the tests.
        exit_code: Of the kernel, once it is known.
        why: Why it was stopped, where it was stopped for what it used.
        cpu_seconds: CPU time of all its processes, once they are gone.
        log: The end of what it wrote past Jupyter.
    """

    folder: Path
    life: socket.socket
    grader: socket.socket
    warden_pid: int
    kernel_pid: int
    host: Template | None = None
    exit_code: int | None = None
    why: str = ""
    cpu_seconds: float = 0.0
    log: str = ""
    _handles: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Hold on to the processes: an id may be given to another one later, a handle may not."""
        for pid in (self.kernel_pid, self.warden_pid):
            try:
                self._handles.append(os.pidfd_open(pid))
            except ProcessLookupError:
                self._handles.append(-1)

    def poll(self) -> int | None:
        """The kernel's exit status once it is gone with all its processes, else None."""
        if self.exit_code is None and _readable(self.life, 0):
            self._hear()
        return self.exit_code

    def _hear(self) -> None:
        """The warden's last words, or its silence."""
        try:
            message = wire.receive(self.life, 1 << 20)
        except (ValueError, OSError):
            message = None
        self.exit_code = -signal.SIGKILL
        if message is not None and "exit" in message:
            self.exit_code = int(message["exit"])
            self.cpu_seconds = float(message["cpu"])
            self.why, self.log = str(message["why"])[:500], str(message["log"])
        elif message is not None:
            self.log = str(message.get("failed", ""))

    def signal(self, number: int) -> None:
        """Send the kernel's process a signal."""
        if self._handles and self._handles[0] >= 0:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._handles[0], number)

    def end(self) -> None:
        """Kill the kernel and everything beside it, and wait until all of it is gone. May be called again."""
        if not self._handles:
            return
        self.signal(signal.SIGKILL)
        if self.exit_code is None and _readable(self.life, _END):
            self._hear()
        warden = self._handles[1]
        if warden >= 0:
            if not _readable(warden, _END / 5):
                with suppress(ProcessLookupError):
                    signal.pidfd_send_signal(warden, signal.SIGKILL)
            _readable(warden, _END)
        for handle in self._handles:
            if handle >= 0:
                os.close(handle)
        self._handles = []
        self.exit_code = -signal.SIGKILL if self.exit_code is None else self.exit_code
        self.life.close()
        self.grader.close()
        if self.host is not None:
            self.host.close()
        shutil.rmtree(self.folder, ignore_errors=True)


class Template:
    """A process, in a sandbox or not, that makes kernels.

    Args:
        kind: ``bubblewrap`` or ``none``.
        enclosure: What is in sight.
        imports: Modules to import ahead.
        forks: Whether it makes many kernels; else one.
    """

    def __init__(self, kind: SandboxKind, enclosure: sandbox.Enclosure, imports: tuple[str, ...]) -> None:
        self.kind, self.enclosure = kind, enclosure
        self.lock = threading.Lock()
        self.count = 0
        ours, theirs = socket.socketpair()
        with theirs:
            mode = "none" if kind == "none" else "fork" if enclosure.forks else "once"
            program = [sys.executable, "-I", "-m", "w251lab.grading.fork_server", mode, str(theirs.fileno()), *imports]
            self.errors = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the process
            self.process = _launcher.submit(self._launch, program, theirs.fileno()).result()
        self.control = ours
        ours.settimeout(STARTUP)
        try:
            hello = wire.receive_exactly(ours, len(wire.HELLO))
        except TimeoutError:
            hello = None
        if hello != wire.HELLO:
            said = self._said()
            self.close()
            raise SandboxError(f"A sandbox did not start: {said}", sandbox.remedy())

    def _launch(self, program: list[str], descriptor: int) -> subprocess.Popen[bytes]:
        words = program if self.kind == "none" else sandbox.command(self.enclosure, program)
        return subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self.errors,
            pass_fds=(descriptor,),
            start_new_session=True,
            cwd="/",
            env=kernel_environment(self.enclosure.run) if self.kind == "none" else sandbox.plain_environment(),
        )

    def _said(self) -> str:
        self.errors.seek(0)
        return sandbox.explain(self.errors.read().decode(errors="replace"))

    def alive(self) -> bool:
        """Whether it can make another kernel."""
        return self.process.poll() is None

    def kernel(self, name: str, spec: dict[str, Any], key: bytes) -> Contained:
        """A new kernel, which has its specification and its key.

        Args:
            name: The name of its folder below the run folder, which exists.
            spec: See `w251lab.grading.student_kernel.run`.
            key: The secret of its tests' answers.

        Raises:
            SandboxError: It did not start; nothing of it is left.
        """
        life, their_life = socket.socketpair()
        grader, their_grader = socket.socketpair()
        wire.ask_for_sender(life)
        wire.ask_for_sender(grader)
        with their_life, their_grader, self.lock:
            try:
                socket.send_fds(self.control, [b"kernel"], [their_life.fileno(), their_grader.fileno()])
            except OSError as error:
                raise SandboxError(f"A sandbox has ended: {self._said()}", sandbox.remedy()) from error
        warden = kernel = None
        try:
            life.settimeout(STARTUP)
            grader.settimeout(STARTUP)
            warden = wire.receive_hello(life)
            if warden is not None:
                wire.send(grader, spec)
                grader.sendall(key)
                kernel = wire.receive_hello(grader)
        except OSError:
            kernel = None
        if warden is None or kernel is None:
            said = _failure(life) or self._said()
            if warden is not None:
                with suppress(ProcessLookupError):
                    os.kill(warden, signal.SIGKILL)
            life.close()
            grader.close()
            raise SandboxError(f"A kernel did not start in its sandbox: {said}", sandbox.remedy())
        return Contained(self.enclosure.run / name, life, grader, warden, kernel)

    def close(self) -> None:
        """End it and everything in it."""
        self.control.close()
        _stop(self.process)
        self.errors.close()


def _failure(life: socket.socket) -> str:
    """What the far end said before it gave up."""
    life.settimeout(1)
    try:
        data = life.recv(1 << 16)
    except OSError:
        return ""
    text = data.decode(errors="replace")
    return text[text.find("{") :] if "{" in text else text


def _readable(handle: int | socket.socket, seconds: float) -> bool:
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    deadline = monotonic() + seconds
    while True:
        left = max(deadline - monotonic(), 0.0)
        if poll.poll(left * 1000):
            return True
        if left <= 0:
            return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and its group, and collect it."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    with suppress(subprocess.TimeoutExpired):
        process.wait(_END)
