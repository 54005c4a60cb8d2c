"""Real workers: two processes on the CPU, started once for the module."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import numpy as np
import psutil
import pytest

from w251lab import accelerator
from w251lab.errors import UsageError, W251Error
from w251lab.rapids import agreement, boosting, data, kmeans, scaling
from w251lab.rapids.scaling import lloyd, parts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from w251lab.rapids.scaling import Cluster

SLEEPER = """
import os, time
from w251lab.rapids import scaling

if __name__ == "__main__":
    with scaling.cluster("cpu") as cluster:
        print(*cluster.client.run(os.getpid).values(), flush=True)
        time.sleep(120)
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    before = dict(os.environ)
    with scaling.cluster("cpu", workers=2) as started:
        assert dict(os.environ) == before, "starting the workers left variables such as OMP_NUM_THREADS here"
        yield started


def sleeping(script: Path) -> subprocess.Popen[str]:
    """A process group of its own that runs the script, and can be interrupted also where the tests cannot."""
    return subprocess.Popen(
        [sys.executable, script], cwd=script.parent, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
    )  # fmt: skip


def gone(pids: list[int], seconds: float = 15.0) -> list[int]:
    """Which of the processes still run after so long."""
    deadline = time.monotonic() + seconds
    while (left := [pid for pid in pids if psutil.pid_exists(pid)]) and time.monotonic() < deadline:
        time.sleep(0.1)
    return left


