"""A stand-in for cudf.pandas 26.10: the same names, and calls that a script makes up."""

from __future__ import annotations

import sys
import time
import types
from collections import defaultdict
from typing import Self

_profilers: list[Profiler] = []


class Profiler:
    def __init__(self) -> None:
        self._stats: defaultdict[str, defaultdict[str, list[float]]] = defaultdict(lambda: defaultdict(list))

    def __enter__(self) -> Self:
        _profilers.append(self)
        return self

    def __exit__(self, *_: object) -> None:
        _profilers.remove(self)

    @property
    def per_function_stats(self) -> defaultdict[str, defaultdict[str, list[float]]]:
        return self._stats


def install() -> None:
    if "pandas" in sys.modules:
        raise RuntimeError("pandas was imported before")
    pandas = types.ModuleType("pandas")
    pandas.__version__ = "stand-in"
    pandas.stand_in = types.SimpleNamespace(on_gpu=_call("gpu"), on_cpu=_call("cpu"))
    sys.modules["pandas"] = pandas


def _call(device: str) -> object:
    def call(function: str, seconds: float) -> None:
        begin = time.perf_counter()
        time.sleep(seconds)
        for profiler in _profilers:
            profiler._stats[function][device].append(time.perf_counter() - begin)

    return call
