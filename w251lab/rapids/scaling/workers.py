"""Starting and stopping the workers, and telling of one that died."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, Self

from w251lab import accelerator
from w251lab.errors import UsageError, W251Error
from w251lab.rapids import data, memory
from w251lab.rapids.checks import whole
from w251lab.rapids.scaling import parts
from w251lab.rapids.scaling.starting import (
    not_started,
    prepare,
    refuse_second_run,
    refuse_taken,
    restore,
    share,
    start,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from w251lab.accelerator import Device

_GPU_LIBRARIES: Final = ("cupy", "cuml", "dask_cuda", "raft_dask", "xgboost")
#: After a failure: how long the scheduler may take to notice that a worker's connection is gone.
_NOTICE_SECONDS: Final = 2.0
_AGAIN_SECONDS: Final = 0.2


def cluster(device: str = "auto", workers: int | None = None, *, port: int = 0) -> Cluster:
    """Start workers on this machine; a ``with`` block, or :meth:`Cluster.close`, stops them.

    Args:
        device: ``cpu``, ``gpu`` or ``auto``.
        workers: How many processes. None: one for each GPU; on a CPU two, which share its cores.
        port: Of the scheduler, on 127.0.0.1; 0 for any that is free.

    Raises:
        UsageError: More workers than GPUs (or than cores of a CPU), or a port that cannot be.
        W251Error: A library is missing, the port is taken, the workers do not start.
    """
    chosen = accelerator.require(device, *_GPU_LIBRARIES)
    refuse_second_run()
    count, threads = share(chosen, workers)
    if whole(port, "port", at_least=0) > 65535:
        raise UsageError(f"port is {port}", "give a port up to 65535, or 0 for any that is free")
    refuse_taken(port)
    environment = dict(os.environ)
    try:
        local = start(chosen, count, threads, port)
    except (OSError, RuntimeError, TimeoutError) as error:
        raise not_started(error) from error
    finally:
        # Starting a worker sets OMP_NUM_THREADS=1 and more in this process, so that the worker inherits it; left here,
        # it would make everything that is loaded and measured afterwards run on one core.
        restore(environment)
    return Cluster(local, chosen, count, threads)


class Cluster:
    """Workers on this machine; made by :func:`cluster`.

    Attributes:
        device: What the workers compute on.
        workers: How many processes.
        threads: In each of them.
        client: dask's own client, for what is not here.
    """

    def __init__(self, local: Any, device: Device, workers: int, threads: int) -> None:
        self.device, self.workers, self.threads = device, workers, threads
        self._local = local
        self._lost: list[str] = []
        self._closed = False
        self._environment: dict[str, str] = {}
        distributed: Any = import_module("distributed")  # takes a second to import
        self.client: Any = distributed.Client(local, set_as_default=True)
        local.scheduler.add_plugin(_watch(self))
        self.client.run(prepare)

    @property
    def address(self) -> str:
        """Of the scheduler."""
        return str(self._local.scheduler_address)

    def blobs(self, rows: int, features: int = 2, clusters: int = 5, *, std: float = 0.1, seed: int = 0) -> data.Blobs:
        """As :func:`w251lab.rapids.data.blobs`, made in parts on the workers: dask arrays.

        The centres are those of ``data.blobs`` with the same seed. The points depend on the number of parts too, which
        is the number of all the workers' threads.

        Raises:
            UsageError: A count below 1, or a negative ``std``.
            W251Error: Not enough memory, or fewer rows than parts.
        """
        rows, features, clusters = whole(rows, "rows"), whole(features, "features"), whole(clusters, "clusters")
        if not std >= 0:
            raise UsageError(f"std is {std!r}", "give 0 or more")
        sizes = self._sizes(rows, features)
        with self.working("making the points"):
            return parts.blobs(self, sizes, features=features, clusters=clusters, std=std, seed=seed)

    def clicks(
        self, rows: int, features: int = 100, *, rate: float = 0.5, noise: float = 1.0, seed: int = 0
    ) -> data.Clicks:
        """As :func:`w251lab.rapids.data.clicks`, made in parts on the workers: dask arrays.

        The rule behind the labels is the same as there; the rows depend on the number of parts too. To compute
        ``best_auc``, bring labels and probability to the host first.

        Raises:
            UsageError: A count that is too small, a rate outside 0 to 1, or noise that is not above 0.
            W251Error: Not enough memory, or fewer rows than parts.
        """
        rows, features = whole(rows, "rows"), whole(features, "features", at_least=10)
        sizes = self._sizes(rows, features)
        with self.working("making the rows"):
            return parts.clicks(self, sizes, features=features, rate=rate, noise=noise, seed=seed)

    def spread(self, array: Any) -> Any:
        """A NumPy array [rows, ...] of this process, as a dask array in parts on the workers (on their GPUs).

        Raises:
            W251Error: Fewer rows than parts.
        """
        sizes = self._sizes(len(array), 1)
        with self.working("copying to the workers"):
            return parts.spread(self, array, sizes)

    def to_host(self, array: Any) -> Any:
        """A dask array of the workers as a NumPy array in this process; the rest as ``arrays.to_host`` gives it."""
        with self.working("copying from the workers"):
            return parts.to_host(self, array)

    @contextlib.contextmanager
    def working(self, doing: str) -> Iterator[None]:
        """Around work on the workers: a failure in it says what happened, also where a worker died.

        Args:
            doing: The work, in the form that follows "while".

        Raises:
            W251Error: The cluster is closed, a worker died, or the work failed.
        """
        if self._closed:
            raise W251Error("this cluster is closed", "start another one: scaling.cluster()")
        self._refuse_lost("before " + doing)
        try:
            with memory.guard(self.device, doing):
                yield
        except (Exception, asyncio.CancelledError):
            self._await_notice()
            self._refuse_lost("while " + doing)
            raise

    def close(self) -> None:
        """Stop the workers; what they hold is gone. A second call does nothing."""
        if self._closed:
            return
        self._closed = True
        environment = self._environment or dict(os.environ)
        try:
            self.client.close()
        finally:
            self._local.close()
            restore(environment)

    def alive(self) -> list[str]:
        """The addresses of the workers that the scheduler knows and that have not died, by their names."""
        # Not `client.scheduler_info`: the client's own refresh may have left it without workers meanwhile.
        known = self.client.sync(self.client.scheduler.identity, n_workers=-1)["workers"]
        return sorted(known.keys() - set(self._lost), key=lambda address: str(known[address]["name"]))

    def __enter__(self) -> Self:
        """The cluster itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the workers, whatever happened."""
        self.close()

    def __repr__(self) -> str:
        """What it is, in words."""
        each = f"{self.threads} thread{'s' * (self.threads > 1)} each"
        state = " (closed)" if self._closed else ""
        return f"{self.workers} worker{'s' * (self.workers > 1)} on the {self.device.upper()}, {each}{state}"

    def worker_left(self, name: str) -> None:
        """Called in the scheduler's thread when a worker is gone: end what waits for it, which would wait for ever."""
        if self._closed:
            return
        if not self._lost:
            # dask starts another worker in its place, which changes the environment as the first start did.
            self._environment = dict(os.environ)
        self._lost.append(name)
        self.client.loop.add_callback(self._cancel)

    def _cancel(self) -> None:
        """End the waiting on this side only: the scheduler stumbles over a cancellation in the midst of a loss."""
        if self._closed:
            return
        for state in list(self.client.futures.values()):
            state.cancel(reason="a worker died")
        # Work in the midst of it may hand in more for the worker that is gone.
        self.client.loop.call_later(_AGAIN_SECONDS, self._cancel)

    def _sizes(self, rows: int, features: int) -> list[int]:
        """Rows of each part: one part for each thread, so that each has the same work."""
        count = self.workers * self.threads
        if rows < count:
            raise W251Error(
                f"{rows:,} rows cannot be divided among {count:,} threads", "give more rows, or ask for fewer workers"
            )
        if self.device == "cpu":
            memory.require(rows * features * 4, "cpu", f"a table of {rows:,} rows and {features:,} features")
        return [rows // count + (number < rows % count) for number in range(count)]

    def _await_notice(self) -> None:
        """What fails first when a worker dies is often its partner's connection, before the scheduler has noticed."""
        deadline = time.monotonic() + _NOTICE_SECONDS
        while not self._lost and self._ended() and time.monotonic() < deadline:
            time.sleep(0.05)

    def _ended(self) -> bool:
        """Is a worker's process gone that the scheduler may not have noticed yet?"""
        nannies = list(self._local.workers.values())
        return len(nannies) < self.workers or not all(nanny.is_alive() for nanny in nannies)

    def _refuse_lost(self, when: str) -> None:
        if self._lost:
            raise W251Error(
                f"a worker died {when} ({', '.join(self._lost)}); its part of the data is gone",
                "leave this cluster and start another one. A worker that needs more memory than its share is ended by "
                "the operating system or by dask: use fewer rows, or see whether something else ended it",
            )


def _watch(owner: Cluster) -> Any:
    """A plugin of the scheduler that tells ``owner`` of workers that leave."""
    from distributed import SchedulerPlugin  # noqa: PLC0415

    class Watch(SchedulerPlugin):
        name = "w251lab-watch"

        def remove_worker(self, scheduler: Any, worker: str, *, stimulus_id: str, **kwargs: Any) -> None:  # noqa: ARG002
            owner.worker_left(worker)

    return Watch()
