"""Become a student's IPython kernel: the last step inside a sandbox, in the process that was forked for it."""

from __future__ import annotations

import base64
import importlib
import json
import os
import select
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from w251lab.grading import guard, isolate, wire

if TYPE_CHECKING:
    import socket

    from tornado.ioloop import IOLoop

#: Modules that start a GPU's driver, or servers and threads, when they are imported. A template never imports them:
#: what they start does not survive a fork.
NEVER_AHEAD = (
    "cudf",
    "cuml",
    "cupy",
    "dask_cuda",
    "numba",
    "nvidia",
    "raft_dask",
    "rmm",
    "tensorflow",
    "torch",
    "grpc",
    "tritonclient",
)
#: What every kernel imports in the end, so a template does it ahead.
KERNEL_MODULES = (
    "IPython.core.completer",
    "IPython.core.completerlib",
    "IPython.core.debugger",
    "IPython.core.interactiveshell",
    "IPython.core.logger",
    "IPython.core.oinspect",
    "IPython.extensions.storemagic",
    "code",
    "faulthandler",
    "ipykernel.comm",
    "ipykernel.debugger",
    "ipykernel.ipkernel",
    "ipykernel.kernelapp",
    "ipykernel.zmqshell",
    "sqlite3",
    "tornado.platform.asyncio",
)


def import_kernel() -> None:
    """Import what every kernel imports in the end, but for the debugger.

    Nobody debugs a submission while it is graded, and debugpy costs more than all the rest of a kernel's start: its
    half a second of imports, in threads and patches of its own, would come in every fork.
    """
    absent: Any = None  # for the import system: there is no such module
    before = sys.modules.get("debugpy")
    sys.modules["debugpy"] = absent
    try:
        import_ahead(KERNEL_MODULES)  # one that another version of IPython lacks is no kernel's end
    finally:
        del sys.modules["debugpy"]
        if before is not None:
            sys.modules["debugpy"] = before


def import_ahead(names: tuple[str, ...]) -> list[str]:
    """Import modules by name. Returns those that could not be: the notebook itself will say why, in its own cell."""
    failed = []
    for name in names:
        if name.partition(".")[0] in NEVER_AHEAD:
            continue
        try:
            importlib.import_module(name)
        except Exception:  # noqa: BLE001 - a module may raise anything
            failed.append(name)
    return failed


def run(spec: dict[str, Any], grader: socket.socket, log: int) -> None:
    """Turn this process into the kernel. Returns when the kernel is told to end.

    Args:
        spec: ``folder``, ``files``, ``connection`` (the kernel's connection file), ``environment``, ``watched`` (names
            of modules), ``chains`` (dotted names in the tests, in parts), and the limits ``address_space``,
            ``processes``, ``file_size``.
        grader: The connection of the tests.
        log: Where standard output and error go that do not go through IPython.
    """
    os.setsid()
    isolate.traceable()
    _plain_streams(log)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    os.environ.update(spec["environment"])
    grader.sendall(wire.HELLO)
    write_files(Path(spec["folder"]), spec["files"])
    os.chdir("/")  # until IPython has started, no module of the student's can be imported in place of another
    _own_randomness()
    isolate.limit(spec["address_space"], spec["processes"], spec["file_size"])
    import_ahead(tuple(spec["watched"]))
    namespace: dict[str, Any] = {}
    asked = select.poll()
    asked.register(grader.fileno(), select.POLLIN)

    def wait() -> None:
        while not asked.poll(0):
            try:
                loop.start()
            except KeyboardInterrupt:  # as ipykernel itself: an interrupt between cells ends nothing
                continue

    serve = guard.link(grader, spec["watched"], spec["folder"], spec["chains"], namespace, wait)
    loop = _start(spec, namespace)
    os.chdir(spec["folder"])
    sys.path.insert(0, "")
    serve(wait)


def _start(spec: dict[str, Any], namespace: dict[str, Any]) -> IOLoop:
    """Start IPython. Returns its loop, which stops whenever the grader has something to say."""
    from ipykernel.kernelapp import IPKernelApp  # noqa: PLC0415
    from traitlets.config import Config  # noqa: PLC0415

    connection = Path(spec["connection_file"])
    connection.write_text(json.dumps(spec["connection"]), encoding="utf-8")
    config = Config()
    config.HistoryManager.enabled = False
    config.IPKernelApp.connection_file = str(connection)
    config.InteractiveShellApp.exec_PYTHONSTARTUP = False
    app = IPKernelApp.instance(config=config, user_ns=namespace)
    app.log_connection_info = lambda: None  # type: ignore[method-assign]  # the log is for what goes wrong
    app.initialize([])  # type: ignore[no-untyped-call]
    app.kernel.start()
    from tornado.ioloop import IOLoop  # noqa: PLC0415

    loop = IOLoop.current()
    loop.add_handler(spec["grader"], lambda *_: loop.stop(), IOLoop.READ)
    assert app.shell is not None
    assert app.shell.user_ns is namespace
    return loop


def _plain_streams(log: int) -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    for descriptor in (nothing, log):
        if descriptor > 2:
            os.close(descriptor)
    # Python's own streams may hold text of the template, and are not to be shared with it.
    sys.stdin = sys.__stdin__ = open(0, closefd=False)  # type: ignore[misc]  # noqa: SIM115
    sys.stdout = sys.__stdout__ = open(1, "w", closefd=False, buffering=1)  # type: ignore[misc]  # noqa: SIM115
    sys.stderr = sys.__stderr__ = open(2, "w", closefd=False, buffering=1)  # type: ignore[misc]  # noqa: SIM115


def _own_randomness() -> None:
    """Draw random numbers of its own: a fork begins with its template's state (Python's own module sees to itself)."""
    if (random := sys.modules.get("numpy.random")) is not None:
        random.seed()


def write_files(folder: Path, files: dict[str, str]) -> None:
    """Write files into a folder: relative path -> content in base64. A path that leads out of it is refused.

    Raises:
        ValueError: A path is absolute or goes upwards.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        parts = Path(name).parts
        if not parts or Path(name).is_absolute() or ".." in parts:
            raise ValueError(f"the file name {name!r} leads out of the lab's folder")
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(base64.b64decode(content))
