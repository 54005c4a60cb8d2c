"""A stand-in for cuml.accel 26.10: the same names, and calls that a script makes up."""

from __future__ import annotations

import contextlib
import time
import types
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_active: list[ProfileResults] = []
_installed = False


class MethodStats:
    def __init__(self) -> None:
        self.gpu_calls, self.gpu_time, self.cpu_calls, self.cpu_time = 0, 0.0, 0, 0.0
        self.fallback_reasons: set[str] = set()


class ProfileResults:
    def __init__(self) -> None:
        self.method_calls: dict[str, MethodStats] = {}


def install(*, disable_uvm: bool = False, log_level: str | None = None) -> None:
    global _installed  # noqa: PLW0603
    _installed = True


@contextlib.contextmanager
def profile(quiet: bool = False) -> Iterator[ProfileResults]:
    assert _installed
    results = ProfileResults()
    _active.append(results)
    try:
        yield results
    finally:
        _active.remove(results)
        if not quiet:
            print("cuml.accel profile")  # noqa: T201


def _on_gpu(function: str, seconds: float) -> None:
    time.sleep(seconds)
    for results in _active:
        stats = results.method_calls.setdefault(function, MethodStats())
        stats.gpu_calls += 1
        stats.gpu_time += seconds


def _on_cpu(function: str, seconds: float, reason: str | None = None) -> None:
    time.sleep(seconds)
    for results in _active:
        stats = results.method_calls.setdefault(function, MethodStats())
        stats.cpu_calls += 1
        stats.cpu_time += seconds
        if reason is not None:
            stats.fallback_reasons.add(reason)


stand_in = types.SimpleNamespace(on_gpu=_on_gpu, on_cpu=_on_cpu)
