"""What comes back from a server: arrays, or an error in this project's words."""

from __future__ import annotations

import difflib
import queue
import re
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from typing import TYPE_CHECKING, Any

from rapidjson import JSONDecodeError
from tritonclient.utils import InferenceServerException

from w251lab.triton.errors import InferenceFailedError, InvalidRequestError, ServerUnavailableError, UnknownModelError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from w251lab.errors import W251Error
    from w251lab.triton.requests import Array

START_A_SERVER = "Start one with: w251lab serve   (or give the address of the one that runs)."
_NOT_FOUND = ("404", "NOT_FOUND")
_UNKNOWN_MODEL = re.compile(
    r"unknown model|is not ready|is not available|is not found|has no available versions"
    r"|failed to poll from model repository",
    re.IGNORECASE,
)
_NO_REQUEST_ID = "[request id: <id_unknown>] "
_INVALID = ("400", "INVALID_ARGUMENT")  # HTTP's and gRPC's words for it
_TIMED_OUT = re.compile(r"timed out|Deadline Exceeded|timeout", re.IGNORECASE)


# What the HTTP library raises where something answers that is no Triton server.
NOT_TRITON = (HTTPException, JSONDecodeError)


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


class Callback:
    """Collects what the gRPC library's threads bring; :meth:`get_result` gives it, in the order of its arrival."""

    def __init__(self, timeout: float) -> None:
        """Wait at most ``timeout`` seconds for each answer."""
        self._arrived: queue.SimpleQueue[tuple[Any, InferenceServerException | None]] = queue.SimpleQueue()
        self._timeout = timeout

    def __call__(self, result: Any, error: InferenceServerException | None) -> None:
        """Keep what arrived."""
        self._arrived.put((result, error))

    def get_result(self) -> Any:
        """The next answer.

        Raises:
            InferenceServerException: The server's error, or none came in time.
        """
        try:
            result, error = self._arrived.get(timeout=self._timeout)
        except queue.Empty:
            raise InferenceServerException(
                f"timed out after {self._timeout:g} s", "StatusCode.DEADLINE_EXCEEDED"
            ) from None
        if error is not None:
            raise error
        return result


def arrays(result: Any, names: Sequence[str]) -> dict[str, Array]:
    """The named outputs of a result of the client library, each as an array."""
    return {name: result.as_numpy(name) for name in names}


def unknown_model(model: str, known: Sequence[ModelStatus], version: str = "") -> UnknownModelError:
    """The error for a model that the server cannot use, with the nearest name or the reason why it is not loaded.

    Args:
        model: The model asked for.
        known: What the server has.
        version: The version asked for, ``""`` for the newest.
    """
    here = [status for status in known if status.name == model]
    served = sorted((status.version for status in here if status.state == "READY"), key=int)
    if served and version not in {"", *served}:
        return UnknownModelError(
            f"The server does not serve version {version} of the model {model!r}.", f"It serves: {', '.join(served)}."
        )
    if here:
        reasons = {status.reason for status in here if status.reason and status.reason != "unloaded"}
        return UnknownModelError(
            f"The server knows the model {model!r} and has not loaded it"
            + (f": {'; '.join(sorted(reasons))}" if reasons else "."),
            f"Load it with client.load({model!r})." if not reasons else "Mend that, then load it again.",
        )
    names = sorted({status.name for status in known})
    near = difflib.get_close_matches(model, names, n=1)
    hint = f"Did you mean {near[0]!r}? " if near else ""
    return UnknownModelError(
        f"The server has no model {model!r}.", f"{hint}It has: {', '.join(names) or 'no model at all'}."
    )


@contextmanager
def translated(url: str, protocol: str, model: str, unknown: Callable[[], UnknownModelError]) -> Iterator[None]:
    """Turn the client library's errors into this project's.

    Args:
        url: The server's address, for the message.
        protocol: ``http`` or ``grpc``.
        model: The model that the call is about, ``""`` for none.
        unknown: Makes the error for a model or a version that the server does not have.

    Raises:
        W251Error: One of this package's errors, in place of the library's.
    """
    try:
        yield
    except InferenceServerException as error:
        raise _translate(error, url, protocol, model, unknown) from error
    except TimeoutError as error:
        raise ServerUnavailableError(
            f"The Triton server at {url} did not answer in time ({error}).",
            "Give it longer (timeout=...), or look at its log.",
        ) from error
    except NOT_TRITON as error:
        raise ServerUnavailableError(
            f"What answers at {url} is not the HTTP endpoint of a Triton server.",
            "Check the port: by default Triton has HTTP at 8000, gRPC at 8001, metrics at 8002.",
        ) from error
    except OSError as error:
        raise ServerUnavailableError(
            f"No Triton server answers at {url} ({protocol}): {error}.", START_A_SERVER
        ) from error


def _translate(
    error: InferenceServerException, url: str, protocol: str, model: str, unknown: Callable[[], UnknownModelError]
) -> W251Error:
    said = (error.message() or "").replace(_NO_REQUEST_ID, "").strip().rstrip(".")
    status = str(error.status() or "")
    if "DEADLINE_EXCEEDED" in status or (_TIMED_OUT.search(said) and "model" not in said):
        return ServerUnavailableError(
            f"The Triton server at {url} did not answer in time.", "Give it longer (timeout=...), or look at its log."
        )
    if model and (_UNKNOWN_MODEL.search(said) or any(word in status for word in _NOT_FOUND)):
        return unknown()
    if "UNAVAILABLE" in status and protocol == "grpc":
        return ServerUnavailableError(f"No Triton server answers at {url} ({protocol}): {said}.", START_A_SERVER)
    if "load failed for model" in said:
        return InferenceFailedError(
            f"The model {model!r} does not load: {said}.", "Mend what the message names, then load it again."
        )
    if any(word in status for word in _INVALID):
        return InvalidRequestError(
            f"The server refused the request to {model!r}: {said}."
            if model
            else f"The server refused the request: {said}.",
            "Compare it with client.config(model).",
        )
    return InferenceFailedError(
        f"The server could not do that for {model!r}: {said}." if model else f"The server could not do that: {said}.",
        "Look at the server's log for more.",
    )
