"""Inside a sandbox: wait for submissions, and fork one kernel for each into namespaces of its own.

``python -m w251lab.grading.fork_server MODE FD MODULE...`` imports the modules, says so on the file descriptor, and
then takes requests there. A request is two connected sockets: ``life``, on which the warden answers for the processes,
and ``grader``, over which the kernel gets its specification, its key and its tests. No bytes of a submission ever come
into the process that forks, so nothing of one student is there when the next is forked.

MODE is ``fork`` (namespaces for each fork), ``once`` (one submission; the sandbox around it is its own) or ``none``
(one submission and no sandbox).
"""

from __future__ import annotations

import gc
import os
import socket
import sys
import threading
from contextlib import suppress
from typing import Any

from w251lab.grading import guard, isolate, student_kernel, warden, wire


def main(arguments: list[str]) -> None:
    """Serve until the grader hangs up."""
    mode, descriptor, *modules = arguments
    control = socket.socket(fileno=int(descriptor))
    os.set_inheritable(control.fileno(), False)
    isolate.die_with_parent()
    student_kernel.import_kernel()
    student_kernel.import_ahead(tuple(modules))
    guard.prepare()
    gc.collect()
    gc.freeze()  # a fork's collector would write to each of these objects, so that their pages had to be copied
    control.sendall(wire.HELLO)
    while True:
        try:
            content, descriptors, _, _ = socket.recv_fds(control, 16, 2)
        except ConnectionResetError:
            return
        if not content:
            return
        life, grader = (socket.socket(fileno=number) for number in descriptors)
        if mode != "fork":
            control.close()
            _keep(mode, life, grader)
        _fork(control, life, grader)
        life.close()
        grader.close()
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def _fork(control: socket.socket, life: socket.socket, grader: socket.socket) -> None:
    if threading.active_count() > 1:
        wire.send(life, {"failed": f"the template has threads: {[thread.name for thread in threading.enumerate()]}"})
        return
    if os.fork():
        return
    try:
        isolate.die_with_parent()
        control.close()
        isolate.unshare_everything()
        pid = os.fork()  # process 1 of the new PID namespace
        if pid:
            life.close()
            grader.close()
            os.waitpid(pid, 0)
            os._exit(0)
        isolate.die_with_parent()
        _keep("fork", life, grader)
    except BaseException as error:  # noqa: BLE001 - whatever it is, the template's own code must not go on in a fork
        with suppress(OSError):
            wire.send(life, {"failed": f"{type(error).__name__}: {error}"})
    finally:
        os._exit(1)


def _keep(mode: str, life: socket.socket, grader: socket.socket) -> None:
    """Prepare what is around the kernel, then watch it. Does not return."""
    try:
        life.sendall(wire.HELLO)
        spec = wire.receive(grader)
        if spec is None:
            os._exit(0)
        if mode == "fork":
            _private_files(spec)
        if mode != "none":
            isolate.drop_privileges()
            isolate.not_traceable()
    except BaseException as error:  # noqa: BLE001
        with suppress(OSError):
            wire.send(life, {"failed": f"{type(error).__name__}: {error}"})
        os._exit(1)

    def kernel(log: int) -> None:
        student_kernel.run(spec | {"grader": grader.fileno()}, grader, log)

    warden.keep(life, spec, kernel, everything=mode != "none")


def _private_files(spec: dict[str, Any]) -> None:
    """File systems of its own, and only its own sockets in sight."""
    size = spec["file_size"]
    isolate.keep_mounts_private()
    isolate.bind(f"{spec['run']}/{spec['name']}", "/run/kernel")
    isolate.mount_tmpfs(spec["run"], 4096, "0000")
    for folder, mode in (("/tmp", "1777"), ("/dev/shm", "1777"), (spec["home"], "0700")):  # noqa: S108
        isolate.mount_tmpfs(folder, size, mode, keep=spec["shown"])
    isolate.mount_proc()
    isolate.forbid_namespaces()


if __name__ == "__main__":
    main(sys.argv[1:])
