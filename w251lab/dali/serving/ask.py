"""Ask a server for the classes of encoded pictures, in three ways; the pictures travel as the bytes of their files.

==========  =============================================================  ============================================
way         a request                                                      who makes batches of it
==========  =============================================================  ============================================
``single``  one picture, as a tensor uint8 [1, bytes]                      the server's dynamic batching
``padded``  up to ``batch_size`` pictures, zero-padded to the longest one  the client
``raw``     HTTP: the file is the whole body, and nothing else is sent;    the server's dynamic batching
            gRPC: as ``single``, whose tensor is the file's bytes already
==========  =============================================================  ============================================
"""

from __future__ import annotations

import http.client
import json
import threading
from abc import ABC, abstractmethod
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, Self, get_args

import numpy as np
import tritonclient.http

from w251lab.dali import checks
from w251lab.dali.serving.contents import as_array, padded, several
from w251lab.dali.serving.runner import REFUSED
from w251lab.dali.serving.service import ENSEMBLE, ERROR, INPUT
from w251lab.errors import W251Error
from w251lab.triton.classifiers import Classification, parse
from w251lab.triton.errors import InferenceFailedError, InvalidRequestError
from w251lab.triton.models import packaged

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

    import numpy.typing as npt

    from w251lab.dali.serving.contents import Content
    from w251lab.triton.client import Protocol, TritonClient
    from w251lab.triton.endpoints import Server

Way = Literal["single", "padded", "raw"]
MOST_CLIENTS: Final = 256


@dataclass(frozen=True)
class Answer:
    """What a server said of one picture.

    Attributes:
        classes: From the most likely down; empty where the picture could not be used.
        error: Why not; ``""`` where it could.
    """

    classes: tuple[Classification, ...]
    error: str = ""

    @property
    def ok(self) -> bool:
        """Whether there are classes."""
        return not self.error

    @property
    def best(self) -> Classification:
        """The most likely class.

        Raises:
            W251Error: There is none.
        """
        if self.error:
            raise W251Error(f"the picture has no class: {self.error}", "look at .error, or ask .ok first")
        return self.classes[0]


class Clients(ABC):
    """Some clients of one server, each with a connection and a thread of its own, kept until :meth:`close`.

    Args:
        server: Where.
        model: Which model to ask.
        protocol: ``http`` or ``grpc``.
        top_k: Classes for each picture.
        concurrency: How many clients: so many requests are in flight at once.
        timeout: Seconds that one request may take.

    Raises:
        UsageError: A count out of range.
    """

    def __init__(
        self,
        server: Server,
        *,
        model: str,
        protocol: Protocol = "http",
        top_k: int = 1,
        concurrency: int = 8,
        timeout: float = 60.0,
    ) -> None:
        self.server = server
        self.model = model
        self.protocol: Protocol = protocol
        self.top_k = checks.whole(top_k, "top_k")
        self._timeout = timeout
        self._mine = threading.local()
        self._open: list[Any] = []
        self._threads = ThreadPoolExecutor(checks.whole(concurrency, "concurrency", most=MOST_CLIENTS))

    def __enter__(self) -> Self:
        """Themselves."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._threads.shutdown(cancel_futures=True)
        while self._open:
            self._open.pop().close()

    @abstractmethod
    def classify(self, contents: Sequence[Content]) -> list[Answer]:
        """The classes of encoded pictures, in their order."""

    def _each(self, ask: Callable[[Any], list[Answer]], parts: Sequence[Any]) -> list[Answer]:
        return [answer for answers in self._threads.map(ask, parts) for answer in answers]

    def _client(self) -> TritonClient:
        """This thread's client."""
        if not hasattr(self._mine, "client"):
            self._mine.client = self.server.client(self.protocol, self._timeout)
            self._open.append(self._mine.client)
        found: TritonClient = self._mine.client
        return found

    def _infer(self, name: str, batch: npt.NDArray[Any]) -> list[Answer]:
        """One request; for each of its rows an answer."""
        try:
            said = self._client().infer(self.model, {name: batch}, top_k=self.top_k)
        except InvalidRequestError as error:
            _, found, reason = error.what.partition(REFUSED)
            if not found:
                raise
            return [Answer((), reason.rstrip("."))]
        errors = [text.decode() for text in said.pop(ERROR).ravel()] if ERROR in said else [""] * len(batch)
        (scores,) = said.values()
        rows = [tuple(parse(entry) for entry in row) for row in scores.reshape(len(batch), -1)]
        return [_answer(row, error) for row, error in zip(rows, errors, strict=True)]


