"""A load generator for any HTTP service: one request, written beforehand, over N connections.

It speaks to :func:`w251lab.triton.load.generate` as the library's own load generator does, and costs less processor
time than a client library, which matters where it shares the cores with the server it measures.
"""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any

import httptools
import uvloop

from w251lab.triton import load_generator

if TYPE_CHECKING:
    from collections.abc import Mapping

    from w251lab.triton.load_generator import Array, Task


class Connection(asyncio.Protocol):
    """One connection, with at most one request under way."""

    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._answer: asyncio.Future[None] | None = None
        self._body: list[bytes] = []
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail the request under way."""
        if self._answer and not self._answer.done():
            self._answer.set_exception(exc or ConnectionError("the service closed the connection"))

    def data_received(self, data: bytes) -> None:
        """Hand what arrives to the parser, which calls the next two."""
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        """Keep a part of the answer, for an error message."""
        self._body.append(body)

    def on_message_complete(self) -> None:
        """End the request under way."""
        if not self._answer or self._answer.done():
            return
        status = self._parser.get_status_code()
        if status == 200:
            self._answer.set_result(None)
        else:
            said = b"".join(self._body)[:200].decode(errors="replace")
            self._answer.set_exception(OSError(f"status {status}: {said}"))

    async def exchange(self, request: bytes) -> None:
        """Send the request and wait for its answer."""
        if self._transport.is_closing():
            raise ConnectionError("the service closed the connection")
        self._body = []
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        await self._answer

    def close(self) -> None:
        """Close the connection."""
        self._transport.close()


class Poster:
    """Sends the request over as many connections as there are senders."""

    def __init__(self, task: Task, inputs: Mapping[str, Array]) -> None:
        self._host, _, port = task.url.rpartition(":")
        self._port = int(port)
        self._request = inputs["request"].tobytes()
        self._idle: list[Connection] = []

    async def send(self) -> None:
        """Send the request and wait for its answer."""
        connection = self._idle.pop() if self._idle else await self._connect()
        await connection.exchange(self._request)
        self._idle.append(connection)

    async def statistics(self) -> dict[str, Any]:
        """None: the service does not say."""
        return {}

    async def close(self) -> None:
        """Close the connections."""
        for connection in self._idle:
            connection.close()

    async def _connect(self) -> Connection:
        _, connection = await asyncio.get_running_loop().create_connection(Connection, self._host, self._port)
        return connection


if __name__ == "__main__":
    asked, made = load_generator.unpack(sys.stdin.buffer)
    uvloop.run(load_generator.run(Poster, asked, made))
