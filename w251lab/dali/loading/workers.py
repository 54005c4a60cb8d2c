"""Pillow in worker processes: each makes a part of a batch and writes it into memory that all share.

Processes are started anew ("spawn"), not forked: a fork copies locks that threads of a notebook's kernel, of DALI or of
CUDA may hold at that moment. What is shared are `multiprocessing`'s own arrays, which lie elsewhere where ``/dev/shm``
has no room for them (64 MB in a container), and are gone with the last process that holds them, however it ended.
"""

from __future__ import annotations

import ctypes
import itertools
import multiprocessing
import os
import signal
import threading
from collections import deque
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from threading import BrokenBarrierError
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from w251lab.dali.loading import pillow
from w251lab.dali.loading.stages import Laps
from w251lab.errors import W251Error

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

    import numpy.typing as npt

    from w251lab.dali.loading.stages import StageName
    from w251lab.dali.recipes import Training

#: Batches that are in work or ready, as DALI's pipelines have.
AHEAD: Final = 2
_START: Final = 120.0  # seconds that all processes may take together until they are ready


class PillowWorkers:
    """Batches made by worker processes, while the caller works on the batch before.

    Use it as a context manager: the processes end with it.

    Args:
        paths: The files; the loader goes round them in this order without end.
        recipe: What is done to each picture; see :func:`w251lab.dali.loading.pillow.check`.
        batch_size: Pictures in a batch.
        workers: Processes.
        seed: Of everything random. The same seed gives the pictures that one process makes.

    Raises:
        W251Error: The processes cannot be started.
    """

    def __init__(self, paths: Sequence[str], recipe: Training, *, batch_size: int, workers: int, seed: int = 0) -> None:
        self.paths, self.batch_size, self.workers = tuple(paths), batch_size, workers
        self.recipe = pillow.check(recipe)
        self._shape = (batch_size, 3, recipe.crop, recipe.crop)
        context = multiprocessing.get_context("spawn")
        blocks = [context.RawArray(ctypes.c_float, int(np.prod(self._shape))) for _ in range(AHEAD)]
        self._slots = [_view(block, self._shape) for block in blocks]
        self._free = deque(range(AHEAD))
        self._waiting: deque[tuple[int, list[Future[dict[StageName, float]]]]] = deque()
        self._submitted = 0
        self._failure: W251Error | None = None
        everybody = context.Barrier(workers)
        self._pool: ProcessPoolExecutor | None = ProcessPoolExecutor(
            workers,
            mp_context=context,
            initializer=_start,
            initargs=(blocks, self._shape, self.recipe, seed, everybody),
        )
        try:
            # A process takes a second to start; without this the first batches would be made by the first to come.
            for ready in [self._begun(_ready, _START) for _ in range(workers)]:
                self._result(ready)
        except BaseException:
            self.close()
            raise

    def run(self) -> tuple[npt.NDArray[np.float32], Laps]:
        """The next batch, and the seconds of its stages.

        Returns:
            float32 [batch_size, 3, crop, crop]; and seconds inside the workers, divided by their number since so many
            work at once, with the copy out of the shared memory, which this process does alone.

        Raises:
            W251Error: A picture cannot be read or decoded; or a worker process was killed. The loader is then of no
                more use, and says the same at every further call. So it is after an interrupt, or any other error.
        """
        if self._failure is not None:
            raise self._failure
        try:
            return self._next()
        except W251Error as error:
            self._failure = error
            raise
        except BaseException:  # a slot was taken, and is neither free nor waited for any more
            self._failure = W251Error("the loader was interrupted in the middle of a batch", "make a new loader")
            raise

    def close(self) -> None:
        """End the processes; what they were at work on is finished or dropped. The loader is of no more use."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
        # Semaphores and shared memory go with it: this object may live on as a variable of a notebook.
        self._pool = None
        self._waiting.clear()
        self._slots.clear()
        self._failure = self._failure or W251Error("the worker processes have ended", "make a new loader")

    def __enter__(self) -> Self:
        """The loader itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End the processes."""
        self.close()

    def _next(self) -> tuple[npt.NDArray[np.float32], Laps]:
        while self._free:
            self._submit(self._free.popleft())
        slot, parts = self._waiting.popleft()
        laps = Laps()
        for part in parts:
            laps.add(self._result(part), 1 / self.workers)
        with laps.lap("copy"):
            batch = self._slots[slot].copy()
        self._submit(slot)
        return batch, laps

    def _submit(self, slot: int) -> None:
        """Have a batch made in a slot, in about equal parts."""
        bounds = np.linspace(0, self.batch_size, min(self.workers, self.batch_size) + 1).astype(int).tolist()
        parts = []
        for begin, end in itertools.pairwise(bounds):
            first = self._submitted + begin
            paths = pillow.around(self.paths, first, end - begin)
            parts.append(self._begun(_fill, slot, begin, paths, first))
        self._waiting.append((slot, parts))
        self._submitted += self.batch_size

    def _begun(self, work: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """``work`` on its way to a worker."""
        if self._pool is None:
            raise _ended()
        try:
            return self._pool.submit(work, *arguments)
        except BrokenExecutor as error:
            raise _ended() from error
        except OSError as error:
            raise W251Error(f"a worker process cannot be started: {error.strerror}", "use fewer workers") from error

    def _result(self, part: Future[Any]) -> Any:
        try:
            return part.result()
        except BrokenExecutor as error:
            raise _ended() from error
        except BrokenBarrierError as error:
            raise W251Error(
                f"{self.workers} worker processes did not start within {_START:.0f} s", "use fewer workers"
            ) from error


def _ended() -> W251Error:
    return W251Error(
        "a worker process ended before its work was done: killed, for want of memory perhaps, or it could not start",
        "use fewer workers or a smaller batch_size; in a script, call this below `if __name__ == '__main__':`",
    )


def _view(block: Any, shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
    return np.frombuffer(block, dtype=np.float32).reshape(shape)


# What follows runs in the worker processes.

_own: dict[str, Any] = {}


def _start(blocks: list[Any], shape: tuple[int, ...], recipe: Training, seed: int, everybody: Any) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes, and the first one ends the others
    threading.Thread(target=_end_with_the_first, daemon=True).start()
    _own.update(slots=[_view(block, shape) for block in blocks], recipe=recipe, seed=seed, everybody=everybody)


def _end_with_the_first() -> None:
    """A worker waits for work for ever, also from a process that was killed."""
    first = multiprocessing.parent_process()
    if first is not None:
        first.join()
        os._exit(1)


def _ready(seconds: float) -> None:
    """Return when every worker has come here, so each has taken one of these calls."""
    _own["everybody"].wait(seconds)


def _fill(slot: int, begin: int, paths: list[str], first: int) -> dict[StageName, float]:
    laps = Laps()
    part = _own["slots"][slot][begin : begin + len(paths)]
    pillow.fill(part, paths, _own["recipe"], seed=_own["seed"], first=first, laps=laps)
    return laps.seconds
