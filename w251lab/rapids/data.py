"""Data made on the device where it is used: nothing is copied to get it there.

What the data follow (centres, directions, the rule behind the labels) is drawn on the host, so it is the same on both
devices; the rows are drawn by the device's own generator, so they are not. To compare results row by row, make the data
on one device and copy it with :func:`w251lab.rapids.arrays.to_device`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from w251lab.errors import UsageError, W251Error
from w251lab.rapids import agreement, arrays, memory
from w251lab.rapids.checks import one_device, whole

if TYPE_CHECKING:
    from w251lab.accelerator import Device

_BLOCK: Final = 1 << 18  # rows that are worked on together, where a step needs a copy of them
#: Half the side of the square (or cube) in which the centres of :func:`blobs` lie.
BOX: Final = 10.0


class Blobs(NamedTuple):
    """Points in round heaps.

    Attributes:
        points: float32 [rows, features].
        labels: The heap that each was drawn from, int32 [rows].
        centres: float32 [clusters, features], on the device of the points.
    """

    points: Any
    labels: Any
    centres: Any


class Table(NamedTuple):
    """Rows to learn from.

    Attributes:
        features: float32 [rows, features].
        labels: int32 [rows].
    """

    features: Any
    labels: Any


class Clicks(NamedTuple):
    """Rows to learn from, whose labels follow a known rule and chance.

    Attributes:
        features: float32 [rows, features].
        labels: 0 or 1, int32 [rows].
        probability: Of a 1 in each row, by the rule, float32 [rows]; no model can know more than this.
    """

    features: Any
    labels: Any
    probability: Any

    def best_auc(self) -> float:
        """The AUC of the rule itself on these rows: what a perfect model reaches, but for chance."""
        return agreement.auc(self.labels, self.probability)


class Split(NamedTuple):
    """Rows to train on and rows to test on."""

    train_features: Any
    test_features: Any
    train_labels: Any
    test_labels: Any


def blobs(
    rows: int, features: int = 2, clusters: int = 5, *, std: float = 0.1, seed: int = 0, device: str = "cpu"
) -> Blobs:
    """Normally distributed points around centres that are spread evenly in a box of side 20.

    Args:
        rows: How many points.
        features: Of how many dimensions.
        clusters: Around how many centres.
        std: Standard deviation of the points around their centre, in every dimension.
        seed: The same seed gives the same centres everywhere, and the same points on the same device.
        device: ``cpu``, ``gpu`` or ``auto``: where they are made.

    Raises:
        UsageError: A count below 1, or a negative ``std``.
        W251Error: No such device, or not enough memory on it.
    """
    rows, features, clusters = whole(rows, "rows"), whole(features, "features"), whole(clusters, "clusters")
    if not (std >= 0 and math.isfinite(std)):
        raise UsageError(f"std is {std!r}", "give 0 or more")
    xp, where = _begin(device, rows, features, seed)
    with memory.guard(where, "making the points"):
        centres = xp.asarray(np.random.default_rng(seed).uniform(-BOX, BOX, (clusters, features)).astype(np.float32))
        random = xp.random.default_rng(seed)
        labels = random.integers(0, clusters, (rows,)).astype("int32")
        points = random.standard_normal((rows, features), dtype="float32")
        for block in _blocks(rows):
            part = points[block]
            part *= np.float32(std)
            part += centres[labels[block]]
    return Blobs(points, labels, centres)


def classification(
    rows: int,
    features: int = 399,
    *,
    informative: int = 300,
    flipped: float = 0.01,
    separation: float = 1.0,
    seed: int = 123,
    device: str = "cpu",
) -> Table:
    """Two classes of two clusters each around corners of a hypercube, in a space with features that say nothing.

    The design is that of Guyon, "Design of experiments for the NIPS 2003 variable selection benchmark" (2003), which
    scikit-learn's ``make_classification`` follows too. Its matrix products are in float32 and on the device here, which
    makes 131,072 rows a matter of seconds on a CPU.

    Args:
        rows: How many.
        features: How many columns; those after the informative ones are noise.
        informative: How many of them depend on the class.
        flipped: Share of the rows whose label is drawn by lot.
        separation: Half the side of the hypercube: larger is easier.
        seed: The same seed gives the same clusters everywhere, and the same rows on the same device.
        device: ``cpu``, ``gpu`` or ``auto``: where they are made.

    Raises:
        UsageError: A count below 1 (below 2 for ``informative``), more informative features than features, or a share
            outside 0 to 1.
        W251Error: No such device, or not enough memory on it.
    """
    rows, features, informative = (
        whole(rows, "rows"),
        whole(features, "features"),
        whole(informative, "informative", at_least=2),
    )
    if informative > features:
        raise UsageError(
            f"{informative} of {features} features cannot be informative", "give at most as many as there are"
        )
    if not 0 <= flipped <= 1:
        raise UsageError(f"flipped is {flipped!r}", "give a share from 0 to 1")
    xp, where = _begin(device, rows, features, seed)
    drawn = np.random.default_rng(seed)
    corners = _corners(drawn, 4, informative) * np.float32(separation)
    mixing = drawn.uniform(-1, 1, (4, informative, informative)).astype(np.float32)
    with memory.guard(where, "making the rows"):
        random = xp.random.default_rng(seed)
        table = random.standard_normal((rows, features), dtype="float32")
        cluster = random.integers(0, 4, (rows,)).astype("int32")
        for block in _blocks(rows):
            own = cluster[block]
            part = table[block]
            for number in range(4):
                chosen = xp.nonzero(own == number)[0]
                mixed = part[chosen, :informative] @ xp.asarray(mixing[number])
                part[chosen, :informative] = mixed + xp.asarray(corners[number])
        labels = cluster % 2
        by_lot = random.random((rows,), dtype="float32") < flipped
        labels = xp.where(by_lot, random.integers(0, 2, (rows,)).astype("int32"), labels)
    return Table(table, labels)


def clicks(
    rows: int, features: int = 100, *, rate: float = 0.5, noise: float = 1.5, seed: int = 0, device: str = "cpu"
) -> Clicks:
    """Did a visitor click? Labels by a rule of ten features that no straight line follows, and by chance.

    The rule's logit has a product of two features, a step, a ring, a wave, a maximum and a straight part. The label is
    then drawn with that probability, so the best possible AUC (:meth:`Clicks.best_auc`) is well below 1: about 0.83
    with the defaults.

    Args:
        rows: How many visitors.
        features: What is known of each, at least 10; the rest say nothing.
        rate: Share of the rows labelled 1, on average; 0.02 makes an imbalanced table.
        noise: How much is left to chance: the logit is divided by it.
        seed: The same seed gives the same rows on the same device.
        device: ``cpu``, ``gpu`` or ``auto``: where they are made.

    Raises:
        UsageError: A count that is too small, a rate outside 0 to 1, or noise that is not above 0.
        W251Error: No such device, or not enough memory on it.
    """
    rows, features = whole(rows, "rows"), whole(features, "features", at_least=10)
    if not 0 < rate < 1:
        raise UsageError(f"rate is {rate!r}", "give a share between 0 and 1")
    if not noise > 0:
        raise UsageError(f"noise is {noise!r}", "give a number above 0")
    xp, where = _begin(device, rows, features, seed)
    intercept = _intercept(rate, noise)
    with memory.guard(where, "making the rows"):
        random = xp.random.default_rng(seed)
        table = random.standard_normal((rows, features), dtype="float32")
        probability = xp.empty(rows, dtype="float32")
        for block in _blocks(rows):
            logit = _rule(table[block, :10], xp) / np.float32(noise) + np.float32(intercept)
            probability[block] = 1 / (1 + xp.exp(-logit))
        labels = (random.random((rows,), dtype="float32") < probability).astype("int32")
    return Clicks(table, labels, probability)


def coin_flips(rows: int, features: int = 100, *, seed: int = 0, device: str = "cpu") -> Table:
    """Random bits labelled at random: there is nothing to learn, and a model's AUC on fresh rows is about 0.5.

    Args:
        rows: How many.
        features: Columns of 0 and 1.
        seed: The same seed gives the same rows on the same device.
        device: ``cpu``, ``gpu`` or ``auto``: where they are made.

    Raises:
        UsageError: A count below 1.
        W251Error: No such device, or not enough memory on it.
    """
    rows, features = whole(rows, "rows"), whole(features, "features")
    xp, where = _begin(device, rows, features, seed)
    with memory.guard(where, "making the rows"):
        random = xp.random.default_rng(seed)
        table = random.random((rows, features), dtype="float32")
        for block in _blocks(rows):
            table[block] = table[block] < 0.5
        labels = random.integers(0, 2, (rows,)).astype("int32")
    return Table(table, labels)


def split(features: Any, labels: Any, *, test: float = 0.2, seed: int = 0) -> Split:
    """Shuffle the rows and hold some out for the test; the same rows on either device.

    Args:
        features: Array or data frame [rows, columns].
        labels: Array or column [rows], on the same device.
        test: Share of the rows to hold out.
        seed: Of the shuffle.

    Raises:
        UsageError: A share that leaves no row on one side.
        W251Error: Different lengths or devices.
    """
    one_device(features=features, labels=labels)
    rows = len(features)
    if len(labels) != rows:
        raise W251Error(f"there are {len(labels):,} labels for {rows:,} rows", "give one label for each row")
    held_out = round(rows * test) if 0 < test < 1 else 0
    if not 0 < held_out < rows:
        raise UsageError(f"a share of {test!r} of {rows:,} rows leaves nothing on one side", "give a share such as 0.2")
    order = arrays.namespace(features).asarray(np.random.default_rng(whole(seed, "seed", at_least=0)).permutation(rows))
    train, rest = order[held_out:], order[:held_out]
    return Split(_take(features, train), _take(features, rest), _take(labels, train), _take(labels, rest))


def _begin(device: str, rows: int, features: int, seed: int) -> tuple[Any, Device]:
    """The array library of the device, once it is known that the table fits there."""
    whole(seed, "seed", at_least=0)
    xp = arrays.libraries(device).xp
    where: Device = "gpu" if xp.__name__ == "cupy" else "cpu"
    memory.require(rows * features * 4 + rows * 12, where, f"a table of {rows:,} rows and {features:,} features")
    return xp, where


def _take(value: Any, rows: Any) -> Any:
    return value.iloc[rows] if hasattr(value, "iloc") else value[rows]


def _blocks(rows: int) -> list[slice]:
    return [slice(start, start + _BLOCK) for start in range(0, rows, _BLOCK)]


def _corners(drawn: np.random.Generator, count: int, dimensions: int) -> Any:
    """``count`` different corners of the hypercube from -1 to 1, float32 [count, dimensions]."""
    while True:
        corners = drawn.integers(0, 2, (count, dimensions))
        if len(np.unique(corners, axis=0)) == count:
            return (2 * corners - 1).astype(np.float32)


def _rule(x: Any, xp: Any) -> Any:
    """The logit behind :func:`clicks` for ten standard normal features, without intercept; its mean is about 0."""
    return (
        1.5 * x[:, 0] * x[:, 1]
        + 1.2 * xp.where(x[:, 2] > 0.5, np.float32(1.0), np.float32(-0.45))
        + 0.8 * (x[:, 3] ** 2 + x[:, 4] ** 2 - 2)
        + xp.sin(3 * x[:, 5])
        + xp.maximum(x[:, 6], x[:, 7])
        - np.float32(1 / math.sqrt(math.pi))
        + 0.5 * x[:, 8]
        - 0.5 * x[:, 9]
    )


def _intercept(rate: float, noise: float) -> float:
    """The intercept with which the mean probability of a large sample is ``rate``, found by bisection."""
    logit = _rule(np.random.default_rng(1).standard_normal((100_000, 10), dtype=np.float32), np) / noise
    low, high = -60.0, 60.0
    for _ in range(50):
        middle = (low + high) / 2
        if float((1 / (1 + np.exp(-(logit + middle)))).mean()) < rate:
            low = middle
        else:
            high = middle
    return (low + high) / 2
