from __future__ import annotations

import os
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import little_course as little
import psutil
import pytest
from stand_in import Log, act, device, graded

from w251lab.course.results import Verdict
from w251lab.errors import UsageError
from w251lab.grading.cluster import ClusterError, Where, _share, connect
from w251lab.grading.job import SandboxError
from w251lab.grading.schedule import schedule
from w251lab.grading.worker import LabPart, WorkerError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from distributed import Client

    from w251lab.grading.job import Graded, Job


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with connect(Where(jobs=2)) as client:
        yield client


def jobs(**submitted: str) -> list[Job]:
    return [little.job(name, text.encode()) for name, text in submitted.items()]


def run(client: Client, work: list[Job], log: Log | None = None) -> dict[str, Graded]:
    part = little.job("", b"")
    found = schedule(client, [part], iter(work), act, ungradable=graded, watch=log or Log())
    return {graded.student: graded for graded in found}


def test_every_job_arrives_whole_and_comes_back_once(client: Client) -> None:
    own = little.job("ada", b"hello", files=little.FILES | {"mine.py": b"x = 1"}, questions=("total",))
    work = [own, *jobs(bob="hi", cy="ho")]
    log = Log()
    found = run(client, work, log)
    seen = found["ada"].result.questions[0].title
    assert seen == f"hello ['mine.py', 'numbers.csv'] {len(little.source_bytes())} ('total',)"
    assert {job.student: job.fingerprint for job in work} == {name: found[name].fingerprint for name in found}
    assert Counter(log.told) == {(what, who): 1 for what in ("started", "finished") for who in ("ada", "bob", "cy")}
    assert all(graded.worker for graded in found.values())


def test_jobs_are_taken_only_as_places_become_free(client: Client) -> None:
    taken = 0

    def lazily() -> Iterator[Job]:
        nonlocal taken
        for job in jobs(**{f"s{number}": "hi" for number in range(12)}):
            taken += 1
            yield job

    log = Log()
    back = 0
    for _ in schedule(client, [little.job("", b"")], lazily(), act, ungradable=graded, watch=log):
        back += 1
        assert taken <= back + 2
    assert back == 12
    assert log.most <= 3  # the place is filled before what was in it is told
    assert log.numbers == {2}


def test_a_lost_worker_costs_nobody_and_one_that_kills_two_is_ungradable(client: Client, tmp_path: Path) -> None:
    names = {f"s{number}": "sleep 0.05" for number in range(4)}
    work = jobs(unlucky=f"die-once {tmp_path / 'mark'}", killer="die", **names)
    log = Log()
    found = run(client, work, log)
    assert set(found) == {job.student for job in work}
    assert log.of("unlucky") == ["started", "again", "started", "finished"]
    assert log.of("killer") == ["started", "again", "started", "given up", "finished"]
    assert len(log.workers) == 3
    verdicts = {name: graded.result.questions[0].verdict for name, graded in found.items()}
    assert verdicts.pop("killer") is Verdict.UNGRADABLE
    assert "Two workers were lost" in found["killer"].result.questions[0].title
    assert set(verdicts.values()) == {Verdict.PASSED}
    assert all(log.of(name) == ["started", "finished"] for name in names)
    assert set(run(client, jobs(ada="hi", bob="ho"))) == {"ada", "bob"}  # the cluster is whole again


def test_our_own_mistake_concerns_one_submission_and_a_machine_that_cannot_contain_ends_the_run(
    client: Client,
) -> None:
    found = run(client, jobs(ada="broken", bob="hi"))
    assert "ZeroDivisionError: our own mistake" in found["ada"].result.questions[0].title
    assert found["bob"].result.questions[0].verdict is Verdict.PASSED
    with pytest.raises(SandboxError, match="no bubblewrap") as refused:
        run(client, jobs(ada="no-sandbox", bob="sleep 0.1"))
    assert refused.value.remedy == "Install it."
    assert set(run(client, jobs(cy="hi"))) == {"cy"}


