"""The verb ``w251lab weights``: what of the downloads is here, and fetching one."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.table import Table

from w251lab import assets
from w251lab.errors import UsageError

#: What registers assets when it is imported.
TOPICS: Final = ("w251lab.faces.gfpgan.weights",)


def register(app: typer.Typer) -> None:
    """Add this room's verbs to the command line."""
    app.command("weights")(weights)


def weights(
    name: Annotated[str | None, typer.Argument(help="What to fetch; without it, a list of what there is.")] = None,
    source: Annotated[
        Path | None, typer.Option("--from", help="A file that you have already: it is checked and copied, not fetched.")
    ] = None,
) -> None:
    """List the networks' weights that can be downloaded, or have one of them here."""
    for topic in TOPICS:
        import_module(topic)
    if name is None:
        if source is not None:
            raise UsageError("--from needs the name of what the file is", f"one of {', '.join(assets.names())}")
        _list()
        return
    asset = assets.known(name)
    place = assets.adopt(asset, source) if source is not None else _fetch(asset)
    Console().print(f"{asset.what}: {place}", soft_wrap=True, highlight=False)
    if asset.used_by:
        Console().print(f"used by: {asset.used_by}", soft_wrap=True, highlight=False)


def _list() -> None:
    console = Console()
    table = Table("Name", "What", "MB", "State", "Licence", box=None, header_style="bold")
    for name in assets.names():
        asset = assets.known(name)
        found, _ = assets.state(asset)
        table.add_row(name, asset.what, f"{asset.size / 1e6:.0f}" if asset.size else "?", found, asset.licence)
    console.print(table)
    console.print(f"Folder: {assets.folder()}", soft_wrap=True, highlight=False)
    if assets.offline():
        console.print("W251LAB_OFFLINE is set: nothing will be fetched.")


def _fetch(asset: assets.Asset) -> Path:
    """Fetch, with a bar on stderr where that is a terminal."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(asset.file, total=asset.size or None)
        return assets.fetch(asset, lambda done, total: bar.update(task, completed=done, total=total or None))
