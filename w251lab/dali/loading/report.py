"""A benchmark of loading in words and figures: a table for a terminal, for a notebook or for Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from w251lab.dali.loading.stages import MEANING, STAGES
from w251lab.timing.timing import quartiles

if TYPE_CHECKING:
    import pandas as pd
    from rich.table import Table

    from w251lab.dali.loading.result import Loader, Loading, Stage
    from w251lab.timing import Timing

HEADER: Final = ("loader", "images/s", "whole", *STAGES, "sum", "slowest")
_NOTHING: Final = "-"
_QUIET: Final = 0.1  # cores
_WHOLE: Final = (
    "Milliseconds are for a picture. whole: as one uses the loader, with batches prepared ahead in DALI and in the "
    "worker processes; images/s is of this. The stages are measured one after the other, so their sum less the whole "
    "is what overlapping saves."
)
_WORKERS: Final = (
    "Worker processes: seconds inside them, divided by their number; copy is into the memory that all share, and out "
    "of it."
)
_DALI: Final = (
    "DALI: differences of pipelines that end after read, after decode, and so on, with nothing prepared ahead. It "
    "decodes the random window only (decode has the crop in it) and mirrors while it normalises; its batch is one "
    "array already. Its reader works ahead in a thread of its own, and maps the files: a part of the reading is in "
    "decode."
)
_NEGATIVE: Final = (
    "A stage below 0 by more than the noise: the machine was busier during the shorter pipeline, or that one has more "
    "to hand out than the longer."
)
_UNSETTLED: Final = (
    "* not settled: fewer than three batches, or the middle half of a measurement spreads over more than 5 %."
)


def rows(loading: Loading) -> list[list[str]]:
    """One row for each loader; milliseconds are for a picture."""
    return [_row(loading, loader) for loader in loading.loaders]


def _row(loading: Loading, loader: Loader) -> list[str]:
    return [
        loader.name + ("" if loader.settled else " *"),
        f"{loading.images_per_second(loader.key):,.{_decimals(loading.images_per_second(loader.key))}f}",
        milliseconds(loading.whole_milliseconds(loader.key)),
        *(_stage(loading, stage) for stage in loader.stages),
        milliseconds(loading.per_picture(loader.sum)),
        loading.slowest_stage(loader.key),
    ]


def remarks(loading: Loading) -> list[str]:
    """What belongs under the table."""
    settled = all(loader.settled for loader in loading.loaders)
    where = "the computer's memory" if loading.device == "cpu" else "the GPU's memory"
    samples = len(loading.loaders[0].whole.samples)
    pictures = (
        f"{loading.pictures:,} files of {loading.bytes_per_picture / 1000:,.0f} kB and "
        f"{loading.pixels_per_picture / 1e6:.2f} megapixels on average, {loading.crop} x {loading.crop} pixels out of "
        f"each, in batches of {loading.batch_size:,} that end in {where}; medians of {samples:,} batches. All files "
        "had been read before, so they came from the page cache."
    )
    said = [pictures, _WHOLE, *_how(loading)]
    if noisy := [
        f"{stage.name} of {loader.name}" for loader in loading.loaders for stage in loader.stages if stage.is_noise
    ]:
        said.append(
            f"~0: a difference that cannot be told from 0 ({', '.join(noisy)}); ± is as far as the middle halves of "
            "the two measurements reach."
        )
    if any(stage.high < 0 for loader in loading.loaders for stage in loader.stages):
        said.append(_NEGATIVE)
    if not settled:
        said.append(_UNSETTLED)
    return [*said, *_machines(loading), *_busy(loading)]


def frame(loading: Loading) -> pd.DataFrame:
    """A row for each loader's whole, and one for each of its stages."""
    import pandas as pd  # half a second that only a table needs  # noqa: PLC0415

    made: list[dict[str, Any]] = []
    for loader in loading.loaders:
        low, high = quartiles(loader.whole.samples)
        whole = _values(loading, loader.whole, loader.whole.median, low, high)
        rate = loading.images_per_second(loader.key)
        named = {"loader": loader.key, "name": loader.name}
        made.append(named | {"stage": "whole", "how": "whole"} | whole | {"images_per_second": rate})
        made += [
            named
            | {"stage": stage.name, "how": stage.how}
            | _values(loading, stage.timing or loader.whole, stage.seconds, stage.low, stage.high)
            for stage in loader.stages
        ]
    return pd.DataFrame(made)


def table(loading: Loading) -> Table:
    """For a terminal, and for a notebook."""
    from rich.table import Table  # Markdown needs none  # noqa: PLC0415

    recorded = f" (recorded {loading.made})" if loading.recorded else ""
    view = Table(
        title=f"Loading pictures for training, milliseconds for a picture: {loading.hardware}{recorded}",
        title_justify="left",
    )
    for column in HEADER:
        view.add_column(column, justify="left" if column in {"loader", "slowest"} else "right", no_wrap=True)
    for row in rows(loading):
        view.add_row(*row)
    return view


def markdown(loading: Loading) -> str:
    """For the docs: the table, and what belongs under it as a list."""
    lines = [f"| {' | '.join(HEADER)} |", f"| --- |{' ---: |' * (len(HEADER) - 2)} --- |"]
    lines += [f"| {' | '.join(row)} |" for row in rows(loading)]
    return "\n".join([*lines, "", *(f"- {said}" for said in remarks(loading))])


def milliseconds(value: float) -> str:
    """Three digits, and never more than three decimals."""
    return f"{value:.{_decimals(value, most=3)}f}"


def _stage(loading: Loading, stage: Stage) -> str:
    if stage.how == "none":
        return _NOTHING
    if stage.is_noise:
        return f"~0 ±{milliseconds(loading.per_picture((stage.high - stage.low) / 2))}"
    return milliseconds(loading.per_picture(stage.seconds))


def _how(loading: Loading) -> list[str]:
    """How the stages of the loaders that took part were found."""
    said = [f"{'; '.join(f'{stage}: {meaning}' for stage, meaning in MEANING.items())}."]
    if "pillow-workers" in loading.keys:
        said.append(_WORKERS)
    if any(loader.key.startswith("dali") for loader in loading.loaders):
        said.append(_DALI)
    return said


def _machines(loading: Loading) -> list[str]:
    found: dict[str, list[str]] = {}
    for loader in loading.loaders:
        timing = loader.whole
        versions = ", ".join(f"{name} {version}" for name, version in timing.versions.items())
        found.setdefault(f"on {timing.hardware} ({versions}), {loading.made}.", []).append(loader.name)
    return [f"{'; '.join(names)}: {where}" for where, names in found.items()]


def _busy(loading: Loading) -> list[str]:
    """What else the machine did meanwhile."""
    if loading.others is None:
        return []
    doubt = "" if loading.others <= _QUIET else "; measure again when it is quiet"
    return [f"Other processes kept {loading.others:.1f} cores of the machine busy meanwhile{doubt}."]


def _values(loading: Loading, timing: Timing, seconds: float, low: float, high: float) -> dict[str, Any]:
    return {
        "device": timing.device,
        "ms_per_image": loading.per_picture(seconds),
        "low": loading.per_picture(low),
        "high": loading.per_picture(high),
        "settled": timing.settled,
        "hardware": timing.hardware,
    }


def _decimals(value: float, most: int = 1) -> int:
    """So that three digits are shown."""
    size = abs(value)
    return max(0, min(most, next((count for count, limit in ((0, 100), (1, 10), (2, 1)) if size >= limit), 3)))
