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
_PAUSE: Final = 0.05  # seconds, after a connection that could not be taken


class Counted:
    """A server's HTTP and gRPC endpoints again, at other ports of this machine, with a count of what goes through.

    Use it in a ``with`` statement. Requests take a little longer through it: do not time them.

    Args:
        server: The server.

    Attributes:
        server: The same server, reached through the relay, inside the ``with`` statement.
        sent: Bytes from clients to the server so far: payload of TCP, with the headers of HTTP or gRPC in it.
        received: Bytes from the server to clients.
    """

    def __init__(self, server: Server) -> None:
        self._lock = threading.Lock()
        self._cleanup = ExitStack()
        self._doors: list[tuple[socket.socket, threading.Thread]] = []
        self._closing = threading.Event()
        self._target = server
        self.sent = self.received = 0

    def __enter__(self) -> Self:
        """The relay itself; it listens from now on.

        Raises:
            OSError: There is no port or no memory left for it.
        """
        try:
            self.server = Server(self._relay(self._target.http), self._relay(self._target.grpc), self._target.metrics)
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take no more connections, then close every one."""
        self._close()

    def reset(self) -> None:
        """Count from 0 again."""
        with self._lock:
            self.sent = self.received = 0

    def _close(self) -> None:
        self._closing.set()
        for listener, accepting in self._doors:
            _end(listener)
            accepting.join()
        self._doors.clear()
        self._cleanup.close()

    def _relay(self, target: str) -> str:
        """Listen at a free port for connections to ``target``."""
        address = split_address(target)
        with ExitStack() as unless_started:
            listener = socket.create_server((HOST, 0))
            unless_started.callback(listener.close)
            accepting = threading.Thread(target=self._accept, args=(listener, address), daemon=True)
            accepting.start()
            self._doors.append((listener, accepting))
            unless_started.pop_all()
        return f"{HOST}:{listener.getsockname()[1]}"

    def _accept(self, listener: socket.socket, target: tuple[str, int]) -> None:
        """Connect until the listener is closed; a connection that cannot be made is the loss of its client only."""
        while not self._closing.is_set():
            try:
                near, _ = listener.accept()
            except OSError:
                self._closing.wait(_PAUSE)  # too many open files, say: others may be closed by then
                continue
            try:
                self._connect(near, target)
            except OSError:
                near.close()  # the client then sees what it would see of a server that is gone

    def _connect(self, near: socket.socket, target: tuple[str, int]) -> None:
        """Connect a client with the server, and pass on what they say."""
        with ExitStack() as unless_started:
            far = socket.create_connection(target, timeout=_PATIENCE)
            unless_started.callback(far.close)
            far.settimeout(None)
            for one in (near, far):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            unless_started.pop_all()
        for one, other, outward in ((near, far, True), (far, near, False)):
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
