"""The verb ``w251lab restore``."""
# The verbs of the command line must not wait for what only this one imports.
# ruff: noqa: PLC0415

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the verb to ``app``."""
    app.command("restore")(restore)


def restore(
    pictures: Annotated[list[Path], typer.Argument(metavar="PICTURE...", help="Photographs with faces.")],
    *,
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for what is restored.")] = Path("restored"),
    model: Annotated[str, typer.Option("-m", "--model", help="auto, baseline or gfpgan.")] = "auto",
    device: Annotated[str, typer.Option(help="auto, cpu or gpu.")] = "auto",
    upscale: Annotated[float, typer.Option(help="How many times larger the result is, 1 to 4.")] = 2.0,
    largest: Annotated[int, typer.Option(help="Larger pictures are shrunk to this many pixels a side first.")] = 4096,
) -> None:
    """Restore the faces in photographs, each into a PNG file of its name; one that fails stops no other."""
    from w251lab.faces import batch
    from w251lab.faces.restore import check_upscale, load_restorer

    check_upscale(upscale)
    targets = batch.targets(pictures, output)
    restorer = load_restorer(model, device)
    why = f"; {restorer.why}" if restorer.why else ""
    sys.stdout.write(f"{restorer.model} on the {restorer.device.upper()}{why}\n")
    sys.stdout.flush()
    failed = 0
    for line in batch.restore_files(targets, restorer, upscale=upscale, largest=largest):
        failed += line.failed
        stream = sys.stderr if line.failed else sys.stdout
        stream.write(f"{line.text}\n")
        stream.flush()
    if failed:
        raise typer.Exit(1)
