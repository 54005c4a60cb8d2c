"""The curves of the RAPIDS lab: what is done at which sizes, by whom on each device.

A curve is the same work at every scale, only its sizes differ. So one that was measured on a laptop at small scale and
one that was recorded on a GPU at full scale can be drawn in one picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from w251lab.rapids import boosting, data, forest, frames, kmeans
from w251lab.timing import Budget

if TYPE_CHECKING:
    from collections.abc import Callable

    from w251lab.accelerator import Device

Scale = Literal["small", "full"]

_FEATURES: Final = 25
_CLUSTERS: Final = 8
_COLUMNS: Final = 399
_TREES: Final = 25
_ROWS_FOR_TREES: Final = 4_096
_ROUNDS: Final = 100
_DEPTH: Final = 8


@dataclass(frozen=True)
class Curve:
    """Work that is compared over sizes.

    Attributes:
        name: The word for it in commands and file names.
        title: What is done, with all that decides how long it takes.
        unit: What a size counts.
        note: What is not the same on both devices.
        contenders: Who does it on the CPU and on the GPU.
        libraries: Modules that the GPU's contender needs.
        sizes: At each scale.
        budgets: Of each measurement, at each scale.
        make: From a size and a device, the data in that device's memory.
        run: From the data, the result. Timed.
    """

    name: str
    title: str
    unit: str
    note: str
    contenders: dict[Device, str]
    libraries: tuple[str, ...]
    sizes: dict[Scale, tuple[int, ...]]
    budgets: dict[Scale, Budget]
    make: Callable[[int, Device], Any]
    run: Callable[[Any], object]


def _points(rows: int, device: Device) -> Any:
    return data.blobs(rows, _FEATURES, _CLUSTERS, std=1.0, device=device).points


def _table(rows: int, device: Device) -> data.Table:
    return data.classification(rows, _COLUMNS, device=device)


def _table_for_trees(trees: int, device: Device) -> tuple[data.Table, int]:
    return _table(_ROWS_FOR_TREES, device), trees


def _clicks(rows: int, device: Device) -> data.Table:
    made = data.clicks(rows, device=device)
    return data.Table(made.features, made.labels)


def _flights(rows: int, device: Device) -> frames.Flights:
    """The year's first flights, or all of them several times over."""
    tables = frames.load(device)
    year = len(tables.flights)
    if rows < year:
        return tables._replace(flights=tables.flights.head(rows))
    return frames.repeat(tables, rows // year)


def _two_questions(tables: frames.Flights) -> tuple[Any, Any]:
    return frames.delays_by_airline(tables), frames.delays_by_age(tables)


#: A year of flights.
_YEAR: Final = 336_776
_SCIKIT: Final[dict[Device, str]] = {"cpu": "scikit-learn", "gpu": "cuML"}
_FOREST_NOTE: Final = (
    "scikit-learn tries every value of a feature as a split, cuML the borders of 128 quantiles. Both compute in "
    "float32 to depth 16, with bootstrap samples and all features at each split."
)

CURVES: Final[dict[str, Curve]] = {
    curve.name: curve
    for curve in (
        Curve(
            "frames",
            "Flights: a group-by with a small join, and a join on aircraft with a group-by",
            "rows",
            "pandas computes on one core. Up to 336,776 rows these are the flights of 2013; beyond, the same "
            "flights several times over, each time with aircraft of their own.",
            {"cpu": "pandas", "gpu": "cuDF"},
            ("cupy", "cudf"),
            {
                "small": (1_000, 10_000, 100_000, _YEAR, 3 * _YEAR),
                "full": (1_000, 10_000, 100_000, _YEAR, 3 * _YEAR, 10 * _YEAR, 30 * _YEAR, 100 * _YEAR),
            },
            {"small": Budget(0.5, at_least=3), "full": Budget(2.0, at_least=2)},
            _flights,
            _two_questions,
        ),
        Curve(
            "kmeans",
            f"K-means: {_FEATURES} features, {_CLUSTERS} clusters, one start, to a tolerance of 1e-4",
            "rows",
            "scikit-learn starts with greedy k-means++, cuML with scalable k-means++ (oversampling 2.0), so the "
            "iterations that follow may differ by a few.",
            _SCIKIT,
            ("cupy", "cudf", "cuml"),
            {
                "small": (1_000, 10_000, 100_000, 300_000),
                "full": (1_000, 10_000, 100_000, 1_000_000, 4_000_000),
            },
            {"small": Budget(0.5), "full": Budget(2.0)},
            _points,
            lambda points: kmeans.fit(points, _CLUSTERS),
        ),
        Curve(
            "forest_rows",
            f"Random forest: {_COLUMNS} features (300 informative), {_TREES} trees of depth 16, all features",
            "rows",
            _FOREST_NOTE + " A call that takes longer than the budget is measured once after its warm-up.",
            _SCIKIT,
            ("cupy", "cudf", "cuml"),
            {
                "small": (128, 256, 512, 1_024),
                "full": (256, 1_024, 4_096, 16_384, 131_072),
            },
            {"small": Budget(0.8, at_least=1), "full": Budget(4.0, at_least=1)},
            _table,
            lambda table: forest.train(table.features, table.labels, trees=_TREES),
        ),
        Curve(
            "forest_trees",
            f"Random forest: {_ROWS_FOR_TREES:,} rows, {_COLUMNS} features (300 informative), depth 16, all features",
            "trees",
            _FOREST_NOTE + " A call that takes longer than the budget is measured once after its warm-up.",
            _SCIKIT,
            ("cupy", "cudf", "cuml"),
            {"small": (1, 2, 4), "full": (1, 4, 16, 64, 256)},
            {"small": Budget(0.8, at_least=1), "full": Budget(3.0, at_least=1)},
            _table_for_trees,
            lambda task: forest.train(task[0].features, task[0].labels, trees=task[1]),
        ),
        Curve(
            "boosting",
            f"XGBoost: 100 features, {_ROUNDS} rounds of depth {_DEPTH}, histograms of 256 bins",
            "rows",
            "The same library, parameters and rounds on both devices; making the QuantileDMatrix is inside.",
            {"cpu": "XGBoost, CPU", "gpu": "XGBoost, CUDA"},
            ("cupy", "cudf", "xgboost"),
            {"small": (1_000, 3_000, 10_000), "full": (1_000, 10_000, 100_000, 1_000_000)},
            {"small": Budget(0.8, at_least=1), "full": Budget(3.0, at_least=3)},
            _clicks,
            lambda table: boosting.train(table.features, table.labels, rounds=_ROUNDS, depth=_DEPTH),
        ),
    )
}
