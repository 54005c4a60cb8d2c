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
_WIDTHS = {1: 7.0, 2: 10.0}  # inches, by the number of panels: a notebook's column
_LEGEND = 115  # characters in a line of the legend
_FEW = 300.0  # largest over smallest value on an axis that has too few powers of ten to read from
_NEAR = 1.5  # two ratios at one size whose figures would lie on one another
_LINE = 11.0  # points from one such figure to the next


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
            "markersize": 4.5,
            "markerfacecolor": "white" if self.from_host else self.colour,
            "linewidth": 1.2 if self.from_host else 1.8,
        }

    def _pick(self, point: Point) -> Timing | None:
        return point.from_host if self.from_host else point.resident


def plot(comparison: Comparison, recorded: Comparison | None = None) -> Figure:
    """Draw the times over the sizes on the left and, where there are two contenders, the speed-up on the right.

    The speed-up is over the first contender on a CPU (where there is none: the first). A diamond marks the crossover,
    where the faster one gets ahead between two sizes; the legend says at which size that is.

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
    handles = [_handle(line, ratios) for line in lines]
    handles += [_failed(text) for source in sources for text in _failures(source)]
    rows = sum(str(handle.get_label()).count("\n") + 1 for handle in handles)
    panels = 2 if ratios else 1
    figure, axes = plt.subplots(
        1, panels, figsize=(_WIDTHS[panels], 3.7 + 0.2 * rows), layout="constrained", squeeze=False
    )
    for line in lines:
        _draw_times(axes[0, 0], line)
    _dress(axes[0, 0], comparison.unit, f"time per call, median and quartiles{_dashed(lines)}", _tick_of_seconds)
    if ratios:
        for slow, line in ratios:
            _draw_speedup(axes[0, 1], slow, line)
        _say_last(axes[0, 1], ratios)
        over = " or ".join(dict.fromkeys(slow for slow, _ in ratios))
        what = f"speed-up over {over}{_dashed([line for _, line in ratios])}"
        _dress(axes[0, 1], comparison.unit, what, _times)
    figure.suptitle(comparison.title, fontsize=12)
    figure.legend(handles=handles, loc="outside lower center", frameon=False, fontsize=9, handlelength=4)
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


def _draw_speedup(axes: Axes, slow: str, line: _Line) -> None:
    """The ratios of the medians, and a diamond at the crossover."""
    ratio = line.comparison.speedup(slow, line.contender, from_host=line.from_host)
    sizes, ratios = [int(size) for size in ratio.index], [float(value) for value in ratio]
    axes.axhline(1, color="black", linewidth=0.8)
    axes.plot(sizes, ratios, **line.style)  # type: ignore[arg-type]
    if (crossing := _crossing(slow, line)) is not None:
        face = "white" if line.from_host else line.colour
        axes.plot(crossing, 1, marker="D", markersize=7, color=line.colour, markerfacecolor=face, zorder=3)


def _say_last(axes: Axes, ratios: list[tuple[str, _Line]]) -> None:
    """The last ratio of each line in figures. Those that would lie on one another stand below one another."""
    ends = []
    for slow, line in ratios:
        ratio = line.comparison.speedup(slow, line.contender, from_host=line.from_host)
        ends.append((int(ratio.index[-1]), float(ratio.iloc[-1]), line.colour))
    stacks: list[list[tuple[int, float, str]]] = []
    for end in sorted(ends, reverse=True):
        if stacks and stacks[-1][-1][0] == end[0] and stacks[-1][-1][1] < _NEAR * end[1]:
            stacks[-1].append(end)
        else:
            stacks.append([end])
    for stack in stacks:
        for place, (size, last, colour) in enumerate(stack):
            axes.annotate(
                _times(last), (size, last), xytext=(7, _LINE * ((len(stack) - 1) / 2 - place)),
                textcoords="offset points", va="center", color=colour, fontsize=9,
            )  # fmt: skip


def _crossing(slow: str, line: _Line) -> float | None:
    """Where the speed-up crosses 1 for good; None where it is above 1 from the start, or below at the end."""
    crossing = line.comparison.crossover(slow, line.contender, from_host=line.from_host)
    first = line.comparison.speedup(slow, line.contender, from_host=line.from_host).index[0]
    return None if crossing is None or crossing == first else crossing


def _handle(line: _Line, ratios: list[tuple[str, _Line]]) -> Line2D:
    """The line's entry in the legend, which says where it gets ahead."""
    label = line.label
    for slow, other in ratios:
        if other == line and (crossing := _crossing(slow, line)) is not None:
            label += f"; ahead from {float(f'{crossing:.2g}'):,.0f} {line.comparison.unit}"
    return Line2D([], [], label="\n".join(textwrap.wrap(label, _LEGEND)), **line.style)  # type: ignore[arg-type]


def _dashed(lines: list[_Line]) -> str:
    """For a panel's title: what the dashes mean, if there are any."""
    recorded = [line.comparison.recorded for line in lines]
    if not any(recorded):
        return ""
    return " (recorded)" if all(recorded) else " (dashed: recorded)"


def _dress(axes: Axes, unit: str, what: str, say: Callable[[float], str]) -> None:
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel(unit)
    axes.set_title(what, fontsize=10, loc="left")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda size, _position: _short(size)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _position: say(value)))
    low, high = axes.get_ylim()
    if high / low < _FEW:
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_minor_formatter(NullFormatter())
    axes.margins(x=0.12)
    axes.grid(visible=True, alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)


def _tick_of_seconds(value: float) -> str:
    number, unit = seconds(value).split(" ")
    return f"{float(number):g} {unit}"


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
    return Line2D([], [], color="black", marker="x", linestyle="", label="\n".join(textwrap.wrap(text, _LEGEND)))
