"""A comparison in a JSON file: written whole, read with suspicion."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from w251lab.errors import W251Error
from w251lab.timing.comparison import Failure, Point
from w251lab.timing.documents import Kind
from w251lab.timing.timing import Timing

if TYPE_CHECKING:
    from w251lab.timing.comparison import Comparison

_REMEDY: Final = "give a file that Comparison.save wrote, or measure again"
KIND: Final = Kind("w251lab.timing.comparison", 1, "comparison", _REMEDY)


def save(comparison: Comparison, path: str | Path) -> Path:
    """Write ``comparison``, and return the file; see :meth:`Comparison.save`."""
    return KIND.save(_to_dict(comparison), path)


def load(path: str | Path) -> dict[str, Any]:
    """The fields of the comparison in a file; see :meth:`Comparison.load`."""
    content = KIND.load(path)
    try:
        return _from_dict(content)
    except W251Error as error:
        raise W251Error(f"{Path(path)} is damaged: {error.what}", error.remedy or _REMEDY) from error


def _to_dict(comparison: Comparison) -> dict[str, Any]:
    return {
        "title": comparison.title,
        "unit": comparison.unit,
        "made": comparison.made,
        "points": [
            {
                "size": point.size,
                "contender": point.contender,
                "resident": point.resident.to_dict(),
                "from_host": point.from_host and point.from_host.to_dict(),
            }
            for point in comparison.points
        ],
        "failures": [
            {"size": failure.size, "contender": failure.contender, "reason": failure.reason}
            for failure in comparison.failures
        ],
    }


def _from_dict(content: dict[str, Any]) -> dict[str, Any]:
    made = KIND.day(content, "made")
    points = tuple(_point(values) for values in KIND.take(content, "points", list))
    if not points:
        raise W251Error("it has no points", _REMEDY)
    if len({(point.size, point.contender) for point in points}) != len(points):
        raise W251Error("a contender has two points of one size", _REMEDY)
    return {
        "title": KIND.take(content, "title", str),
        "unit": KIND.take(content, "unit", str),
        "made": made,
        "points": points,
        "failures": tuple(
            Failure(KIND.count(values, "size"), KIND.take(values, "contender", str), KIND.take(values, "reason", str))
            for values in KIND.take(content, "failures", list)
        ),
    }


def _point(values: object) -> Point:
    resident = Timing.from_dict(KIND.take(values, "resident", dict))
    from_host = KIND.take(values, "from_host", (dict, type(None)))
    other = Timing.from_dict(from_host) if from_host is not None else None
    if other is not None and other.device != resident.device:
        raise W251Error("the two timings of a point are of different devices", _REMEDY)
    return Point(KIND.count(values, "size"), KIND.take(values, "contender", str), resident, other)
