"""How the picture around the faces is enlarged: by Real-ESRGAN where that ends in seconds, else by Lanczos' filter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from PIL import Image

from w251lab.errors import UsageError
from w251lab.faces import esrgan
from w251lab.faces.pictures import check_picture

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: "network" and "lanczos" are always taken as they are; "auto" is the network up to `MOST_PIXELS`.
METHODS: Final = ("auto", "network", "lanczos")
#: A picture with more pixels than this would keep two slow cores busy for more than about ten seconds.
MOST_PIXELS: Final = 40_000


class Plan(NamedTuple):
    """What is done, and how to say it.

    Attributes:
        method: "network" or "lanczos"; "none" where nothing is enlarged.
        note: One sentence for the reader; empty where nothing is enlarged.
    """

    method: str
    note: str


def check_method(method: str) -> None:
    """Refuse what is not among `METHODS`.

    Raises:
        UsageError: It is something else.
    """
    if method not in METHODS:
        raise UsageError(f"there is no way to enlarge called {method!r}", f"use one of {', '.join(METHODS)}")


def plan(shape: tuple[int, ...], factor: float, method: str = "auto") -> Plan:
    """Decide how a picture is enlarged.

    Args:
        shape: Of the picture: height, width and more.
        factor: How many times larger it is to be.
        method: One of `METHODS`.

    Raises:
        UsageError: Another method.
    """
    check_method(method)
    height, width = shape[:2]
    if factor == 1:
        return Plan("none", "")
    if method == "lanczos":
        return Plan(
            "lanczos", "the background was enlarged with Lanczos' filter, as asked: it is no sharper than before"
        )
    if method == "network" or height * width <= MOST_PIXELS:
        return Plan("network", "the background was enlarged by Real-ESRGAN x4plus")
    return Plan(
        "lanczos",
        f"the background was enlarged with Lanczos' filter: Real-ESRGAN would take minutes for {width} x {height} "
        f'pixels on a CPU (up to {MOST_PIXELS:,} it is taken; background="network" takes it always)',
    )


def enlarge(picture: NDArray[np.uint8], factor: float, method: str = "auto") -> NDArray[np.uint8]:
    """Enlarge a picture.

    Args:
        picture: uint8 (height, width, 3).
        factor: How many times, at least 1.
        method: One of `METHODS`; :func:`plan` decides.

    Returns:
        uint8 (round(height * factor), round(width * factor), 3); the given array itself for a factor of 1.

    Raises:
        PictureError: ``picture`` is no picture.
        UsageError: Another method.
        WeightsError: The network is to be used, and its weights are not here.
    """
    check_picture(picture)
    chosen = plan(picture.shape, factor, method).method
    if chosen == "none":
        return picture
    size = round(picture.shape[1] * factor), round(picture.shape[0] * factor)
    larger = esrgan.enlarge_four_times(picture) if chosen == "network" else picture
    if larger.shape[:2] == size[::-1]:
        return larger
    return np.array(Image.fromarray(larger).resize(size, Image.Resampling.LANCZOS))
