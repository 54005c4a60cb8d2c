"""One kernel at a time for a notebook: started with this interpreter, watched, interrupted, killed if it must be."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from ipykernel.kernelspec import get_kernel_dict
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient.util import run_sync
from papermill.clientwrap import PapermillNotebookClient

if TYPE_CHECKING:
    import threading

#: Seconds that an interrupted cell has to end before its kernel is killed.
GRACE = 3.0
#: Bytes of output kept per cell. More is counted and dropped, so that a flood does not fill the memory.
OUTPUT_LIMIT = 1_000_000
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

    def start_arguments(self, folder: Path, log: TextIO) -> dict[str, Any]:
        """Arguments for `setup_kernel`: working folder, environment, and a file for what bypasses Jupyter."""
        return {"cwd": str(folder), "env": kernel_environment(self.scratch), "stdout": log, "stderr": log}

    def run_cell(self, index: int, seconds: float) -> None:
        """Run the notebook's cell ``index`` for at most ``seconds``, then interrupt it, then kill its kernel.

        Raises:
            DeadKernelError: The kernel died, by itself or because it was killed (see ``killed``).
            CellTimeoutError: The cell ended and its output did not arrive.
        """
        self.reply, self.interrupted, self.killed, self._kept = None, False, False, 0
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
        """Keep an output, unless the cell has already said more than `OUTPUT_LIMIT`; an error is always kept."""
        size = _size(msg["content"])
        room = max(OUTPUT_LIMIT - self._kept, 0)
        self._kept += size
        if size <= room or msg["msg_type"] == "error":
            return super().output(outs, msg, display_id, cell_index)
        if self._kept - size > OUTPUT_LIMIT:  # said already that output is dropped
            return None
        text = msg["content"].get("text", "")[:room]
        note = {"name": "stdout", "text": f"{text}\n[output beyond {OUTPUT_LIMIT:,} bytes is not kept]\n"}
        return super().output(outs, msg | {"msg_type": "stream", "content": note}, None, cell_index)


def _size(content: dict[str, Any]) -> int:
    if "text" in content:
        return len(content["text"])
    return sum(len(value) if isinstance(value, str) else 1000 for value in content.get("data", {}).values())
