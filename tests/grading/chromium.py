"""A headless chromium, driven over its own debugging protocol: opens a page, asks it, types into it.

https://chromedevtools.github.io/devtools-protocol/ describes the messages. It needs the browser alone, no driver of
its version; it reaches 127.0.0.1 and nothing else, whatever a page asks for.
"""

from __future__ import annotations

import itertools
import json
import shutil
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx
import websocket

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: Seconds for anything that a busy machine may take long for.
PATIENCE = 120.0
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--no-first-run",
    "--no-proxy-server",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--remote-debugging-port=0",
    "--remote-allow-origins=*",
]


class Page:
    """One tab."""

    def __init__(self, socket: websocket.WebSocket) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)

    def send(self, method: str, **params: Any) -> dict[str, Any]:
        """One command and its answer; events that arrive meanwhile are left."""
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            answer = json.loads(self._socket.recv())
            if answer.get("id") == number:
                assert "error" not in answer, answer
                return dict(answer["result"])

    def ask(self, script: str) -> Any:
        """The value of a JavaScript expression; None where the page is just changing."""
        result = self.send("Runtime.evaluate", expression=script, returnByValue=True)
        return None if "exceptionDetails" in result else result["result"].get("value")

    def wait_for(self, script: str) -> Any:
        """The value of an expression, as soon as it is true."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if value := self.ask(script):
                return value
            time.sleep(0.1)
        raise AssertionError(f"never true: {script}; the page: {self.ask('document.body.innerText')}")

    def open(self, url: str) -> None:
        """Go to an address, and wait until it is loaded."""
        self.send("Page.enable")
        self.ask("window.isOld = true")
        self.send("Page.navigate", url=url)
        self.wait_for("!window.isOld && document.readyState === 'complete'")

    def type_into(self, selector: str, text: str) -> None:
        """Type into a field as a person does, and leave it with the tabulator."""
        self.wait_for(f"(element => {{ element.focus(); element.select(); return true; }})({_find(selector)})")
        self.send("Input.insertText", text=text)
        for kind in ("rawKeyDown", "keyUp"):
            self.send("Input.dispatchKeyEvent", type=kind, key="Tab", code="Tab", windowsVirtualKeyCode=9)
        self.ask("document.activeElement.blur()")


def _find(selector: str) -> str:
    return f"document.querySelector({json.dumps(selector)})"


@contextmanager
def chromium(folder: Path) -> Iterator[Page]:
    """A browser with its profile in ``folder``; it ends with the context."""
    program = next(filter(None, map(shutil.which, _NAMES)))
    command = [program, *_FLAGS, f"--user-data-dir={folder}", "about:blank"]
    with (folder.parent / "chromium.txt").open("w") as said:
        process = subprocess.Popen(
            command, stdout=said, stderr=said, env={"HOME": str(folder), "PATH": "/usr/bin:/bin"}
        )
    try:
        port = _port(folder, process)
        with httpx.Client(trust_env=False, timeout=PATIENCE) as client:
            tabs = client.get(f"http://127.0.0.1:{port}/json/list").json()
        address = next(tab["webSocketDebuggerUrl"] for tab in tabs if tab["type"] == "page")
        socket = websocket.create_connection(address, timeout=PATIENCE, http_no_proxy=["127.0.0.1"])
        try:
            yield Page(socket)
        finally:
            socket.close()
    finally:
        process.terminate()
        process.wait(timeout=60)


def _port(folder: Path, process: subprocess.Popen[bytes]) -> int:
    """The port that the browser has chosen: it writes it into its profile."""
    file = folder / "DevToolsActivePort"
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        if file.exists() and (text := file.read_text()).count("\n"):
            return int(text.splitlines()[0])
        time.sleep(0.1)
    raise AssertionError(f"chromium did not start: {(folder.parent / 'chromium.txt').read_text()[-2000:]}")
