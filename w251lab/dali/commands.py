"""The verb ``w251lab dali-repository``."""
# The verbs of the command line must not wait for what only this one imports.
# ruff: noqa: PLC0415

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the verb to ``app``."""
    app.command("dali-repository")(dali_repository)


def dali_repository(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where to write; models of other names there stay.")],
    *,
    model: Annotated[str, typer.Option("-m", "--model", help="The shipped classifier.")] = "efficientnet_lite0",
    flavour: Annotated[str, typer.Option(help="embedded, or ngc for Triton's container image.")] = "embedded",
    device: Annotated[str, typer.Option(help="Where the models are to run: cpu or gpu.")] = "cpu",
) -> None:
    """Write a classifier with DALI's preprocessing in front of it: picture files in, classes out."""
    from w251lab.dali import checks, serving
    from w251lab.triton import repository

    checks.one_of(flavour, "flavour", repository.FLAVOURS)
    checks.one_of(device, "device", ("cpu", "gpu"))
    service = serving.Service(classifier=model, device="gpu" if device == "gpu" else "cpu")
    serving.write(folder, service, "ngc" if flavour == "ngc" else "embedded")
    names = f"{service.preprocessing}, {service.classifier} and {service.ensemble}"
    sys.stdout.write(f"Wrote {names} ({flavour}, {device}) into {folder}\n")
    if flavour == "embedded":
        sys.stdout.write(f"Serve them with:\n  w251lab serve {shlex.quote(str(folder))}\n")
    sys.stdout.write(
        "Then send a picture, the file as it is:\n"
        "  curl -H 'Inference-Header-Content-Length: 0' --data-binary @IMAGE \\\n"
        f"    http://127.0.0.1:8000/v2/models/{service.ensemble}/infer --output -\n"
    )