def test_a_worker_that_is_lost_while_all_are_told_something_ends_no_run(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What dask raises then: it takes a worker's closed connection for the scheduler's own."""
    register, failures = client.register_plugin, iter([OSError("closed"), OSError("closed")])

    def fails_twice(plugin: object) -> None:
        for error in failures:
            raise error
        register(plugin)

    def always_fails(_name: str) -> None:
        raise OSError("closed")

    monkeypatch.setattr("w251lab.grading.schedule._LOOK", 0.01)
    monkeypatch.setattr(client, "register_plugin", fails_twice)
    unregister = client.unregister_worker_plugin
    monkeypatch.setattr(client, "unregister_worker_plugin", always_fails)
    plugins: list[LabPart] = []

    def remembered(*given: Any) -> LabPart:
        plugins.append(LabPart(*given))
        return plugins[0]

    monkeypatch.setattr("w251lab.grading.schedule.LabPart", remembered)
    assert set(run(client, jobs(ada="hi"))) == {"ada"}
    unregister(plugins[0].name)


def test_a_worker_of_another_version_is_refused(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("w251lab.__version__", "0.0.0")
    with pytest.raises(WorkerError, match=r"and the grader 0\.0\.0"):
        run(client, jobs(ada="hi"))


def test_closing_early_ends_what_is_under_way(client: Client) -> None:
    log = Log()
    found = schedule(
        client, [little.job("", b"")], jobs(ada="hi", bob="sleep 600", cy="hi"), act, ungradable=graded, watch=log
    )
    assert next(found).student == "ada"
    found.close()
    assert client.futures == {} or all(future.status != "pending" for future in client.futures.values())


def test_the_local_cluster_listens_on_this_machine_only_and_ends_with_its_processes() -> None:
    before = psutil.Process().children(recursive=True)
    with connect(Where(jobs=1, gpus=("7",))) as client:
        workers = client.scheduler_info(n_workers=-1)["workers"]
        assert [worker["resources"] for worker in workers.values()] == [{"GPU": 1}]
        assert all("//127.0.0.1:" in address for address in (client.scheduler.address, *workers))
        listening = set()
        own = [one for one in psutil.Process().children(recursive=True) if one not in before]
        for process in (psutil.Process(), *own):  # other tests' servers may be below this process as well
            with suppress(psutil.NoSuchProcess):  # it has ended meanwhile
                found = [one for one in process.net_connections() if one.status == psutil.CONN_LISTEN]
                listening |= {one.laddr.ip.removeprefix("::ffff:") for one in found}  # the same address, as IPv6 has it
        assert listening == {"127.0.0.1"}
        part = little.job("", b"", gpu="any")
        where = list(schedule(client, [part], [little.job(gpu="any")], device, ungradable=graded, watch=Log()))
        assert where[0].result.questions[0].title == "7"
        processes = [process for process in psutil.Process().children(recursive=True) if process not in before]
        assert processes
    # Two children of multiprocessing's own stay as long as this process: one keeps count, the other forks the workers.
    own_two = ("multiprocessing.resource_tracker", "multiprocessing.forkserver")
    kept = [child for child in psutil.Process().children() if any(word in str(child.cmdline()) for word in own_two)]
    assert set(processes) - set(kept), "there was a worker"
    _, alive = psutil.wait_procs(set(processes) - set(kept), timeout=60)
    assert [process.name() for process in alive] == []


def test_workers_share_the_cores_and_get_nothing_else_of_dasks_in_their_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    cores = len(os.sched_getaffinity(0))
    before = dict(os.environ)
    with connect(Where(jobs=1)) as client:
        (there,) = client.run(lambda: dict(os.environ)).values()
    assert there["W251LAB_THREADS"] == str(cores)
    assert not [name for name in there.keys() - before.keys() if name.startswith(("MALLOC", "MKL", "OMP", "OPENBLAS"))]
    assert _share(Where(jobs=2 * cores), 0)["env"]["W251LAB_THREADS"] == "1"
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    assert _share(Where(jobs=1), 0)["env"]["W251LAB_THREADS"] == "7", "whoever grades has said how many"


def test_what_cannot_be_meant_is_refused() -> None:
    for wrong in (
        {"jobs": 0},
        {"gpus": ("0", "0")},
        {"jobs": 3, "gpus": ("0", "1")},
        {"jobs": 2, "cluster": "tcp://x"},
    ):
        with pytest.raises(UsageError):
            Where(**wrong)
    assert Where(gpus=("0", "1")).here == 2


def test_a_scheduler_that_is_not_there_is_named() -> None:
    with pytest.raises(ClusterError, match="No scheduler answers at nonsense"), connect(Where(cluster="nonsense")):
        pass
