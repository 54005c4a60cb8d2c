"""Affine warps of pictures without aliasing. Points are (x, y); the centre of the first pixel is at (0, 0)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from numpy.typing import NDArray

_Level = TypeVar("_Level", np.uint8, np.float32)


def inverse(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """The affine transform that undoes ``matrix``; both float64 (2, 3)."""
    turned = np.linalg.inv(matrix[:, :2])
    return np.column_stack([turned, -turned @ matrix[:, 2]])


def enlarged(matrix: NDArray[np.float64], factor: float) -> NDArray[np.float64]:
    """The transform that does with the points of an enlarged picture what ``matrix`` does with those of the picture.

    Args:
        matrix: float64 (2, 3).
        factor: How many times larger it is.
    """
    # Corners of pixels scale, centres do not: x = (X + 1/2) / factor - 1/2.
    linear = matrix[:, :2] / factor
    return np.column_stack([linear, matrix[:, 2] + matrix[:, :2] @ np.full(2, 0.5 / factor - 0.5)])


def warp(
    picture: NDArray[_Level], matrix: NDArray[np.float64], size: tuple[int, int], outside: Any = 0
) -> NDArray[_Level]:
    """A picture whose pixel at p is what ``picture`` shows at ``matrix`` p, bicubic.

    Where it is more than 1.5 times smaller than what it shows, the picture is shrunk first, with a filter that sees
    every pixel: taking single pixels out of it would turn grain and fine lines into patterns.

    Args:
        picture: uint8 (height, width, 3), or float32 (height, width).
        matrix: float64 (2, 3).
        size: Width and height of the result in pixels.
        outside: What is seen where ``picture`` ends: a level or a colour.

    Returns:
        Of the picture's type, (height, width) or (height, width, 3).
    """
    source = Image.fromarray(picture)
    # Pillow counts from the corner of the first pixel.
    linear = matrix[:, :2]
    shift = matrix[:, 2] + 0.5 - linear @ np.full(2, 0.5)
    shrinks = float(np.sqrt(abs(np.linalg.det(linear))))
    by = np.ones(2)
    if shrinks > 1.5:
        small = max(round(source.width / shrinks), 1), max(round(source.height / shrinks), 1)
        by = np.array([small[0] / source.width, small[1] / source.height])
        source = source.resize(small, Image.Resampling.LANCZOS)
    rows = np.column_stack([linear, shift]) * by[:, None]
    moved = source.transform(
        size, Image.Transform.AFFINE, tuple(rows.ravel()), Image.Resampling.BICUBIC, fillcolor=outside
    )
    result = np.asarray(moved)
    # Bicubic weights and Lanczos' overshoot; levels of 0..255 Pillow clips itself.
    return np.clip(result, 0, 1) if picture.dtype == np.float32 else result
