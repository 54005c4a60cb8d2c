"""The verbs that start a server and speak to one."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from w251lab.errors import UsageError
from w251lab.triton import environment
from w251lab.triton.client import TritonClient

DEFAULT_PORTS = {"http": 8000, "grpc": 8001}


def register(app: typer.Typer) -> None:
    """Add the server's verbs to ``app``."""
    app.command()(setup)
    app.command()(models)


def setup(
    device: Annotated[str, typer.Option(help="cpu, or gpu for an onnxruntime that computes with CUDA.")] = "cpu",
    python: Annotated[str | None, typer.Option(help="The Python to build on: a path, or a name on PATH.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Make it again even if it is there.")] = False,
) -> None:
    """Make the Triton server's own environment, unless it is there and current."""
    root = environment.default_root()
    if not force and environment.is_current(root, device, python):
        made = environment.load(root)
        word = "is there"
    else:
        console = Console(stderr=True)
        with console.status(f"setting up the Triton server's environment in {root} (about 100 MB to fetch)"):
            made = environment.install(device, root, python, force=force)
        word = "was made"
    sys.stdout.write(
        f"The Triton server's environment ({device}, Python {made.interpreter.version}) {word}: {made.root}\n"
    )


def models(
    url: Annotated[str, typer.Option("-u", "--url", help="host:port; 127.0.0.1:8000, or 8001 for grpc.")] = "",
    protocol: Annotated[str, typer.Option("-i", "--protocol", help="http or grpc.")] = "http",
) -> None:
    """List the models in a server's repository, and whether they are loaded."""
    with _client(url, protocol) as client:
        table = Table("model", "version", "state", "reason")
        for status in client.models():
            table.add_row(status.name, status.version, status.state or "not loaded", status.reason)
    Console().print(table)


def _client(url: str, protocol: str, timeout: float = 60.0) -> TritonClient:
    """A client for what ``-u`` and ``-i`` say."""
    chosen = protocol.lower()
    if chosen not in DEFAULT_PORTS:
        raise UsageError(f"Unknown protocol {protocol!r}.", "Use -i http or -i grpc.")
    return TritonClient(
        url or f"127.0.0.1:{DEFAULT_PORTS[chosen]}", "http" if chosen == "http" else "grpc", timeout=timeout
    )
