from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from w251lab.errors import UsageError, W251Error
from w251lab.rapids import agreement, arrays, data, kmeans

pytestmark = pytest.mark.usefixtures("one_thread")


def test_the_blobs_are_found() -> None:
    made = data.blobs(5000, 2, 5)
    found = kmeans.fit(made.points, 5)
    assert found.device == "cpu"
    assert agreement.same_clusters(made.labels, found.labels)
    assert agreement.centroid_distance(made.centres, found.centroids) < 0.02
    assert found.labels.dtype == "int32"
    assert found.centroids.dtype == "float32"
    apart = ((made.points - found.centroids[found.labels]) ** 2).sum()
    assert found.inertia == pytest.approx(float(apart), rel=1e-4)
    assert found.iterations >= 1


def test_the_work_is_that_of_scikit_learn_with_one_start() -> None:
    from sklearn.cluster import KMeans  # noqa: PLC0415

    points = data.blobs(2000, 4, 6, std=3).points
    before = points.copy()
    found = kmeans.fit(points, 6, seed=3)
    np.testing.assert_array_equal(points, before)
    direct = KMeans(6, init="k-means++", n_init=1, random_state=3).fit(points)
    np.testing.assert_array_equal(found.centroids, direct.cluster_centers_)
    assert found.model.get_params()["max_iter"] == 300
    assert kmeans.fit(points, 6, n_init=5).inertia <= kmeans.fit(points, 6, max_iter=1).inertia


def test_new_points_go_to_the_nearest_centroid() -> None:
    made = data.blobs(1000, 2, 3)
    found = kmeans.fit(made.points, 3)
    np.testing.assert_array_equal(kmeans.predict(found, made.points), found.labels)
    np.testing.assert_array_equal(kmeans.predict(found, found.centroids.astype("float64")), np.arange(3))
    with pytest.raises(W251Error, match="have 3 features, and the model was trained on 2"):
        kmeans.predict(found, np.ones((4, 3)))
    with pytest.raises(W251Error, match="contain nan"):
        kmeans.predict(found, [[np.nan, 1.0]])


def test_a_frame_of_numbers_is_taken() -> None:
    made = data.blobs(500, 2, 3)
    frame = pd.DataFrame(made.points, columns=["x", "y"])
    np.testing.assert_array_equal(kmeans.fit(frame, 3).labels, kmeans.fit(made.points, 3).labels)


@pytest.mark.parametrize(
    ("points", "clusters", "said"),
    [
        (np.eye(3), 4, "3 rows cannot make 4 clusters"),
        (np.ones((0, 2)), 2, "are empty"),
        (np.ones(5), 2, "have rows and columns"),
        (np.ones((5, 2)), 2, "column 0, column 1, so nothing can be learned"),
        (np.array([[1, 2], [np.nan, 3]]), 2, "contain nan: column 0, first in row 1"),
        (pd.DataFrame({"x": [1.0, 2.0], "city": ["a", "b"]}), 2, "column 'city'"),
        (np.array([[0.0, 0.0]] * 5 + [[1.0, 1.0]] * 5), 3, "2 different centroids, not 3"),
    ],
)
def test_points_that_are_not_fit_for_it(points: Any, clusters: int, said: str) -> None:
    with pytest.raises(W251Error, match=said):
        kmeans.fit(points, clusters)


@pytest.mark.parametrize(
    "wrong", [{"clusters": 0}, {"clusters": 2.0}, {"clusters": 2, "n_init": 0}, {"clusters": 2, "max_iter": 0}]
)
def test_counts_that_cannot_be_meant(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        kmeans.fit(data.blobs(10).points, **wrong)


def test_what_scikit_learn_refuses_is_told() -> None:
    with pytest.raises(W251Error, match="refused while running K-means"):
        kmeans.fit(data.blobs(10).points, 2, tol=-1)


def test_a_constant_column_passes_where_it_is_allowed() -> None:
    points = np.hstack([data.blobs(100, 2, 2).points, np.ones((100, 1), dtype="float32")])
    assert kmeans.fit(points, 2, allow_constant=True).centroids[0, 2] == 1


@pytest.mark.gpu
def test_the_gpu_finds_the_same_clusters() -> None:
    made = data.blobs(20_000, 25, 8, std=0.5)
    there = arrays.to_device(made, "gpu")
    on_cpu, on_gpu = kmeans.fit(made.points, 8), kmeans.fit(there.points, 8)
    assert on_gpu.device == "gpu"
    assert {arrays.device_of(part) for part in (on_gpu.labels, on_gpu.centroids)} == {"gpu"}
    comparison = agreement.same_clusters(on_cpu.labels, on_gpu.labels)
    assert comparison, comparison.says
    assert agreement.centroid_distance(on_cpu.centroids, on_gpu.centroids) < 0.05
    assert on_gpu.inertia == pytest.approx(on_cpu.inertia, rel=1e-3)
    np.testing.assert_array_equal(arrays.to_host(kmeans.predict(on_gpu, there.points)), arrays.to_host(on_gpu.labels))
    assert kmeans.fit(arrays.to_device(pd.DataFrame(made.points).add_prefix("c"), "gpu"), 8).device == "gpu"
    with pytest.raises(W251Error, match="not everything lies on one device"):
        kmeans.predict(on_gpu, made.points)
    with pytest.raises(W251Error):  # in the words of ours or of cuML's
        kmeans.fit(arrays.to_device(np.array([[0.0, 0.0]] * 5 + [[1.0, 1.0]] * 5), "gpu"), 3)
