"""CPU against GPU over sizes: measure the curves of the RAPIDS lab here, or read those that were recorded on a GPU.

Each curve is a function that takes ``device`` and ``scale`` as a notebook does. On ``cpu`` the CPU's contender alone is
measured; on ``gpu`` both are, on the same machine.
"""

from __future__ import annotations

import difflib
from functools import partial
from importlib import resources
from typing import TYPE_CHECKING, Any, Final, get_args

from w251lab import accelerator
from w251lab.errors import UsageError, W251Error
from w251lab.rapids import arrays
from w251lab.rapids.curves import CURVES, Scale
from w251lab.timing import Comparison, Contender, compare

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from importlib.resources.abc import Traversable

    from w251lab.accelerator import Device
    from w251lab.rapids.curves import Curve
    from w251lab.timing import Budget

    Progress = bool | Callable[[int, int, str], None]

SCALES: Final[tuple[Scale, ...]] = get_args(Scale)
NAMES: Final = tuple(CURVES)


def curve(
    name: str,
    device: str = "auto",
    scale: str = "small",
    *,
    sizes: Sequence[int] | None = None,
    budget: Budget | None = None,
    progress: Progress = True,
) -> Comparison:
    """Measure a curve.

    Args:
        name: One of `NAMES`.
        device: ``cpu`` for the CPU's contender alone; ``gpu`` for both; ``auto`` for both where there is a GPU.
        scale: ``small`` for two cores and a few seconds, ``full`` for a machine with a GPU and a minute or more.
        sizes: Others than the scale's, ascending.
        budget: Another than the scale's.
        progress: As of :func:`w251lab.timing.compare`.

    Raises:
        UsageError: An unknown name, device or scale, or sizes that cannot be meant.
        W251Error: There is no GPU, or what it needs is missing; or a measurement failed at the smallest size.
    """
    known, size = find(name), check_scale(scale)
    devices: tuple[Device, ...] = ("cpu",)
    if accelerator.require(device, *known.libraries) == "gpu":
        devices = ("cpu", "gpu")
    return compare(
        [contender(known, each) for each in devices],
        known.sizes[size] if sizes is None else sizes,
        title=known.title,
        unit=known.unit,
        budget=known.budgets[size] if budget is None else budget,
        progress=progress,
    )


def frames(device: str = "auto", scale: str = "small", **options: Any) -> Comparison:
    """The group-by and join on flights of pandas and cuDF, over rows. The arguments are those of :func:`curve`."""
    return curve("frames", device, scale, **options)


def kmeans(device: str = "auto", scale: str = "small", **options: Any) -> Comparison:
    """The K-means of scikit-learn and cuML, over rows. The arguments are those of :func:`curve`."""
    return curve("kmeans", device, scale, **options)


def forest_rows(device: str = "auto", scale: str = "small", **options: Any) -> Comparison:
    """The random forest of scikit-learn and cuML, over rows. The arguments are those of :func:`curve`."""
    return curve("forest_rows", device, scale, **options)


def forest_trees(device: str = "auto", scale: str = "small", **options: Any) -> Comparison:
    """The random forest of scikit-learn and cuML, over trees. The arguments are those of :func:`curve`."""
    return curve("forest_trees", device, scale, **options)


def boosting(device: str = "auto", scale: str = "small", **options: Any) -> Comparison:
    """XGBoost on the CPU and on the GPU, over rows. The arguments are those of :func:`curve`."""
    return curve("boosting", device, scale, **options)


def contenders(name: str) -> tuple[str, str]:
    """Who does the work of a curve on the CPU and on the GPU, as :meth:`w251lab.timing.Comparison.speedup` wants them.

    Raises:
        UsageError: An unknown name.
    """
    known = find(name)
    return known.contenders["cpu"], known.contenders["gpu"]


def recorded(name: str) -> Comparison:
    """The curve that was recorded at full scale on a GPU, named in it, and comes with this package.

    Raises:
        UsageError: An unknown name.
        W251Error: None is shipped.
    """
    find(name)
    file = folder() / f"{name}.json"
    if not file.is_file():
        raise W251Error(
            f"no curve of {name} was recorded on a GPU",
            "measure it on a machine with one: w251lab bench rapids --scale full --device gpu",
        )
    with resources.as_file(file) as path:
        return Comparison.load(path)


def folder() -> Traversable:
    """Where the recorded curves are."""
    return resources.files(__package__ or "w251lab.rapids") / "recorded"


def find(name: str) -> Curve:
    """The curve of a name.

    Raises:
        UsageError: There is none.
    """
    if name not in CURVES:
        nearest = difflib.get_close_matches(str(name), NAMES, n=1)
        raise UsageError(
            f"unknown curve {name!r}", (f"did you mean {nearest[0]!r}? " if nearest else "") + f"use {', '.join(NAMES)}"
        )
    return CURVES[name]


def check_scale(scale: str) -> Scale:
    """``scale``, if it is one.

    Raises:
        UsageError: Another word.
    """
    for known in SCALES:
        if scale == known:
            return known
    raise UsageError(f"unknown scale {scale!r}", f"use {' or '.join(SCALES)}")


def contender(known: Curve, device: Device) -> Contender:
    """Who does the work of a curve on ``device``: the GPU's is also measured with its data in host memory."""
    return Contender(
        known.contenders[device],
        device,
        make=partial(_make, known, device),
        run=known.run,
        to_device=partial(arrays.to_device, device="gpu") if device == "gpu" else None,
        to_host=arrays.to_host if device == "gpu" else None,
    )


def _make(known: Curve, device: Device, size: int) -> Any:
    return known.make(size, device)


def each(
    names: Sequence[str], device: str, scale: str, progress: Progress = True
) -> Iterator[tuple[str, Comparison | W251Error]]:
    """Measure curves one after the other, and hand each out as soon as it is there, or why it is not."""
    for name in names:
        try:
            yield name, curve(name, device, scale, progress=progress)
        except UsageError:
            raise
        except W251Error as error:
            yield name, error
