"""A papermill engine that goes on: past a failing cell, a time-out and a dead kernel, and records what it saw.

Every code cell gets ``metadata.w251lab`` with an ``outcome`` (see `w251lab.course.results.Outcome`), its ``seconds``
and, where it did not complete, a ``reason``. Nothing is inferred from silence: a cell is ``not_run`` until the kernel
has replied to it.
"""

from __future__ import annotations

import copy
import logging
import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from jupyter_core.utils import ensure_event_loop
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from papermill import execute_notebook
from papermill.engines import Engine, papermill_engines
from papermill.exceptions import PapermillExecutionError

from w251lab.course.kernel import WatchedClient
from w251lab.course.notebook import RECORD, runnable, view
from w251lab.course.results import Outcome

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Mapping

    from nbformat import NotebookNode

    from w251lab.course.catalog import TimeLimit

ENGINE_NAME = "w251lab"
_LOG_TAIL = 2000
# nbclient reports every time-out and dead kernel at error level; all of it is in the record.
_log = logging.getLogger(__name__)
_log.addHandler(logging.NullHandler())
_log.propagate = False


class CancelledRunError(Exception):
    """The run was called off from outside."""


def run_notebook(
    nb: NotebookNode,
    parameters: Mapping[str, Any],
    *,
    folder: Path,
    limit: TimeLimit,
    cancelled: threading.Event,
    on_progress: Callable[[int, int], None],
) -> NotebookNode:
    """Run a copy of a notebook to its end, whatever its cells do, and return it with outputs and records.

    Args:
        nb: The notebook; it is not changed.
        parameters: For papermill. Their names are not checked here (see `w251lab.course.parameters`).
        folder: The kernel's working folder.
        limit: Time limits in seconds.
        cancelled: When set, the running cell is interrupted and the run ends.
        on_progress: Called with (cells done, cells to run).

    Raises:
        CancelledRunError: ``cancelled`` was set.
    """
    return run_session(Session(folder, limit, cancelled, on_progress), nb, parameters)


def run_session(session: Session, nb: NotebookNode, parameters: Mapping[str, Any]) -> NotebookNode:
    """Run a copy of a notebook in a session of one's own making. See `run_notebook`.

    Raises:
        CancelledRunError: The session was cancelled.
    """
    session.scratch = Path(tempfile.mkdtemp(prefix="w251lab-"))
    loop = ensure_event_loop()
    try:
        # papermill raises at the end for the first cell with an error; every error is in the record already.
        try:
            execute_notebook(
                copy.deepcopy(nb),
                None,
                parameters=dict(parameters),
                engine_name=ENGINE_NAME,
                kernel_name="python3",
                language="python",
                progress_bar=False,
                session=session,
            )
        except PapermillExecutionError as error:
            _log.debug("papermill: %s", error)
    finally:
        loop.close()
        shutil.rmtree(session.scratch, ignore_errors=True)
    if session.result is None:
        raise RuntimeError("papermill returned without running the notebook")
    return session.result


class CheckEngine(Engine):  # type: ignore[misc]  # papermill is untyped
    """Hands a parameterised notebook to the session that was passed through papermill."""

    @classmethod
    def execute_managed_notebook(cls, nb_man: Any, _kernel_name: str, *, session: Session, **_: Any) -> None:
        """Run the notebook, and keep a copy from before papermill adds its error markers."""
        session.run(nb_man)
        nb_man.notebook_complete()
        session.result = copy.deepcopy(nb_man.nb)


papermill_engines.register(ENGINE_NAME, CheckEngine)


