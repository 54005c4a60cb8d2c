"""The DALI labs' own figures: pictures of a batch, the order in which they came, and how far pixels are apart.

Each function returns a figure that is closed already: a notebook shows it once, as the value of its cell.
"""

from __future__ import annotations

import math
import textwrap
from typing import TYPE_CHECKING, Any, Final

import matplotlib.pyplot as plt
import numpy as np

from w251lab.dali import checks
from w251lab.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt
    from matplotlib.figure import Figure

    from w251lab.dali.recipes import Training, Validation

# Of Okabe and Ito's palette, told apart by colour-blind readers.
_BLUE: Final = "#0072B2"
_ORANGE: Final = "#D55E00"
_WIDTH: Final = 10.0  # inches: a notebook's column
# Photographs as PNG are large: at matplotlib's 100, eight of them are more than `w251lab check` keeps of a cell.
_DPI: Final = 72
_TITLE: Final = 120  # characters that fit over a whole row of pictures


def pictures(
    images: Sequence[npt.NDArray[Any]], titles: Sequence[str] | None = None, *, columns: int = 4, heading: str = ""
) -> Figure:
    """Draw pictures in rows.

    Args:
        images: Each uint8 [height, width, 3], of any sizes; as :class:`w251lab.dali.iterators.NumpyBatches` gives them
            of a pipeline of pictures.
        titles: What to write above each; None for nothing.
        columns: Pictures in a row.
        heading: What to write above all of them.

    Raises:
        UsageError: No pictures, something that is no picture, or not as many titles.
    """
    checks.whole(columns, "columns")
    shown = list(images)
    if not shown:
        raise UsageError("there are no pictures to draw", "give at least one")
    for index, image in enumerate(shown):
        if getattr(image, "dtype", None) != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
            raise UsageError(
                f"picture {index} is not uint8 [height, width, 3]",
                "of a pipeline of normalised tensors, draw plots.restored(images, recipe)",
            )
    words = [""] * len(shown) if titles is None else [str(title) for title in titles]
    if len(words) != len(shown):
        raise UsageError(f"{len(words)} titles for {len(shown)} pictures", "give one title for each")
    rows, across = math.ceil(len(shown) / columns), min(columns, len(shown))
    ratio = float(np.median([image.shape[0] / image.shape[1] for image in shown]))
    cell = _WIDTH / max(across, 3)
    size = (cell * across, rows * (cell * min(ratio, 1.3) + (0.3 if any(words) else 0.05)) + (0.35 if heading else 0))
    figure, axes = plt.subplots(rows, across, figsize=size, dpi=_DPI, layout="constrained", squeeze=False)
    for axis in axes.flat:
        axis.axis("off")
    for axis, image, title in zip(axes.flat, shown, words, strict=False):
        axis.imshow(image)
        axis.set_title(title, fontsize=11)
    if heading:
        figure.suptitle(textwrap.fill(heading, _TITLE), fontsize=13)
    plt.close(figure)
    return figure


def restored(images: npt.NDArray[Any], recipe: Training | Validation) -> npt.NDArray[np.uint8]:
    """Normalised tensors as pictures again: multiplied by the recipe's deviation, its mean added.

    Args:
        images: float32 [n, 3, height, width], as :class:`w251lab.dali.iterators.NumpyBatches` gives them.
        recipe: That of their pipeline.

    Returns:
        uint8 [n, height, width, 3].
    """
    mean, std = (np.asarray(each, dtype=np.float32) for each in (recipe.mean, recipe.std))
    levels = np.rint(images.transpose(0, 2, 3, 1) * std + mean)
    pixels: npt.NDArray[np.uint8] = np.clip(levels, 0, 255).astype(np.uint8)
    return pixels


def reading_order(orders: Mapping[str, Sequence[int]]) -> Figure:
    """Draw, for each reader, which picture of the order of reading came when.

    Args:
        orders: Name of a reader -> for the first, the second, ... picture that it gave, its place in the order of
            reading, from 0.

    Raises:
        UsageError: There is none, or one is empty.
    """
    if not orders or not all(len(order) for order in orders.values()):
        raise UsageError("there is no order to draw", "give at least one picture's place for each reader")
    figure, axes = plt.subplots(
        1, len(orders), figsize=(_WIDTH, 2.9), layout="constrained", squeeze=False, sharex=True, sharey=True
    )
    for axis, (name, order) in zip(axes.flat, orders.items(), strict=True):
        axis.plot([0, len(order) - 1], [0, len(order) - 1], color="#9ca3af", linewidth=1)
        axis.plot(order, linestyle="none", marker="o", markersize=3, color=_BLUE)
        axis.set_title(name, fontsize=10)
        axis.set_xlabel("came as number")
        axis.set_aspect("equal")
        axis.spines[["top", "right"]].set_visible(False)
    axes[0, 0].set_ylabel("was read as number")
    plt.close(figure)
    return figure


def differences(levels: Mapping[str, Sequence[float]], *, than: str) -> Figure:
    """Draw mean absolute differences as bars, with each picture as a dot.

    Args:
        levels: What was compared -> the difference of each picture, in levels of 0..255.
        than: What it was compared with.

    Raises:
        UsageError: There is nothing to draw.
    """
    if not levels or not all(len(each) for each in levels.values()):
        raise UsageError("there is no difference to draw", "give at least one picture's for each comparison")
    figure, axis = plt.subplots(figsize=(_WIDTH, 0.5 * len(levels) + 1.1), layout="constrained")
    for row, each in enumerate(levels.values()):
        axis.barh(row, np.mean(each), height=0.62, color=_BLUE)
        axis.plot(
            each, np.full(len(each), row), "o", markersize=3.5, color=_ORANGE, alpha=0.55, markeredgewidth=0, zorder=3
        )
    axis.set_yticks(range(len(levels)), [f"{name}: {np.mean(each):.2f}" for name, each in levels.items()])
    axis.invert_yaxis()
    axis.set_xlabel(f"mean absolute difference from {than}, levels of 0..255 (dots: single pictures)")
    axis.grid(axis="x", alpha=0.3)
    axis.set_axisbelow(True)
    axis.spines[["top", "right"]].set_visible(False)
    plt.close(figure)
    return figure
