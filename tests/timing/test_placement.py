from __future__ import annotations

import sys
import warnings
from dataclasses import dataclass
from enum import IntEnum
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import xgboost
from fake_clock import FakeCuda, OnGpu
from sklearn.cluster import KMeans
from sklearn.linear_model import LogisticRegression

from w251lab import accelerator, timing
from w251lab.errors import W251Error
from w251lab.timing import cuda, device_of
from w251lab.timing.placement import ran_on

POINTS = np.array([[0.0, 0], [0, 1], [5, 5], [5, 6]])
LABELS = np.array([0, 0, 1, 1])


def of_library(module: str, **attributes: object) -> Any:
    """A value of a class that such a library defines."""
    return type("Made", (), {"__module__": module, **attributes})()


@dataclass
class Result:
    labels: object
    iterations: int = 3


@pytest.mark.parametrize(
    "value",
    [
        POINTS,
        pd.DataFrame({"a": [1]}),
        pd.Series([1]),
        scipy.sparse.eye(3),
        KMeans(2, n_init=1, random_state=0).fit(POINTS),
        [1.5, POINTS],
        {"model": POINTS, "score": 0.5},
        Result(POINTS),
        (Result(LABELS), None),
    ],
)
def test_what_was_computed_on_the_cpu(value: object) -> None:
    assert device_of(value) == "cpu"


@pytest.mark.parametrize(
    "value",
    [
        OnGpu(),
        of_library("cupy"),
        of_library("cudf.core.dataframe"),
        of_library("cuml.cluster.kmeans", fit=None, get_params=None, n_features_in_=2),
        type("Ours", (of_library("cudf").__class__,), {"__module__": "elsewhere"})(),
        [OnGpu(), 0.5],
        Result(OnGpu()),
        SimpleNamespace(device="gpu"),
        SimpleNamespace(device=SimpleNamespace(type="cuda")),
    ],
)
def test_what_was_computed_on_the_gpu(value: object) -> None:
    assert device_of(value) == "gpu"


@pytest.mark.parametrize(
    "value",
    [
        None,
        0.5,
        np.float64(0.5),
        True,
        "gpu",
        b"cpu",
        [],
        {},
        object(),
        KMeans(2),
        xgboost.XGBClassifier(device="cuda"),
        xgboost.DMatrix(POINTS),
        of_library("cuml.cluster.kmeans", fit=None, get_params=None, n_features_in_=None, labels_=None),
        [POINTS, OnGpu()],
        np.array([OnGpu()], dtype=object),
        SimpleNamespace(device="tpu"),
        Result,
    ],
)
def test_what_shows_nothing(value: object) -> None:
    assert device_of(value) is None


def test_a_property_that_raises_shows_nothing() -> None:
    class Sulking:
        @property
        def device(self) -> str:
            raise RuntimeError

    assert device_of(Sulking()) is None


def test_xgboost_says_where_it_trained_also_when_it_had_to_go_back_to_the_cpu() -> None:
    matrix = xgboost.DMatrix(POINTS, label=LABELS)
    assert device_of(xgboost.train({"device": "cpu"}, matrix, 1)) == "cpu"
    assert device_of(xgboost.XGBClassifier(n_estimators=1).fit(POINTS, LABELS)) == "cpu"
    can = xgboost.build_info()["USE_CUDA"] and accelerator.devices()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # "Device is changed from GPU to CPU"
        booster = xgboost.train({"device": "cuda"}, matrix, 1)
    assert device_of(booster) == ("gpu" if can else "cpu")


class Booster:
    """What is read of a Booster, with what it says after training with ``device="cuda"``."""

    __module__ = "xgboost.core"

    def save_config(self) -> str:
        return '{"learner":{"generic_param":{"device":"cuda:0"}}}'


def test_a_booster_on_a_gpu() -> None:
    assert device_of(Booster()) == "gpu"


class State(IntEnum):
    SLOW, FAST = 0, 1


@pytest.mark.parametrize(("state", "device"), [(State.FAST, "gpu"), (State.SLOW, "cpu")])
def test_a_proxy_of_cudf_pandas_shows_where_its_value_lies(state: State, device: str) -> None:
    proxy = of_library("pandas.core.frame", _fsproxy_state=property(lambda _self: state))
    assert device_of(proxy) == device


