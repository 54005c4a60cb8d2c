"""The verb ``w251lab bench rapids``."""
# The verbs of the command line must not wait for what only this one imports.
# ruff: noqa: PLC0415

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape

from w251lab.errors import UsageError, W251Error

if TYPE_CHECKING:
    from w251lab.timing import Comparison

_FOLDER = Path("bench") / "rapids"


def register(bench: typer.Typer) -> None:
    """Add the benchmark to the group ``bench``."""
    bench.command("rapids")(rapids)


def rapids(
    *,
    scale: Annotated[str, typer.Option(help="small for two cores, full for a machine with a GPU.")] = "small",
    device: Annotated[str, typer.Option(help="cpu; gpu for both on this machine; auto.")] = "auto",
    only: Annotated[list[str] | None, typer.Option(metavar="NAME", help="Only this curve; may be repeated.")] = None,
    output: Annotated[Path, typer.Option(metavar="DIR", help="Where the JSON and PNG files go.")] = _FOLDER,
    record: Annotated[
        bool, typer.Option("--record", hidden=True, help="Also ship them as the recorded curves of this GPU.")
    ] = False,
) -> None:
    """Measure data frames, K-means, random forest and XGBoost over sizes: CPU against GPU."""
    from w251lab import accelerator
    from w251lab.bench import terminal
    from w251lab.rapids import bench, bench_files

    names = [bench.find(name).name for name in dict.fromkeys(only or bench.NAMES)]
    bench.check_scale(scale)
    libraries = sorted({library for name in names for library in bench.find(name).libraries})
    chosen = accelerator.require(device, *libraries)
    if record and (chosen != "gpu" or scale != "full"):
        raise UsageError("--record takes a run with a GPU at full scale", "add --device gpu --scale full")
    console, errors = terminal.output(), terminal.complaints()
    for moved in bench_files.make_room(output, names):
        errors.print(escape(f"an earlier result is now {moved}"))
    done, failed = [], []
    try:
        for name, found in bench.each(names, chosen, scale):
            if isinstance(found, W251Error):
                failed.append(name)
                errors.print(escape(f"{name}: {found}"))
                continue
            bench_files.write(found, output, name)
            done.append(name)
            _print(console, found, name)
            if record:
                try:
                    bench_files.ship(found, name)
                except W251Error as error:  # the curves to come are measured all the same
                    failed.append(name)
                    errors.print(escape(str(error)))
    except KeyboardInterrupt:
        kept = [name for name in names if (output / f"{name}.json").exists()]  # what was there before is moved aside
        errors.print(escape(f"interrupted; kept in {output}: {', '.join(kept) or 'nothing, no curve was finished'}"))
        raise typer.Exit(130) from None
    if done:
        console.print(escape(f"{len(done)} of {len(names)} curves are in {output}"))
    if failed:
        raise typer.Exit(1)


def _print(console: Console, found: Comparison, name: str) -> None:
    from w251lab.rapids import bench_report

    console.print(bench_report.table(found))
    for said in [*bench_report.remarks(found), bench_report.note(name)]:
        console.print(escape(said))
    console.print()
