"""The picture of a comparison: times over sizes, and the speed-up with the size from which it is one.

Colours are those of Okabe and Ito, "Color Universal Design" (2008), told apart by colour-blind readers. Line and marker
say the same once more: dashed is recorded, and an open marker counts the copy from host memory.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from w251lab.errors import UsageError
from w251lab.timing.timing import seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from w251lab.timing.comparison import Comparison, Point
    from w251lab.timing.timing import Timing

COLOURS = {"cpu": ("#0072B2", "#56B4E9", "#009E73"), "gpu": ("#D55E00", "#E69F00", "#CC79A7")}
_WIDTH = 10.0  # inches: a notebook's column


@dataclass(frozen=True)
class _Line:
    """One line of the picture: a contender, from the memory of its device or from the host's."""

    comparison: Comparison
    contender: str
    from_host: bool
    colour: str

    @property
    def points(self) -> list[tuple[int, Timing]]:
        """(size, timing) of each point."""
        return [(point.size, timing) for point in self.comparison.of(self.contender) if (timing := self._pick(point))]

    @property
    def label(self) -> str:
        """The contender, what it ran on, and whether the line is recorded."""
        recorded = f" (recorded {self.comparison.made})" if self.comparison.recorded else ""
        copies = ", copy from host memory counted" if self.from_host else ""
        return f"{self.contender}{copies}: {self.points[0][1].hardware}{recorded}"

    @property
    def style(self) -> dict[str, str | float]:
        """As matplotlib takes it."""
        return {
            "color": self.colour,
            "linestyle": "--" if self.comparison.recorded else "-",
            "marker": "o",
            "markersize": 5,
            "markerfacecolor": "white" if self.from_host else self.colour,
            "linewidth": 1.2 if self.from_host else 1.8,
        }

    def _pick(self, point: Point) -> Timing | None:
        return point.from_host if self.from_host else point.resident


def plot(comparison: Comparison, recorded: Comparison | None = None) -> Figure:
    """Draw the times over the sizes on the left and, where there are two contenders, the speed-up on the right.

    The speed-up is over the first contender on a CPU (where there is none: the first). A vertical line marks the
    crossover, where the faster one gets ahead between two sizes.

    Args:
        comparison: As :func:`w251lab.timing.compare` gives it.
        recorded: One that was read from a file, drawn beside it: dashed, with its hardware, its day and the word
            "recorded".

    Raises:
        UsageError: ``recorded`` is not from a file, counts sizes in another unit, or there is no point to draw.
    """
    if recorded is not None and not recorded.recorded:
        raise UsageError(
            "the comparison to draw as recorded was measured just now", "save it, and load it from its file"
        )
    if recorded is not None and recorded.unit != comparison.unit:
        raise UsageError(
            f"the sizes are counted in {comparison.unit} here and in {recorded.unit} there", "compare the same work"
        )
    sources = [source for source in (comparison, recorded) if source is not None]
    lines = [line for source in sources for line in _lines(source)]
    if not lines:
        raise UsageError(f"{comparison.title}: there is no point to draw", "compare at one size or more")
    ratios = [pair for source in sources for pair in _ratios(source)]
    handles = [Line2D([], [], label="\n".join(textwrap.wrap(line.label, 110)), **line.style) for line in lines]  # type: ignore[arg-type]
    handles += [_failed(text) for source in sources for text in _failures(source)]
    rows = sum(str(handle.get_label()).count("\n") + 1 for handle in handles)
    figure, panels = plt.subplots(
        1, 2 if ratios else 1, figsize=(_WIDTH, 3.9 + 0.2 * rows), layout="constrained", squeeze=False
    )
    left = panels[0, 0]
    for line in lines:
        _draw_times(left, line)
    _dress(left, comparison.unit, "time per call", seconds)
    if ratios:
        right = panels[0, 1]
        right.axhline(1, color="black", linewidth=0.8)
        for slow, line in ratios:
            _draw_speedup(right, slow, line, comparison.unit)
        slower = {slow for slow, _ in ratios}
        _dress(right, comparison.unit, f"speed-up over {' or '.join(sorted(slower))}", _times)
    figure.suptitle(comparison.title, fontsize=12)
    figure.legend(handles=handles, loc="outside lower center", frameon=False, fontsize=9)
    plt.close(figure)  # otherwise a notebook shows it twice: as the cell's value, and as pyplot's open figure
    return figure


