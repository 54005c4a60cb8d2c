"""The GFP-GAN lab's own figures: pictures side by side, a face's landmarks, and a sweep's curves and faces.

Each function returns a figure that is closed already: a notebook shows it once, as the value of its cell. Colours are
those of Okabe and Ito, told apart by colour-blind readers; marker and line style say the same once more.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Rectangle

from w251lab.errors import UsageError
from w251lab.faces import arguments, lettering

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from w251lab.faces.arguments import Picture
    from w251lab.faces.detect import Face
    from w251lab.faces.sweep import Sweep

_DAMAGED: Final[dict[str, Any]] = {"color": "#D55E00", "marker": "s", "linestyle": "--"}
_RESTORED: Final[dict[str, Any]] = {"color": "#0072B2", "marker": "o", "linestyle": "-"}
_MARKS: Final = "#56B4E9"
_WIDTH: Final = 10.0  # inches: a notebook's column
# Photographs as PNG are large: at matplotlib's 100, a sweep of faces is more than `w251lab check` keeps of a cell.
_DPI: Final = 72
# Column of the table behind "damaged_" and "restored_", title, and whether a dotted line for the original fits.
_PANELS: Final = (
    ("identity", "identity distance from the original (lower is nearer)"),
    ("sharpness", "sharpness: variance of the Laplacian"),
    ("psnr", "PSNR against the original, dB"),
    ("ssim", "SSIM against the original"),
)


def pictures(shown: Sequence[Picture], titles: Sequence[str], *, heading: str = "") -> Figure:
    """Draw pictures in one row.

    Args:
        shown: Each uint8 (height, width, 3) or (height, width), of any sizes.
        titles: What to write above each.
        heading: What to write above all.

    Raises:
        UsageError: There is none, or not as many titles.
        PictureError: One is no picture.
    """
    if not shown or len(shown) != len(titles):
        raise UsageError(f"{len(titles)} titles for {len(shown)} pictures", "give a title for each, and at least one")
    levels = [arguments.pixels(each, f"picture {place}") for place, each in enumerate(shown)]
    across = _WIDTH / max(len(levels), 3)
    ratio = min(max(each.shape[0] / each.shape[1] for each in levels), 1.6)
    figure, axes = plt.subplots(
        1, len(levels), figsize=(across * len(levels), across * ratio + 0.45 + 0.3 * bool(heading)), dpi=_DPI,
        layout="constrained", squeeze=False,
    )  # fmt: skip
    for axis, each, said in zip(axes.flat, levels, titles, strict=True):
        _show(axis, each)
        axis.set_title(str(said), fontsize=11, fontfamily=lettering.families(str(said)), parse_math=False)
    if heading:
        figure.suptitle(heading, fontsize=13)
    plt.close(figure)
    return figure


def landmarks(picture: Picture, faces: Sequence[Face], *, title: str = "") -> Figure:
    """Draw the boxes and the five landmarks of faces over their picture.

    Args:
        picture: uint8 (height, width, 3).
        faces: As :func:`w251lab.faces.detect.detect` gives them; may be none.
        title: What to write above.

    Raises:
        PictureError: It is no picture.
    """
    levels = arguments.pixels(picture)
    height = 4.2
    figure, axis = plt.subplots(
        figsize=(max(height * min(levels.shape[1] / levels.shape[0], 2.3), 3), height + 0.3), dpi=_DPI,
        layout="constrained",
    )  # fmt: skip
    _show(axis, levels)
    for face in faces:
        left, top, right, bottom = face.box
        # White below the colour: seen on bright and on dark pictures.
        for colour, width in (("white", 4.0), (_MARKS, 2.0)):
            axis.add_patch(Rectangle((left, top), right - left, bottom - top, fill=False, color=colour, lw=width))
        axis.plot(*face.landmarks.T, "o", color=_MARKS, markersize=5, markeredgecolor="white")
    axis.set_xlim(-0.5, levels.shape[1] - 0.5)
    axis.set_ylim(levels.shape[0] - 0.5, -0.5)
    axis.set_title(title, fontsize=11)
    plt.close(figure)
    return figure


def sweep(result: Sweep, *, threshold: float) -> Figure:
    """Draw identity, sharpness, PSNR and SSIM over the strength of the damage, for the damaged and the restored face.

    An open marker is a damaged face that the detector did not find any more.

    Args:
        result: As :func:`w251lab.faces.sweep.sweep` gives it.
        threshold: The distance from which on two faces are of two people.
    """
    table = result.table()
    figure, axes = plt.subplots(2, 2, figsize=(_WIDTH, 6.6), dpi=_DPI * 1.2, layout="constrained", sharex=True)
    for axis, (name, title) in zip(axes.flat, _PANELS, strict=True):
        _draw(axis, table, name)
        axis.set_title(title, fontsize=10, loc="left")
        axis.grid(visible=True, alpha=0.3)
        axis.spines[["top", "right"]].set_visible(False)
    _mark_threshold(axes[0, 0], threshold)
    _mark_original(axes[0, 1], result.sharpness)
    for axis in axes[1]:
        axis.set_xlabel("strength of the damage")
    figure.suptitle(f"{result.damage}, seed {result.seed}, restored by {result.model}", fontsize=12)
    handles, words = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, words, loc="outside lower center", ncols=3, frameon=False, fontsize=10, handlelength=4)
    plt.close(figure)
    return figure


def faces(result: Sweep, *, most: int = 6) -> Figure:
    """Draw the damaged faces of a sweep above the restored ones, with their identity distances.

    Args:
        result: As :func:`w251lab.faces.sweep.sweep` gives it.
        most: Strengths to show: evenly chosen where there are more.
    """
    count = arguments.whole(most, "most", least=1)
    places = np.unique(np.linspace(0, len(result.steps) - 1, min(count, len(result.steps))).round().astype(int))
    chosen = [result.steps[place] for place in places]
    across = _WIDTH / (len(chosen) + 1)
    figure, axes = plt.subplots(
        2, len(chosen) + 1, figsize=(_WIDTH, 2 * (across + 0.45)), dpi=_DPI, layout="constrained", squeeze=False
    )
    _show(axes[0, 0], result.original)
    axes[0, 0].set_title("original", fontsize=10)
    axes[1, 0].axis("off")
    for column, step in enumerate(chosen, start=1):
        _show(axes[0, column], step.damaged)
        _show(axes[1, column], step.restored)
        axes[0, column].set_title(f"strength {step.strength:g}\ndistance {step.of_damaged.identity:.2f}", fontsize=10)
        axes[1, column].set_title(f"restored\ndistance {step.of_restored.identity:.2f}", fontsize=10)
    plt.close(figure)
    return figure


def _show(axis: Axes, picture: Picture) -> None:
    axis.imshow(picture, cmap="gray", vmin=0, vmax=255, interpolation="antialiased")
    axis.axis("off")


def _draw(axis: Axes, table: pd.DataFrame, name: str) -> None:
    """Both curves of one measure."""
    strength = table.index.to_numpy(dtype=float)
    for kind, style in (("damaged", _DAMAGED), ("restored", _RESTORED)):
        values = table[f"{kind}_{name}"].to_numpy(dtype=float)
        values = np.where(np.isfinite(values), values, math.nan)  # equal pictures have an infinite PSNR
        axis.plot(strength, values, label=f"{kind} face", linewidth=1.8, markersize=5.5, **style)
        if kind == "damaged" and not table["found"].all():
            lost = ~table["found"].to_numpy(dtype=bool)
            axis.plot(
                strength[lost], values[lost], "s", color=style["color"], markerfacecolor="white", markersize=5.5,
                label="damaged, and no face is found in it",
            )  # fmt: skip
    if name == "sharpness":
        axis.set_yscale("log", nonpositive="mask")


def _mark_threshold(axis: Axes, threshold: float) -> None:
    axis.axhline(threshold, color="black", linewidth=1)
    axis.set_ylim(bottom=0, top=max(axis.get_ylim()[1], threshold * 1.25))
    axis.annotate(
        f"{threshold:g}: another person above this line", (0, threshold), xytext=(2, 3), textcoords="offset points",
        xycoords=("axes fraction", "data"), fontsize=9,
    )  # fmt: skip


def _mark_original(axis: Axes, value: float) -> None:
    axis.axhline(value, color="black", linewidth=1, linestyle=":")
    axis.annotate(
        "the original's", (1, value), xytext=(-2, 3), textcoords="offset points", ha="right",
        xycoords=("axes fraction", "data"), fontsize=9,
    )  # fmt: skip
