"""A real HTTP server on this machine, which misbehaves as it is told."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from w251lab import assets
from w251lab.assets import Asset, registry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

CONTENT = bytes(range(256)) * 4000  # about 1 MB


@dataclass
class Site:
    """What the server does, and what it was asked."""

    url: str = ""
    content: bytes = CONTENT
    etag: str = '"one"'
    ranges: bool = True
    #: For each request in turn, how many bytes of its answer are sent before the connection ends; None for all.
    breaks: list[int | None] = field(default_factory=list)
    #: For each request in turn, an answer in place of the file.
    statuses: list[int] = field(default_factory=list)
    asked: list[dict[str, str]] = field(default_factory=list)
    #: Called before an answer is sent.
    meanwhile: Callable[[], None] | None = None

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        self.asked.append({name.lower(): value for name, value in handler.headers.items()})
        if self.meanwhile is not None:
            self.meanwhile()
        if self.statuses:
            handler.send_error(self.statuses.pop(0))
            return
        begin = self._begin()
        if begin >= len(self.content):
            handler.send_response(416)
            handler.send_header("Content-Range", f"bytes */{len(self.content)}")
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return
        body = self.content[begin:]
        handler.send_response(206 if begin else 200)
        if begin:
            handler.send_header("Content-Range", f"bytes {begin}-{len(self.content) - 1}/{len(self.content)}")
        handler.send_header("Content-Length", str(len(body)))
        handler.send_header("ETag", self.etag)
        handler.end_headers()
        limit = self.breaks.pop(0) if self.breaks else None
        handler.wfile.write(body if limit is None else body[:limit])

    def _begin(self) -> int:
        asked = self.asked[-1]
        if not self.ranges or "range" not in asked or asked.get("if-range", self.etag) != self.etag:
            return 0
        return int(asked["range"].removeprefix("bytes=").removesuffix("-"))


@pytest.fixture
def site() -> Iterator[Site]:
    here = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            here.answer(self)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    here.url = f"http://127.0.0.1:{server.server_address[1]}/weights.bin"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield here
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of downloads: this test's own, which is not there yet."""
    folder = tmp_path / "a cache"
    monkeypatch.setenv("W251LAB_CACHE", str(folder))
    for name in ("W251LAB_OFFLINE", "W251LAB_WEIGHTS", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    return folder


@pytest.fixture
def asset(site: Site, monkeypatch: pytest.MonkeyPatch) -> Asset:
    """The server's file, whose digest is published."""
    monkeypatch.setattr(registry, "_ASSETS", {})
    made = Asset(
        name="thing-1",
        what="Thing v1",
        file="weights.bin",
        url=site.url,
        sha256=hashlib.sha256(CONTENT).hexdigest(),
        size=len(CONTENT),
        licence="MIT",
    )
    return assets.register(made)
