"""Workers that get ready while the submissions are still being read, for which nbgrader has to be imported."""

from __future__ import annotations

import logging
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

from w251lab.grading.cluster import connect, load_dask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from distributed import Client

    from w251lab.grading.cluster import Where
    from w251lab.grading.job import Job

_log = logging.getLogger(__name__)


class Ahead:
    """A cluster that is started in a thread while this one reads the submissions. It ends with the context.

    Args:
        where: Where to grade.
        likely: How many notebooks there seem to be: no more workers than that are started ahead, and none for none.
        jobs: Gives the jobs of the lab's notebooks, without a student: workers that are started ahead make ready for
            the first that each is going to have.
    """

    def __init__(self, where: Where, likely: int, jobs: Callable[[], Sequence[Job]]) -> None:
        self._where = where
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="cluster")
        self._context: AbstractContextManager[Client] | None = None
        self._started: Future[Client] | None = None
        if likely:
            self._start(likely, jobs)

    def _start(self, number: int, jobs: Callable[[], Sequence[Job]] = tuple) -> Future[Client]:
        where = self._where.at_most(number)
        load_dask(where)  # here: beside other imports, in a thread, it would be late, and with it the workers
        self._context = _ready(where, jobs())
        self._started = self._pool.submit(self._context.__enter__)
        return self._started

    def client(self, number: int) -> Client:
        """The client, as soon as there is one; for so many submissions where none was started ahead."""
        return (self._started or self._start(number)).result()

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """End the cluster."""
        try:
            if self._started is not None and self._context is not None and self._started.exception() is None:
                self._context.__exit__(None, None, None)
        finally:
            self._pool.shutdown()


@contextmanager
def _ready(where: Where, jobs: Sequence[Job]) -> Iterator[Client]:
    from w251lab.grading.worker import cool_down, warm_up  # noqa: PLC0415 - loads dask

    def begin() -> None:
        order = {address: number for number, address in enumerate(client.scheduler_info(n_workers=-1)["workers"])}
        client.run(warm_up, jobs, order, on_error="ignore")

    with connect(where) as client:
        if jobs:
            _tell("to get ready", begin)
        try:
            yield client
        finally:
            if where.cluster and client.status == "running":  # workers of this machine end with the run
                _tell("that the run is over", lambda: client.run(cool_down, on_error="ignore"))


def _tell(what: str, send: Callable[[], object]) -> None:
    """Tell all workers something that a run can do without."""
    try:
        send()
    except Exception as error:  # noqa: BLE001 - the run is as good without, and may have graded everything
        _log.debug("the workers were not told %s: %s", what, error)
