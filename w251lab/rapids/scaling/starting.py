"""What it takes to start workers of dask on this machine, and what is refused before."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import socket
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from w251lab import accelerator
from w251lab.errors import UsageError, W251Error
from w251lab.rapids.checks import whole

if TYPE_CHECKING:
    from w251lab.accelerator import Device

HOST: Final = "127.0.0.1"


def share(device: Device, workers: int | None) -> tuple[int, int]:
    """How many workers, with how many threads each."""
    if device == "gpu":
        gpus = len(accelerator.devices())
        count = gpus if workers is None else whole(workers, "workers")
        if count > gpus:
            raise UsageError(
                f"{count} workers were asked for, and there {'is 1 GPU' if gpus == 1 else f'are {gpus} GPUs'}",
                f"ask for at most {gpus}: each worker has a GPU of its own",
            )
        return count, 1
    cores = accelerator.describe().cores
    count = 2 if workers is None else whole(workers, "workers")
    if count > max(2, cores):
        raise UsageError(
            f"{count} workers were asked for, and there are {cores} cores", f"ask for at most {max(2, cores)}"
        )
    return count, max(1, cores // count)


def start(device: Device, workers: int, threads: int, port: int) -> Any:
    """Dask's own cluster: a GPU for each worker, or processes that share the cores."""
    settings: dict[str, Any] = {
        "n_workers": workers,
        "threads_per_worker": threads,
        "host": HOST,
        "scheduler_port": port,
        "memory_limit": accelerator.describe().memory // workers,
        # A failure of the work is raised here; the workers need not print it a second time.
        "silence_logs": logging.CRITICAL,
        # Without an address of its own the scheduler's page takes a fixed port, which a second cluster finds taken.
        "dashboard_address": None,
        "scheduler_kwargs": {"dashboard_address": f"{HOST}:0"},
    }
    if device == "gpu":
        dask_cuda: Any = import_module("dask_cuda")  # absent without a GPU
        return dask_cuda.LocalCUDACluster(**settings)
    distributed: Any = import_module("distributed")
    return distributed.LocalCluster(processes=True, **settings)


def refuse_second_run() -> None:
    """A worker of a script runs the script again to learn its functions, up to where it would start workers itself."""
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        raise W251Error(
            "a worker that is being started would start workers of its own",
            "put the script's work under  if __name__ == '__main__':  (a notebook needs no such line)",
        )


def refuse_taken(port: int) -> None:
    """Asked before the scheduler is, which leaves its socket open when it cannot have the port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise W251Error(
                f"port {port} cannot be used: {error.strerror}", "give another one, or 0 for any that is free"
            ) from error


def not_started(error: BaseException) -> W251Error:
    """The first cause of a failed start, in words."""
    first = error
    while (cause := first.__cause__ or first.__context__) is not None:
        first = cause
    said = str(first).strip().splitlines()
    return W251Error(
        f"the workers did not start: {said[0][:300] if said else type(first).__name__}",
        "a script must start them under  if __name__ == '__main__':  ; else see whether memory and processes are left",
    )


def prepare() -> None:
    """Done in each worker before its first work."""
    # NCCL would else listen on the network with which this machine reaches the internet.
    os.environ["NCCL_SOCKET_IFNAME"] = "lo"
    # Ctrl-C, and a notebook's interrupt, reach the workers too; the one that they work for decides when they end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def restore(environment: dict[str, str]) -> None:
    """Make this process's environment what it was."""
    for name in os.environ.keys() - environment.keys():
        del os.environ[name]
    os.environ.update(environment)
