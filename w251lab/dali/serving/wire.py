"""How many bytes really travel: a relay between clients and a server that counts them, headers and all."""

from __future__ import annotations

import socket
import threading
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Final, Self

from w251lab.triton.endpoints import Server
from w251lab.triton.ports import HOST, split_address

if TYPE_CHECKING:
    from types import TracebackType

_CHUNK: Final = 1 << 16
_PATIENCE: Final = 10.0  # seconds, for a connection to the server


class Counted:
    """A server's HTTP and gRPC endpoints again, at other ports of this machine, with a count of what goes through.

    Use it in a ``with`` statement. Requests take a little longer through it: do not time them.

    Args:
        server: The server.

    Attributes:
        server: The same server, reached through the relay.
        sent: Bytes from clients to the server so far: payload of TCP, with the headers of HTTP or gRPC in it.
        received: Bytes from the server to clients.
    """

    def __init__(self, server: Server) -> None:
        self._lock = threading.Lock()
        self._cleanup = ExitStack()
        self._doors: list[tuple[socket.socket, threading.Thread]] = []
        self.sent = self.received = 0
        self.server = Server(self._relay(server.http), self._relay(server.grpc), server.metrics)

    def __enter__(self) -> Self:
        """The relay itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take no more connections, then close every one."""
        for listener, accepting in self._doors:
            _end(listener)
            accepting.join()
        self._cleanup.close()

    def reset(self) -> None:
        """Count from 0 again."""
        with self._lock:
            self.sent = self.received = 0

    def _relay(self, target: str) -> str:
        """Listen at a free port for connections to ``target``."""
        listener = socket.create_server((HOST, 0))
        accepting = threading.Thread(target=self._accept, args=(listener, split_address(target)), daemon=True)
        accepting.start()
        self._doors.append((listener, accepting))
        return f"{HOST}:{listener.getsockname()[1]}"

    def _accept(self, listener: socket.socket, target: tuple[str, int]) -> None:
        with suppress(OSError):  # closed: no more connections are wanted
            while True:
                near, _ = listener.accept()
                try:
                    far = socket.create_connection(target, timeout=_PATIENCE)
                    far.settimeout(None)
                except OSError:
                    near.close()  # the client then sees what it would see of a server that is gone
                    continue
                for one, other, outward in ((near, far, True), (far, near, False)):
                    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    self._cleanup.callback(_end, one)
                    threading.Thread(target=self._pump, args=(one, other, outward), daemon=True).start()

    def _pump(self, one: socket.socket, other: socket.socket, outward: bool) -> None:
        with suppress(OSError):  # either side closed in the middle
            while data := one.recv(_CHUNK):
                with self._lock:
                    if outward:
                        self.sent += len(data)
                    else:
                        self.received += len(data)
                other.sendall(data)
        with suppress(OSError):
            other.shutdown(socket.SHUT_WR)


def _end(connection: socket.socket) -> None:
    """Close a socket under a thread that waits for it."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
