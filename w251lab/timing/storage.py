"""A comparison in a JSON file: written whole, read with suspicion."""

from __future__ import annotations

import datetime as dt
import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from w251lab.errors import W251Error
from w251lab.timing.comparison import Failure, Point
from w251lab.timing.timing import Timing

if TYPE_CHECKING:
    from w251lab.timing.comparison import Comparison

SCHEMA = "w251lab.timing.comparison"
VERSION = 1
_REMEDY = "give a file that Comparison.save wrote, or measure again"


def save(comparison: Comparison, path: str | Path) -> Path:
    """Write ``comparison``, and return the file; see :meth:`Comparison.save`."""
    file = Path(path)
    text = json.dumps(_to_dict(comparison), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
        part = Path(name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                stream.write(text)
            part.chmod(0o644)  # made readable for its owner alone
            part.replace(file)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise W251Error(
            f"{file} cannot be written: {error.strerror}", "give a file in a folder that you may write to"
        ) from error
    return file


def load(path: str | Path) -> dict[str, Any]:
    """The fields of the comparison in a file; see :meth:`Comparison.load`."""
    file = Path(path)
    try:
        content = json.loads(file.read_text(encoding="utf-8"), parse_constant=_no_constant)
    except OSError as error:
        raise W251Error(f"{file} cannot be read: {error.strerror}", _REMEDY) from error
    except (ValueError, RecursionError) as error:  # not JSON, not text
        raise W251Error(f"{file} is no JSON file, or a damaged one: {error}", _REMEDY) from error
    if not isinstance(content, dict) or content.get("schema") != SCHEMA:
        raise W251Error(f"{file} is no comparison of w251lab", _REMEDY)
    version = content.get("version")
    if isinstance(version, int) and version > VERSION:
        raise W251Error(
            f"{file} was written by a later w251lab: its format is {version}, and this one reads {VERSION}",
            "update w251lab",
        )
    if version != VERSION:
        raise W251Error(f"{file}: the format's version {version!r} is unknown", _REMEDY)
    try:
        return _from_dict(content)
    except W251Error as error:
        raise W251Error(f"{file} is damaged: {error.what}", error.remedy or _REMEDY) from error


def _to_dict(comparison: Comparison) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "version": VERSION,
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
    made = _take(content, "made", str)
    try:
        dt.date.fromisoformat(made)
    except ValueError as error:
        raise W251Error(f"made = {made!r} is no day", _REMEDY) from error
    points = tuple(_point(values) for values in _take(content, "points", list))
    if not points:
        raise W251Error("it has no points", _REMEDY)
    if len({(point.size, point.contender) for point in points}) != len(points):
        raise W251Error("a contender has two points of one size", _REMEDY)
    return {
        "title": _take(content, "title", str),
        "unit": _take(content, "unit", str),
        "made": made,
        "points": points,
        "failures": tuple(
            Failure(_size(values), _take(values, "contender", str), _take(values, "reason", str))
            for values in _take(content, "failures", list)
        ),
    }


def _point(values: object) -> Point:
    resident = Timing.from_dict(_take(values, "resident", dict))
    from_host = _take(values, "from_host", (dict, type(None)))
    other = Timing.from_dict(from_host) if from_host is not None else None
    if other is not None and other.device != resident.device:
        raise W251Error("the two timings of a point are of different devices", _REMEDY)
    return Point(_size(values), _take(values, "contender", str), resident, other)


def _size(values: object) -> int:
    size: int = _take(values, "size", int)
    if isinstance(size, bool) or size < 1:
        raise W251Error(f"size = {size!r} cannot be", _REMEDY)
    return size


def _take(values: object, name: str, kind: type | tuple[type, ...]) -> Any:
    if not isinstance(values, dict) or name not in values:
        raise W251Error(f"{name!r} is missing", _REMEDY)
    if not isinstance(values[name], kind):
        raise W251Error(f"{name} = {values[name]!r} cannot be", _REMEDY)
    return values[name]


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no number")
