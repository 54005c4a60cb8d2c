"""What is looked at before a picture is worked on: pixels of another form, numbers that cannot be meant."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from w251lab.errors import UsageError
from w251lab.faces.errors import PictureError

#: uint8, (height, width, 3) as RGB, or (height, width) as gray.
Picture = NDArray[np.uint8]


def pixels(picture: object, name: str = "the picture", *, gray: bool = True) -> Picture:
    """``picture``, if it is one as this package takes them.

    Args:
        picture: What was given.
        name: What to call it in an error.
        gray: Whether (height, width) is taken as well as (height, width, 3).

    Returns:
        uint8, C-contiguous, the same pixels; the array itself where it was so already.

    Raises:
        PictureError: It is no array, not uint8, of another shape, or has no pixel.
    """
    shape = getattr(picture, "shape", None)
    if not isinstance(picture, np.ndarray) or picture.dtype != np.uint8:
        found = type(picture).__name__ if shape is None else f"an array of {getattr(picture, 'dtype', '?')}"
        raise PictureError(f"{name} is {found}, not a uint8 array", "w251lab.faces.pictures.read_picture makes one")
    if not (picture.ndim == 3 and picture.shape[2] == 3) and not (gray and picture.ndim == 2):
        allowed = "(height, width, 3)" + (" or (height, width)" if gray else "")
        raise PictureError(f"{name} has the shape {shape}, not {allowed}", "give red, green and blue, in this order")
    if 0 in picture.shape:
        raise PictureError(f"{name} has no pixel: its shape is {shape}", "give at least one pixel")
    return np.ascontiguousarray(picture)


def number(value: object, name: str, *, least: float, most: float = math.inf) -> float:
    """``value`` as a float.

    Raises:
        UsageError: It is no finite number in ``least..most``.
    """
    if not isinstance(value, (int, float, np.integer, np.floating)) or isinstance(value, bool):
        raise UsageError(f"{name} is {value!r}", "give a number")
    if not math.isfinite(value) or not least <= value <= most:
        limits = f"at least {least:g}" if math.isinf(most) else f"in {least:g}..{most:g}"
        raise UsageError(f"{name} is {value!r}", f"give a number {limits}")
    return float(value)


def whole(value: object, name: str, *, least: int, most: int | None = None) -> int:
    """``value`` as an int; True and 2.0 are no whole numbers.

    Raises:
        UsageError: It is none in ``least..most``.
    """
    try:
        found = None if isinstance(value, bool) else operator.index(value)  # type: ignore[arg-type]  # it is looked at
    except TypeError:
        found = None
    if found is None or found < least or (most is not None and found > most):
        upper = "" if most is None else f" and at most {most}"
        raise UsageError(f"{name} is {value!r}", f"give a whole number, at least {least}{upper}")
    return found


def generator(seed: object, *stream: int) -> np.random.Generator:
    """The random numbers of a seed.

    Args:
        seed: A whole number from 0.
        *stream: Which of the seed's independent streams; none for the one that ``numpy.random.default_rng(seed)``
            gives. Two steps with one seed would otherwise damage the same pixels.

    Raises:
        UsageError: The seed is no whole number from 0.
    """
    start: Any = whole(seed, "seed", least=0)
    return np.random.default_rng([start, *stream] if stream else start)