def test_a_proxy_of_cuml_accel_shows_where_it_was_fitted() -> None:
    fitted = LogisticRegression().fit(POINTS, LABELS)
    proxy = of_library("sklearn.linear_model", _gpu_class=None, _cpu_class=LogisticRegression)
    for inside, device in [((None, LogisticRegression()), None), ((None, fitted), "cpu"), ((object(), fitted), "gpu")]:
        proxy._gpu, proxy._cpu = inside
        assert device_of(proxy) == device


@pytest.mark.parametrize(
    ("module", "switch"), [("cuml.accel", {"enabled": lambda: True}), ("cudf.pandas", {"LOADED": True})]
)
def test_while_proxies_stand_in_a_host_array_shows_nothing(
    monkeypatch: pytest.MonkeyPatch, module: str, switch: dict[str, object]
) -> None:
    monkeypatch.setitem(sys.modules, module, SimpleNamespace(**switch))
    assert device_of(POINTS) is None
    assert device_of(OnGpu()) == "gpu"


def test_containers_are_looked_into_to_a_bound() -> None:
    deep: object = POINTS
    for _ in range(20):
        deep = [deep]
    assert device_of(deep) is None
    endless: list[object] = []
    endless.append(endless)
    assert device_of(endless) is None
    assert device_of([0] * 10**6) is None


@pytest.mark.parametrize(
    ("result", "expected", "what"),
    [
        (POINTS, "gpu", r"'it' was to run on the GPU, but its result \(ndarray\) was computed on the CPU"),
        (0.5, "gpu", r"its result \(float\) does not show that it was"),
        (None, "gpu", r"its result \(NoneType\) does not show"),
        ([POINTS, OnGpu()], "gpu", "lies partly on the CPU"),
        (OnGpu(), "cpu", r"'it' was to run on the CPU, but its result \(OnGpu\) was computed on the GPU"),
        ([POINTS, OnGpu()], "cpu", "was computed on the GPU"),
        ([POINTS, OnGpu()], None, "partly on the CPU, partly on the GPU"),
        ((number for number in range(3)), None, "returned a generator, which has computed nothing yet"),
    ],
)
def test_a_result_that_is_not_what_was_expected(result: object, expected: Any, what: str) -> None:
    with pytest.raises(W251Error, match=what) as caught:
        ran_on(result, expected, "it")
    assert caught.value.remedy


def test_a_coroutine_has_computed_nothing() -> None:
    async def work() -> int:
        return 1

    coroutine = work()
    with pytest.raises(W251Error, match="returned a coroutine"):
        ran_on(coroutine, "cpu", "it")
    coroutine.close()


def test_what_shows_nothing_is_the_cpus_only_where_no_gpu_can_have_taken_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuda, "_loaded", lambda: FakeCuda([False]))
    assert ran_on(0.5, None, "it") == "cpu"
    monkeypatch.setattr(cuda, "_loaded", lambda: FakeCuda([True]))
    assert ran_on(0.5, "cpu", "it") == "cpu"
    assert ran_on(POINTS, None, "it") == "cpu"
    with pytest.raises(W251Error, match="may have run on the CPU or on the GPU"):
        ran_on(0.5, None, "it")


@pytest.mark.gpu
def test_real_gpu_values() -> None:
    import cudf  # noqa: PLC0415  # only where there is a GPU
    import cupy  # noqa: PLC0415
    from cuml.cluster import KMeans as CumlKMeans  # noqa: PLC0415

    points = cupy.asarray(POINTS, dtype=cupy.float32)
    matrix = xgboost.DMatrix(points, label=cupy.asarray(LABELS))
    for value in (
        points,
        cudf.DataFrame({"a": [1]}),
        CumlKMeans(n_clusters=2, random_state=0).fit(points),
        xgboost.train({"device": "cuda"}, matrix, 1),
        xgboost.XGBClassifier(device="cuda", n_estimators=1).fit(points, cupy.asarray(LABELS)),
    ):
        assert device_of(value) == "gpu"
        assert timing.placement.ran_on(value, "gpu", "it") == "gpu"
    assert device_of(CumlKMeans(n_clusters=2)) is None
    assert device_of(points.get()) == "cpu"
