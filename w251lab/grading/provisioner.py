"""Jupyter's way of starting a kernel (a kernel provisioner), for kernels in a sandbox; spoken to over IPC sockets."""

from __future__ import annotations

import asyncio
import signal
from queue import Empty
from typing import TYPE_CHECKING, Any

from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.provisioner_base import KernelProvisionerBase

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from jupyter_client.connect import KernelConnectionInfo

    from w251lab.grading.template import Contained

#: The sockets' path in the kernel's folder, before their numbers.
SOCKETS = "k"


class PromptClient(AsyncKernelClient):
    """A client that is ready as soon as the kernel is.

    Jupyter's own waits until the kernel has been silent for 0.2 s, so that what it said before is not taken for a
    cell's output. nbclient takes a message for a cell's only where it answers that cell.
    """

    async def _async_wait_for_ready(self, timeout: float | None = None) -> None:
        """Wait until the kernel answers on the shell channel, and is heard on the IOPub channel.

        Raises:
            RuntimeError: It died, or did not answer in time.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + (float("inf") if timeout is None else timeout)
        while loop.time() < deadline:
            self.kernel_info()
            try:
                reply = await self.get_shell_msg(timeout=1)
                await self.get_iopub_msg(timeout=0.2)
            except Empty:  # it is not there yet, or its IOPub channel is not connected: what it says is lost
                if not await self._async_is_alive():
                    raise RuntimeError("the kernel died before it answered") from None
                continue
            # Perhaps to an earlier question: on a busy machine it takes time.
            if reply["msg_type"] == "kernel_info_reply":
                self._handle_kernel_info_reply(reply)
                return
        raise RuntimeError(f"the kernel did not answer in {timeout} s")

    wait_for_ready = _async_wait_for_ready


class SandboxProvisioner(KernelProvisionerBase):
    """Starts one kernel with a function that puts it into a sandbox.

    Attributes:
        start: Called with the kernel's connection information; returns the contained kernel.
        contained: The kernel, once it was started.
    """

    start: Callable[[dict[str, Any]], Contained]
    contained: Contained | None = None

    @property
    def has_process(self) -> bool:
        """Whether there is a kernel to speak of."""
        return self.contained is not None

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Choose the sockets and the key that messages are signed with."""
        manager: Any = self.parent
        manager.write_connection_file()
        self.connection_info = manager.get_connection_info()
        return dict(await super().pre_launch(cmd=[], **kwargs))

    async def launch_kernel(self, cmd: list[str], **_: Any) -> KernelConnectionInfo:  # noqa: ARG002
        """Start the kernel.

        Raises:
            SandboxError: It could not be started in a sandbox.
        """
        information: dict[str, Any] = dict(self.connection_info)
        if isinstance(information.get("key"), bytes):
            information["key"] = information["key"].decode()
        self.contained = await asyncio.to_thread(self.start, information)
        return self.connection_info

    async def poll(self) -> int | None:
        """The exit status, or None while it runs."""
        return 0 if self.contained is None else self.contained.poll()

    async def wait(self) -> int | None:
        """Wait until it is gone."""
        while (status := await self.poll()) is None:
            await asyncio.sleep(0.02)
        return status

    async def send_signal(self, signum: int) -> None:
        """Send the kernel's process a signal from outside: nothing inside can refuse it."""
        if self.contained is not None:
            self.contained.signal(signum)

    async def kill(self, restart: bool = False) -> None:  # noqa: ARG002 - jupyter_client's signature
        """End it."""
        await self.send_signal(signal.SIGKILL)

    async def terminate(self, restart: bool = False) -> None:  # noqa: ARG002
        """End it: a student's kernel has nothing to tidy up."""
        await self.send_signal(signal.SIGKILL)

    async def cleanup(self, restart: bool = False) -> None:  # noqa: ARG002
        """Kill what is left of it, and wait until it is gone."""
        if self.contained is not None:
            await asyncio.to_thread(self.contained.end)


def manager(folder: Path, start: Callable[[dict[str, Any]], Contained]) -> AsyncKernelManager:
    """A manager of one kernel whose sockets are in ``folder``.

    Args:
        folder: Outside; the kernel sees it elsewhere.
        start: See `SandboxProvisioner`.
    """
    made = AsyncKernelManager(
        kernel_name="python3",
        transport="ipc",
        ip=str(folder / SOCKETS),
        connection_file=str(folder.with_name(f"{folder.name}.json")),
    )
    made.client_factory = PromptClient
    spec = KernelSpec(argv=["python"], display_name="Python 3", language="python", interrupt_mode="signal")
    made._kernel_spec = spec  # noqa: SLF001 - no kernelspec of the user's is asked
    provisioner = SandboxProvisioner(kernel_id=folder.name, kernel_spec=spec, parent=made)
    provisioner.start = start
    made.provisioner = provisioner
    return made
