"""What a dask worker does for grading: it keeps the lab's part of the jobs, and turns a job into bytes.

A job is plain values and the bytes that were handed in, which nobody interprets outside the sandbox. A result is a
letter and JSON, so that nothing a student had a hand in ever comes back as a pickle.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import secrets
import signal
import socket
import sys
import threading
import traceback
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from distributed.diagnostics.plugin import WorkerPlugin
from distributed.worker import get_worker

from w251lab.errors import W251Error
from w251lab.grading.job import Graded, Job, SandboxError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_log = logging.getLogger(__name__)
#: The GPU of a worker, as in ``CUDA_VISIBLE_DEVICES``; a worker that has one also offers ``--resources GPU=1``.
GPU_VARIABLE = "W251LAB_GPU"
_GRADED, _REFUSED, _BROKEN = b"G", b"R", b"B"
_warming: list[threading.Thread] = []


class WorkerError(W251Error):
    """A worker that cannot take part: it lacks the lab's part, or has another version of w251lab."""


class BrokenGraderError(Exception):
    """The grader itself raised: a fault of ours, told with its traceback. One submission is concerned."""


class LabPart(WorkerPlugin):
    """The part that all submissions of a lab share, sent once to every worker, also to one that joins or is restarted.

    A scattered future would do the same until the last worker that holds it is lost; the scheduler keeps a plugin.

    Args:
        parts: One job for each notebook, without a student.
    """

    def __init__(self, parts: Sequence[Job]) -> None:
        self.name = f"w251lab-lab-{secrets.token_hex(8)}"  # of this run: another grader's is not taken away with it
        self.parts = {part.notebook: part for part in parts}

    async def teardown(self, worker: Any) -> None:
        """End what was kept for the next submission, see `cool_down`."""
        await cool_down(worker)


def warm_up(jobs: Sequence[Job], order: Mapping[str, int], dask_worker: Any = None) -> None:
    """Begin to import what grading takes and to start what kernels are forked from; return at once. For `Client.run`.

    No plugin: the scheduler would keep it when a grader dies, and give it to every worker that ever joins.

    Args:
        jobs: Of the lab's notebooks, without a student.
        order: A worker's address -> which of them comes first there.
        dask_worker: Given by dask.
    """
    job = jobs[order.get(dask_worker.address, 0) % len(jobs)]
    if job.gpu is not None and GPU_VARIABLE not in os.environ:
        return  # a worker without a GPU gets none of these jobs
    thread = threading.Thread(target=_warm_up, args=(_on_own_gpu(job),), daemon=True)
    _warming.append(thread)
    thread.start()


def _warm_up(job: Job) -> None:
    try:
        from w251lab.grading import task  # noqa: PLC0415 - what takes long is imported in this thread

        task.warm(job)
    except Exception as error:  # noqa: BLE001 - the first submission meets the same, and says so in its own words
        _log.debug("not ready ahead: %s", error)


async def cool_down(dask_worker: Any) -> None:
    """End what was kept for the next submission, of any lab: on a cluster the worker lives on. For `Client.run`.

    Where another run has its part here, its kernels may be at work: what is kept then ends with the last of the runs.
    """
    if not any(isinstance(plugin, LabPart) for plugin in dask_worker.plugins.values()):
        await asyncio.to_thread(_close_kernels)  # the worker's event loop must not stand still


def _close_kernels() -> None:
    while _warming:
        _warming.pop().join()
    if "w251lab.grading.kernels" in sys.modules:
        from w251lab.grading import kernels  # noqa: PLC0415 - without grading there is nothing to close

        kernels.close()


def _on_own_gpu(job: Job) -> Job:
    return job if job.gpu is None else replace(job, gpu=os.environ.get(GPU_VARIABLE, job.gpu))


def grade(job: Job) -> Graded:
    """`w251lab.grading.task.grade`, under a name that the client can give without importing what it stands on."""
    from w251lab.grading import task  # noqa: PLC0415

    return task.grade(job)


def own_part(job: Job, part: Job) -> Job:
    """What one submission adds to its lab's part: the student, what was handed in, files of the student's own."""
    files = {name: content for name, content in job.files.items() if part.files.get(name) != content}
    return replace(job, source=b"", files=files)


def whole(own: Job, part: Job) -> Job:
    """The job that `own_part` took apart."""
    return replace(own, source=part.source, files=dict(part.files) | dict(own.files))


def run(function: Callable[[Job], Graded], plugin: str, version: str, own: Job) -> bytes:
    """The task: grade one submission on this worker.

    Args:
        function: `grade`, by name.
        plugin: The name of the `LabPart`.
        version: w251lab's version at the client.
        own: From `own_part`.
    """
    try:
        graded = function(_on_own_gpu(whole(own, _parts(plugin, version)[own.notebook])))
        return _GRADED + replace(graded, worker=graded.worker or f"{socket.gethostname()}/{os.getpid()}").to_bytes()
    except (SandboxError, WorkerError) as error:  # of the machine, not of the submission: the run ends
        return _REFUSED + json.dumps([type(error).__name__, error.what, error.remedy]).encode()
    except Exception:  # noqa: BLE001 - told to the client, which tells the instructor
        return _BROKEN + traceback.format_exc().encode("utf-8", "backslashreplace")


def _parts(plugin: str, version: str) -> dict[str, Job]:
    from w251lab import __version__  # noqa: PLC0415 - of this worker, when it is asked

    where = f"The worker {os.getpid()} on {socket.gethostname()}"
    if __version__ != version:
        raise WorkerError(f"{where} has w251lab {__version__}, and the grader {version}.", "Install the same there.")
    found = get_worker().plugins.get(plugin)
    if not isinstance(found, LabPart):
        raise WorkerError(f"{where} was not given the lab.", "Run the same command again; what was graded is kept.")
    return found.parts


def opened(content: bytes) -> Graded:
    """What `run` returned, or the error that it stands for.

    Raises:
        SandboxError: The worker's machine cannot contain a submission.
        WorkerError: Another refusal of the worker.
        BrokenGraderError: The grader raised what it should not.
        GradedFormatError: No such bytes.
    """
    kind, body = content[:1], content[1:]
    if kind == _REFUSED:
        name, what, remedy = json.loads(body)
        raise (SandboxError if name == "SandboxError" else WorkerError)(what, remedy)
    if kind == _BROKEN:
        raise BrokenGraderError(body.decode())
    return Graded.from_bytes(body)


def dask_setup(worker: Any) -> None:  # noqa: ARG001 - dask's preload hook, of the workers that this machine's grader starts
    """Leave Ctrl-C to the grader: a terminal sends it to every process, and the grader ends its workers in order."""
    if threading.current_thread() is threading.main_thread():
        # Not SIG_IGN, which the kernels below would inherit.
        signal.signal(signal.SIGINT, lambda *_: None)
