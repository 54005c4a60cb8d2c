"""Start a Triton Inference Server on a model repository, or connect to one elsewhere: the same interface for both."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

from w251lab.errors import UsageError, W251Error
from w251lab.triton import environment as environments
from w251lab.triton import supervisor
from w251lab.triton.client import TritonClient
from w251lab.triton.errors import PortTakenError, ServerFailedError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from w251lab.triton.client import Protocol

HOST = "127.0.0.1"
GRACE_SECONDS = 5.0  # for requests under way, at a stop
PORT_TRIES = 3  # a free port can be taken by another process before Triton binds it


class Server:
    """Where a Triton server answers.

    Attributes:
        http: ``host:port`` of the HTTP endpoint.
        grpc: ``host:port`` of the gRPC endpoint.
        metrics: ``host:port`` of the Prometheus endpoint.
    """

    def __init__(self, http: str, grpc: str, metrics: str) -> None:
        """Name the three endpoints, each as ``host:port``; nothing is sent."""
        self.http = http
        self.grpc = grpc
        self.metrics = metrics

    def __repr__(self) -> str:
        """Its addresses."""
        return f"{type(self).__name__}(http={self.http!r}, grpc={self.grpc!r}, metrics={self.metrics!r})"

    def client(self, protocol: Protocol = "http", timeout: float = 60.0) -> TritonClient:
        """A client of this server; close it, or use it in a ``with`` statement.

        Args:
            protocol: ``http`` or ``grpc``.
            timeout: Seconds that one request may take.
        """
        return TritonClient(self.http if protocol == "http" else self.grpc, protocol, timeout=timeout)

    def wait_until_ready(self, timeout: float = 60.0) -> None:
        """Return once the server says that it is ready.

        Raises:
            ServerUnavailableError: It has not said so within ``timeout`` seconds.
        """
        with self.client() as client:
            client.wait_until_ready(timeout)


def connect(url: str = f"{HOST}:8000", *, grpc: str | None = None, metrics: str | None = None) -> Server:
    """The server at ``url``, which somebody else started (a container, another machine).

    Args:
        url: ``host:port`` of its HTTP endpoint; a leading ``http://`` is dropped.
        grpc: ``host:port`` of its gRPC endpoint; by default the port after HTTP's.
        metrics: ``host:port`` of its metrics endpoint; by default the port after gRPC's.

    Raises:
        UsageError: ``url`` is not ``host:port``.
        ServerUnavailableError: Nothing there answers as Triton does.
    """
    address = url.removeprefix("http://").rstrip("/")
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        raise UsageError(f"{url!r} is not the address of a server.", f"Give host:port, such as {HOST}:8000.")
    server = Server(address, grpc or f"{host}:{int(port) + 1}", metrics or f"{host}:{int(port) + 2}")
    server.wait_until_ready(timeout=5.0)
    return server


class EmbeddedServer(Server):
    """A server that this process started, and that ends with it.

    Made by :func:`start`. Use it in a ``with`` statement, or call :meth:`stop`.

    Attributes:
        repository: The model repository it serves.
        command: Its command line.
    """

    def __init__(
        self,
        repository: Path,
        *,
        ports: tuple[int, int, int],
        command: Sequence[str],
        run_folder: Path,
        shm_prefix: str,
        env: dict[str, str],
    ) -> None:
        """Start the process; :func:`start` waits for it."""
        super().__init__(*(f"{HOST}:{port}" for port in ports))
        self.repository = repository
        self.command = tuple(command)
        self._run_folder = run_folder
        self._log_file = run_folder / "triton.log"
        self._last_log = ""
        supervised = [
            sys.executable,
            "-I",
            supervisor.__file__,
            str(os.getpid()),
            shm_prefix,
            str(run_folder),
            str(GRACE_SECONDS),
            "--",
        ]
        with self._log_file.open("wb") as log:
            # A session of its own: Ctrl-C in the terminal interrupts the lab's cell, not its server.
            self._process = subprocess.Popen(
                [*supervised, *command],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=env,
                start_new_session=True,
            )

    @property
    def running(self) -> bool:
        """Whether the server's process is there."""
        return self._process.poll() is None

    @property
    def log(self) -> str:
        """Everything that the server has written so far; after a stop, what it wrote until then."""
        return self._log_file.read_text(errors="replace") if self._log_file.exists() else self._last_log

    def wait(self) -> int:
        """Wait until the server's process ends; its exit status."""
        return self._process.wait()

    def stop(self) -> None:
        """Stop the server and its stubs, and remove what they left. A second call does nothing."""
        if self.running:
            self._process.terminate()
        try:
            self._process.wait(GRACE_SECONDS + 10)
        except subprocess.TimeoutExpired:
            self._process.kill()  # the kernel then kills the server: see the supervisor
            self._process.wait()
        if self._process.stdin:
            self._process.stdin.close()
        self._last_log = self.log
        shutil.rmtree(self._run_folder, ignore_errors=True)

    def __enter__(self) -> Self:
        """The server itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it."""
        self.stop()

    def __del__(self) -> None:
        """Stop a server that nobody refers to any more, such as one whose name a notebook cell has bound anew."""
        if hasattr(self, "_process") and self.running:
            self.stop()

    def _wait_until_up(self, timeout: float) -> None:
        """Wait until the server is ready.

        Raises:
            ServerFailedError: It ended, or took longer than ``timeout`` seconds.
        """
        deadline = time.monotonic() + timeout
        with self.client(timeout=2.0) as client:
            while self.running and time.monotonic() < deadline:
                if client.is_ready():
                    return
                time.sleep(0.05)
        was_running = self.running
        self.stop()
        reasons = complaints(self._last_log)
        if was_running:
            raise ServerFailedError(
                f"The Triton server was not ready within {timeout:g} s\n{reasons}",
                "Give it longer (timeout=...), or look at what it last said above.",
            )
        raise ServerFailedError(
            f"The Triton server did not start; it said:\n{reasons}", "Mend what it names above, and start it again."
        )


