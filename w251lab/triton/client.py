"""Speak to a Triton server over HTTP or gRPC: one interface for both, and errors that say what to do."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Self

import tritonclient.grpc
import tritonclient.http
from google.protobuf import json_format
from tritonclient.grpc.model_config_pb2 import ModelConfig
from tritonclient.utils import InferenceServerException

from w251lab.errors import UsageError
from w251lab.triton import answers, requests, statistics
from w251lab.triton.answers import translated
from w251lab.triton.errors import ServerUnavailableError, UnknownModelError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from types import ModuleType, TracebackType

    from w251lab.triton.requests import Array
    from w251lab.triton.statistics import ModelStatistics

Protocol = Literal["http", "grpc"]
CONNECTIONS = 16  # that one HTTP client keeps open for asynchronous requests


@dataclass(frozen=True)
class ModelStatus:
    """A model in the server's repository.

    Attributes:
        name: Its name.
        version: Its version, ``""`` while none is loaded.
        state: ``READY``, ``UNAVAILABLE``, ``LOADING``, ``UNLOADING``, or ``""`` for one never asked for.
        reason: Why it is not ready.
    """

    name: str
    version: str
    state: str
    reason: str


class Pending:
    """A request under way; :meth:`result` waits for its answer."""

    def __init__(self, client: TritonClient, model: str, handle: Any, outputs: Sequence[str]) -> None:
        """Wrap what the client library gave for the request."""
        self._client = client
        self._model = model
        self._handle = handle
        self._outputs = outputs

    def result(self) -> dict[str, Array]:
        """The answer: for each output an array, as :meth:`TritonClient.infer` gives it.

        Raises:
            W251Error: As :meth:`TritonClient.infer`.
        """
        with self._client.translate_errors(self._model):
            return answers.arrays(self._handle.get_result(), self._outputs)


class TritonClient:
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
            UsageError: Another protocol, or an address with a scheme.
        """
        self.url = url.removeprefix("http://").rstrip("/")
        self.protocol = protocol
        self._timeout = timeout
        self._configs: dict[tuple[str, str], ModelConfig] = {}
        if protocol not in {"http", "grpc"} or "://" in self.url:
            raise UsageError(
                f"{protocol!r} at {url!r} is not an endpoint.", "Give host:port, and the protocol http or grpc."
            )
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

    # --- the server -------------------------------------------------------------------------------------------------

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

    # --- one model --------------------------------------------------------------------------------------------------

    def metadata(self, model: str, version: str = "") -> dict[str, Any]:
        """What the server says of a model: ``name``, ``versions``, ``platform``, ``inputs``, ``outputs``.

        Raises:
            UnknownModelError: It has no such model, or has not loaded it.
        """
        said = self._json("get_model_metadata", model, version, model=model)
        for tensor in [*said["inputs"], *said["outputs"]]:  # JSON from gRPC carries 64-bit integers as text
            tensor["shape"] = [int(length) for length in tensor["shape"]]
        return said

    def config(self, model: str, version: str = "") -> ModelConfig:
        """The model's configuration, as the server runs it.

        Raises:
            UnknownModelError: It has no such model, or has not loaded it.
        """
        with self.translate_errors(model):
            answer = self._raw.get_model_config(model, version, **self._limits())
        message = (
            answer.config
            if self.protocol == "grpc"
            else json_format.ParseDict(answer, ModelConfig(), ignore_unknown_fields=True)
        )
        self._configs[model, version] = message
        return message

    def statistics(self, model: str, version: str = "") -> ModelStatistics:
        """The model's counts and times since it was loaded.

        Raises:
            UnknownModelError: It has no such model, or has not loaded it.
        """
        return statistics.from_json(self._json("get_inference_statistics", model, version, model=model), model)

    def load(self, model: str, config: ModelConfig | None = None) -> None:
        """Load a model, or load it anew with what its folder holds now.

        Args:
            model: Its name in the server's repository.
            config: A configuration to use in place of the one in its folder.

        Raises:
            UnknownModelError: The repository has no such model.
            InferenceFailedError: It does not load; with the server's reason.
        """
        override = (
            {}
            if config is None
            else {"config": json.dumps(json_format.MessageToDict(config, preserving_proto_field_name=True))}
        )
        self._forget(model)
        with self.translate_errors(model):
            self._raw.load_model(model, **override, **self._limits())

    def unload(self, model: str, timeout: float = 60.0) -> None:
        """Unload a model and wait until the server has let go of it.

        Raises:
            UnknownModelError: The repository has no such model.
            ServerUnavailableError: It is still loaded after ``timeout`` seconds.
        """
        if model not in {status.name for status in self.models()}:
            raise self._unknown(model)
        self._forget(model)
        with self.translate_errors(model):
            self._raw.unload_model(model, **self._limits())
        deadline = time.monotonic() + timeout
        while any(status.state in {"READY", "UNLOADING"} for status in self.models() if status.name == model):
            if time.monotonic() > deadline:
                raise ServerUnavailableError(
                    f"The model {model!r} is still loaded {timeout:g} s after the order to unload it.",
                    "Look at the server's log; a request may still be under way.",
                )
            time.sleep(0.05)

    # --- inference --------------------------------------------------------------------------------------------------

    def infer(
        self, model: str, inputs: Mapping[str, Array], *, outputs: Sequence[str] = (), top_k: int = 0, version: str = ""
    ) -> dict[str, Array]:
        """Send one request and wait for the answer.

        Args:
            model: The model's name.
            inputs: For each input an array of its type; with a first axis for the batch where the model has one.
            outputs: The outputs wanted; all by default.
            top_k: Above 0, ask for the classification extension: each output comes as bytes ``score:index:label``, the
                ``top_k`` highest of each row.
            version: The model's version; the newest by default.

        Returns:
            For each output an array; of bytes, shape ``[batch, top_k]`` (``[top_k]`` without a batch axis), if
            ``top_k`` is given.

        Raises:
            InvalidRequestError: The inputs are not what the model takes; nothing was sent.
            UnknownModelError: The server has no such model, or has not loaded it.
            InferenceFailedError: The server could not answer.
            ServerUnavailableError: Nothing answers, or not in time.
        """
        arguments, names = self._prepare(model, inputs, outputs, top_k, version)
        with self.translate_errors(model):
            return answers.arrays(self._raw.infer(**arguments, **self._limits()), names)

    def submit(
        self, model: str, inputs: Mapping[str, Array], *, outputs: Sequence[str] = (), top_k: int = 0, version: str = ""
    ) -> Pending:
        """Send one request and go on: the answer comes later. Arguments and errors as in :meth:`infer`."""
        arguments, names = self._prepare(model, inputs, outputs, top_k, version)
        with self.translate_errors(model):
            if self.protocol == "http":
                handle: Any = self._raw.async_infer(**arguments)
            else:
                handle = answers.Callback(self._timeout)
                self._raw.async_infer(callback=handle, **arguments, **self._limits())
        return Pending(self, model, handle, names)

    def stream(
        self,
        model: str,
        requests_: Iterable[Mapping[str, Array]],
        *,
        outputs: Sequence[str] = (),
        top_k: int = 0,
        version: str = "",
    ) -> Iterator[dict[str, Array]]:
        """Send requests over one gRPC stream and give the answers in order. Arguments and errors as in :meth:`infer`.

        Raises:
            UsageError: The client speaks HTTP, which has no streams.
        """
        if self.protocol != "grpc":
            raise UsageError("HTTP has no streams.", "Use a gRPC client: protocol='grpc'.")
        prepared = [self._prepare(model, inputs, outputs, top_k, version) for inputs in requests_]
        arrived = answers.Callback(self._timeout)
        with self.translate_errors(model):
            self._raw.start_stream(arrived)
            try:
                for arguments, _ in prepared:
                    self._raw.async_stream_infer(**arguments)
                for _, names in prepared:
                    yield answers.arrays(arrived.get_result(), names)
            finally:
                self._raw.stop_stream()

    def translate_errors(self, model: str = "") -> Any:
        """Turn the client library's errors into this project's, inside a ``with`` statement."""
        return translated(self.url, self.protocol, model, self._nearest)

    # --- how --------------------------------------------------------------------------------------------------------

    def _prepare(
        self, model: str, inputs: Mapping[str, Array], outputs: Sequence[str], top_k: int, version: str
    ) -> tuple[dict[str, Any], Sequence[str]]:
        """Check a request against the model's configuration and put it in the client library's words."""
        cached = self._configs.get((model, version))
        config = cached or self.config(model, version)
        try:
            checked = requests.check(config, inputs, outputs, top_k)
        except UsageError:
            # Another client may have loaded the model anew since its configuration was read.
            if cached is None or (config := self.config(model, version)) == cached:
                raise
            checked = requests.check(config, inputs, outputs, top_k)
        names = list(outputs) or [tensor.name for tensor in config.output]
        arguments = {
            "model_name": model,
            "model_version": version,
            "inputs": [self._input(name, array) for name, array in checked.items()],
            "outputs": [self._library.InferRequestedOutput(name, class_count=top_k) for name in names],
        }
        return arguments, names

    def _input(self, name: str, array: Array) -> Any:
        tensor = self._library.InferInput(name, list(array.shape), requests.triton_dtype(array))
        tensor.set_data_from_numpy(array)
        return tensor

    def _limits(self) -> dict[str, float]:
        """HTTP has its time limit from the connection; gRPC takes it with each call."""
        return {"client_timeout": self._timeout} if self.protocol == "grpc" else {}

    def _json(self, method: str, *arguments: str, model: str = "") -> dict[str, Any]:
        as_json = {"as_json": True} if self.protocol == "grpc" else {}
        with self.translate_errors(model):
            answer: dict[str, Any] = getattr(self._raw, method)(*arguments, **as_json, **self._limits())
        return answer

    def _says_yes(self, method: str, *arguments: str) -> bool:
        """The answer to a question of health: a server that cannot be reached is neither live nor ready."""
        try:
            return bool(getattr(self._raw, method)(*arguments, **self._limits()))
        except (InferenceServerException, OSError):
            return False

    def _forget(self, model: str) -> None:
        for key in [key for key in self._configs if key[0] == model]:
            del self._configs[key]

    def _nearest(self, model: str) -> UnknownModelError:
        return self._unknown(model)

    def _unknown(self, model: str) -> UnknownModelError:
        return answers.unknown_model(model, self.models())
