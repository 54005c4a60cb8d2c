"""Workers get ready while the submissions are read; what they keep ends with the last run that needs it."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from contextlib import contextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import distributed
import little_course as little
import pytest
from stand_in import Log, graded, imports_of_templates

from w251lab.course.results import Verdict
from w251lab.grading import worker
from w251lab.grading.ahead import Ahead
from w251lab.grading.cluster import Where, connect
from w251lab.grading.schedule import schedule
from w251lab.grading.worker import GPU_VARIABLE, LabPart, cool_down, grade, warm_up

if TYPE_CHECKING:
    from collections.abc import Iterator

    from distributed import Client

JOB = little.job("", b"")


@contextmanager
def ready(*jobs: Any, workers: int = 1) -> Iterator[Client]:
    with Ahead(Where(jobs=workers), workers, lambda: jobs) as ahead:
        yield ahead.client(workers)


@pytest.mark.sandbox
def test_each_worker_is_ready_for_the_first_notebook_that_it_is_going_to_have() -> None:
    second = little.job("", b"", imports=("numpy", "json"))
    with ready(JOB, second, workers=2) as client:
        addresses = list(client.scheduler_info(n_workers=-1)["workers"])
        there = client.run(imports_of_templates)
        assert [there[address] for address in addresses] == [[JOB.imports], [second.imports]]
        found = list(schedule(client, [JOB], [little.job()], grade, ungradable=graded, watch=Log()))
        assert {question.verdict for question in found[0].result.questions} == {
            Verdict.PASSED,
            Verdict.AWAITING_REVIEW,
        }


def test_a_run_that_finds_something_to_do_after_all_has_its_workers_too() -> None:
    with Ahead(Where(jobs=1), 0, lambda: pytest.fail("nothing was likely")) as ahead:
        assert len(ahead.client(1).scheduler_info(n_workers=-1)["workers"]) == 1


@pytest.mark.sandbox
def test_what_is_kept_ends_with_the_last_run_that_needs_it() -> None:
    ours, another = LabPart([JOB]), LabPart([JOB])
    with ready(JOB) as client:
        client.register_plugin(ours)
        client.register_plugin(another)
        assert client.run(imports_of_templates).popitem()[1]
        for end in (
            lambda: client.run(cool_down),
            lambda: client.unregister_worker_plugin(ours.name),
            lambda: client.run(cool_down),
        ):
            end()
            assert client.run(imports_of_templates).popitem()[1], "another run is at work here"
        client.unregister_worker_plugin(another.name)
        assert client.run(imports_of_templates).popitem()[1] == []


@pytest.mark.sandbox
def test_a_clusters_worker_keeps_nothing_of_a_run_that_had_nothing_to_do() -> None:
    with connect(Where(jobs=1)) as client:
        there = Where(cluster=client.scheduler.address)
        with Ahead(there, 1, lambda: [JOB]) as ahead:
            assert ahead.client(1).run(imports_of_templates).popitem()[1] == [JOB.imports]
        assert client.run(imports_of_templates).popitem()[1] == []


def test_the_workers_event_loop_goes_on_while_one_gets_ready_and_while_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    held = threading.Event()
    monkeypatch.setattr("w251lab.grading.task.warm", lambda _job: held.wait(60))
    monkeypatch.setattr(worker, "_warming", [])

    async def both() -> float:
        there = SimpleNamespace(address="tcp://here", plugins={})
        warm_up([JOB], {}, dask_worker=there)
        ending = asyncio.create_task(cool_down(there))
        begin = time.monotonic()
        await asyncio.sleep(0.1)
        waited = time.monotonic() - begin
        assert not ending.done()
        held.set()
        await ending
        return waited

    assert asyncio.run(both()) < 30
    assert worker._warming == []


def test_what_cannot_get_ready_says_nothing_and_leaves_it_to_the_first_submission(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))  # no bubblewrap there
    monkeypatch.setattr(worker, "_warming", [])
    there = SimpleNamespace(address="tcp://here", plugins={})
    warm_up([JOB], {"tcp://here": 5}, dask_worker=there)
    warm_up([little.job("", b"no notebook", source=b"no notebook")], {}, dask_worker=there)
    assert len(worker._warming) == 2
    for thread in worker._warming:
        thread.join()
    assert capfd.readouterr().err == ""


def test_a_worker_without_a_gpu_gets_not_ready_for_jobs_that_it_never_has(monkeypatch: pytest.MonkeyPatch) -> None:
    assert GPU_VARIABLE not in os.environ
    monkeypatch.setattr(worker, "_warming", [])
    warm_up([little.job("", b"", gpu="any")], {}, dask_worker=SimpleNamespace(address="", plugins={}))
    assert worker._warming == []


def test_a_run_does_without_workers_that_cannot_be_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise ValueError("no such thing")

    with connect(Where(jobs=1)) as client:
        there = Where(cluster=client.scheduler.address)
        run = distributed.Client.run

        def refuses(self: Client, function: Any, *args: Any, **options: Any) -> Any:
            return refuse() if function in (warm_up, cool_down) else run(self, function, *args, **options)

        monkeypatch.setattr(distributed.Client, "run", refuses)
        with Ahead(there, 0, tuple) as ahead:
            assert ahead.client(1).status == "running"
        with Ahead(there, 1, lambda: [JOB]) as ahead:
            assert ahead.client(1).status == "running"
