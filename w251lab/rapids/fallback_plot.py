"""The picture of a zero-code-change run: bars of its steps, coloured by where they ran.

Colours are those of Okabe and Ito, "Color Universal Design" (2008), told apart by colour-blind readers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib.pyplot as plt

from w251lab.errors import UsageError, W251Error

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from w251lab.rapids.fallback import Profile

# Those of the GPU and the CPU in the pictures of a comparison.
COLOURS = {"on the GPU": "#D55E00", "on the CPU": "#0072B2", "in no step": "#BBBBBB"}


def plot(profile: Profile, most: int = 10) -> Figure:
    """Horizontal bars: each step's seconds on either device, the longest above, and what no step accounts for.

    Args:
        profile: What ran where.
        most: Steps to show; the shorter ones are summed up in one bar.

    Raises:
        UsageError: ``most`` is below 1.
        W251Error: The profile has no step.
    """
    if most < 1:
        raise UsageError(f"most={most!r} shows nothing", "give a number from 1")
    if not profile.steps:
        raise W251Error(
            f"nothing in {profile.script} went through {profile.kind}",
            "import pandas (cudf.pandas) or scikit-learn (cuml.accel) in the script itself",
        )
    rows = _rows(profile, most)
    figure, axes = plt.subplots(figsize=(8, 1.6 + 0.36 * len(rows)), layout="constrained")
    names = list(rows)
    longest = max(sum(parts.values()) for parts in rows.values()) or 1.0
    for position, parts in enumerate(rows.values()):
        left = 0.0
        for where, seconds in parts.items():
            if seconds:
                axes.barh(position, seconds, left=left, color=COLOURS[where], height=0.7)
            left += seconds
        said = " + ".join(f"{_seconds(seconds)} {where}" for where, seconds in parts.items() if seconds)
        axes.annotate(said, (left, position), xytext=(4, 0), textcoords="offset points", va="center", fontsize=9)
    axes.set_yticks(range(len(names)), names, fontsize=9)
    axes.set_xlim(0, longest * 1.35)
    axes.invert_yaxis()
    axes.set_xlabel("seconds, with the profiler on")
    axes.spines[["top", "right"]].set_visible(False)
    recorded = f", recorded {profile.made}" if profile.recorded else ""
    axes.set_title(
        f"{profile.script} under {profile.kind}: {_seconds(profile.seconds)}, "
        f"{profile.gpu_share:.0%} of it on the GPU\n{profile.hardware}{recorded}",
        loc="left",
        fontsize=10,
    )
    plt.close(figure)  # otherwise a notebook shows it twice: as the cell's value, and as pyplot's open figure
    return figure


def _rows(profile: Profile, most: int) -> dict[str, dict[str, float]]:
    """For each bar its parts, by where they ran."""
    steps = sorted(profile.steps, key=lambda step: -step.seconds)
    shown, rest = (steps, []) if len(steps) <= most + 1 else (steps[:most], steps[most:])
    rows = {step.function: {"on the GPU": step.gpu_seconds, "on the CPU": step.cpu_seconds} for step in shown}
    if rest:
        rows[f"{len(rest)} shorter ones"] = {
            "on the GPU": sum(step.gpu_seconds for step in rest),
            "on the CPU": sum(step.cpu_seconds for step in rest),
        }
    if profile.unaccounted:
        rows["(everything else)"] = {"in no step": profile.unaccounted}
    return rows


def _seconds(value: float) -> str:
    if value >= 1:
        return f"{value:.1f} s"
    return f"{value * 1000:.1f} ms" if value >= 1e-4 else "under 0.1 ms"
