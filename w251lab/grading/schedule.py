"""A map over submissions on a dask cluster: few in flight, each in a place of its own, lost workers survived.

Every submission gets a thread of a worker to itself, so that a worker that is lost is lost with known submissions. Such
a submission is tried again once, after all others and on a worker that has nothing else to do: if that worker is lost
too, the submission did it, and is ungradable.
"""

from __future__ import annotations

import itertools
import logging
import queue
import time
from collections import Counter, deque
from concurrent.futures import CancelledError
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import w251lab
from w251lab.grading.cluster import ClusterError
from w251lab.grading.job import GradedFormatError
from w251lab.grading.worker import BrokenGraderError, LabPart, opened, own_part, run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from distributed import Client, Future

    from w251lab.grading.job import Graded, Job

_log = logging.getLogger(__name__)
_REGISTRATIONS = 5
_LOOK = 1.0  # seconds between looks at which workers there are
#: Seconds without any worker after which a run ends. A worker that was lost is replaced within some seconds.
PATIENCE = 180.0


class Watch(Protocol):
    """Told what happens, in the thread that iterates."""

    def places(self, number: int) -> None:
        """So many submissions can be under way at a time, as of now."""

    def started(self, job: Job) -> None:
        """A submission was handed to a worker, perhaps before it is told that the one before is finished."""

    def finished(self, job: Job, graded: Graded) -> None:
        """A submission was graded, or found ungradable."""

    def lost(self, job: Job, worker: str, *, again: bool) -> None:
        """A worker was lost while it graded this submission, which is tried ``again`` or given up."""

    def waiting(self, seconds: float) -> None:
        """There has been no worker for so long."""


@dataclass
class _Flight:
    """A submission under way."""

    job: Job
    worker: str
    losses: int
    future: Future[bytes]


@dataclass
class _Pool:
    """Which workers there are, and how many submissions each has."""

    client: Client
    gpu: bool
    threads: dict[str, int] = field(default_factory=dict)
    looked: float = -_LOOK
    seen: float = field(default_factory=time.monotonic)

    def look(self, *, now: bool = False) -> None:
        """Ask the scheduler, at most once in a while.

        Raises:
            ClusterError: It is gone, or there has been no fitting worker for too long.
        """
        if not now and time.monotonic() - self.looked < _LOOK:
            return
        if self.client.status != "running":
            raise _gone()
        self.looked = time.monotonic()
        try:
            workers = self.client.scheduler_info(n_workers=-1)["workers"]
        except (OSError, TimeoutError) as error:
            raise _gone() from error
        self.threads = {
            address: 1 if self.gpu else worker["nthreads"]
            for address, worker in workers.items()
            if not self.gpu or worker["resources"].get("GPU", 0) >= 1
        }
        if self.threads:
            self.seen = self.looked
        elif self.looked - self.seen > PATIENCE:
            wanted = "with a GPU (--resources GPU=1)" if self.gpu else "at all"
            raise ClusterError(
                f"There was no worker {wanted} for {PATIENCE:.0f} seconds.",
                "Start workers, then run the same command again; what was graded is kept.",
            )

    def place(self, flights: Iterable[_Flight], *, alone: bool) -> str | None:
        """A worker with a free thread, the least busy first; ``alone``: one that has nothing to do."""
        busy = Counter(flight.worker for flight in flights)
        free = [address for address, threads in self.threads.items() if busy[address] < (1 if alone else threads)]
        return min(free, key=lambda address: busy[address], default=None)


def _gone() -> ClusterError:
    return ClusterError("The scheduler is gone.", "Start it again, then run the same command: what was graded is kept.")


def schedule(
    client: Client,
    parts: Sequence[Job],
    jobs: Iterable[Job],
    grade: Callable[[Job], Graded],
    *,
    ungradable: Callable[[Job, str], Graded],
    watch: Watch,
) -> Iterator[Graded]:
    """Grade ``jobs`` on the client's cluster and yield results as they are ready.

    Args:
        client: Of the cluster.
        parts: One job for each notebook without a student: what its submissions share. It is sent once to a worker.
        jobs: Taken one by one, only as places become free, so that memory does not grow with their number.
        grade: A function that workers can import by name.
        ungradable: Makes the result of a submission that cannot be graded, with the reason.
        watch: Told what happens.

    Raises:
        SandboxError: A worker's machine cannot contain submissions.
        WorkerError: A worker has another version, or is otherwise unfit.
        ClusterError: The scheduler is gone, or has no worker.
    """
    plugin = LabPart(parts)
    _register(client, plugin)
    running = _Run(client, plugin, jobs=iter(jobs), grade=grade, watch=watch)
    try:
        for flight in running.landings():
            graded = running.result(flight, ungradable)
            if graded is not None:
                watch.finished(flight.job, graded)
                yield graded
    finally:
        running.end()


