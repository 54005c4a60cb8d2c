"""The picture of a benchmark of loading: stacked bars, the stages of each loader beside its whole.

Colours are those of Okabe and Ito, "Color Universal Design" (2008), told apart by colour-blind readers.
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Final

import matplotlib.pyplot as plt
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from w251lab.dali.loading.report import milliseconds
from w251lab.dali.loading.stages import MEANING, STAGES, StageName
from w251lab.errors import UsageError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from w251lab.dali.loading.result import Loading

COLOURS: Final[dict[StageName, str]] = {
    "read": "#999999",
    "decode": "#0072B2",
    "augment": "#E69F00",
    "normalise": "#009E73",
    "copy": "#CC79A7",
}
_PALE: Final = 0.35  # what cannot be told from 0
_BAR: Final = 0.62  # of the room that a loader has
_WIDTH: Final = 11.0  # inches
_TITLE: Final = 118  # characters in a line
_LEAST_SHARE: Final = 0.07  # a part that is smaller has no room for its figure


def plot(loading: Loading, recorded: Loading | None = None) -> Figure:
    """Milliseconds for a picture by stage on the left, the same as shares of the sum on the right.

    A stage that cannot be told from 0 is pale, and one whose difference came out below 0 has no length; the figures
    with their spread are in :meth:`~w251lab.dali.loading.result.Loading.table`.

    Args:
        loading: As :func:`w251lab.dali.loading.bench.measure` gives it.
        recorded: One that was read from a file, drawn below it on a scale of its own: hatched, with its hardware, its
            day and the word "recorded".

    Raises:
        UsageError: ``recorded`` is not from a file.
    """
    if recorded is not None and not recorded.recorded:
        raise UsageError(
            "the benchmark to draw as recorded was measured just now", "save it, and load it from its file"
        )
    sources = [source for source in (loading, recorded) if source is not None]
    heights = [len(source.loaders) + 1.2 for source in sources]
    figure, axes = plt.subplots(
        len(sources),
        2,
        figsize=(_WIDTH, 0.52 * sum(heights) + 1.0),
        layout="constrained",
        squeeze=False,
        height_ratios=heights,
        width_ratios=(3, 2),
    )
    for (left, right), source in zip(axes, sources, strict=True):
        _draw(left, source, shares=False)
        _draw(right, source, shares=True)
        left.set_title(_title(source), fontsize=9.5, loc="left")
    figure.legend(handles=_handles(), loc="outside lower center", frameon=False, fontsize=9, ncols=2)
    plt.close(figure)  # otherwise a notebook shows it twice: as the cell's value, and as pyplot's open figure
    return figure


def _draw(axes: Axes, loading: Loading, *, shares: bool) -> None:
    longest = 0.0
    for row, loader in enumerate(loading.loaders):
        times = {name: max(value, 0.0) for name, value in loading.milliseconds(loader.key).items()}
        noise = {stage.name for stage in loader.stages if stage.is_noise}
        total = sum(times.values())
        begin = 0.0
        for name, time in times.items():
            length = time / total if shares else time
            axes.barh(
                row, length, _BAR, left=begin, color=COLOURS[name], edgecolor="white", linewidth=0.6,
                hatch="///" if loading.recorded else None,
                alpha=_PALE if name in noise else 1.0,
            )  # fmt: skip
            if shares and length >= _LEAST_SHARE and name not in noise:
                axes.text(
                    begin + length / 2, row, f"{length:.0%}", ha="center", va="center", fontsize=8, color="white",
                    fontweight="bold", bbox={"facecolor": COLOURS[name], "edgecolor": "none", "pad": 1},
                )  # fmt: skip
            begin += length
        if not shares:
            whole = loading.whole_milliseconds(loader.key)
            axes.plot([whole, whole], [row - 0.42, row + 0.42], color="black", linewidth=2.2)
            longest = max(longest, begin, whole)
            rate = loading.images_per_second(loader.key)
            axes.annotate(
                f"{rate:,.0f} images/s ({milliseconds(whole)} ms)", (max(begin, whole), row), xytext=(6, 0),
                textcoords="offset points", va="center", fontsize=9,
            )  # fmt: skip
    axes.set_ylim(len(loading.loaders) - 0.4, -0.6)
    axes.spines[["top", "right"]].set_visible(False)
    if shares:
        axes.set_xlim(0, 1)
        axes.set_yticks([])
        axes.xaxis.set_major_formatter(lambda value, _position: f"{value:.0%}")
        axes.set_xlabel("share of the sum of the stages", fontsize=9)
    else:
        axes.set_xlim(0, longest * 1.45)  # room for the figures at the bars' ends
        axes.set_yticks(range(len(loading.loaders)), [loader.name for loader in loading.loaders], fontsize=9)
        axes.set_xlabel("milliseconds for a picture, one stage after the other", fontsize=9)


def _title(loading: Loading) -> str:
    when = f"recorded on {loading.hardware}, {loading.made}" if loading.recorded else f"measured on {loading.hardware}"
    return "\n".join(textwrap.wrap(when, _TITLE))


def _handles() -> list[Patch | Line2D]:
    return [
        *(Patch(color=COLOURS[stage], label=f"{stage}: {MEANING[stage]}") for stage in STAGES),
        Line2D([], [], color="black", linewidth=2.2, label="whole: as one uses it, stages overlapped"),
        Patch(color="#666666", alpha=_PALE, label="pale: cannot be told from 0"),
    ]
