"""Addresses of servers, and ports of this machine: whether one is free, and which are."""

from __future__ import annotations

import socket

from w251lab.errors import UsageError, W251Error
from w251lab.triton.errors import PortTakenError

HOST = "127.0.0.1"


def split_address(url: str) -> tuple[str, int]:
    """Host and port of ``host:port``; a leading ``http://`` and a closing ``/`` are dropped.

    Raises:
        UsageError: It is not of that form.
    """
    host, _, port = url.removeprefix("http://").rstrip("/").rpartition(":")
    if not host or "/" in host or not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        secure = " Secure connections (https) are not supported." if url.startswith("https:") else ""
        raise UsageError(
            f"{url!r} is not the address of a server.{secure}", f"Give host:port, such as {HOST}:8000; 1 to 65535."
        )
    return host, int(port)


def require_usable(wanted: tuple[int, int, int]) -> None:
    """Make sure that a server can listen on the ports asked for; a 0 asks for any.

    Args:
        wanted: The ports for HTTP, gRPC and metrics.

    Raises:
        UsageError: One is no port, or two are the same.
        PortTakenError: Another process listens on one.
        W251Error: This account may not listen on one.
    """
    chosen = [port for port in wanted if port]
    if len(set(chosen)) < len(chosen):
        raise UsageError(f"Two endpoints cannot share one port: {chosen}.", "Give each its own, or 0 for a free one.")
    for port in chosen:
        _require_free(port)


def _require_free(port: int) -> None:
    if not 0 < port < 65536:
        raise UsageError(f"{port} is not a port.", "Use 1 to 65535, or 0 for a free one.")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except PermissionError as error:
            raise W251Error(
                f"Port {port} needs more rights than this account has.", "Use a port above 1023, or 0 for a free one."
            ) from error
        except OSError as error:
            raise PortTakenError(
                f"Port {port} on {HOST} is taken by another process.",
                "Stop that process, or ask for another port (0 takes a free one).",
            ) from error


def fill(wanted: tuple[int, int, int]) -> tuple[int, int, int]:
    """Free ports in place of the zeros: all held at once while they are chosen, so that no two are the same.

    Args:
        wanted: The ports for HTTP, gRPC and metrics; 0 for a free one.
    """
    probes = [socket.socket() for port in wanted if not port]
    try:
        for probe in probes:
            probe.bind((HOST, 0))
        free = iter([int(probe.getsockname()[1]) for probe in probes])
        http, grpc, metrics = (port or next(free) for port in wanted)
        return http, grpc, metrics
    finally:
        for probe in probes:
            probe.close()
