"""Speak to a Triton server over HTTP or gRPC: one interface for both, and errors that say what to do."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from google.protobuf import json_format
from tritonclient.grpc.model_config_pb2 import DataType, ModelConfig

from w251lab.errors import UsageError
from w251lab.triton import answers, requests, statistics
from w251lab.triton.answers import ModelStatus
from w251lab.triton.connection import Connection, Protocol, check_names
from w251lab.triton.errors import ServerUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from w251lab.triton.requests import Array
    from w251lab.triton.statistics import ModelStatistics

__all__ = ["ModelStatus", "Pending", "Protocol", "TritonClient"]

COUNTERS_LAG = 1.0  # seconds that the server's counters may lag behind its answers


class Pending:
    """A request under way; :meth:`result` waits for its answer."""

    def __init__(self, client: TritonClient, model: str, version: str, handle: Any, outputs: Sequence[str]) -> None:
        """Wrap what the client library gave for the request."""
        self._client = client
        self._model = model
        self._version = version
        self._handle = handle
        self._outputs = outputs
        self._result: dict[str, Array] | None = None

    def result(self) -> dict[str, Array]:
        """The answer: for each output an array, as :meth:`TritonClient.infer` gives it.

        Raises:
            W251Error: As :meth:`TritonClient.infer`.
        """
        if self._result is None:
            with self._client.translate_errors(self._model, self._version):
                self._result = answers.arrays(self._handle.get_result(), self._outputs)
            self._client.note_answer(self._model)
        return self._result


class TritonClient(Connection):
    """A connection to one server, and what can be done with its models.

    Use it in a ``with`` statement, or call :meth:`close`. One client is for one thread.

    Attributes:
        url: ``host:port``.
        protocol: ``http`` or ``grpc``.
    """

    def __init__(self, url: str, protocol: Protocol = "http", *, timeout: float = 60.0) -> None:
        """Make a client; nothing is sent yet. Arguments and errors as in :class:`Connection`."""
        super().__init__(url, protocol, timeout=timeout)
        self._configs: dict[tuple[str, str], ModelConfig] = {}
        self._answers = statistics.Answers()

    # --- one model --------------------------------------------------------------------------------------------------

    def metadata(self, model: str, version: str = "") -> dict[str, Any]:
        """What the server says of a model: ``name``, ``versions``, ``platform``, ``inputs``, ``outputs``.

        Raises:
            UnknownModelError: It has no such model, or has not loaded it.
        """
        check_names(model, version)
        said = self._json("get_model_metadata", model, version)
        for tensor in [*said["inputs"], *said["outputs"]]:  # JSON from gRPC carries 64-bit integers as text
            tensor["shape"] = [int(length) for length in tensor["shape"]]
        return said

    def config(self, model: str, version: str = "") -> ModelConfig:
        """The model's configuration, as the server runs it.

        Raises:
            UnknownModelError: It has no such model, or has not loaded it.
        """
        check_names(model, version)
        with self.translate_errors(model, version):
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

        They hold all that this client has got answers to: it waits a little where the server lags behind.

        Raises:
            UnknownModelError: It has no such model, or has not loaded it.
        """
        check_names(model, version)
        deadline = time.monotonic() + COUNTERS_LAG
        while True:
            read = statistics.from_json(self._json("get_inference_statistics", model, version), model)
            if version or read.successes >= self._answers.expected(model) or time.monotonic() > deadline:
                break
            time.sleep(0.005)
        if not version:
            self._answers.seen(model, read.successes)
        return read

    def load(self, model: str, config: ModelConfig | None = None) -> None:
        """Load a model, or load it anew with what its folder holds now.

        Args:
            model: Its name in the server's repository.
            config: A configuration to use in place of the one in its folder.

        Raises:
            UnknownModelError: The repository has no such model.
            InferenceFailedError: It does not load; with the server's reason.
        """
        check_names(model)
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
        check_names(model)
        if model not in {status.name for status in self.models()}:
            raise answers.unknown_model(model, self.models())
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
            top_k: Above 0, ask for the classification extension: each output of numbers comes as bytes
                ``score:index:label``, the ``top_k`` highest of each row. An output of text comes as it is.
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
        with self.translate_errors(model, version):
            answer = answers.arrays(self._raw.infer(**arguments, **self._limits()), names)
        self.note_answer(model)
        return answer

    def submit(
        self, model: str, inputs: Mapping[str, Array], *, outputs: Sequence[str] = (), top_k: int = 0, version: str = ""
    ) -> Pending:
        """Send one request and go on: the answer comes later. Arguments and errors as in :meth:`infer`."""
        arguments, names = self._prepare(model, inputs, outputs, top_k, version)
        with self.translate_errors(model, version):
            if self.protocol == "http":
                handle: Any = self._raw.async_infer(**arguments)
            else:
                handle = answers.Callback(self._timeout)
                self._raw.async_infer(callback=handle, **arguments, **self._limits())
        return Pending(self, model, version, handle, names)

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
        with self.translate_errors(model, version):
            self._raw.start_stream(arrived)
            try:
                for arguments, _ in prepared:
                    self._raw.async_stream_infer(**arguments)
                for _, names in prepared:
                    answer = answers.arrays(arrived.get_result(), names)
                    self.note_answer(model)
                    yield answer
            finally:
                self._raw.stop_stream()

    def note_answer(self, model: str) -> None:
        """Note that an answer came, for :meth:`statistics`."""
        self._answers.add(model)

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
        texts = {tensor.name for tensor in config.output if tensor.data_type == DataType.TYPE_STRING}
        arguments = {
            "model_name": model,
            "model_version": version,
            "inputs": [self._input(name, array) for name, array in checked.items()],
            "outputs": [
                self._library.InferRequestedOutput(name, class_count=0 if name in texts else top_k) for name in names
            ],
        }
        return arguments, names

    def _input(self, name: str, array: Array) -> Any:
        tensor = self._library.InferInput(name, list(array.shape), requests.triton_dtype(array))
        tensor.set_data_from_numpy(array)
        return tensor

    def _forget(self, model: str) -> None:
        """Forget what was known of a model that is about to be loaded or unloaded: its counters begin anew, too."""
        self._answers.seen(model, 0)
        for key in [key for key in self._configs if key[0] == model]:
            del self._configs[key]