def _lines(comparison: Comparison) -> Iterator[_Line]:
    used = {"cpu": 0, "gpu": 0}
    for contender in comparison.contenders:
        points = comparison.of(contender)
        device = points[0].resident.device
        colour = COLOURS[device][used[device] % len(COLOURS[device])]
        used[device] += 1
        yield _Line(comparison, contender, from_host=False, colour=colour)
        if any(point.from_host for point in points):
            yield _Line(comparison, contender, from_host=True, colour=colour)


def _ratios(comparison: Comparison) -> list[tuple[str, _Line]]:
    """(the contender that is compared against, the line of another) for each line of the right panel."""
    lines = list(_lines(comparison))
    on_cpu = [line for line in lines if line.points[0][1].device == "cpu"]
    slow = (on_cpu or lines)[0].contender if lines else ""
    return [
        (slow, line)
        for line in lines
        if line.contender != slow and len(comparison.speedup(slow, line.contender, from_host=line.from_host))
    ]


def _draw_times(axes: Axes, line: _Line) -> None:
    """The medians, with bars from the first to the third quartile."""
    sizes = [size for size, _ in line.points]
    timings = [timing for _, timing in line.points]
    below = [timing.median - timing.quartiles[0] for timing in timings]
    above = [timing.quartiles[1] - timing.median for timing in timings]
    medians = [timing.median for timing in timings]
    axes.errorbar(sizes, medians, yerr=[below, above], capsize=3, elinewidth=1, **line.style)  # type: ignore[arg-type]


def _draw_speedup(axes: Axes, slow: str, line: _Line, unit: str) -> None:
    ratio = line.comparison.speedup(slow, line.contender, from_host=line.from_host)
    sizes, ratios = [int(size) for size in ratio.index], [float(value) for value in ratio]
    axes.plot(sizes, ratios, **line.style)  # type: ignore[arg-type]
    axes.annotate(
        _times(ratios[-1]), (sizes[-1], ratios[-1]), xytext=(7, 0), textcoords="offset points", va="center",
        color=line.colour, fontsize=9,
    )  # fmt: skip
    crossing = line.comparison.crossover(slow, line.contender, from_host=line.from_host)
    if crossing is None or crossing == sizes[0]:  # behind at the end, or ahead from the start: nothing is crossed
        return
    axes.axvline(crossing, color=line.colour, linestyle=":", linewidth=1)
    axes.annotate(
        f"ahead from {crossing:,.3g} {unit}" if crossing < 1000 else f"ahead from {round(crossing, -2):,.0f} {unit}",
        (crossing, 0.98 if line.from_host else 0.02), xycoords=("data", "axes fraction"), xytext=(-4, 0),
        textcoords="offset points", rotation=90, ha="right", va="top" if line.from_host else "bottom",
        color=line.colour, fontsize=8,
    )  # fmt: skip


def _dress(axes: Axes, unit: str, what: str, say: Callable[[float], str]) -> None:
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel(unit)
    axes.set_title(what, fontsize=10, loc="left")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda size, _position: _short(size)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _position: say(value)))
    low, high = axes.get_ylim()
    if high / low < 30:  # too few powers of ten to read from
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_minor_formatter(NullFormatter())
    axes.margins(x=0.12)
    axes.grid(visible=True, alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)


def _times(ratio: float) -> str:
    return f"{ratio:.3g} ×"  # noqa: RUF001  # the sign that is meant


def _short(size: float) -> str:
    """10 k, 4 M: a size in the room that a tick has."""
    for scale, letter in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if size >= scale:
            return f"{size / scale:g}{letter}"
    return f"{size:g}"


def _failures(comparison: Comparison) -> Iterator[str]:
    recorded = f" (recorded {comparison.made})" if comparison.recorded else ""
    for failure in comparison.failures:
        yield f"{failure.contender}{recorded} stopped at {failure.size:,} {comparison.unit}: {failure.reason}"


def _failed(text: str) -> Line2D:
    return Line2D([], [], color="black", marker="x", linestyle="", label="\n".join(textwrap.wrap(text, 110)))