def test_the_work_is_done_by_two_other_processes(cluster: Cluster) -> None:
    pids = set(cluster.client.run(os.getpid).values())
    assert len(pids) == 2
    assert os.getpid() not in pids
    found = parts.of(cluster, cluster.blobs(1000).points)
    assert len({part.worker for part in found}) == 2
    assert [part.start for part in found] == [number * 1000 // len(found) for number in range(len(found))]
    assert repr(cluster).startswith("2 workers on the CPU")


def test_the_workers_are_known_while_the_client_refreshes_what_it_knows(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    refresh = cluster.client._update_scheduler_info

    async def twice(n_workers: int = 0) -> None:
        await refresh(n_workers=n_workers)
        await refresh()  # as the client does every two seconds; it asks for no workers

    monkeypatch.setattr(cluster.client, "_update_scheduler_info", twice)
    assert cluster.client.scheduler_info(n_workers=-1)["workers"] == {}
    assert len(cluster.alive()) == 2


def test_workers_and_scheduler_listen_on_the_loopback_only(cluster: Cluster) -> None:
    listening = set()
    for pid in [os.getpid(), *cluster.client.run(os.getpid).values()]:
        for connection in psutil.Process(pid).net_connections():
            if connection.status == psutil.CONN_LISTEN:
                listening.add(connection.laddr.ip)
    assert listening == {"127.0.0.1"}


def test_blobs_have_the_centres_of_one_machine_and_different_points_in_each_part(cluster: Cluster) -> None:
    made = cluster.blobs(2001, 3, 4, std=0.5, seed=7)
    points, labels = cluster.to_host(made.points), cluster.to_host(made.labels)
    np.testing.assert_array_equal(made.centres, data.blobs(10, 3, 4, seed=7).centres)
    assert (points.shape, points.dtype) == ((2001, 3), np.float32)
    assert (labels.shape, labels.dtype) == ((2001,), np.int32)
    assert len(np.unique(points, axis=0)) == 2001
    assert np.std(points - made.centres[labels]) == pytest.approx(0.5, rel=0.05)
    np.testing.assert_array_equal(points, cluster.to_host(cluster.blobs(2001, 3, 4, std=0.5, seed=7).points))


def test_kmeans_finds_what_one_machine_finds(cluster: Cluster) -> None:
    made = cluster.blobs(20_000, 5, 6, std=0.5, seed=1)
    found = scaling.kmeans(cluster, made.points, 6, seed=3)
    points, labels = cluster.to_host(made.points), cluster.to_host(found.labels)
    alone = kmeans.fit(points, 6, n_init=5)
    assert found.device == "cpu"
    assert agreement.same_clusters(cluster.to_host(made.labels), labels)
    assert agreement.centroid_distance(found.centroids, alone.centroids) < 1e-3
    assert found.inertia == pytest.approx(alone.inertia, rel=1e-4)
    assert (found.centroids.dtype, labels.dtype) == (np.float32, np.int32)
    # The model predicts on the workers and on one machine; so does the other's.
    np.testing.assert_array_equal(kmeans.predict(found, points), labels)
    np.testing.assert_array_equal(cluster.to_host(scaling.predict(cluster, alone, made.points)), alone.labels)
    np.testing.assert_array_equal(cluster.to_host(scaling.predict(cluster, found, made.points)), labels)


def test_lloyds_iterations_are_those_of_scikit_learn_on_overlapping_clusters(cluster: Cluster) -> None:
    from sklearn.cluster import KMeans  # noqa: PLC0415

    points = np.random.default_rng(0).normal(size=(3000, 4))
    begin = points[:7].copy()
    expected = KMeans(7, init=begin, n_init=1, tol=0, max_iter=12, algorithm="lloyd").fit(points)
    found = parts.of(cluster, cluster.spread(points))
    centroids, iterations = lloyd.run(cluster, found, begin, dtype=np.float64, max_iter=12, tol=0)
    assert iterations == expected.n_iter_ == 12
    np.testing.assert_allclose(centroids, expected.cluster_centers_, rtol=1e-9, atol=1e-12)


def test_an_empty_cluster_takes_the_farthest_point(cluster: Cluster) -> None:
    points = np.array([[0.0], [1.0], [2.0], [3.0], [50.0], [100.0]])
    found = parts.of(cluster, cluster.spread(points))
    centroids, _ = lloyd.run(cluster, found, np.array([[1.0], [-900.0], [40.0]]), dtype=np.float64, max_iter=9, tol=0)
    np.testing.assert_allclose(np.sort(centroids, axis=0), [[1.5], [50.0], [100.0]])


def test_summaries_of_parts_add_up_to_that_of_the_whole() -> None:
    points = np.random.default_rng(0).normal(1000, 0.1, (999, 3))
    whole = lloyd.merge(lloyd.summarize(points[:100], "a"), lloyd.summarize(points[100:], "b"))
    np.testing.assert_allclose(whole.mean, points.mean(axis=0))
    np.testing.assert_allclose(whole.squares / whole.rows, points.var(axis=0), rtol=1e-9)
    np.testing.assert_array_equal(whole.lowest, points.min(axis=0))


def test_boosting_learns_what_one_machine_learns(cluster: Cluster) -> None:
    made, fresh = cluster.clicks(20_000, 12, seed=1), cluster.clicks(10_000, 12, seed=2)
    trained = scaling.boosting(
        cluster, made.features, made.labels, rounds=20, depth=4, evaluation=(fresh.features, fresh.labels)
    )
    alone = boosting.train(cluster.to_host(made.features), cluster.to_host(made.labels), rounds=20, depth=4)
    truth, rows = cluster.to_host(fresh.labels), cluster.to_host(fresh.features)
    predicted = cluster.to_host(scaling.predict(cluster, trained, fresh.features))
    auc = agreement.auc(truth, predicted)
    assert (trained.device, trained.rounds, len(trained.history["evaluation"])) == ("cpu", 20, 20)
    assert agreement.within(auc, agreement.auc(truth, boosting.predict(alone, rows)), 0.01)
    assert 0.75 < auc < agreement.auc(truth, cluster.to_host(fresh.probability))
    np.testing.assert_allclose(boosting.predict(trained, rows), predicted, rtol=1e-5)


def test_training_stops_early(cluster: Cluster) -> None:
    made = cluster.clicks(500, 10, seed=1)
    fresh = cluster.clicks(500, 10, seed=2)
    trained = scaling.boosting(
        cluster, made.features, made.labels, rounds=200, evaluation=(fresh.features, fresh.labels), early_stopping=3
    )
    assert trained.rounds < 200


@pytest.mark.parametrize(
    ("values", "clusters", "says"),
    [
        pytest.param(
            [[1.0], [2.0], [np.nan], [3.0]], 2, r"from row 2 on contain nan: column 0, first in row 0", id="nan"
        ),
        pytest.param([[1.0, 5], [2, 5], [3, 5], [4, 5]], 2, "same value in every row of column 1", id="constant"),
        pytest.param([[1.0], [2.0], [3.0]], 4, "3 rows cannot make 4 clusters", id="clusters"),
        pytest.param([[1.0], [2.0], [1.0], [2.0]], 3, "2 different centroids, not 3", id="duplicates"),
        pytest.param([1.0, 2.0, 3.0, 4.0], 2, "must have rows and columns", id="rank"),
    ],
)
def test_points_that_are_not_fit_are_refused(cluster: Cluster, values: list[object], clusters: int, says: str) -> None:
    with pytest.raises(W251Error, match=says):
        scaling.kmeans(cluster, cluster.spread(np.array(values)), clusters)


def test_rows_that_are_not_fit_for_boosting_are_refused(cluster: Cluster) -> None:
    made = cluster.clicks(200, 10)
    with pytest.raises(W251Error, match="one class only"):
        scaling.boosting(cluster, made.features, made.labels * 0)
    with pytest.raises(W251Error, match="labels 0 and 1; these run from 1 to 2"):
        scaling.boosting(cluster, made.features, made.labels + 1)
    with pytest.raises(W251Error, match="as many labels as rows"):
        scaling.boosting(cluster, made.features, made.labels[:-1])
    with pytest.raises(W251Error, match="Unknown objective"):
        scaling.boosting(cluster, made.features, made.labels, objective="nonsense")
    with pytest.raises(UsageError, match="early stopping needs rows"):
        scaling.boosting(cluster, made.features, made.labels, early_stopping=3)


def test_what_is_not_on_the_workers_is_refused(cluster: Cluster) -> None:
    with pytest.raises(UsageError, match="not in parts on the workers"):
        scaling.kmeans(cluster, np.zeros((10, 2)), 2)
    with pytest.raises(UsageError, match="divided between its columns"):
        scaling.kmeans(cluster, cluster.blobs(100, 4).points.rechunk((50, 2)), 2)
    with pytest.raises(UsageError, match="no model"):
        scaling.predict(cluster, 3, cluster.blobs(100).points)  # type: ignore[arg-type]
    with pytest.raises(W251Error, match="needs at least"):
        cluster.blobs(10**12)


def test_more_workers_than_there_is_to_share_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="5000 workers were asked for"):
        scaling.cluster("cpu", workers=5000)
    gpu = accelerator.Gpu("a GPU", None, "580", "9.0")
    monkeypatch.setattr(accelerator, "devices", lambda: (gpu,))
    monkeypatch.setattr(accelerator, "require", lambda *_: "gpu")
    with pytest.raises(UsageError, match="2 workers were asked for, and there is 1 GPU"):
        scaling.cluster("gpu", workers=2)


def test_a_port_that_is_taken_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(W251Error, match=rf"port {port} cannot be used: Address already in use"):
            scaling.cluster("cpu", port=port)


def test_a_worker_that_dies_at_work_ends_the_work_and_leaves_nothing() -> None:
    before, began, pids = dict(os.environ), 0.0, []

    def work(cluster: Cluster) -> None:
        nonlocal began
        points = cluster.blobs(50_000, 8, 8, std=5).points
        pids.extend(cluster.client.run(os.getpid).values())
        threading.Timer(0.5, os.kill, (pids[1], signal.SIGKILL)).start()
        began = time.monotonic()
        while time.monotonic() < began + 30:
            scaling.kmeans(cluster, points, 8)

    with scaling.cluster("cpu") as cluster:
        with pytest.raises(W251Error, match=r"a worker died (while|before) running K-means"):
            work(cluster)
        assert time.monotonic() - began < 20
        with pytest.raises(W251Error, match="a worker died before making the points"):
            cluster.blobs(100)
    with pytest.raises(W251Error, match="closed"):
        cluster.blobs(100)
    assert gone(pids) == []
    assert dict(os.environ) == before


def test_no_worker_outlives_the_process_that_started_it(tmp_path: Path) -> None:
    folder = tmp_path / "a folder"
    folder.mkdir()
    script = folder / "sleeper.py"
    script.write_text(SLEEPER, encoding="utf-8")
    with sleeping(script) as killed, sleeping(script) as interrupted:  # both start at once
        pids = [int(word) for process in (killed, interrupted) for word in process.stdout.readline().split()]
        assert len(pids) == 4
        os.kill(killed.pid, signal.SIGKILL)
        # As Ctrl-C in a terminal and a notebook's interrupt do: to the whole group.
        os.killpg(interrupted.pid, signal.SIGINT)
        # Python itself tells of semaphores that the killed process could not give back, and does so for it.
        assert "Traceback" not in killed.communicate(timeout=30)[1]
        assert interrupted.communicate(timeout=30)[1].count("Traceback") == 1
    assert gone(pids) == []


def test_a_script_without_a_guard_is_told_so(tmp_path: Path) -> None:
    script = tmp_path / "unguarded.py"
    script.write_text("from w251lab.rapids import scaling\nscaling.cluster('cpu')\n", encoding="utf-8")
    ran = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 1
    assert "if __name__ == '__main__'" in ran.stderr


@pytest.mark.gpu
def test_gpus_find_what_the_data_hold() -> None:
    import cupy  # noqa: PLC0415

    with scaling.cluster("gpu") as cluster:
        assert cluster.workers == len(accelerator.devices())
        made = cluster.blobs(200_000, 10, 8, std=0.5, seed=1)
        found = scaling.kmeans(cluster, made.points, 8, seed=0)
        assert found.device == "gpu"
        assert isinstance(found.centroids, cupy.ndarray)
        labels = cluster.to_host(found.labels)
        assert agreement.rand_index(cluster.to_host(made.labels), labels) > 0.8
        points = cupy.asarray(cluster.to_host(made.points))
        np.testing.assert_array_equal(kmeans.predict(found, points).get(), labels)
        rows, fresh = cluster.clicks(100_000, 20, seed=1), cluster.clicks(20_000, 20, seed=2)
        trained = scaling.boosting(cluster, rows.features, rows.labels, rounds=30, depth=6)
        auc = agreement.auc(
            cluster.to_host(fresh.labels), cluster.to_host(scaling.predict(cluster, trained, fresh.features))
        )
        assert trained.device == "gpu"
        assert '"device":"cuda' in trained.booster.save_config()
        best = agreement.auc(cluster.to_host(fresh.labels), cluster.to_host(fresh.probability))
        assert agreement.within(auc, best, 0.06)
        with pytest.raises(W251Error, match="contain nan"):
            scaling.kmeans(cluster, cluster.spread(np.array([[1.0], [np.nan], [3.0], [4.0]])), 2)
