"""A benchmark of loading in a JSON file: written whole, read with suspicion."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from w251lab.dali.loading.result import Loader, Stage
from w251lab.errors import W251Error
from w251lab.timing import Timing
from w251lab.timing.documents import Kind

if TYPE_CHECKING:
    from w251lab.dali.loading.result import Loading

_REMEDY: Final = "give a file that Loading.save wrote, or measure again"
KIND: Final = Kind("w251lab.dali.loading", 1, "benchmark of loading", _REMEDY)


def save(loading: Loading, path: str | Path) -> Path:
    """Write ``loading``, and return the file; see :meth:`Loading.save`."""
    return KIND.save(_to_dict(loading), path)


def load(path: str | Path) -> dict[str, Any]:
    """The fields of the benchmark in a file; see :meth:`Loading.load`."""
    content = KIND.load(path)
    try:
        return _from_dict(content)
    except W251Error as error:
        raise W251Error(f"{Path(path)} is damaged: {error.what}", error.remedy or _REMEDY) from error


def _to_dict(loading: Loading) -> dict[str, Any]:
    return {
        "made": loading.made,
        "others": loading.others,
        "device": loading.device,
        "batch_size": loading.batch_size,
        "pictures": loading.pictures,
        "bytes_per_picture": loading.bytes_per_picture,
        "pixels_per_picture": loading.pixels_per_picture,
        "crop": loading.crop,
        "loaders": [
            {
                "key": loader.key,
                "name": loader.name,
                "parallel": loader.parallel,
                "whole": loader.whole.to_dict(),
                "stages": [
                    {
                        "name": stage.name,
                        "how": stage.how,
                        "timing": stage.timing and stage.timing.to_dict(),
                        "before": stage.before and stage.before.to_dict(),
                    }
                    for stage in loader.stages
                ],
            }
            for loader in loading.loaders
        ],
    }


def _from_dict(content: dict[str, Any]) -> dict[str, Any]:
    device = KIND.take(content, "device", str)
    if device not in {"cpu", "gpu"}:
        raise W251Error(f"device = {device!r} cannot be", _REMEDY)
    loaders = tuple(_loader(values) for values in KIND.take(content, "loaders", list))
    if not loaders or len({loader.key for loader in loaders}) != len(loaders):
        raise W251Error("it has no loaders, or one twice", _REMEDY)
    if device == "cpu" and any(loader.key == "dali-gpu" for loader in loaders):
        raise W251Error("a loader on the gpu cannot have left its batches with the cpu", _REMEDY)
    return {
        "made": KIND.day(content, "made"),
        "others": None
        if KIND.take(content, "others", (int, float, type(None))) is None
        else _number(content, "others"),
        "device": device,
        "loaders": loaders,
        **{name: KIND.count(content, name) for name in ("batch_size", "pictures", "crop")},
        **{name: _number(content, name, above=0) for name in ("bytes_per_picture", "pixels_per_picture")},
    }


def _loader(values: object) -> Loader:
    return Loader(
        KIND.take(values, "key", str),
        KIND.take(values, "name", str),
        KIND.count(values, "parallel"),
        Timing.from_dict(KIND.take(values, "whole", dict)),
        tuple(_stage(stage) for stage in KIND.take(values, "stages", list)),
    )


def _stage(values: object) -> Stage:
    timing, before = (KIND.take(values, name, (dict, type(None))) for name in ("timing", "before"))
    return Stage(
        KIND.take(values, "name", str),
        KIND.take(values, "how", str),
        None if timing is None else Timing.from_dict(timing),
        None if before is None else Timing.from_dict(before),
    )


def _number(values: object, name: str, *, above: float = -math.inf) -> float:
    number = KIND.take(values, name, (int, float))
    if isinstance(number, bool) or not math.isfinite(number) or number < 0 or number <= above:
        raise W251Error(f"{name} = {number!r} cannot be", _REMEDY)
    return float(number)
