"""A connection to one Triton server, over HTTP or gRPC: what the server says of itself."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Literal, Self

import tritonclient.grpc
import tritonclient.http
from tritonclient.utils import InferenceServerException

from w251lab.errors import UsageError
from w251lab.triton import answers
from w251lab.triton.answers import ModelStatus
from w251lab.triton.errors import ServerUnavailableError
from w251lab.triton.ports import split_address

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from types import ModuleType, TracebackType

Protocol = Literal["http", "grpc"]
CONNECTIONS = 16  # that one HTTP client keeps open for asynchronous requests


class Connection:
    """A connection to one server.

    Use it in a ``with`` statement, or call :meth:`close`. One client is for one thread.

    Attributes:
        url: ``host:port``.
        protocol: ``http`` or ``grpc``.
    """

    def __init__(self, url: str, protocol: Protocol = "http", *, timeout: float = 60.0) -> None:
        """Make a client; nothing is sent yet.

        Args:
            url: ``host:port`` of the endpoint for ``protocol``.
            protocol: ``http`` or ``grpc``.
            timeout: Seconds that one request may take.

        Raises:
            UsageError: Another protocol, or no address.
        """
        if protocol not in {"http", "grpc"}:
            raise UsageError(f"Unknown protocol {protocol!r}.", "Use http or grpc.")
        host, port = split_address(url)
        self.url = f"{host}:{port}"
        self.protocol = protocol
        self._timeout = timeout
        self._library: ModuleType = tritonclient.http if protocol == "http" else tritonclient.grpc
        if protocol == "http":
            self._raw = tritonclient.http.InferenceServerClient(
                self.url, concurrency=CONNECTIONS, connection_timeout=min(timeout, 10.0), network_timeout=timeout
            )
        else:
            self._raw = tritonclient.grpc.InferenceServerClient(self.url)

    def __enter__(self) -> Self:
        """The client itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connection."""
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._raw.close()

    def is_live(self) -> bool:
        """Whether a server answers there."""
        return self._says_yes("is_server_live")

    def is_ready(self, model: str = "", version: str = "") -> bool:
        """Whether the server is ready; with ``model``, whether that model is."""
        return self._says_yes("is_model_ready", model, version) if model else self._says_yes("is_server_ready")

    def wait_until_ready(self, timeout: float = 60.0) -> None:
        """Return once the server is ready.

        Raises:
            ServerUnavailableError: It has not been ready within ``timeout`` seconds.
        """
        deadline = time.monotonic() + timeout
        while not self.is_ready():
            if time.monotonic() > deadline:
                raise ServerUnavailableError(
                    f"No Triton server is ready at {self.url} ({self.protocol}) after {timeout:g} s.",
                    answers.START_A_SERVER,
                )
            time.sleep(0.1)

    def server_metadata(self) -> dict[str, Any]:
        """The server's ``name``, ``version`` and ``extensions``."""
        return self._json("get_server_metadata")

    def models(self) -> list[ModelStatus]:
        """Every model in the server's repository, loaded or not."""
        with self.translate_errors():
            index = self._raw.get_model_repository_index(**self._limits())
        if self.protocol == "grpc":
            return [ModelStatus(m.name, m.version, m.state, m.reason) for m in index.models]
        return [ModelStatus(m["name"], m.get("version", ""), m.get("state", ""), m.get("reason", "")) for m in index]

    def translate_errors(self, model: str = "", version: str = "") -> AbstractContextManager[None]:
        """Turn the client library's errors into this project's, inside a ``with`` statement."""
        return answers.translated(
            self.url, self.protocol, model, lambda: answers.unknown_model(model, self.models(), version)
        )

    def _limits(self) -> dict[str, float]:
        """HTTP has its time limit from the connection; gRPC takes it with each call."""
        return {"client_timeout": self._timeout} if self.protocol == "grpc" else {}

    def _json(self, method: str, model: str = "", version: str = "") -> dict[str, Any]:
        """The answer of one of the client library's methods, about the server or about a model, in its JSON form."""
        about = [model, version] if model else []
        as_json = {"as_json": True} if self.protocol == "grpc" else {}
        with self.translate_errors(model, version):
            answer: dict[str, Any] = getattr(self._raw, method)(*about, **as_json, **self._limits())
        return answer

    def _says_yes(self, method: str, *arguments: str) -> bool:
        """The answer to a question of health: a server that cannot be reached is neither live nor ready."""
        try:
            return bool(getattr(self._raw, method)(*arguments, **self._limits()))
        except (InferenceServerException, OSError, *answers.NOT_TRITON):
            return False


def check_names(model: str, version: str = "") -> None:
    """Make sure that a model and a version can be asked for.

    Raises:
        UsageError: No model is named, or the version is neither a number nor ``""`` for the newest.
    """
    if not model:
        raise UsageError("No model is named.", "Name one of client.models().")
    if version and not (version.isascii() and version.isdigit()):
        raise UsageError(f"{version!r} is not a version of a model.", "Give its number; the newest without one.")
