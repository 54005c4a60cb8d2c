"""Data that several modules' tests work on, small enough for a busy machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import threadpoolctl
import xgboost

from w251lab.rapids import bench, data, frames
from w251lab.timing import Comparison, Failure, Point, Timing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from w251lab.accelerator import Device
    from w251lab.rapids.data import Clicks
    from w251lab.rapids.frames import Flights
    from w251lab.timing import Copies


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Threads that wait for each other in a loop make a busy machine of two cores crawl."""
    with threadpoolctl.threadpool_limits(1), xgboost.config_context(nthread=1):
        yield


@pytest.fixture(scope="session")
def clicks() -> Clicks:
    return data.clicks(4000, 20, seed=3)


@pytest.fixture(scope="session")
def flights() -> Flights:
    return frames.load("cpu")


@pytest.fixture
def both() -> Callable[..., Comparison]:
    """Makes a curve of both devices at full scale: the CPU takes 1 µs for a row, the GPU 2 ms and a tenth of that."""

    def make(name: str, failures: tuple[Failure, ...] = ()) -> Comparison:
        curve = bench.find(name)
        points = []
        for size in curve.sizes["full"]:
            seconds = 2e-3 + size * 1e-7
            points += [
                Point(size, curve.contenders["cpu"], _timing(size * 1e-6, "cpu", settled=size > 1_000)),
                Point(
                    size,
                    curve.contenders["gpu"],
                    _timing(seconds, "gpu", "excluded"),
                    _timing(2 * seconds, "gpu", "included"),
                ),
            ]
        return Comparison(curve.title, curve.unit, tuple(points), "2026-11-20", failures)

    return make


def _timing(seconds: float, device: Device, copies: Copies = "none", *, settled: bool = True) -> Timing:
    hardware = {"cpu": "Xeon, 16 cores", "gpu": "NVIDIA H200"}[device]
    versions = {"python": "3.12.1"} | ({"driver": "580.1"} if device == "gpu" else {})
    return Timing("", device, hardware, copies, (seconds,) * 3, 2 * seconds, 1, settled, versions)
