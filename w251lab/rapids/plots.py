"""Pictures that belong to one lesson; those of every comparison are in `w251lab.timing.plots`.

Colours are those of Okabe and Ito, "Color Universal Design" (2008), told apart by colour-blind readers.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import FuncFormatter

from w251lab.errors import UsageError
from w251lab.rapids import arrays
from w251lab.timing.plots import COLOURS
from w251lab.timing.timing import seconds

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from w251lab.timing import Comparison, Timing

_POINTS_SHOWN = 5000  # more make one blot of a heap, and a large notebook
_SETS = (("o", "#0072B2", 15), ("x", "#D55E00", 9))  # marker, colour, size: a cross is seen inside a ring


def centroids(points: Any, panels: Mapping[str, Mapping[str, Any]]) -> Figure:
    """Points in the plane with two sets of centroids, rings and crosses: where they agree, each ring holds a cross.

    Args:
        points: [rows, 2], on any device; of many rows some are shown.
        panels: The title of each panel -> its sets: a name -> centroids [clusters, 2]; at most two sets.

    Raises:
        UsageError: The points are not in a plane, or a panel has more than two sets.
    """
    step = max(len(points) // _POINTS_SHOWN, 1)
    shown = np.asarray(arrays.to_host(points[::step]))
    if shown.ndim != 2 or shown.shape[1] != 2:
        raise UsageError(f"points of the shape {shown.shape} are not in a plane", "give two of their columns")
    if not panels or any(len(sets) > len(_SETS) for sets in panels.values()):
        raise UsageError("a panel shows one or two sets of centroids", "give more panels for more sets")
    figure, row = plt.subplots(
        1, len(panels), figsize=(5 * len(panels), 4.8), layout="constrained", squeeze=False, sharex=True, sharey=True
    )
    for axes, (title, sets) in zip(row[0], panels.items(), strict=True):
        axes.scatter(*shown.T, s=2, color="#9CA3AF", label=f"{len(shown):,} of {len(points):,} points")
        for (name, places), (marker, colour, size) in zip(sets.items(), _SETS, strict=False):
            axes.plot(
                *np.asarray(arrays.to_host(places)).T, marker, color=colour, markersize=size, markerfacecolor="none",
                markeredgewidth=2, label=name,
            )  # fmt: skip
        axes.set_title(title, fontsize=10, loc="left")
        axes.set_aspect("equal")
        axes.margins(0.1)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.08), frameon=False, fontsize=9)
    plt.close(figure)  # otherwise a notebook shows it twice: as the cell's value, and as pyplot's open figure
    return figure


def predicted_speedup(comparison: Comparison, prediction: Mapping[int, Any]) -> Figure:
    """The speed-up of a comparison's second contender over its first, and what somebody had thought before.

    Args:
        comparison: Of two contenders.
        prediction: Size -> the speed-up that was predicted there; None where nobody dared to.

    Raises:
        UsageError: The comparison has not two contenders, or a prediction is no number above 0.
    """
    if len(comparison.contenders) != 2:
        raise UsageError(f"{comparison.title} has not two contenders", "compare two")
    guesses = {size: float(guess) for size, guess in prediction.items() if _is_guess(size, guess)}
    slow, fast = comparison.contenders
    measured = comparison.speedup(slow, fast)
    figure, axes = plt.subplots(figsize=(8, 4), layout="constrained")
    axes.axhline(1, color="black", linewidth=0.8)
    style = "--" if comparison.recorded else "-"
    label = f"{fast} over {slow}{_recorded(comparison)}"
    axes.plot(list(measured.index), list(measured), f"o{style}", color=COLOURS["gpu"][0], label=label)
    for size, ratio in measured.items():
        axes.annotate(
            f"{ratio:.2g}" if ratio < 10 else f"{ratio:.0f}", (float(size), ratio),  # type: ignore[arg-type]
            xytext=(0, 8 if ratio > 1 else -16),  # off the line at 1
            textcoords="offset points", ha="center", fontsize=9, color=COLOURS["gpu"][0],
        )  # fmt: skip
    if guesses:
        axes.plot(list(guesses), list(guesses.values()), "*", color="black", markersize=13, label="your prediction")
    _dress(axes, comparison.unit, "times as fast", lambda ratio: f"{ratio:g}")
    axes.set_title("\n".join(dict.fromkeys(_hardware(comparison))), fontsize=9, loc="left")
    axes.legend(frameon=False, fontsize=9)
    plt.close(figure)
    return figure


def time_per_row(comparison: Comparison, recorded: Comparison | None = None) -> Figure:
    """Seconds for one row (or whatever a size counts) over the size: falling where a fixed cost rules, level after.

    Args:
        comparison: As :func:`w251lab.timing.compare` gives it.
        recorded: One that was read from a file, drawn beside it: dashed, and labelled with the word "recorded".
    """
    figure, axes = plt.subplots(figsize=(9, 4.8), layout="constrained")
    for source in (comparison, recorded):
        if source is None:
            continue
        for contender in source.contenders:
            resident = {point.size: point.resident for point in source.of(contender)}
            copied = {point.size: point.from_host for point in source.of(contender) if point.from_host is not None}
            for timings, copies in ((resident, ""), (copied, ", copy from host memory counted")):
                if timings:
                    _draw_per_row(axes, timings, f"{contender}{copies}", source)
    _dress(axes, comparison.unit, f"time per call, divided by the {comparison.unit}", seconds)
    figure.legend(loc="outside lower center", frameon=False, fontsize=9, handlelength=3)
    plt.close(figure)
    return figure


def learning(
    histories: Mapping[str, Mapping[str, Sequence[float]]],
    best: Mapping[str, float] | None = None,
) -> Figure:
    """The AUC after each round of boosting, on the rows that were trained on and on rows that were held out.

    Args:
        histories: The title of each panel -> ``train`` and ``evaluation``, as in ``boosting.Boosted.history``.
        best: Title -> the AUC that no model can pass, drawn as a line.

    Raises:
        UsageError: There is no history, or one without both kinds of rows.
    """
    if not histories or any(not {"train", "evaluation"} <= history.keys() for history in histories.values()):
        raise UsageError(
            "a history of training and held-out rows is needed", "train with evaluation=(features, labels)"
        )
    figure, row = plt.subplots(
        1, len(histories), figsize=(5 * len(histories), 4.2), layout="constrained", squeeze=False, sharey=True
    )
    for axes, (title, history) in zip(row[0], histories.items(), strict=True):
        for name, key, colour in (("rows trained on", "train", "#56B4E9"), ("held-out rows", "evaluation", "#D55E00")):
            rounds = range(1, len(history[key]) + 1)
            axes.plot(rounds, history[key], color=colour, linewidth=1.8, label=name)
            axes.annotate(
                f"{history[key][-1]:.3f}", (len(history[key]), history[key][-1]), xytext=(5, 0), va="center",
                textcoords="offset points", color=colour, fontsize=9,
            )  # fmt: skip
        if (limit := (best or {}).get(title)) is not None:
            axes.axhline(limit, color="black", linestyle=":", label=f"the best possible: {limit:.3f}")
        axes.set_title(title, fontsize=10, loc="left")
        axes.set_xlabel("rounds of boosting")
        axes.margins(x=0.12)
        axes.grid(visible=True, alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=3, frameon=False, fontsize=9)
    row[0, 0].set_ylabel("AUC")
    plt.close(figure)
    return figure


def _draw_per_row(axes: Axes, timings: Mapping[int, Timing], name: str, source: Comparison) -> None:
    first = next(iter(timings.values()))
    colour = COLOURS[first.device][0]
    copied = first.copies == "included"
    axes.plot(
        list(timings), [timing.median / size for size, timing in timings.items()], color=colour, marker="o",
        linestyle="--" if source.recorded else "-", markerfacecolor="white" if copied else colour,
        linewidth=1.2 if copied else 1.8, label=f"{name}: {first.hardware}{_recorded(source)}",
    )  # fmt: skip


def _is_guess(size: int, guess: Any) -> bool:
    if guess is None:
        return False
    if isinstance(guess, bool) or not isinstance(guess, (int, float)) or not 0 < guess < math.inf:
        raise UsageError(
            f"the prediction for {size:,} is {guess!r}",
            "give a number above 0, such as 2 for twice as fast, or None",
        )
    return True


def _recorded(comparison: Comparison) -> str:
    return f" (recorded {comparison.made})" if comparison.recorded else ""


def _hardware(comparison: Comparison) -> list[str]:
    """Each contender and what it ran on."""
    return [f"{name}: {comparison.of(name)[0].resident.hardware}" for name in comparison.contenders]


def _dress(axes: Axes, unit: str, what: str, say: Any) -> None:
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel(unit)
    axes.set_ylabel(what)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda size, _position: f"{size:,.0f}"))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _position: say(value)))
    axes.margins(y=0.15)
    axes.grid(visible=True, alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
