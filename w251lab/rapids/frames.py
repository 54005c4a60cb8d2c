"""Data frames: a year of flights, and the questions that a data scientist asks of them.

The questions are written once. pandas and cuDF have the same methods, so the same lines run on the CPU on a pandas
frame and on the GPU on a cuDF one. Where the two differ, the lines avoid it: a comparison with a missing value is False
in pandas and missing in cuDF, so missing values are dropped before anything is compared.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from w251lab.errors import UsageError, W251Error
from w251lab.rapids import arrays, memory
from w251lab.rapids.agreement import Agreement
from w251lab.rapids.checks import one_device, whole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from w251lab.accelerator import Device

_FOLDER: Final = Path(__file__).parent / "flights"
_REINSTALL: Final = "install w251lab again; in a checkout: git checkout -- w251lab/rapids/flights"
#: Minutes from which the US Bureau of Transportation Statistics calls a flight late.
LATE: Final = 15


class Flights(NamedTuple):
    """All 336,776 flights that left New York City's airports in 2013, and what their codes stand for.

    Attributes:
        flights: One row for each: month, day, hour and sched_dep_time (hhmm) of the plan; dep_delay, arr_delay and
            air_time in minutes (missing where cancelled or diverted); carrier, flight, tailnum, origin, dest; distance
            in miles.
        airlines: carrier, name.
        airports: faa (the code), name, lat and lon in degrees, alt in feet, tz (hours from UTC), dst, tzone.
        planes: tailnum, year (of building), type, manufacturer, model, engines, seats, speed in miles per hour, engine.
    """

    flights: Any
    airlines: Any
    airports: Any
    planes: Any


def paths() -> dict[str, Path]:
    """The Parquet file of each table.

    Raises:
        W251Error: One is not there.
    """
    found = {name: _FOLDER / f"{name}.parquet" for name in Flights._fields}
    if missing := [path.name for path in found.values() if not path.is_file()]:
        raise W251Error(f"{', '.join(missing)} of the flights is not there", _REINSTALL)
    return found


def load(device: str = "cpu") -> Flights:
    """Read the tables straight into the memory of ``device``, with pandas or cuDF.

    Args:
        device: ``cpu``, ``gpu`` or ``auto``.

    Raises:
        UsageError: Another word.
        W251Error: ``gpu`` where there is none or cuDF is missing; or a file is damaged.
    """
    reader = arrays.libraries(device).pd
    where: Device = "gpu" if reader.__name__ == "cudf" else "cpu"
    with memory.guard(where, "reading the flights"):
        return Flights(**{name: reader.read_parquet(path) for name, path in paths().items()})


def delays_by_airline(tables: Flights) -> Any:
    """For each airline: how many flights, how late they are, and how often.

    A group-by over all flights, and a join with a small table.

    Returns:
        One row for each airline, the most punctual first: carrier, name, flights (that arrived), mean_delay (minutes at
        arrival), late (share of them at least 15 minutes late).
    """
    arrived = tables.flights.dropna(subset=["arr_delay"])
    arrived = arrived.assign(late=(arrived["arr_delay"] >= LATE).astype("float32"))
    by_carrier = arrived.groupby("carrier").agg(
        flights=("arr_delay", "count"), mean_delay=("arr_delay", "mean"), late=("late", "mean")
    )
    named = by_carrier.reset_index().merge(tables.airlines, on="carrier", how="left")
    ordered = named.sort_values(["late", "carrier"]).reset_index(drop=True)
    return ordered[["carrier", "name", "flights", "mean_delay", "late"]]


def delays_by_age(tables: Flights, *, step: int = 5) -> Any:
    """For aircraft of each age: how many flights, seats and minutes of delay.

    A join of all flights with a table of thousands of text keys, and then the group-by: the heavier of the two
    questions.

    Args:
        tables: Of :func:`load`.
        step: Years that are taken together.

    Returns:
        One row for each age group, the youngest first: age (years, the group's lowest), flights (that arrived),
        mean_delay (minutes at arrival), seats (on average). Aircraft that the table of planes does not have are left
        out.

    Raises:
        UsageError: ``step`` is no whole number from 1 on.
    """
    step = whole(step, "step")
    built = tables.planes[["tailnum", "year", "seats"]].dropna(subset=["year"])
    arrived = tables.flights[["tailnum", "arr_delay"]].dropna(subset=["tailnum", "arr_delay"])
    joined = arrived.merge(built, on="tailnum", how="inner")
    age = ((2013 - joined["year"]) // step * step).astype("int32")
    groups = (
        joined.assign(age=age)
        .groupby("age")
        .agg(flights=("arr_delay", "count"), mean_delay=("arr_delay", "mean"), seats=("seats", "mean"))
    )
    return groups.sort_index().reset_index()


def repeat(tables: Flights, times: int) -> Flights:
    """The same flights over again, for curves over sizes: ``times`` times as many rows, and nothing new in them.

    Each repetition has its own aircraft: from the second on, a tail number ends in ``-1``, ``-2``..., in the flights
    and in the planes. So a join still finds one plane for a flight, and works through as many different keys as a table
    of that size would have. Airlines and airports stay as they are.

    Args:
        tables: Of :func:`load`.
        times: How often; 1 gives the tables back.

    Raises:
        UsageError: ``times`` is no whole number from 1 on.
        W251Error: They lie on different devices, or do not fit into memory.
    """
    times = whole(times, "times")
    device = one_device(**tables._asdict())
    if times == 1:
        return tables
    rows = len(tables.flights)
    # 20 bytes of numbers and some 35 of text in a row.
    memory.require(rows * (times - 1) * 55, device, f"a table of {rows * times:,} flights")
    with memory.guard(device, "repeating the flights"):
        flights, planes = (_repeat_one(frame, times, device) for frame in (tables.flights, tables.planes))
    return tables._replace(flights=flights, planes=planes)


def _repeat_one(frame: Any, times: int, device: Device) -> Any:
    library = arrays.libraries(device).pd
    copies = [frame, *(frame.assign(tailnum=frame["tailnum"] + f"-{number}") for number in range(1, times))]
    return library.concat(copies, ignore_index=True)


def same(
    first: Any,
    second: Any,
    *,
    by: Sequence[str] | None = None,
    ordered: bool = False,
    rtol: float = 1e-5,
    atol: float = 1e-6,
) -> Agreement:
    """Whether two frames say the same, whatever device they lie on and in whatever order their rows are.

    Numbers agree within ``atol + rtol * |second|``, whatever their types; missing values (None, NaN, NA) agree with
    each other. A named index counts as columns, an unnamed one as nothing.

    Args:
        first: A frame or a column.
        second: Another one.
        by: Columns that identify a row, by which both are sorted. None takes all that hold no fractions, then the rest.
        ordered: The rows must come in the same order; nothing is sorted.
        rtol: Relative tolerance.
        atol: Absolute tolerance.

    Returns:
        An :class:`w251lab.rapids.agreement.Agreement` that says what differs first.

    Raises:
        UsageError: ``by`` names a column that is not there.
    """
    one, other = _plain(first), _plain(second)
    if list(one.columns) != list(other.columns):
        missing = [column for column in one.columns if column not in set(other.columns)]
        extra = [column for column in other.columns if column not in set(one.columns)]
        said = f"missing in the second: {missing}; only there: {extra}" if missing or extra else "their order differs"
        return Agreement(False, f"the columns differ ({said})")
    if len(one) != len(other):
        return Agreement(False, f"the first has {len(one):,} rows, the second {len(other):,}")
    if not ordered:
        keys = _sort_keys(one, other, by)
        one, other = (frame.sort_values(keys, ignore_index=True) if keys else frame for frame in (one, other))
    for column in one.columns:
        if (different := _first_difference(one[column], other[column], rtol, atol)) is not None:
            row = f"row {different:,}" + ("" if ordered else " after sorting")
            return Agreement(
                False,
                f"column {column!r} differs, first in {row}: {one[column].iloc[different]!r} and "
                f"{other[column].iloc[different]!r}",
            )
    return Agreement(True, f"{len(one):,} rows of {len(one.columns)} columns are the same")


def _plain(value: Any) -> Any:
    """A pandas frame with its named index as columns, and text as objects with None for what is missing."""
    import pandas as pd  # takes half a second to import  # noqa: PLC0415

    host = arrays.to_host(value)
    frame = host.to_frame() if isinstance(host, pd.Series) else host
    if not isinstance(frame, pd.DataFrame):
        raise UsageError(f"{type(value).__qualname__} is no data frame", "give a pandas or cuDF data frame")
    named = any(name is not None for name in frame.index.names)
    frame = frame.reset_index(drop=not named)
    if not frame.columns.is_unique:
        raise UsageError(f"two columns have the same name: {list(frame.columns)}", "rename one")
    text = [column for column in frame.columns if not pd.api.types.is_numeric_dtype(frame[column])]
    return frame.astype(dict.fromkeys(text, object)).where(frame.notna(), None) if text else frame


def _sort_keys(one: Any, other: Any, by: Sequence[str] | None) -> list[str]:
    import pandas as pd  # takes half a second to import  # noqa: PLC0415

    if by is not None:
        if unknown := [column for column in by if column not in set(one.columns)]:
            raise UsageError(f"there is no column {unknown[0]!r}", f"the columns are {list(one.columns)}")
        return list(by)
    # The same number may be a float on one side, where it was an integer with missing values, so both sides are asked.
    fractions = {
        column
        for frame in (one, other)
        for column in frame.columns
        if pd.api.types.is_float_dtype(frame[column]) and (frame[column] % 1).fillna(0).any()
    }
    return [column for column in one.columns if column not in fractions] + sorted(fractions)


def _first_difference(one: Any, other: Any, rtol: float, atol: float) -> int | None:
    """The first row in which two columns differ; None where they are the same."""
    import pandas as pd  # takes half a second to import  # noqa: PLC0415

    missing, also = one.isna().to_numpy(), other.isna().to_numpy()
    if pd.api.types.is_numeric_dtype(one) and pd.api.types.is_numeric_dtype(other):
        left, right = (column.to_numpy(dtype="float64", na_value=np.nan) for column in (one, other))
        equal = np.isclose(left, right, rtol=rtol, atol=atol)
    else:
        equal = one.to_numpy(dtype=object) == other.to_numpy(dtype=object)
    wrong = ~((missing & also) | (equal & ~missing & ~also))
    return int(np.argmax(wrong)) if wrong.any() else None
