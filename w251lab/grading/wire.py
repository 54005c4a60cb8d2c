"""Messages between the grader and what runs in a sandbox: a length, then JSON. Data only, whatever the other end is."""

from __future__ import annotations

import json
import socket
import struct
from typing import Any

#: Bytes of the longest message that is read.
LIMIT = 256 * 1024**2
HELLO = b"hello"
_LENGTH = struct.Struct("!I")
_CREDENTIALS = struct.Struct("3i")
_SCM_CREDENTIALS = 2
_SO_PASSCRED = 16


def send(sock: socket.socket, message: dict[str, Any]) -> None:
    """Send one message."""
    content = json.dumps(message).encode()
    sock.sendall(_LENGTH.pack(len(content)) + content)


def receive(sock: socket.socket, limit: int = LIMIT) -> dict[str, Any] | None:
    """The next message; None where the other end has hung up, also in the middle of one.

    Raises:
        ValueError: It is longer than ``limit`` bytes, or no JSON object.
    """
    head = receive_exactly(sock, _LENGTH.size)
    if head is None:
        return None
    (length,) = _LENGTH.unpack(head)
    if length > limit:
        raise ValueError(f"a message of {length} bytes, where at most {limit} are read")
    content = receive_exactly(sock, length)
    if content is None:
        return None
    message = json.loads(content)
    if not isinstance(message, dict):
        raise ValueError("a message that is no JSON object")  # noqa: TRY004 - json's own error for bad content
    return message


def receive_exactly(sock: socket.socket, length: int) -> bytes | None:
    """``length`` bytes; None where the other end has hung up before."""
    parts = []
    while length:
        try:
            part = sock.recv(min(length, 1 << 20))
        except ConnectionResetError:
            return None
        if not part:
            return None
        parts.append(part)
        length -= len(part)
    return b"".join(parts)


def ask_for_sender(sock: socket.socket) -> None:
    """Have the kernel say who sends on the other end; to be called before anything is sent."""
    sock.setsockopt(socket.SOL_SOCKET, _SO_PASSCRED, 1)


def receive_hello(sock: socket.socket) -> int | None:
    """Wait for the other end's `HELLO`, and return its process's id as this process sees it; None for a hang-up.

    The number comes from the operating system, so a process inside a PID namespace is known by its id outside.
    """
    content, ancillary, _, _ = sock.recvmsg(len(HELLO), socket.CMSG_SPACE(_CREDENTIALS.size))
    if content != HELLO:
        return None
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == _SCM_CREDENTIALS:
            pid: int = _CREDENTIALS.unpack(data[: _CREDENTIALS.size])[0]
            return pid
    return None
