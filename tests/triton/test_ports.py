from __future__ import annotations

import socket

import pytest

from w251lab.errors import UsageError
from w251lab.triton import ports
from w251lab.triton.errors import PortTakenError


def test_fill_gives_three_different_free_ports() -> None:
    filled = ports.fill((0, 0, 0))
    assert len(set(filled)) == 3
    ports.require_usable(filled)


def test_fill_keeps_what_was_asked_for() -> None:
    http, grpc, metrics = ports.fill((0, 8001, 0))
    assert grpc == 8001
    assert len({http, grpc, metrics}) == 3


def test_a_port_that_somebody_listens_on() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        with pytest.raises(PortTakenError):
            ports.require_usable((0, listener.getsockname()[1], 0))


def test_a_port_that_was_just_given_back_is_free() -> None:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as Triton does
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)), listener.accept()[0]:
            pass  # the server's side closes first and waits: a bind without SO_REUSEADDR would fail
    ports.require_usable((port, 0, 0))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("localhost:8000", ("localhost", 8000)),
        ("http://localhost:8000/", ("localhost", 8000)),
        ("[::1]:8001", ("[::1]", 8001)),
        ("gpu.example.org:65535", ("gpu.example.org", 65535)),
    ],
)
def test_split_address(url: str, expected: tuple[str, int]) -> None:
    assert ports.split_address(url) == expected


@pytest.mark.parametrize(
    "url", ["", "8000", ":8000", "host:", "host:0", "host:65536", "host:-1", "host:8000/v2", "host:²"]
)
def test_no_address(url: str) -> None:
    with pytest.raises(UsageError, match="not the address of a server") as caught:
        ports.split_address(url)
    assert "host:port" in caught.value.remedy


def test_https_is_named() -> None:
    with pytest.raises(UsageError, match="https"):
        ports.split_address("https://host:8000")
