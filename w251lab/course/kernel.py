"""One kernel at a time for a notebook: started with this interpreter, watched, interrupted, killed if it must be."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from ipykernel.kernelspec import get_kernel_dict
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from nbclient.util import run_sync
from papermill.clientwrap import PapermillNotebookClient

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator

#: Seconds that an interrupted cell has to end before its kernel is killed.
GRACE = 3.0
#: Bytes of output kept per cell. More is counted and dropped, so that a flood does not fill the memory.
OUTPUT_LIMIT = 1_000_000
_VALUE_LIMIT = 1000  # characters kept of a value that comes after too much output
_POLL = 0.2
_SOCKET_PATH = 100  # of the 107 bytes that Linux allows, some are for the socket's number


class ThisInterpreter(KernelSpecManager):
    """Resolves every kernel name to the interpreter that runs w251lab, never to a kernelspec in the user's home."""

    def get_kernel_spec(self, kernel_name: str) -> Any:  # noqa: ARG002 - that is the point
        """The specification of this interpreter's own ipykernel."""
        return KernelSpec(resource_dir="", **get_kernel_dict(python_arguments=["-Xfrozen_modules=off"]))


def kernel_environment(scratch: Path) -> dict[str, str]:
    """A kernel's environment: this process's, with this interpreter's programs first and no user start-up files."""
    environment = dict(os.environ)
    scripts = str(Path(sys.executable).parent)
    environment["PATH"] = os.pathsep.join([scripts, environment.get("PATH", os.defpath)])
    environment["IPYTHONDIR"] = str(scratch / "ipython")
    # What a lab leaves in the temporary folder goes with the run.
    temporary = scratch / "tmp"
    temporary.mkdir(exist_ok=True)
    environment["TMPDIR"] = str(temporary)
    # OpenMP's threads spin while they wait. Beside the kernel of another notebook that can slow a loop tenfold, and a
    # right answer runs into its time limit.
    environment.setdefault("OMP_WAIT_POLICY", "passive")
    return environment


