"""The curves: the same work at every scale, on the CPU here; what is recorded is read with suspicion."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from w251lab import accelerator
from w251lab.errors import UsageError, W251Error
from w251lab.rapids import bench
from w251lab.rapids.curves import CURVES
from w251lab.timing import Budget, Comparison, plot

if TYPE_CHECKING:
    from pathlib import Path

    from w251lab.rapids.curves import Curve

QUICK = Budget(0.05, at_least=1, at_most=3)
#: Below those of the scales: 100 rounds of XGBoost on a busy machine take long on any rows.
TINY = {"frames": [1_000], "kmeans": [500], "forest_rows": [64], "forest_trees": [1], "boosting": [40]}


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("name", bench.NAMES)
def test_a_curve_on_the_cpu_is_the_cpus_alone(name: str) -> None:
    found = bench.curve(name, "cpu", "small", sizes=TINY[name], budget=QUICK, progress=False)
    assert found.contenders == (CURVES[name].contenders["cpu"],)
    (point,) = found.points
    assert point.resident.device == "cpu"
    assert point.resident.hardware == accelerator.label("cpu")
    assert point.from_host is None
    assert (found.title, found.unit) == (CURVES[name].title, CURVES[name].unit)
    assert plot(found).axes


@pytest.mark.parametrize("name", bench.NAMES)
def test_each_curve_has_a_function_of_its_name(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[object, ...]] = []
    monkeypatch.setattr(bench, "curve", lambda *what, **options: asked.append((*what, options)))
    getattr(bench, name)("cpu", "full", progress=False)
    assert asked == [(name, "cpu", "full", {"progress": False})]


@pytest.mark.parametrize("curve", CURVES.values(), ids=list(CURVES))
def test_the_scales(curve: Curve) -> None:
    """Small sizes are no larger than full ones, so that the two can be drawn together."""
    assert curve.sizes["small"][-1] < curve.sizes["full"][-1]
    for sizes in curve.sizes.values():
        assert list(sizes) == sorted(set(sizes))
    assert curve.contenders["cpu"] != curve.contenders["gpu"]


def test_the_flights_of_a_size_are_that_many() -> None:
    make = CURVES["frames"].make
    year = len(make(336_776, "cpu").flights)
    assert year == 336_776  # the sizes are written down in multiples of it
    for rows in (1_000, 3 * year):
        assert len(make(rows, "cpu").flights) == rows


def test_what_cannot_be_meant() -> None:
    with pytest.raises(UsageError, match="unknown curve 'kmean'") as caught:
        bench.curve("kmean", "cpu")
    assert "did you mean 'kmeans'?" in caught.value.remedy
    with pytest.raises(UsageError, match="unknown scale 'huge'"):
        bench.kmeans("cpu", "huge")
    with pytest.raises(UsageError, match="unknown device"):
        bench.kmeans("tpu")
    with pytest.raises(UsageError, match="unknown curve"):
        bench.recorded("nothing")


def test_a_gpu_where_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with pytest.raises(W251Error, match="device 'gpu' was asked for"):
        bench.kmeans("gpu")
    assert bench.kmeans("auto", sizes=[100], budget=QUICK, progress=False).contenders == ("scikit-learn",)


def test_one_that_fails_does_not_take_the_others_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    right = bench.curve

    def curve(name: str, device: str, scale: str, **_options: object) -> Comparison:
        if name == "frames":
            raise W251Error("the flights are gone", "find them")
        return right(name, device, scale, sizes=TINY[name], budget=QUICK, progress=False)

    monkeypatch.setattr(bench, "curve", curve)
    found = dict(bench.each(["frames", "kmeans"], "cpu", "small"))
    assert isinstance(found["frames"], W251Error)
    assert isinstance(found["kmeans"], Comparison)


def test_recorded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(bench, "folder", lambda: tmp_path)
    with pytest.raises(W251Error, match="no curve of kmeans was recorded"):
        bench.recorded("kmeans")
    measured = bench.kmeans("cpu", sizes=[100, 200], budget=QUICK, progress=False)
    measured.save(tmp_path / "kmeans.json")
    assert bench.recorded("kmeans").recorded
    assert plot(measured, bench.recorded("kmeans")).axes
    (tmp_path / "kmeans.json").write_text(json.dumps({"schema": "another"}))
    with pytest.raises(W251Error, match="no comparison"):
        bench.recorded("kmeans")


@pytest.mark.parametrize("name", bench.NAMES)
def test_what_is_shipped(name: str) -> None:
    """A GPU's curve at full scale, of the work that is measured today."""
    found, curve = bench.recorded(name), CURVES[name]
    assert (found.title, found.unit) == (curve.title, curve.unit)
    assert found.contenders == bench.contenders(name)
    assert not found.failures
    for device, who in zip(("cpu", "gpu"), found.contenders, strict=True):
        points = found.of(who)
        assert {point.resident.device for point in points} == {device}
        assert tuple(point.size for point in points) == curve.sizes["full"]
    assert all(point.from_host for point in found.of(found.contenders[1]))


@pytest.mark.gpu
@pytest.mark.parametrize("name", bench.NAMES)
def test_a_curve_on_the_gpu_has_both(name: str) -> None:
    found = bench.curve(name, "gpu", "small", sizes=TINY[name], budget=QUICK, progress=False)
    assert found.contenders == bench.contenders(name)
    on_cpu, on_gpu = found.points
    assert (on_cpu.resident.device, on_gpu.resident.device) == ("cpu", "gpu")
    assert on_gpu.from_host is not None
    assert on_gpu.from_host.copies == "included"
    assert len(found.speedup(*found.contenders, from_host=True)) == 1
