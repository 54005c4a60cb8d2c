"""Where grading runs: worker processes of this machine, or a dask cluster by its scheduler's address."""

from __future__ import annotations

import importlib.util
import logging
import multiprocessing
import os
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import version
from multiprocessing import forkserver
from typing import TYPE_CHECKING, Any

from w251lab.errors import UsageError, W251Error
from w251lab.grading.job import THREADS_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from distributed import Client

#: What a scheduler has to do with the tasks of a lost worker: nothing. The client tries again, once and visibly.
ALLOWED_FAILURES = 0
_STARTS = 3
_CONFIG = {
    "distributed.scheduler.allowed-failures": ALLOWED_FAILURES,
    "distributed.scheduler.work-stealing": False,  # a task is placed once, where a place is free
    # A lost worker is started again by its nanny; dask gives up on both if that takes longer than this, and on a busy
    # machine the usual 15 seconds are soon over.
    "distributed.deploy.lost-worker-timeout": "1 hour",
    "distributed.worker.multiprocessing-method": "forkserver",
    "distributed.worker.profile.enabled": False,  # looks at every thread a hundred times a second
    # What dask looks at for a dashboard, fifty times a second in every process.
    "distributed.admin.tick.interval": "1s",
    "distributed.admin.system-monitor.interval": "10s",
    "distributed.admin.system-monitor.disk": False,
    "distributed.diagnostics.nvml": False,
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    "distributed.diagnostics.computations.max-history": 1,
    # The sandbox bounds a submission's memory; the worker itself holds one notebook.
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    "distributed.worker.memory.terminate": False,
    # dask would have C's allocator return memory at once, which makes NumPy's temporaries cost twice their time in a
    # kernel without a sandbox; how many threads a notebook uses is not dask's business either.
    "distributed.nanny.pre-spawn-environ": {},
    "distributed.worker.daemon": False,  # a worker starts sandboxes, and a daemon may start nothing
}


_PRELOADED = ["distributed.nanny", "distributed.worker", "w251lab.grading.worker", "w251lab.grading.task"]


class ClusterError(W251Error):
    """The cluster cannot be reached, or lost its scheduler."""