class WatchedClient(PapermillNotebookClient):  # type: ignore[misc]  # papermill is untyped
    """papermill's client, which also bounds a cell's time and output and keeps what the kernel replied.

    Attributes:
        reply: Content of the last execute reply; None when the kernel gave none.
        interrupted: Whether the last cell was interrupted (time limit or cancellation).
        killed: Whether its kernel had to be killed as well.
        exit_status: Exit status of the kernel that died last, as a word for people.
    """

    def __init__(self, nb_man: Any, *, scratch: Path, cancelled: threading.Event, **kwargs: Any) -> None:
        super().__init__(
            nb_man,
            allow_errors=True,
            iopub_timeout=60,
            kernel_name="python3",
            on_cell_executed=self._keep_reply,
            timeout=None,
            **kwargs,
        )
        self.scratch = scratch
        self.cancelled = cancelled
        self.reply: dict[str, Any] | None = None
        self.interrupted = False
        self.killed = False
        self.exit_status = ""
        self._kept = 0
        self._late_values = 0

    def create_kernel_manager(self) -> Any:
        """A manager that speaks over sockets in the scratch folder: no TCP port is taken, none can be stolen.

        Where the folder's path is too long for a socket, it speaks over ports of 127.0.0.1.
        """
        sockets = str(self.scratch / "kernel")
        fits = len(os.fsencode(sockets)) <= _SOCKET_PATH
        self.km = AsyncKernelManager(
            kernel_name="python3",
            kernel_spec_manager=ThisInterpreter(),
            transport="ipc" if fits else "tcp",
            ip=sockets if fits else "127.0.0.1",
            connection_file=str(self.scratch / "kernel.json"),
        )
        return self.km

    @contextmanager
    def kernel(self, folder: Path, log: TextIO) -> Iterator[None]:
        """A kernel, which ends together with every process in its group.

        A kernel that is shut down ends its children; one that died by itself leaves them behind. A Triton server has
        a session of its own and ends by itself when the kernel that started it is gone.

        Args:
            folder: The working folder.
            log: A file for what its process writes outside Jupyter.

        Raises:
            RuntimeError: It did not start.
        """
        group: int | None = None
        try:
            with self.setup_kernel(cwd=str(folder), env=kernel_environment(self.scratch), stdout=log, stderr=log):
                if isinstance(self.km.provisioner, LocalProvisioner):
                    group = self.km.provisioner.pgid
                yield
        finally:
            if group is not None:
                with suppress(ProcessLookupError):  # nothing of it is left
                    os.killpg(group, signal.SIGKILL)

    def run_cell(self, index: int, seconds: float) -> None:
        """Run the notebook's cell ``index`` for at most ``seconds``, then interrupt it, then kill its kernel.

        Raises:
            DeadKernelError: The kernel died, by itself or because it was killed (see ``killed``).
            CellTimeoutError: The cell ended and its output did not arrive.
        """
        self.reply, self.interrupted, self.killed = None, False, False
        self._kept = self._late_values = 0
        run_sync(self._run_cell)(index, seconds)

    async def _run_cell(self, index: int, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        task = asyncio.ensure_future(self.async_execute_cell(self.nb["cells"][index], index))
        deadline = loop.time() + seconds
        try:
            while not (await asyncio.wait({task}, timeout=min(_POLL, max(deadline - loop.time(), 0.01))))[0]:
                overdue = loop.time() >= deadline
                if not self.interrupted and (overdue or self.cancelled.is_set()):
                    self.interrupted = True
                    deadline = loop.time() + GRACE
                    await self.km.interrupt_kernel()
                elif self.interrupted and overdue and not self.killed:
                    self.killed = True
                    await self.km.signal_kernel(signal.SIGKILL)
            await task
        finally:
            task.cancel()
            self.exit_status = await self._describe_exit()

    def alive(self) -> bool:
        """Whether the kernel's process runs."""
        return bool(run_sync(self._alive)())

    async def _alive(self) -> bool:
        return bool(await self.km.is_alive())

    async def _describe_exit(self) -> str:
        provisioner = self.km.provisioner
        status = None if provisioner is None else await provisioner.poll()
        if status is None:
            return ""
        return f"by {signal.Signals(-status).name}" if status < 0 else f"with exit status {status}"

    def _keep_reply(self, *, execute_reply: dict[str, Any], **_: Any) -> None:
        self.reply = execute_reply["content"]

    def output(self, outs: list[Any], msg: dict[str, Any], display_id: str, cell_index: int) -> Any:
        """Keep an output, unless the cell has already said more than `OUTPUT_LIMIT`.

        An error is always kept, and so is the cell's value, cut short: the score depends on both.
        """
        size = _size(msg["content"])
        room = max(OUTPUT_LIMIT - self._kept, 0)
        if msg["msg_type"] == "execute_result" and size > room:
            self._late_values += 1
            if self._late_values > 2:  # two are enough to tell that there is not one
                return None
            return super().output(outs, msg | {"content": _cut_value(msg["content"])}, display_id, cell_index)
        self._kept += size
        if size <= room or msg["msg_type"] == "error":
            return super().output(outs, msg, display_id, cell_index)
        if self._kept - size > OUTPUT_LIMIT:  # said already that output is dropped
            return None
        text = msg["content"].get("text", "")[:room]
        note = {"name": "stdout", "text": f"{text}\n[output beyond {OUTPUT_LIMIT:,} bytes is not kept]\n"}
        as_stream = {"msg_type": "stream", "header": msg["header"] | {"msg_type": "stream"}, "content": note}
        return super().output(outs, msg | as_stream, None, cell_index)


def _size(content: dict[str, Any]) -> int:
    """Length of an output's text, or of its data and their metadata, in characters."""
    if "text" in content:
        return len(content["text"])
    values = [*content.get("data", {}).values(), *content.get("metadata", {}).values()]
    return sum(len(value if isinstance(value, str) else json.dumps(value)) for value in values)


def _cut_value(content: dict[str, Any]) -> dict[str, Any]:
    """An execute result with its text alone. Where that is cut, dots at its end keep it from passing as a number."""
    text = content["data"].get("text/plain", "")
    if len(text) > _VALUE_LIMIT:
        text = text[:_VALUE_LIMIT] + " ..."
    return content | {"data": {"text/plain": text}, "metadata": {}}
