"""Start a Triton Inference Server on a model repository, or connect to one elsewhere: the same interface for both."""

from __future__ import annotations

import re
import secrets
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from w251lab.errors import W251Error
from w251lab.triton import environment as environments
from w251lab.triton import ports as port_numbers
from w251lab.triton.answers import unknown_model
from w251lab.triton.client import ModelStatus
from w251lab.triton.embedded import GRACE_SECONDS, EmbeddedServer, in_use
from w251lab.triton.endpoints import Server, connect
from w251lab.triton.errors import ServerFailedError
from w251lab.triton.ports import HOST

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["HOST", "EmbeddedServer", "Server", "connect", "start"]

# Triton's python backend starts its stubs through a shell, and does not quote the paths.
PLAIN = re.compile(r"[\w./+-]+", re.ASCII)
BACKENDS = "backends"
PORT_TRIES = 3  # a free port can be taken by another process before Triton binds it


def start(
    repository: str | Path,
    *,
    http_port: int = 0,
    grpc_port: int = 0,
    metrics_port: int = 0,
    load: Sequence[str] | None = None,
    timeout: float = 120.0,
    environment: environments.ServerEnvironment | None = None,
    arguments: Sequence[str] = (),
    remove_repository: bool = False,
) -> EmbeddedServer:
    """Start the embedded Triton server on ``repository`` and wait until it is ready.

    It listens on 127.0.0.1 only, and ends with this process, however that ends. Models can be loaded and unloaded
    while it runs (Triton's explicit model control).

    Args:
        repository: Folder of the model repository.
        http_port: Port of the HTTP endpoint; 0 takes a free one. Likewise ``grpc_port`` and ``metrics_port``.
        grpc_port: See ``http_port``.
        metrics_port: See ``http_port``.
        load: Names of the models to load at the start; all of the repository's by default.
        timeout: Seconds until it must be ready, loading models included.
        environment: The server's environment; :func:`w251lab.triton.environment.load` by default.
        arguments: More arguments for ``tritonserver``.
        remove_repository: Remove the repository's folder when the server ends, or does not start: for one made for this
            server only. It stays while another server of this process uses it.

    Raises:
        W251Error: The repository or the server's environment is missing.
        UnknownModelError: The repository has no model of a name in ``load``.
        PortTakenError: Another process listens on a port that was asked for.
        ServerFailedError: The server ended, or was not ready in time; with what it said.
    """
    folder = _existing(repository)
    for name in load or ():
        if not (folder / name).is_dir():
            raise unknown_model(name, [ModelStatus(entry.name, "", "", "") for entry in folder.iterdir()])
    env = environment or environments.load()
    wanted = (http_port, grpc_port, metrics_port)
    port_numbers.require_usable(wanted)
    with in_use(folder, remove=remove_repository):  # from one attempt to the next
        for attempt in range(1, PORT_TRIES + 1):
            ports = port_numbers.fill(wanted)
            server = _launch(folder, ports, load, env, arguments, remove_repository=remove_repository)
            try:
                server._wait_until_up(timeout)  # noqa: SLF001 - the other half of the constructor
            except ServerFailedError as error:
                if "already in use" not in error.what or attempt == PORT_TRIES or all(wanted):
                    raise
            except BaseException:  # an interrupted cell must not leave a server that nobody has a name for
                server.stop()
                raise
            else:
                return server
    raise AssertionError("unreachable")


def _existing(repository: str | Path) -> Path:
    """The repository's folder, from the root on."""
    try:
        folder = Path(repository).expanduser().absolute()
    except FileNotFoundError as error:  # a relative path
        raise W251Error("The current folder does not exist any more.", "Go to one that does: cd") from error
    if not folder.is_dir():
        raise W251Error(
            f"There is no model repository at {folder}.",
            "Build one with w251lab.triton.repository.write(folder, [model]).",
        )
    return folder


def _launch(
    repository: Path,
    ports: tuple[int, int, int],
    load: Sequence[str] | None,
    env: environments.ServerEnvironment,
    arguments: Sequence[str],
    *,
    remove_repository: bool,
) -> EmbeddedServer:
    """Start the process, with a folder of the run's own for its log and its backends."""
    run_folder = _run_folder()
    served_from = repository
    if not PLAIN.fullmatch(str(repository)):
        served_from = run_folder / "models"
        served_from.symlink_to(repository)
    shm_prefix = f"w251lab_{secrets.token_hex(6)}_"
    models = ["*"] if load is None else list(load)
    command = [
        str(env.binary),
        f"--model-repository={served_from}",
        f"--backend-directory={run_folder / BACKENDS}",
        f"--cache-directory={env.triton / 'caches'}",
        f"--backend-config=python,shm-region-prefix-name={shm_prefix}",
        "--model-control-mode=explicit",
        *(f"--load-model={name}" for name in models),
        *(
            word
            for kind, port in zip(("http", "grpc", "metrics"), ports, strict=True)
            for word in (f"--{kind}-address={HOST}", f"--{kind}-port={port}")
        ),
        f"--exit-timeout-secs={GRACE_SECONDS:.0f}",
        "--disable-auto-complete-config",
        *arguments,
    ]
    try:
        env.backend_directory(run_folder / BACKENDS)
        return EmbeddedServer(
            repository,
            served_from=served_from,
            ports=ports,
            command=command,
            run_folder=run_folder,
            shm_prefix=shm_prefix,
            env=env.process_environment(),
            remove_repository=remove_repository,
        )
    except BaseException:
        shutil.rmtree(run_folder, ignore_errors=True)
        raise


def _run_folder() -> Path:
    """A new folder for the files of one run, removed at its end.

    Raises:
        W251Error: There is no place for it.
    """
    usual = tempfile.gettempdir()
    try:
        return Path(tempfile.mkdtemp(prefix="w251lab-triton-", dir=usual if PLAIN.fullmatch(usual) else "/tmp"))  # noqa: S108
    except OSError as error:
        raise W251Error(
            f"The server has no place for its temporary files: {error}.",
            "Make room there, or name another folder in the variable TMPDIR.",
        ) from error