class Session:
    """One notebook's run, over as many kernels as it takes. `w251lab.grading` extends it for untrusted notebooks."""

    scratch: Path

    def __init__(
        self, folder: Path, limit: TimeLimit, cancelled: threading.Event, on_progress: Callable[[int, int], None]
    ) -> None:
        self.folder = folder
        self.limit = limit
        self.cancelled = cancelled
        self.on_progress = on_progress
        self.result: NotebookNode | None = None
        self.restarts: list[str] = []
        self.not_replayed: set[int] = set()

    def run(self, nb_man: Any) -> None:
        """Run every runnable cell of ``nb_man.nb`` and record each."""
        self.nb_man, self.nb = nb_man, nb_man.nb
        self.order = [index for index, node in enumerate(self.nb.cells) if runnable(node)]
        for node in self.nb.cells:
            node.metadata.pop(RECORD, None)
            if node.cell_type == "code":
                self._record(
                    node, Outcome.NOT_RUN, 0.0, "" if runnable(node) else "the cell is empty or tagged to skip"
                )
        self.nb.metadata[RECORD] = {}
        self.deadline = monotonic() + self.limit.notebook
        self.client = self._make_client()
        self.on_progress(0, len(self.order))
        # Every cell may cost one kernel, so that none pays for another. More deaths than cells come from between the
        # cells, over and over.
        most = len(self.order) + 1
        position = 0
        while position < len(self.order):
            if len(self.restarts) > most:
                self._give_up(position, f"the kernel died {len(self.restarts)} times, so the rest was not run")
                break
            position = self._one_kernel(position)
        self.nb.metadata[RECORD]["restarts"] = self.restarts

    def _make_client(self) -> WatchedClient:
        return WatchedClient(self.nb_man, scratch=self.scratch, cancelled=self.cancelled, log=_log)

    def _one_kernel(self, position: int) -> int:
        """Start a kernel and run cells from ``position`` on until it dies. Returns the next position."""
        with ExitStack() as stack, (self.scratch / "kernel.log").open("w+", encoding="utf-8", errors="replace") as log:
            try:
                stack.enter_context(self.client.kernel(self.folder, log))
            except RuntimeError as error:  # nbclient's and jupyter_client's "the kernel did not start"
                self.restarts.append(f"a kernel did not start: {error} {self._log_tail()}".strip())
                self._give_up(position, self.restarts[-1])
                return len(self.order)
            if not self._replay(self.order[:position]):
                return position
            while position < len(self.order):
                if self.cancelled.is_set():
                    raise CancelledRunError
                if monotonic() >= self.deadline:
                    self._give_up(position, f"the notebook's time limit of {self.limit.notebook:g} s was used up")
                    return len(self.order)
                if not self.client.alive():
                    self._blame_previous(position)
                    return position
                survived = self._run_cell(self.order[position])
                position += 1
                self.on_progress(position, len(self.order))
                if not survived:
                    return position
        return position

    def _run_cell(self, index: int) -> bool:
        """Run and record one cell. Returns whether the kernel is still fit to go on."""
        node = self.nb.cells[index]
        self.nb_man.cell_start(node, index)
        start = monotonic()
        outcome, reason, fit = self._attempt(index)
        if self.cancelled.is_set():
            raise CancelledRunError
        self._record(node, outcome, monotonic() - start, reason)
        if outcome is not Outcome.COMPLETED:
            self.nb_man.cell_exception(node, index)
            self.not_replayed.add(index)
        self.nb_man.cell_complete(node, index)
        if not fit:
            self.restarts.append(f"cell {view(node, index).key}: {reason}")
        return fit

    def _attempt(self, index: int) -> tuple[Outcome, str, bool]:
        """Run one cell: its outcome, the reason where it did not complete, and whether the kernel can go on."""
        client = self.client
        whole = self.deadline - monotonic()
        seconds = max(min(self.limit.cell, whole), 0.0)
        which = f"the cell's time limit of {self.limit.cell:g} s"
        if whole < self.limit.cell:
            which = f"the notebook's time limit of {self.limit.notebook:g} s"
        try:
            client.run_cell(index, seconds)
        except DeadKernelError:
            if client.interrupted:
                return Outcome.TIMED_OUT, f"{which} passed; it ignored the interrupt, so its kernel was killed", False
            reason = f"the kernel died {client.exit_status} while this cell ran. {self._log_tail()}"
            return Outcome.KERNEL_DIED, " ".join(reason.split()), False
        except CellTimeoutError:
            return Outcome.TIMED_OUT, "its output did not arrive", False
        if client.interrupted:
            return Outcome.TIMED_OUT, f"{which} passed", True
        return self._read_reply(client.reply or {})

    @staticmethod
    def _read_reply(reply: Mapping[str, Any]) -> tuple[Outcome, str, bool]:
        """What the kernel's execute reply says, in the form of `_attempt`."""
        if any(item.get("source") == "ask_exit" for item in reply.get("payload", [])):
            return Outcome.KERNEL_DIED, "the cell told its kernel to exit", False
        if reply.get("status") == "ok":
            return Outcome.COMPLETED, "", True
        if reply.get("status") == "error":
            return Outcome.ERROR, f"{reply.get('ename')}: {reply.get('evalue')}", True
        return Outcome.NOT_RUN, f"the kernel replied {reply.get('status')!r}", True

    def _replay(self, indices: list[int]) -> bool:
        """Bring a new kernel to where the dead one was: run again the ungraded cells that completed.

        The recorded outputs and outcomes stay as they are. Returns False when the kernel died again.
        """
        for index in indices:
            node = self.nb.cells[index]
            cell = view(node, index)
            if index in self.not_replayed or cell.is_test or cell.is_manual:
                continue
            self.nb.cells[index] = copy.deepcopy(node)
            self.client.reset_execution_trackers()
            try:
                outcome, reason, fit = self._attempt(index)
            finally:
                self.nb.cells[index] = node
            if self.cancelled.is_set():
                raise CancelledRunError
            if outcome is not Outcome.COMPLETED:
                self.not_replayed.add(index)
            if not fit:
                self.restarts.append(f"cell {cell.key}, run again: {reason}")
                return False
        self.client.reset_execution_trackers()
        return True

    def _blame_previous(self, position: int) -> None:
        """The kernel died between two cells: the last ungraded cell did it; a finished test keeps its record."""
        reason = "the kernel died right after this cell"
        if position:
            index = self.order[position - 1]
            node = self.nb.cells[index]
            self.not_replayed.add(index)
            if not view(node, index).is_test:
                self._record(node, Outcome.KERNEL_DIED, node.metadata[RECORD]["seconds"], reason)
            reason = f"cell {view(node, index).key}: {reason}"
        self.restarts.append(reason)

    def _give_up(self, position: int, reason: str) -> None:
        for index in self.order[position:]:
            self._record(self.nb.cells[index], Outcome.NOT_RUN, 0.0, reason)
        self.on_progress(len(self.order), len(self.order))

    def _record(self, node: NotebookNode, outcome: Outcome, seconds: float, reason: str) -> None:
        node.metadata[RECORD] = {"outcome": str(outcome), "seconds": round(seconds, 3)}
        if reason:
            node.metadata[RECORD]["reason"] = reason

    def _log_tail(self) -> str:
        """The end of what the kernel's process wrote outside Jupyter: where a crash leaves its last words."""
        text = (self.scratch / "kernel.log").read_text(encoding="utf-8", errors="replace")
        return text[-_LOG_TAIL:].strip()
