"""Inputs in system shared memory: the request names them, and no pixel travels through a socket.

Triton's "Shared-Memory Extension". It works where client and server are on one machine.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, Self

from tritonclient.utils import shared_memory

from w251lab.errors import UsageError
from w251lab.triton.connection import Connection

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from w251lab.triton.connection import Protocol
    from w251lab.triton.requests import Array

LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]", "::1"})


class SharedInputs(Connection):
    """Places inputs into shared memory and makes them known to the server, inside a ``with`` statement.

    Attributes:
        regions: For each input the name of its region and its size in bytes.
    """

    def __init__(self, url: str, protocol: Protocol, inputs: Mapping[str, Array], *, timeout: float = 60.0) -> None:
        """Name the server and the inputs; nothing is placed yet.

        Args:
            url: ``host:port`` of the endpoint for ``protocol``.
            protocol: ``http`` or ``grpc``.
            inputs: Arrays of numbers; none places nothing.
            timeout: Seconds that one request may take.

        Raises:
            UsageError: The server is elsewhere, or an input is text, whose size depends on its values.
        """
        super().__init__(url, protocol, timeout=timeout)
        if inputs and self.url.rpartition(":")[0] not in LOOPBACK:
            raise UsageError(
                f"The server at {self.url} is not on this machine, and cannot see its memory.",
                "Measure without shared memory.",
            )
        if any(array.dtype.kind in "SUO" for array in inputs.values()):
            raise UsageError("Text does not go into shared memory here.", "Measure without shared memory.")
        self._inputs = inputs
        self._handles: list[Any] = []
        self.regions: dict[str, tuple[str, int]] = {}

    def __enter__(self) -> Self:
        """Place the inputs.

        Raises:
            W251Error: The server does not take the regions.
        """
        try:
            for name, array in self._inputs.items():
                region = f"w251lab_input_{secrets.token_hex(6)}"
                handle = shared_memory.create_shared_memory_region(region, f"/{region}", array.nbytes, create_only=True)
                self._handles.append(handle)
                shared_memory.set_shared_memory_region(handle, [array])
                with self.translate_errors():
                    self._raw.register_system_shared_memory(region, f"/{region}", array.nbytes, **self._limits())
                self.regions[name] = (region, array.nbytes)
        except BaseException:
            self._release()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Have the server forget the regions, if it still answers, and remove them."""
        try:
            if error is None:
                with self.translate_errors():
                    for region, _ in self.regions.values():
                        self._raw.unregister_system_shared_memory(region, **self._limits())
        finally:
            self._release()

    def _release(self) -> None:
        for handle in self._handles:
            shared_memory.destroy_shared_memory_region(handle)
        self._handles.clear()
        self.close()
