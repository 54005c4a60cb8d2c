"""Comparisons with round figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from w251lab.timing import Comparison, Failure, Point, Timing

if TYPE_CHECKING:
    from w251lab.accelerator import Device
    from w251lab.timing import Copies

HARDWARE = {"cpu": "A Processor, 16 cores", "gpu": "NVIDIA H200"}


def timing(device: Device, median: float, copies: Copies = "none") -> Timing:
    samples = tuple(median * factor for factor in (0.98, 1.0, 1.02, 0.99, 1.0))
    return Timing("", device, HARDWARE[device], copies, samples, 10 * median, 1, True, {"numpy": "2.4.0"})


def comparison(*, gpu: bool = True, recorded: bool = False, failed: bool = False) -> Comparison:
    """K-means at 10, 1000 and 100,000 rows; the GPU is a tenth, 5 and 100 times as fast, from the host half of that."""
    points = []
    for size, slow, fast in ((10, 0.01, 0.1), (1000, 1.0, 0.2), (100_000, 100.0, 1.0)):
        points.append(Point(size, "scikit-learn", timing("cpu", slow)))
        if gpu:
            points.append(Point(size, "cuML", timing("gpu", fast, "excluded"), timing("gpu", 2 * fast, "included")))
    failures = (Failure(10**6, "cuML", "MemoryError: out of memory"),) if failed else ()
    return Comparison("K-means", "rows", tuple(points), "2026-11-20", failures, recorded)
