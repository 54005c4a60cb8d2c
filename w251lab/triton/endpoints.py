"""Where a server answers, wherever it runs and whoever started it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from w251lab.triton.client import TritonClient
from w251lab.triton.ports import HOST, split_address

if TYPE_CHECKING:
    from w251lab.triton.client import Protocol


class Server:
    """Where a Triton server answers.

    Attributes:
        http: ``host:port`` of the HTTP endpoint.
        grpc: ``host:port`` of the gRPC endpoint.
        metrics: ``host:port`` of the Prometheus endpoint.
    """

    def __init__(self, http: str, grpc: str, metrics: str) -> None:
        """Name the three endpoints, each as ``host:port``; nothing is sent."""
        self.http = http
        self.grpc = grpc
        self.metrics = metrics

    def __repr__(self) -> str:
        """Its addresses."""
        return f"{type(self).__name__}(http={self.http!r}, grpc={self.grpc!r}, metrics={self.metrics!r})"

    def client(self, protocol: Protocol = "http", timeout: float = 60.0) -> TritonClient:
        """A client of this server; close it, or use it in a ``with`` statement.

        Args:
            protocol: ``http`` or ``grpc``.
            timeout: Seconds that one request may take.
        """
        return TritonClient(self.http if protocol == "http" else self.grpc, protocol, timeout=timeout)

    def wait_until_ready(self, timeout: float = 60.0) -> None:
        """Return once the server says that it is ready.

        Raises:
            ServerUnavailableError: It has not said so within ``timeout`` seconds.
        """
        with self.client() as client:
            client.wait_until_ready(timeout)


def connect(url: str = f"{HOST}:8000", *, grpc: str | None = None, metrics: str | None = None) -> Server:
    """The server at ``url``, which somebody else started (a container, another machine).

    Args:
        url: ``host:port`` of its HTTP endpoint; a leading ``http://`` is dropped.
        grpc: ``host:port`` of its gRPC endpoint; by default the port after HTTP's.
        metrics: ``host:port`` of its metrics endpoint; by default the port after gRPC's.

    Raises:
        UsageError: ``url`` is not ``host:port``.
        ServerUnavailableError: Nothing there answers as Triton does.
    """
    host, port = split_address(url)
    server = Server(
        f"{host}:{port}", grpc or f"{host}:{min(port + 1, 65535)}", metrics or f"{host}:{min(port + 2, 65535)}"
    )
    with server.client() as client:
        client.wait_until_ready(timeout=5.0)
        client.server_metadata()  # Triton's metrics port answers to any path, and so seems to be ready
    return server