@dataclass(frozen=True)
class Where:
    """Where to grade.

    Attributes:
        jobs: Submissions at once on this machine; None for one for each core that may be used, or for each of ``gpus``.
        gpus: One worker for each of these GPUs, as in ``CUDA_VISIBLE_DEVICES``. On a cluster any word: a submission
            then goes to a worker that offers the resource ``GPU``, and that worker says which.
        cluster: The address of a scheduler; None for this machine.
    """

    jobs: int | None = None
    gpus: tuple[str, ...] = ()
    cluster: str | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be meant.

        Raises:
            UsageError: ``jobs`` below 1, or other than the number of ``gpus``.
        """
        if self.jobs is not None and self.jobs < 1:
            raise UsageError(f"--jobs cannot be {self.jobs}.", "Give a number of at least 1.")
        if self.jobs is not None and self.cluster:
            raise UsageError("--jobs is for this machine.", "A cluster has as many jobs as its workers have threads.")
        if len(set(self.gpus)) != len(self.gpus):
            raise UsageError(f"--gpus names one twice: {', '.join(self.gpus)}.", "Name each once.")
        if self.gpus and not self.cluster and self.jobs not in (None, len(self.gpus)):
            raise UsageError(
                f"--jobs {self.jobs} does not fit --gpus {','.join(self.gpus)}.",
                "Leave --jobs out: there is one job for each GPU.",
            )

    def at_most(self, number: int) -> Where:
        """The same with no more workers of this machine than there are submissions."""
        if self.cluster or number >= self.here:
            return self
        return replace(self, gpus=self.gpus[:number]) if self.gpus else replace(self, jobs=number)

    @property
    def here(self) -> int:
        """The number of workers on this machine."""
        return len(self.gpus) or self.jobs or max(len(os.sched_getaffinity(0)), 1)


def load_dask(where: Where) -> None:
    """Import dask, and where workers are started here the process that they are forked from, beside it."""
    if not where.cluster:
        # It imports what they need once. A worker then starts at once, also one that takes a lost one's place.
        multiprocessing.set_forkserver_preload(_PRELOADED)
        forkserver.ensure_running()
    import dask  # noqa: PLC0415 - heavy
    import distributed.utils  # noqa: PLC0415

    dask.config.set(_CONFIG)
    # Else dask imports pandas and more here, for a list of its own, which comes too late.
    distributed.utils._forkserver_preload_set = True  # noqa: SLF001


@contextmanager
def connect(where: Where) -> Iterator[Client]:
    """A client of the cluster; a local one is started with it and ends with it.

    Raises:
        ClusterError: The scheduler does not answer, or a worker has another version of w251lab.
    """
    load_dask(where)
    from distributed import Client  # noqa: PLC0415 - heavy

    if where.cluster:
        try:
            client = Client(where.cluster, timeout=30, set_as_default=False)
        except (OSError, ValueError) as error:
            raise ClusterError(
                f"No scheduler answers at {where.cluster}: {error}.",
                "Start it (docs/grading.md says how), or leave --cluster out to grade on this machine.",
            ) from error
        with client:
            _check_versions(client)
            yield client
        return
    with (
        tempfile.TemporaryDirectory(prefix="w251lab-dask-", ignore_cleanup_errors=True) as folder,
        _local(where, folder) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        yield client


def _check_versions(client: Client) -> None:
    """Refuse workers of another version at once: a task that a worker cannot unpack would keep it for ever."""
    ours = version("w251lab")
    found = client.run(version, "w251lab", on_error="return")
    for address, theirs in found.items():
        if theirs != ours:
            has = f"w251lab {theirs}" if isinstance(theirs, str) else "no w251lab"
            raise ClusterError(f"The worker {address} has {has}, and the grader {ours}.", "Install the same there.")


@contextmanager
def _local(where: Where, folder: str) -> Iterator[Any]:
    from distributed import Nanny, Scheduler, SpecCluster  # noqa: PLC0415
    from distributed.security import Security  # noqa: PLC0415

    # Where the library for it is there, every connection is encrypted and known by a key of this run: the ports are on
    # 127.0.0.1, which other people of the machine reach as well, and who speaks to a dask scheduler can run code.
    security = Security.temporary() if importlib.util.find_spec("cryptography") else Security()
    protocol = "tls://" if security.require_encryption else "tcp://"
    common = {
        "host": "127.0.0.1",
        "protocol": protocol,
        "security": security,
    }
    worker = common | {
        "nthreads": 1,
        "memory_limit": 0,
        "local_directory": folder,
        "silence_logs": logging.CRITICAL,  # the grader says itself which worker was lost
        "preload": ["w251lab.grading.worker"],
        "dashboard": False,
    }
    workers = {number: {"cls": Nanny, "options": worker | _share(where, number)} for number in range(where.here)}

    def start() -> Any:
        return SpecCluster(
            scheduler={
                "cls": Scheduler,
                "options": common | {"port": 0, "dashboard": False, "dashboard_address": "127.0.0.1:0"},
            },
            workers=workers,
            security=security,
            silence_logs=logging.CRITICAL,
            name="w251lab",
        )

    cluster = _started(start)
    try:
        yield cluster
    finally:
        cluster.close(timeout=20)


def _started(start: Callable[[], Any]) -> Any:
    """A cluster whose workers have started. Of one that ends while it starts dask makes an error of the whole: again.

    Raises:
        ClusterError: It does not start at all.
    """
    for attempt in range(_STARTS):
        try:
            return start()
        except RuntimeError as error:
            if attempt + 1 == _STARTS:
                why = error.__cause__ or error
                raise ClusterError(
                    f"The workers on this machine do not start: {why}.",
                    "Look at what they said above; try with --jobs 1. What was graded is kept.",
                ) from error
    raise AssertionError("not reached")


def _share(where: Where, number: int) -> dict[str, Any]:
    """What one worker gets of this machine: its share of the cores, and its GPU."""
    cores = len(os.sched_getaffinity(0))
    threads = os.environ.get("OMP_NUM_THREADS") or str(max(cores // where.here, 1))
    if not where.gpus:
        return {"env": {THREADS_VARIABLE: threads}}
    from w251lab.grading.worker import GPU_VARIABLE  # noqa: PLC0415

    return {"resources": {"GPU": 1}, "env": {THREADS_VARIABLE: threads, GPU_VARIABLE: where.gpus[number]}}
