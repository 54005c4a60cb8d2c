"""Run an untrusted notebook in contained kernels: every cell to a typed outcome, its tests through the guard."""

from __future__ import annotations

import logging
import os
import signal
import threading
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

import nbformat
import zmq

from w251lab.course.catalog import TimeLimit
from w251lab.course.engine import Session, run_session
from w251lab.course.kernel import WatchedClient
from w251lab.course.notebook import view
from w251lab.course.results import Outcome, Reason, Verdict
from w251lab.course.score import Fault
from w251lab.grading import guard, provisioner
from w251lab.grading.job import SandboxError
from w251lab.grading.outputs import NO_INPUT, outputs_of, say_why_no_input
from w251lab.grading.proctor import Answer, Proctor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nbformat import NotebookNode

    from w251lab.grading.job import Limits
    from w251lab.grading.lab_tests import Tests
    from w251lab.grading.template import Contained

_LARGEST_MESSAGE = 64 * 1024**2
_QUEUED_MESSAGES = 64
_READY = 120.0
_log = logging.getLogger(__name__)
_log.addHandler(logging.NullHandler())
_log.propagate = False


class ContainedClient(WatchedClient):
    """A client whose kernels are contained, and stopped when a cell says too much.

    Attributes:
        flooded: Why the last cell was stopped for its output; empty where it was not.
        proctor: The conversation with the kernel's guard.
        bindable: The dotted names that the guard has bound.
    """

    def __init__(self, nb_man: Any, *, limits: Limits, tests: Tests, session: ContainedSession, **kwargs: Any) -> None:
        super().__init__(nb_man, shutdown_kernel="immediate", startup_timeout=_READY, **kwargs)
        self.limits, self.tests, self.session = limits, tests, session
        self.flooded = ""
        self._said = 0
        self.contained: Contained | None = None
        self._context: Any = None

    def create_kernel_manager(self) -> Any:
        """A manager of a contained kernel."""
        self.key = new_key()
        folder = self.session.make_folder()

        def start(information: dict[str, Any]) -> Contained:
            self.contained = contained = self.session.start(folder, information, self.key)
            self.proctor = Proctor(contained, self.key)
            bindable = self.proctor.bindable(_READY)
            if bindable is None:
                contained.end()
                raise SandboxError(f"A kernel's guard did not answer. {contained.log}".strip(), "Grade it again.")
            self.bindable = bindable
            return contained

        self.km = provisioner.manager(folder, start)
        self._context = self.km.context
        # What a kernel says is bounded before it is read: one message, and how many wait.
        self._context.setsockopt(zmq.MAXMSGSIZE, _LARGEST_MESSAGE)
        self._context.setsockopt(zmq.RCVHWM, _QUEUED_MESSAGES)
        return self.km

    @contextmanager
    def kernel(self, folder: Path, log: Any) -> Iterator[None]:  # noqa: ARG002 - as the trusted client's
        """A contained kernel; nothing of it is left afterwards.

        Raises:
            SandboxError: It did not start, or its guard did not answer: no student's code ran in it.
        """
        begun = monotonic()
        try:
            try:
                with self.setup_kernel():
                    contained = self.contained
                    assert contained is not None
                    # A template's imports, and a busy machine, are nothing that the submission did.
                    self.session.deadline += monotonic() - begun
                    self.session.started = True
                    try:
                        yield
                    finally:
                        contained.end()
                        self.session.account(contained)
            except RuntimeError as error:  # nbclient's and jupyter_client's "the kernel did not start"
                said = self.contained.log if self.contained is not None else ""
                raise SandboxError(f"A kernel did not start: {error} {said}".strip(), "Grade it again.") from error
        finally:
            if self.contained is not None:
                self.contained.end()
            if self._context is not None and not self._context.closed:  # of a kernel that did not start
                self._context.destroy(linger=0)

    def process_message(self, msg: dict[str, Any], cell: NotebookNode, cell_index: int) -> Any:
        """Take a message in, unless the cell has said too much already."""
        if self.flooded and msg.get("msg_type") != "status":
            return None
        self._said += _length(msg.get("content"))
        if self._said > self.limits.output and not self.flooded:
            self.flooded = f"it put out more than {self.limits.output:,} bytes, so its kernel was killed"
            if self.contained is not None:
                self.contained.signal(9)
            return None
        try:
            return super().process_message(msg, cell, cell_index)
        except (LookupError, TypeError, AttributeError, ValueError, RecursionError, nbformat.ValidationError) as error:
            # A message that no kernel of its own accord sends: it is the student's, and nothing depends on it.
            _log.debug("a malformed message: %r", error)
            return None

    def run_cell(self, index: int, seconds: float) -> None:
        """Run a cell that is no test. See `WatchedClient.run_cell`."""
        self.flooded, self._said = "", 0
        super().run_cell(index, seconds)


def out_of_memory_kills() -> int:
    """How many processes the system has killed so far because memory ran out; 0 where it does not say."""
    try:
        lines = Path("/proc/vmstat").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), 0)


def new_key() -> bytes:
    """A secret for one kernel's tests."""
    return os.urandom(guard.KEY_LENGTH)