def _register(client: Client, plugin: LabPart) -> None:
    """Give every worker the lab's part; again, where one is lost at that moment.

    Raises:
        ClusterError: It cannot be done.
    """
    for attempt in range(_REGISTRATIONS):
        try:
            client.register_plugin(plugin)
        except OSError as error:
            if client.status != "running" or attempt + 1 == _REGISTRATIONS:
                raise _gone() from error
            time.sleep(_LOOK)
        else:
            return


class _Run:
    """One run of `schedule`."""

    def __init__(
        self,
        client: Client,
        plugin: LabPart,
        *,
        jobs: Iterator[Job],
        grade: Callable[[Job], Graded],
        watch: Watch,
    ) -> None:
        self.client, self.plugin, self.jobs, self.grade, self.watch = client, plugin, jobs, grade, watch
        self.parts = plugin.parts
        self.pool = _Pool(client, gpu=any(part.gpu is not None for part in plugin.parts.values()))
        self.done: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.flights: dict[str, _Flight] = {}
        self.again: deque[Job] = deque()
        self.exhausted = False
        self.number = itertools.count()

    def landings(self) -> Iterator[_Flight]:
        """Submissions that are back, one way or another, until none is left. Its place is filled before it is told."""
        while True:
            self.pool.look()
            self.watch.places(sum(self.pool.threads.values()))
            self._fill()
            if self.exhausted and not self.flights and not self.again:
                return
            if not self.pool.threads:
                self.watch.waiting(time.monotonic() - self.pool.seen)
            try:
                flight = self.flights.pop(self.done.get(timeout=_LOOK / 2))
            except queue.Empty:
                continue
            # A lost worker's place is no place: what goes there would share another worker, and its fate.
            self.pool.look(now=flight.future.status != "finished")
            self._fill()
            yield flight

    def _fill(self) -> None:
        while not self.exhausted and (worker := self.pool.place(self.flights.values(), alone=False)):
            job = next(self.jobs, None)
            if job is None:
                self.exhausted = True
            else:
                self._submit(job, worker, losses=0)
        while self.exhausted and self.again and (worker := self.pool.place(self.flights.values(), alone=True)):
            self._submit(self.again.popleft(), worker, losses=1)

    def _submit(self, job: Job, worker: str, losses: int) -> None:
        key = f"{self.plugin.name}-{next(self.number)}"
        own = own_part(job, self.parts[job.notebook])
        future = self.client.submit(
            run,
            self.grade,
            self.plugin.name,
            w251lab.__version__,
            own,
            key=key,
            pure=False,
            workers=[worker],
            allow_other_workers=True,  # it may be gone by then
            resources={"GPU": 1} if self.pool.gpu else None,
        )
        self.flights[key] = _Flight(job, worker, losses, future)
        future.add_done_callback(lambda _: self.done.put(key))
        self.watch.started(job)

    def result(self, flight: _Flight, ungradable: Callable[[Job, str], Graded]) -> Graded | None:
        """What a submission that is back brought; None where its worker was lost and it is tried again.

        Raises:
            SandboxError, WorkerError, ClusterError: See `schedule`.
        """
        from distributed.scheduler import KilledWorker  # noqa: PLC0415 - loads the scheduler

        try:
            return opened(flight.future.result())
        except KilledWorker as error:
            return self._lost(flight, error.last_worker.address, ungradable)
        except (BrokenGraderError, GradedFormatError) as error:
            return ungradable(flight.job, f"The grader failed at this submission: {error}")
        except CancelledError as error:
            raise _gone() from error
        finally:
            flight.future.release()

    def _lost(self, flight: _Flight, worker: str, ungradable: Callable[[Job, str], Graded]) -> Graded | None:
        self.watch.lost(flight.job, worker, again=not flight.losses)
        if flight.losses:
            return ungradable(
                flight.job, "Two workers were lost while they graded this submission, one after the other."
            )
        self.again.append(flight.job)
        return None

    def end(self) -> None:
        """Call off what is under way, and have the workers forget the lab."""
        if self.client.status != "running":
            return
        try:
            if self.flights:
                self.client.cancel([flight.future for flight in self.flights.values()], force=True)
            self.client.unregister_worker_plugin(self.plugin.name)
        except Exception as error:  # noqa: BLE001 - everything is kept; a worker, or the scheduler, may just be gone
            _log.debug("a worker was not told that the run is over: %s", error)
