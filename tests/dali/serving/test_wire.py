from __future__ import annotations

import errno
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from w251lab.dali import serving
from w251lab.dali.serving import wire
from w251lab.errors import UsageError
from w251lab.triton.endpoints import Server
from w251lab.triton.errors import ServerUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from w251lab.triton.embedded import EmbeddedServer


@pytest.fixture
def echo() -> Iterator[str]:
    """Answers every connection's bytes twice, at its end."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                got = b""
                while data := connection.recv(4096):
                    got += data
                connection.sendall(got * 2)

    thread = threading.Thread(target=serve)
    thread.start()
    yield f"127.0.0.1:{listener.getsockname()[1]}"
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


def talk(address: str, text: bytes) -> bytes:
    host, _, port = address.partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(text)
        connection.shutdown(socket.SHUT_WR)
        got = b""
        while data := connection.recv(4096):
            got += data
    return got


def test_every_byte_is_passed_on_and_counted(echo: str) -> None:
    with wire.Counted(Server(echo, echo, echo)) as counted:
        assert talk(counted.server.http, b"x" * 300_000) == b"x" * 600_000
        assert (counted.sent, counted.received) == (300_000, 600_000)
        assert talk(counted.server.grpc, b"abc") == b"abcabc"
        assert (counted.sent, counted.received) == (300_003, 600_006)
        counted.reset()
        assert (counted.sent, counted.received) == (0, 0)


def test_it_ends_with_its_connections(echo: str) -> None:
    before = threading.active_count()
    with wire.Counted(Server(echo, echo, echo)) as counted:
        host, _, port = counted.server.http.partition(":")
        idle = socket.create_connection((host, int(port)), timeout=10)
        idle.sendall(b"x")
        deadline = time.monotonic() + 30
        while not counted.sent and time.monotonic() < deadline:
            time.sleep(0.01)
    assert idle.recv(10) == b""
    idle.close()
    with pytest.raises(OSError, match="refused"):
        talk(counted.server.http, b"x")
    for thread in threading.enumerate():
        if thread.daemon and thread is not threading.current_thread() and "_pump" in thread.name:
            thread.join(10)
    assert threading.active_count() <= before


def test_a_server_that_is_gone_looks_gone() -> None:
    gone = Server("127.0.0.1:9", "127.0.0.1:9", "127.0.0.1:9")
    with wire.Counted(gone) as counted, pytest.raises(ServerUnavailableError):
        serving.classify(counted.server, [b"picture"])


def test_what_server_side_preprocessing_saves(running: EmbeddedServer, contents: list[bytes]) -> None:
    size = sum(map(len, contents))
    with wire.Counted(running) as counted:
        sent = {}
        for way in ("raw", "single", "padded"):
            with serving.EncodedClients(counted.server, way=way, concurrency=1, batch_size=len(contents)) as clients:
                clients.classify(contents[:1])  # the model's configuration is asked for with the first one
                counted.reset()
                clients.classify(contents)
                sent[way] = counted.sent
        with serving.PreparingClients(counted.server, concurrency=1) as clients:
            clients.classify(contents[:1])
            counted.reset()
            clients.classify(contents)
            pixels = counted.sent
    assert size < sent["raw"] < size + 300 * len(contents)
    assert sent["raw"] < sent["single"] < size + 1000 * len(contents)
    assert len(contents) * max(map(len, contents)) < sent["padded"]
    assert len(contents) * 4 * 3 * 224 * 224 < pixels


def test_a_connection_that_cannot_be_taken_does_not_end_the_relay(echo: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with wire.Counted(Server(echo, echo, echo)) as counted:
        assert talk(counted.server.http, b"x") == b"xx"  # the thread waits for the next connection now
        accept, connect = socket.socket.accept, socket.create_connection
        failing = [OSError(errno.EMFILE, "Too many open files")] * 2
        relays = {thread for thread in threading.enumerate() if "_accept" in thread.name}

        def full(listener: socket.socket) -> Any:
            if failing and threading.current_thread() in relays:
                raise failing.pop()
            return accept(listener)

        def unset(*_where: object, **_how: object) -> Any:
            far = connect(("127.0.0.1", int(echo.rpartition(":")[2])))
            far.close()
            opened.append(far)
            return far

        opened: list[socket.socket] = []
        monkeypatch.setattr(socket.socket, "accept", full)
        for address in (counted.server.http, counted.server.grpc):
            assert talk(address, b"abc") == b"abcabc"
        assert talk(counted.server.http, b"abc") == b"abcabc"
        assert not failing
        # A connection to the server that is lost at once.
        host, _, port = counted.server.http.partition(":")
        with monkeypatch.context() as patch:
            patch.setattr(wire.socket, "create_connection", unset)
            with connect((host, int(port)), timeout=10) as near:
                assert near.recv(10) == b""
        assert opened
        assert talk(counted.server.http, b"abc") == b"abcabc"


def test_it_does_not_listen_before_it_is_entered_nor_after_a_failure(echo: str) -> None:
    before = threading.active_count()
    wire.Counted(Server(echo, echo, echo))
    assert threading.active_count() == before
    with pytest.raises(UsageError), wire.Counted(Server(echo, "nowhere", echo)):
        pass
    assert threading.active_count() == before