class EncodedClients(Clients):
    """Clients that send the bytes of picture files; arguments as in :class:`Clients`.

    Args:
        server: Where.
        model: Which model to ask: it takes ``INPUT`` uint8 [-1].
        way: How; see :mod:`w251lab.dali.serving.ask`.
        batch_size: Pictures in a request at most, for ``padded``.
        labels: Names of the classes, for ``raw`` over HTTP, where the server sends scores only; by default those of the
            shipped classifier.
        more: Arguments of :class:`Clients`.
    """

    def __init__(
        self,
        server: Server,
        *,
        model: str = ENSEMBLE,
        way: Way = "single",
        batch_size: int = 16,
        labels: Sequence[str] | None = None,
        **more: Any,
    ) -> None:
        checks.one_of(way, "way", get_args(Way))
        super().__init__(server, model=model, **more)
        self.way: Way = way
        self._batch_size = checks.whole(batch_size, "batch_size")
        self._labels = packaged("efficientnet_lite0").labels() if labels is None else labels

    def classify(self, contents: Sequence[Content]) -> list[Answer]:
        """The classes of encoded pictures.

        Args:
            contents: For each picture the bytes of its file.

        Returns:
            In the order of ``contents``; a picture that the server could not use has its reason.

        Raises:
            UsageError: There are no pictures, or something else than bytes.
            W251Error: The request fails for another reason; see :meth:`w251lab.triton.client.TritonClient.infer`.
        """
        rows = [as_array(content) for content in several(contents)]
        if self.way == "padded":
            parts = [rows[start : start + self._batch_size] for start in range(0, len(rows), self._batch_size)]
            return self._each(lambda part: self._infer(INPUT, padded(part)), parts)
        if self.way == "raw" and self.protocol == "http":
            return self._each(self._post, rows)
        return self._each(lambda row: self._infer(INPUT, row[np.newaxis]), rows)

    def _post(self, row: npt.NDArray[np.uint8]) -> list[Answer]:
        """One file as the body of an HTTP request: Triton's "raw binary request"."""
        status, headers, body = self._exchange(row.tobytes())
        if status != http.HTTPStatus.OK:
            said = _error(body)
            _, found, reason = said.partition(REFUSED)
            if found:
                return [Answer((), reason)]
            raise InferenceFailedError(
                f"The server could not do that for {self.model!r}: {said}.",
                "Look at the server's log, and whether it has that model: w251lab models.",
            )
        length = headers.get("Inference-Header-Content-Length", "")
        if not (length.isascii() and length.isdigit()):
            raise InferenceFailedError(
                f"{self._client().url} gave an answer without Inference-Header-Content-Length, as Triton does not.",
                "Look at what stands between this machine and the server: a proxy may have dropped the header.",
            )
        result = tritonclient.http.InferenceServerClient.parse_response_body(body, header_length=int(length))
        (name,) = {output["name"] for output in result.get_response()["outputs"]} - {ERROR}
        scores = result.as_numpy(name).ravel()
        best = np.argsort(-scores, kind="stable")[: self.top_k]
        named = len(self._labels) == len(scores)
        return [
            _answer(tuple(Classification(float(scores[i]), int(i), self._labels[i] if named else "") for i in best), "")
        ]

    def _exchange(self, body: bytes) -> tuple[int, http.client.HTTPMessage, bytes]:
        """Status, headers and body of the answer; over a connection that stays open."""
        with self._client().translate_errors():
            for attempt in (1, 2):
                if not hasattr(self._mine, "raw"):
                    self._mine.raw = http.client.HTTPConnection(self._client().url, timeout=self._timeout)
                    self._open.append(self._mine.raw)
                try:
                    self._mine.raw.request(
                        "POST", f"/v2/models/{self.model}/infer", body, {"Inference-Header-Content-Length": "0"}
                    )
                    answer = self._mine.raw.getresponse()
                    return answer.status, answer.headers, answer.read()
                except BaseException as error:
                    self._mine.raw.close()  # or no later request could go over it; the next one connects anew
                    # The server closes what was idle for long.
                    idle = isinstance(error, (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError))
                    if attempt == 2 or not idle:
                        raise
        raise AssertionError("unreachable")


def classify(
    server: Server,
    contents: Sequence[Content],
    *,
    way: Way = "single",
    model: str = ENSEMBLE,
    protocol: Protocol = "http",
    top_k: int = 1,
    concurrency: int = 8,
    batch_size: int = 16,
) -> list[Answer]:
    """Ask once, with clients that end afterwards; arguments, result and errors as in :class:`EncodedClients`."""
    with EncodedClients(
        server,
        model=model,
        way=way,
        protocol=protocol,
        top_k=top_k,
        concurrency=concurrency,
        batch_size=batch_size,
    ) as clients:
        return clients.classify(contents)


def _error(body: bytes) -> str:
    """What the server says in the body of an answer that is none."""
    try:
        return str(json.loads(body)["error"])
    except (ValueError, KeyError, TypeError):  # a proxy's own page
        return body.decode(errors="replace")


def _answer(classes: tuple[Classification, ...], error: str) -> Answer:
    # NaN without a reason: an ensemble that does not hand on ERROR.
    if error or np.isnan(classes[0].score):
        return Answer((), error or "the server has no score for it, and gives no reason")
    return Answer(classes)