def _length(value: object) -> int:
    """Characters in what a message says, counted without recursion: it may be nested as deep as it likes."""
    total, waiting = 0, [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            waiting += [*item.keys(), *item.values()]
        elif isinstance(item, list | tuple):
            waiting += item
        else:
            total += len(item) if isinstance(item, str | bytes) else 8
    return total


class ContainedSession(Session):
    """One untrusted notebook's run.

    Args:
        tests: Of the lab's own notebook.
        wanted: The grade_ids of the tests to run; None for all.
        limits: What it may use.
        start: Starts a kernel in a sandbox: (folder of its sockets, connection information, key) -> the kernel.
        make_folder: Makes a folder for a kernel's sockets.

    Attributes:
        answers: grade_id -> what the guard said of that test.
        faults: grade_id -> tampering that was found.
        started: Whether any kernel was ready for the student's code.
    """

    def __init__(
        self,
        tests: Tests,
        limits: Limits,
        *,
        wanted: frozenset[str] | None,
        start: Callable[[Path, dict[str, Any], bytes], Contained],
        make_folder: Callable[[], Path],
    ) -> None:
        limit = TimeLimit(cell=limits.cell, notebook=limits.notebook)
        super().__init__(Path("/"), limit, threading.Event(), lambda _done, _total: None)
        self.tests, self.wanted, self.limits = tests, wanted, limits
        self.start, self.make_folder = start, make_folder
        self.answers: dict[str, Answer] = {}
        self.faults: dict[str, Fault] = {}
        self.started = False
        self.cpu_seconds = 0.0
        self.killed_before = out_of_memory_kills()

    def account(self, contained: Contained) -> None:
        """Add what a kernel used."""
        self.cpu_seconds += contained.cpu_seconds

    def _make_client(self) -> ContainedClient:
        return ContainedClient(
            self.nb_man,
            scratch=self.scratch,
            cancelled=self.cancelled,
            log=_log,
            limits=self.limits,
            tests=self.tests,
            session=self,
        )

    def _log_tail(self) -> str:
        contained = self.client.contained
        return "" if contained is None else contained.log.strip()

    def _attempt(self, index: int) -> tuple[Outcome, str, bool]:
        cell = view(self.nb.cells[index], index)
        if cell.is_test:
            if self.wanted is not None and cell.grade_id not in self.wanted:
                return Outcome.NOT_RUN, "its question was not asked for", True
            return self._test(index)
        outcome, reason, fit = super()._attempt(index)
        contained = self.client.contained
        if self.client.flooded:
            return Outcome.KERNEL_DIED, self.client.flooded, False
        if outcome is Outcome.KERNEL_DIED and contained is not None:
            self._refuse_to_blame(contained)
            if contained.why:
                return outcome, contained.why, fit
        if outcome is Outcome.ERROR and reason.startswith(NO_INPUT):
            say_why_no_input(self.nb.cells[index])
        return outcome, reason, fit

    def _refuse_to_blame(self, contained: Contained) -> None:
        """See that no submission pays for a machine that ran out of memory.

        Raises:
            SandboxError: The system killed something for want of memory meanwhile, and may have killed this kernel.
        """
        if contained.poll() == -signal.SIGKILL and not contained.why and out_of_memory_kills() > self.killed_before:
            raise SandboxError(
                "This machine ran out of memory, and a kernel was killed.", "Grade it again, with fewer --jobs."
            )

    def _test(self, index: int) -> tuple[Outcome, str, bool]:
        """Run a test through the guard: only its own answer counts, whatever the kernel's messages say."""
        node = self.nb.cells[index]
        cell = view(node, index)
        seconds = max(min(self.limit.cell, self.deadline - monotonic()), 0.1)
        request = self.tests.request(cell, self.client.bindable)
        answer = self.client.proctor.run(request, seconds, self.cancelled.is_set)
        self.answers[cell.grade_id] = answer
        node["outputs"] = outputs_of(answer)
        alive = self.client.alive()
        if answer.outcome == "forged":
            why = "what answered for its test was not the grader's own code"
            self.faults.setdefault(cell.grade_id, Fault(Verdict.TAMPERED, Reason(why)))
            self.client.contained.signal(9)
            return Outcome.ERROR, why, False
        if answer.change:
            self.faults.setdefault(cell.grade_id, Fault(Verdict.TAMPERED, Reason(answer.change)))
        if answer.outcome == "timed_out":
            killed = "" if alive else "; it ignored the interrupt, so its kernel was killed"
            return Outcome.TIMED_OUT, f"the test's time limit of {seconds:.0f} s passed{killed}", alive
        if answer.outcome == "died":
            contained = self.client.contained
            contained.end()
            self._refuse_to_blame(contained)
            why = contained.why or f"the kernel died while this test ran. {self._log_tail()}"
            return Outcome.KERNEL_DIED, " ".join(why.split()), False
        node["execution_count"] = index + 1
        if answer.outcome == "error":
            return Outcome.ERROR, f"{answer.ename}: {answer.evalue}", alive
        return Outcome.COMPLETED, "", alive


def run(session: ContainedSession, nb: NotebookNode, parameters: dict[str, Any]) -> NotebookNode:
    """Run a restored notebook to its end in a session. Returns it with outputs and records.

    Raises:
        SandboxError: A kernel did not start.
    """
    return run_session(session, nb, parameters)
