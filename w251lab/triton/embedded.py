"""The process of an embedded server: its life, its log, and its end."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import uuid
import weakref
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

from w251lab.triton import supervisor
from w251lab.triton.endpoints import Server
from w251lab.triton.errors import ServerFailedError
from w251lab.triton.ports import HOST
from w251lab.triton.server_log import STUB_FAILED, complaints

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from types import TracebackType

LOG_FILE = "triton.log"
GRACE_SECONDS = 10.0  # at a stop: for requests under way, and for each model to finalize

# The repositories in use in this process, by who uses them. A notebook's cell that is run again starts a second server
# on the folder of the first, whose end comes after that. Each step is one operation on the dict, and no lock is held: a
# server may also end inside a garbage collection.
_IN_USE: dict[str, Path] = {}


class EmbeddedServer(Server):
    """A server that this process started, and that ends with it.

    Made by :func:`start`. Use it in a ``with`` statement, or call :meth:`stop`.

    Attributes:
        repository: The model repository it serves.
        command: Its command line.
    """

    def __init__(
        self,
        repository: Path,
        *,
        served_from: Path,
        ports: tuple[int, int, int],
        command: Sequence[str],
        run_folder: Path,
        shm_prefix: str,
        env: dict[str, str],
        remove_repository: bool = False,
    ) -> None:
        """Start the process; :func:`start` waits for it."""
        super().__init__(*(f"{HOST}:{port}" for port in ports))
        self.repository = repository
        self._served_from = served_from
        self.command = tuple(command)
        self._log_file = run_folder / LOG_FILE
        self._last_log = ""
        folders = [run_folder, *([repository] if remove_repository else [])]
        supervised = [sys.executable, "-I", supervisor.__file__, str(os.getpid()), shm_prefix, str(GRACE_SECONDS)]
        supervised += [self.http, *map(str, folders), "--"]
        with self._log_file.open("wb") as log:
            # A session of its own: Ctrl-C in the terminal interrupts the lab's cell, not its server.
            self._process = subprocess.Popen(
                [*supervised, *command],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=run_folder,
                env=env,
                start_new_session=True,
            )
        # Also when nobody refers to the server any more (a notebook cell bound its name anew), and at the exit.
        self._owner = os.getpid()
        temporary = repository if remove_repository else None
        _IN_USE[shm_prefix] = repository.resolve()
        self._release = weakref.finalize(self, _release, self._owner, self._process, shm_prefix, run_folder, temporary)

    @property
    def running(self) -> bool:
        """Whether the server's process is there."""
        return self._process.poll() is None

    @property
    def log(self) -> str:
        """Everything that the server has written so far; after a stop, what it wrote until then."""
        try:
            return self._log_file.read_text(errors="replace")
        except FileNotFoundError:
            return self._last_log

    def follow_log(self) -> Iterator[str]:
        """The log from its beginning, piece by piece as it comes, until the server ends."""
        with self._log_file.open(errors="replace") as log:
            while True:
                running = self.running  # asked before the file is read, so that the last lines are not lost
                if text := log.read():
                    yield text
                elif not running:
                    return
                else:
                    time.sleep(0.1)

    def wait(self) -> int:
        """Wait until the server's process ends; its exit status."""
        return self._process.wait()

    def stop(self) -> None:
        """Stop the server and its stubs, and remove what they left. A second call does nothing.

        In a process that was forked from the one that started the server it does nothing either.
        """
        if os.getpid() != self._owner:
            return
        _end(self._process)
        self._last_log = self.log
        self._release()

    def __enter__(self) -> Self:
        """The server itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it."""
        self.stop()

    def _wait_until_up(self, timeout: float) -> None:
        """Wait until the server is ready.

        Raises:
            ServerFailedError: It ended, or took longer than ``timeout`` seconds.
        """
        deadline = time.monotonic() + timeout
        # Its own word that it listens there: another server that took the port in the meantime may be ready, too.
        own_word = "" if any(word.startswith("--log-") for word in self.command) else f"HTTPService at {self.http}"
        with self.client(timeout=2.0) as client:
            while self.running and STUB_FAILED not in self.log and time.monotonic() < deadline:
                if client.is_ready() and own_word in self.log:
                    return
                time.sleep(0.05)
        too_slow = self.running and time.monotonic() >= deadline
        self.stop()
        reasons = complaints(self._last_log).replace(str(self._served_from), str(self.repository))
        if too_slow:
            raise ServerFailedError(
                f"The Triton server was not ready within {timeout:g} s\n{reasons}",
                "Give it longer (timeout=...), or look at what it last said above.",
            )
        raise ServerFailedError(
            f"The Triton server did not start; it said:\n{reasons}", "Mend what it names above, and start it again."
        )


def _end(process: subprocess.Popen[bytes]) -> None:
    """Have the supervisor stop its server, and wait until it has."""
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(GRACE_SECONDS + 10)
    except subprocess.TimeoutExpired:
        process.kill()  # the kernel then kills the server: see the supervisor
        process.wait()
    if process.stdin:
        process.stdin.close()


def _release(
    owner: int, process: subprocess.Popen[bytes], shm_prefix: str, run_folder: Path, temporary: Path | None
) -> None:
    """End the server and remove what it left; its supervisor has removed the shared memory unless it was killed."""
    if os.getpid() != owner:
        return
    _end(process)
    supervisor.remove_shared_memory(shm_prefix)
    shutil.rmtree(run_folder, ignore_errors=True)
    _give_up(shm_prefix, temporary)


@contextmanager
def in_use(repository: Path, *, remove: bool) -> Iterator[None]:
    """Keep a repository while servers on it come and go.

    Args:
        repository: Its folder.
        remove: Remove it at the end, unless a server of this process uses it.
    """
    user = uuid.uuid4().hex
    _IN_USE[user] = repository.resolve()
    try:
        yield
    finally:
        _give_up(user, repository if remove else None)


def _give_up(user: str, temporary: Path | None) -> None:
    """Use a repository no longer; remove it, if it is ``temporary`` and nobody else uses it or a folder in it."""
    _IN_USE.pop(user, None)
    if temporary is None:
        return
    folder = temporary.resolve()
    if not any(used.is_relative_to(folder) for used in list(_IN_USE.values())):
        shutil.rmtree(temporary, ignore_errors=True)