def complaints(log: str, limit: int = 12) -> str:
    """The lines of a Triton log that say what went wrong: its errors, else its last lines.

    Triton's tables of models hold a failed model's whole reason, and its errors come as lines that begin with ``E``
    and a date.
    """
    lines = log.splitlines()
    errors = [
        re.sub(r"^E\d{4} [\d:.]+ \d+ \S+\] ", "", line).strip('"') for line in lines if re.match(r"E\d{4} ", line)
    ]
    reasons = [line.strip("| ") for line in lines if "UNAVAILABLE" in line]
    chosen = list(dict.fromkeys(reasons + errors)) or [line for line in lines if line.strip()]
    return "\n".join(f"  {line[:600]}" for line in chosen[-limit:]) or "  (nothing)"


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

    Raises:
        W251Error: The repository or the server's environment is missing.
        PortTakenError: Another process listens on a port that was asked for.
        ServerFailedError: The server ended, or was not ready in time; with what it said.
    """
    folder = Path(repository).absolute()
    if not folder.is_dir():
        raise W251Error(
            f"There is no model repository at {folder}.",
            "Build one with w251lab.triton.repository.write(folder, [model]).",
        )
    env = environment or environments.load()
    wanted = (http_port, grpc_port, metrics_port)
    for port in filter(None, wanted):
        _require_free(port)
    for attempt in range(1, PORT_TRIES + 1):
        server = _launch(folder, _fill_ports(wanted), load, env, arguments)
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


def _launch(
    repository: Path,
    ports: tuple[int, int, int],
    load: Sequence[str] | None,
    env: environments.ServerEnvironment,
    arguments: Sequence[str],
) -> EmbeddedServer:
    run_folder = Path(tempfile.mkdtemp(prefix="w251lab-triton-"))
    shm_prefix = f"w251lab_{secrets.token_hex(6)}_"
    models = ["*"] if load is None else list(load)
    command = [
        str(env.binary),
        f"--model-repository={repository}",
        f"--backend-directory={env.backend_directory(run_folder / 'backends')}",
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
    return EmbeddedServer(
        repository,
        ports=ports,
        command=command,
        run_folder=run_folder,
        shm_prefix=shm_prefix,
        env=env.process_environment(),
    )


def _require_free(port: int) -> None:
    if not 0 < port < 65536:
        raise UsageError(f"{port} is not a port.", "Use 1 to 65535, or 0 for a free one.")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except PermissionError as error:
            raise W251Error(
                f"Port {port} needs more rights than this account has.", "Use a port above 1023, or 0 for a free one."
            ) from error
        except OSError as error:
            raise PortTakenError(
                f"Port {port} on {HOST} is taken by another process.",
                "Stop that process, or ask for another port (0 takes a free one).",
            ) from error


def _fill_ports(wanted: tuple[int, int, int]) -> tuple[int, int, int]:
    """Free ports for the zeros: all held at once while they are chosen, so that no two are the same."""
    probes = [socket.socket() for port in wanted if not port]
    try:
        for probe in probes:
            probe.bind((HOST, 0))
        free = iter([int(probe.getsockname()[1]) for probe in probes])
        http, grpc, metrics = (port or next(free) for port in wanted)
        return http, grpc, metrics
    finally:
        for probe in probes:
            probe.close()
