"""Predict how long a larger size takes: fit ``t = a * n**b`` to the sizes that were measured.

On logarithmic axes a power law is a straight line, so it is fitted as one: least squares on the logarithms, where an
error of a tenth counts the same at every size. It holds as long as one kind of work rules: while a fixed cost does,
the line is level, and it says nothing of the sizes that come after.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullLocator

from w251lab.errors import UsageError
from w251lab.timing.timing import seconds as say_seconds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from w251lab.timing import Comparison

_COLOURS = {"cpu": "#0072B2", "gpu": "#D55E00"}
_FEW = 1e3  # over fewer powers of ten a tick at each says too little


@dataclass(frozen=True)
class PowerLaw:
    """``t = factor * n**exponent``.

    Attributes:
        factor: Seconds for a size of 1.
        exponent: 1 where twice the size takes twice the time, 0 where the size does not matter.
    """

    factor: float
    exponent: float

    def seconds(self, size: float) -> float:
        """How long this size takes, by the law."""
        return float(self.factor * size**self.exponent)


def fit(sizes: Sequence[float], seconds: Sequence[float]) -> PowerLaw:
    """The power law nearest to some measurements.

    Args:
        sizes: Two different ones at least, each above 0.
        seconds: How long each took, above 0.

    Raises:
        UsageError: They do not fix a law.
    """
    x, t = np.asarray(sizes, dtype=np.float64), np.asarray(seconds, dtype=np.float64)
    if x.ndim != 1 or x.shape != t.shape:
        raise UsageError(f"{np.size(x)} sizes and {np.size(t)} times do not belong together", "give a time for each")
    if not (np.isfinite(x).all() and np.isfinite(t).all() and (x > 0).all() and (t > 0).all()):
        raise UsageError("a size or a time is not above 0", "give measured ones")
    if len(np.unique(x)) < 2:
        raise UsageError("one size does not say how the time grows", "measure two different sizes at least")
    exponent, logarithm = np.polyfit(np.log(x), np.log(t), 1)
    return PowerLaw(float(np.exp(logarithm)), float(exponent))


def plot(comparison: Comparison, known: int) -> Figure:
    """Fit a law to the smallest sizes of each contender, and see how far it carries.

    Args:
        comparison: As :func:`w251lab.timing.compare` gives it.
        known: To how many sizes, at least 2; those after them, if there are any, are predicted.

    Raises:
        UsageError: A contender was measured at one size only, or ``known`` is below 2.
    """
    if known < 2:
        raise UsageError(f"known is {known!r}", "fit the law to two sizes at least")
    figure, axes = plt.subplots(figsize=(8, 4.5), layout="constrained")
    plt.close(figure)  # otherwise a notebook shows it twice: as the cell's value, and as pyplot's open figure
    for contender in comparison.contenders:
        points = comparison.of(contender)
        medians = {point.size: point.resident.median for point in points}
        _draw(axes, contender, medians, known, _COLOURS[points[0].resident.device])
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel(comparison.unit)
    axes.set_ylabel("time per call")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda size, _position: f"{size:,.0f}"))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _position: _tick(value)))
    axes.xaxis.set_major_locator(FixedLocator(sorted({point.size for point in comparison.points})))
    low, high = axes.get_ylim()
    if high / low < _FEW:
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_minor_locator(NullLocator())
    axes.grid(visible=True, alpha=0.3)
    axes.margins(x=0.16, y=0.15)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=9)
    hardware = ", ".join(dict.fromkeys(point.resident.hardware for point in comparison.points))
    when = f"recorded {comparison.made}" if comparison.recorded else "measured here"
    axes.set_title(f"{hardware}: {when}", fontsize=10, loc="left")
    return figure


def _draw(axes: Axes, contender: str, medians: dict[int, float], known: int, colour: str) -> None:
    """One contender: full markers for what is known, a line through them, rings for what comes after."""
    sizes = list(medians)
    law = fit(sizes[:known], [medians[size] for size in sizes[:known]])
    label = f"{contender}: time grows with the size to the power of {law.exponent:.2f}"
    axes.plot(sizes[:known], [medians[size] for size in sizes[:known]], "o", color=colour)
    axes.plot(sizes[:known], [law.seconds(size) for size in sizes[:known]], color=colour, label=label)
    axes.plot(sizes[known - 1 :], [law.seconds(size) for size in sizes[known - 1 :]], linestyle=":", color=colour)
    axes.plot(sizes[known:], [medians[size] for size in sizes[known:]], "o", color=colour, markerfacecolor="white")
    for size in sizes[known:]:
        off = law.seconds(size) / medians[size] - 1
        axes.annotate(
            f"predicted {abs(off):.0%} too {'much' if off > 0 else 'little'}", (size, medians[size]),
            # Off a line that rises: what lies below it is named at its lower right, what lies above at its upper left.
            xytext=(-8, -8) if off > 0 else (8, 8), textcoords="offset points",
            ha="left" if off > 0 else "right", va="top" if off > 0 else "bottom", fontsize=9, color=colour,
        )  # fmt: skip


def _tick(value: float) -> str:
    number, unit = say_seconds(value).split(" ")
    return f"{float(number):g} {unit}"
