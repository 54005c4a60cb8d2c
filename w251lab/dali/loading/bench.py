"""Measure what it costs to load pictures for training here, or read what was recorded on a GPU."""

from __future__ import annotations

import contextlib
import datetime as dt
import difflib
import math
import tempfile
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PIL import Image

from w251lab import accelerator
from w251lab.dali import checks, damage, installed, sources
from w251lab.dali.loading import contenders, delivery, pillow
from w251lab.dali.loading.result import KEYS, Key, Loading
from w251lab.dali.recipes import Training
from w251lab.errors import UsageError, W251Error
from w251lab.timing.comparing import shown
from w251lab.timing.others import Others

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from importlib.resources.abc import Traversable

    from w251lab.accelerator import Device
    from w251lab.dali.sources import Source

    Progress = bool | Callable[[int, int, str], None]

__all__ = ["KEYS", "choose", "folder", "measure", "recorded"]

RECORDED: Final = "loading.json"


def measure(
    source: Source,
    recipe: Training | None = None,
    *,
    device: str = "auto",
    batch_size: int = 64,
    batches: int = 20,
    warmup: int = 5,
    threads: int | None = None,
    workers: int | None = None,
    only: Sequence[str] | None = None,
    progress: Progress = True,
) -> Loading:
    """Measure the loaders one after the other, on the same pictures in the same order.

    The files are read once before, so that they come from the page cache for every loader: what is measured is not the
    disk. Pictures that are in memory are written to files for it, which go again.

    Args:
        source: The pictures. Of many, as many whole batches are used as are timed; few are gone round.
        recipe: What is done to each; None for the usual values. It turns no pictures.
        device: Where the batches are to lie: ``cpu``, ``gpu``, or ``auto`` for the GPU where there is one. With ``gpu``
            every loader has to bring its batch there, and ``dali-gpu`` takes part, which decodes on the GPU.
        batch_size: Pictures in a batch.
        batches: Timed, of each loader and each of DALI's pipelines.
        warmup: Batches before those.
        threads: Of DALI; None for as many as this process may use cores.
        workers: Processes of Pillow; None for the same.
        only: Some of :data:`KEYS`; None for all that can be on ``device``.
        progress: True for a progress bar on a terminal, False for none, or a function that is called with the loaders
            done, how many there are, and what comes next.

    Raises:
        UsageError: A count below 1, an unknown device or loader, a recipe that Pillow cannot do as DALI does; or
            ``dali-gpu`` without the device ``gpu``.
        W251Error: There is no DALI or no GPU here; a picture cannot be read or decoded (it is named); or a worker
            process was killed.
    """
    recipe = pillow.check(Training() if recipe is None else recipe)
    batch_size, batches = checks.whole(batch_size, "batch_size"), checks.whole(batches, "batches")
    warmup = checks.whole(warmup, "warmup")
    cores = accelerator.describe().cores
    threads = cores if threads is None else checks.whole(threads, "threads")
    workers = cores if workers is None else checks.whole(workers, "workers")
    chosen = delivery.require(device)
    keys = choose(only, chosen)
    others = Others()
    with _as_files(source, batch_size * batches) as files, shown(progress) as show:
        entries = _whole_batches(files, batch_size)
        used = list(dict.fromkeys(entries.names))
        size, pixels = _look(used)
        plan = contenders.Plan(entries, recipe, chosen, batch_size, batches, warmup, threads, workers)
        found = []
        for done, key in enumerate(keys):
            show(done, len(keys), key)
            found.append(contenders.measure_loader(key, plan))
        show(len(keys), len(keys), "done")
    today = dt.datetime.now(tz=dt.UTC).date().isoformat()
    return Loading(tuple(found), batch_size, len(used), size, pixels, recipe.crop, chosen, today, others.cores())


def choose(only: Sequence[str] | None, device: Device) -> tuple[Key, ...]:
    """The loaders to measure, in the order of :data:`KEYS`.

    Args:
        only: Some of :data:`KEYS`, or None for all that can be.
        device: Where the batches are to lie.

    Raises:
        UsageError: An unknown one, none at all, or ``dali-gpu`` where the batches are to lie with the CPU.
        W251Error: One needs DALI, and there is none here.
    """
    if isinstance(only, str):
        raise UsageError(f"{only!r} is one loader", f"give a list: [{only!r}]")
    wanted = [key for key in KEYS if key != "dali-gpu" or device == "gpu"] if only is None else list(only)
    for key in wanted:
        if key not in KEYS:
            nearest = difflib.get_close_matches(str(key), KEYS, n=1)
            raise UsageError(
                f"unknown loader {key!r}",
                (f"did you mean {nearest[0]!r}? " if nearest else "") + f"use {', '.join(KEYS)}",
            )
    if not wanted:
        raise UsageError("no loader is to be measured", f"name some of {', '.join(KEYS)}")
    if "dali-gpu" in wanted and device == "cpu":
        raise UsageError("the loader 'dali-gpu' decodes on the GPU", "use device='gpu', or leave it out")
    if any(key.startswith("dali") for key in wanted):
        installed.dali()
    return tuple(key for key in KEYS if key in wanted)


def recorded() -> Loading | None:
    """What was recorded on a GPU, named in it, and comes with this package; None where nothing was.

    Raises:
        W251Error: The file is damaged.
    """
    file = folder() / RECORDED
    if not file.is_file():
        return None
    with resources.as_file(file) as path:
        return Loading.load(path)


def folder() -> Traversable:
    """Where the recorded benchmark is."""
    return resources.files(__package__ or "w251lab.dali.loading") / "recorded"


@contextlib.contextmanager
def _as_files(source: Source, most: int) -> Iterator[Source]:
    """At most so many of the pictures, as files."""
    count = min(len(source), most)
    if source.contents is None:
        yield sources.files(source.names[:count], source.labels[:count])
        return
    with tempfile.TemporaryDirectory(prefix="w251lab-loading-") as name:
        paths = [Path(name) / f"{index:06d}" for index in range(count)]
        try:
            for path, content in zip(paths, source.contents, strict=False):
                path.write_bytes(content)
        except OSError as error:
            raise W251Error(
                f"the pictures cannot be written to {name}: {error.strerror}",
                "make room there, or set TMPDIR to another folder",
            ) from error
        yield sources.files(paths, source.labels[:count])


def _look(names: Sequence[str]) -> tuple[float, float]:
    """Read every file, which puts it into the page cache; the mean number of bytes, and of pixels."""
    size = pixels = 0
    for name in names:
        size += len(pillow.read(name))
        try:
            with Image.open(name) as picture:
                pixels += math.prod(picture.size)
        except damage.UNREADABLE as error:
            raise W251Error(
                f"{name} is no picture that Pillow can read: {error}", "remove it from the source"
            ) from error
    return size / len(names), pixels / len(names)


def _whole_batches(source: Source, batch_size: int) -> Source:
    """The source with as many entries as fill batches: cut where there are more than one batch, else repeated.

    DALI fills the last batch of an epoch with one picture over and over, which would be other work than Pillow's.
    """
    count = len(source)
    if count > batch_size:
        kept, times = count // batch_size * batch_size, 1
    else:
        kept, times = count, math.lcm(count, batch_size) // count
    return sources.Source(source.names[:kept] * times, source.labels[:kept] * times)
