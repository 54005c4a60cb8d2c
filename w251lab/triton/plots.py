"""Pictures of what a server does: where latency goes, throughput and latency over concurrency.

Colours are those of Okabe and Ito, "Color Universal Design" (2008), told apart by colour-blind readers.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt

from w251lab.errors import W251Error

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.figure import Figure

    from w251lab.triton.load_result import LoadResult
    from w251lab.triton.metrics import LatencySplit

PARTS = {"queue": "#E69F00", "input": "#56B4E9", "infer": "#0072B2", "output": "#009E73"}
THROUGHPUT = "#0072B2"
LATENCY = {"p50_ms": "#56B4E9", "p90_ms": "#009E73", "p95_ms": "#E69F00", "p99_ms": "#D55E00"}
DARK = {"#0072B2", "#009E73", "#D55E00"}
LABEL_FROM = 0.06  # of the longest bar: a narrower part has no room for its number


def latency_split(splits: Mapping[str, LatencySplit], per: str = "request") -> Figure:
    """Stacked horizontal bars, one for each model: queue, input, infer, output in milliseconds.

    Args:
        splits: For each model its latency; one that has answered nothing (NaN) is left out.
        per: What the milliseconds are divided by, for the axis.

    Raises:
        W251Error: No model has answered a request.
    """
    shown = {name: split for name, split in splits.items() if not math.isnan(split.total)}
    if not shown:
        raise W251Error("No model has answered a request yet.", "Send requests first, then read the metrics.")
    figure, axes = plt.subplots(figsize=(8, 1.3 + 0.6 * len(shown)), layout="constrained")
    ends = {name: sum(getattr(split, part) for part in PARTS) for name, split in shown.items()}
    longest = max(ends.values()) or 1.0
    left = dict.fromkeys(shown, 0.0)
    for part, colour in PARTS.items():
        widths = {name: getattr(split, part) for name, split in shown.items()}
        bars = axes.barh(list(shown), list(widths.values()), left=list(left.values()), color=colour, label=part)
        numbers = [f"{ms:.2f}" if ms >= LABEL_FROM * longest else "" for ms in widths.values()]
        axes.bar_label(
            bars, labels=numbers, label_type="center", color="white" if colour in DARK else "black", fontsize=9
        )
        left = {name: left[name] + widths[name] for name in shown}
    for row, name in enumerate(shown):
        axes.annotate(f"{ends[name]:.2f} ms", (ends[name], row), xytext=(4, 0), textcoords="offset points", va="center")
    axes.set_xlim(0, longest * 1.18)
    axes.set_xlabel(f"milliseconds per {per}, on the server")
    axes.invert_yaxis()
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside upper center", ncols=len(PARTS), frameon=False)
    plt.close(figure)  # otherwise a notebook shows it twice: as the cell's value, and as pyplot's open figure
    return figure


def load_result(result: LoadResult) -> Figure:
    """Throughput above, latency percentiles below, over the concurrency; with the device and the tool in the title.

    Args:
        result: A sweep.
    """
    figure, (above, below) = plt.subplots(2, 1, sharex=True, figsize=(8, 6), layout="constrained")
    concurrency = [level.concurrency for level in result.levels]
    above.plot(concurrency, [level.throughput for level in result.levels], "o-", color=THROUGHPUT)
    for level in result.levels:
        above.annotate(
            f"{level.throughput:.0f}",
            (level.concurrency, level.throughput),
            xytext=(0, 7),
            textcoords="offset points",
            ha="center",
            fontsize=9,
        )
    above.set_ylabel("inferences per second")
    above.set_ylim(0, max(level.throughput for level in result.levels) * 1.18 or 1.0)
    for name, colour in LATENCY.items():
        milliseconds = [getattr(level, name) for level in result.levels]
        below.plot(concurrency, milliseconds, "o-", color=colour, label=name.removesuffix("_ms"))
    below.set_ylabel("latency, ms")
    below.set_ylim(bottom=0)
    below.set_xlabel("requests in flight")
    below.set_xscale("log", base=2)
    below.set_xticks(concurrency, [str(n) for n in concurrency])
    below.minorticks_off()
    below.legend(title="percentile", frameon=False, loc="upper left")
    for axes in (above, below):
        axes.grid(visible=True, axis="y", alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    figure.suptitle(
        f"{result.model}, batch {result.batch_size} over {result.protocol}\n"
        f"{result.device}, measured with {result.tool}",
        fontsize=11,
    )
    plt.close(figure)
    return figure
