"""The verb ``w251lab bench loading``."""
# The verbs of the command line must not wait for what only this one imports.
# ruff: noqa: PLC0415

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.markup import escape

from w251lab.errors import UsageError

if TYPE_CHECKING:
    from w251lab.dali.sources import Source

_FOLDER = Path("bench") / "loading"
_NAME: Final = "loading"
_BATCH, _BATCHES, _WARMUP = 64, 20, 5


def register(bench: typer.Typer) -> None:
    """Add the benchmark to the group ``bench``."""
    bench.command("loading")(loading)


def loading(
    *,
    pictures: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Pictures of yours; 64 photographs of 1024 x 768 otherwise.")
    ] = None,
    device: Annotated[str, typer.Option(help="Where the batches are to lie: cpu, gpu, auto.")] = "auto",
    batch_size: Annotated[int, typer.Option(help="Pictures in a batch.")] = _BATCH,
    batches: Annotated[int, typer.Option(help="Timed batches.")] = _BATCHES,
    warmup: Annotated[int, typer.Option(help="Batches before those.")] = _WARMUP,
    threads: Annotated[int | None, typer.Option(help="Threads of DALI; as many as cores otherwise.")] = None,
    workers: Annotated[int | None, typer.Option(help="Processes of Pillow; as many as cores otherwise.")] = None,
    only: Annotated[list[str] | None, typer.Option(metavar="NAME", help="Only this loader; may be repeated.")] = None,
    output: Annotated[Path, typer.Option(metavar="DIR", help="Where the JSON and PNG files go.")] = _FOLDER,
    record: Annotated[
        bool, typer.Option("--record", hidden=True, help="Also ship it as the recorded benchmark of this GPU.")
    ] = False,
) -> None:
    """Measure what it costs to load pictures for training, stage by stage: Pillow against DALI."""
    from w251lab.bench import files, terminal
    from w251lab.dali.loading import bench, delivery
    from w251lab.dali.loading.result import Loading

    chosen = delivery.require(device)
    bench.choose(only, chosen)
    usual = (batch_size, batches, warmup) == (_BATCH, _BATCHES, _WARMUP)
    if record and not (chosen == "gpu" and usual and pictures is None and not only):
        raise UsageError(
            "--record takes a run with a GPU, of all loaders, on the usual pictures and batches",
            "add --device gpu, and leave out the other options",
        )
    source = _source(pictures)
    console, errors = terminal.output(), terminal.complaints()
    for moved in files.make_room(output, [_NAME], Loading.load):
        errors.print(escape(f"an earlier result is now {moved}"))
    found = bench.measure(
        source,
        device=chosen,
        batch_size=batch_size,
        batches=batches,
        warmup=warmup,
        threads=threads,
        workers=workers,
        only=only,
    )
    file = found.save(output / f"{_NAME}.json")
    files.draw(found.plot(bench.recorded() if chosen == "cpu" else None), file)
    if record:
        found.save(Path(str(bench.folder())) / bench.RECORDED)
    console.print(found.table())
    for said in found.remarks():
        console.print(escape(said))
    console.print(escape(f"{_NAME}.json and {_NAME}.png are in {output}"))


def _source(pictures: Path | None) -> Source:
    from w251lab.dali import sources

    if pictures is not None:
        return sources.folder(pictures)
    from w251lab.dali import bundled

    return bundled.photographs()
