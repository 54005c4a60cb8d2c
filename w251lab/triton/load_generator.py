"""Keep N requests in flight against a server, and time each: the process behind :func:`w251lab.triton.load.sweep`.

Run as a module in a process of its own, so that neither the event loop of a notebook nor its other work disturbs the
times. Standard input brings a :class:`Task` (JSON, its length in 8 bytes before it) and the inputs (numpy's npz);
standard output takes one line of JSON for each level, or one with a key ``error`` before the process ends with 3.
"""

from __future__ import annotations

import asyncio
import io
import json
import struct
import sys
import time
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import aiohttp
import numpy as np
import numpy.typing as npt
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import BinaryIO

Array = npt.NDArray[Any]
# tritonclient hands on what aiohttp raises; a time-out is an OSError.
FAILURES = (InferenceServerException, aiohttp.ClientError, OSError)
FAILED = 3  # exit status: the server could not be measured
REST_AFTER_ERROR = 0.01  # seconds, so that a refused connection is not tried in a tight loop
MAX_REQUESTS = 100_000  # of one level
MESSAGES = 5  # different error messages kept for a level


@dataclass(frozen=True)
class Task:
    """What to measure.

    Attributes:
        url: ``host:port`` of the endpoint.
        protocol: ``grpc`` or ``http``.
        model: The model's name.
        version: Its version, ``""`` for the newest.
        levels: Requests in flight, one number for each level.
        warmup: Seconds under load before a level's measurement begins.
        seconds: Longest duration of a level's measurement.
        requests: A level's measurement ends with this many answered or failed.
        timeout: Seconds that one request may take.
        regions: For each input that is to travel through system shared memory: region, bytes.
    """

    url: str
    protocol: str
    model: str
    levels: tuple[int, ...]
    version: str = ""
    warmup: float = 0.5
    seconds: float = 3.0
    requests: int = MAX_REQUESTS
    timeout: float = 60.0
    regions: Mapping[str, tuple[str, int]] = field(default_factory=dict)


@dataclass(frozen=True)
class Measured:
    """One level.

    Attributes:
        concurrency: Requests in flight.
        seconds: Duration of the measurement.
        latencies_ms: Of each request answered in it.
        errors: Requests failed in it.
        messages: What the failed ones said, each once.
        statistics: The server's statistics of the model at the begin and at the end.
        generator_cpu_seconds: Processor time of this process during the measurement.
        sent: Requests sent in all, with those before and after the measurement.
    """

    concurrency: int
    seconds: float
    latencies_ms: list[float]
    errors: int
    messages: list[str]
    statistics: list[dict[str, Any]]
    generator_cpu_seconds: float
    sent: int


class Sender(Protocol):
    """One way of sending the request."""

    async def send(self) -> None:
        """Send the request and wait for its answer; raise what goes wrong."""

    async def statistics(self) -> dict[str, Any]:
        """The model's statistics, as the server's extension gives them."""

    async def close(self) -> None:
        """Close the connections."""


class TritonSender:
    """Through tritonclient's asynchronous client."""

    def __init__(self, task: Task, inputs: Mapping[str, Array]) -> None:
        """Make the client and the request, which is sent again and again."""
        self._task = task
        if task.protocol == "grpc":
            import tritonclient.grpc.aio as library  # noqa: PLC0415 - one of the two is enough

            self._client = library.InferenceServerClient(task.url)
            self._limit: dict[str, float] = {"client_timeout": task.timeout}
            self._json = {"as_json": True}
        else:
            import tritonclient.http.aio as library  # noqa: PLC0415

            self._client = library.InferenceServerClient(
                task.url, conn_limit=max(task.levels) + 1, conn_timeout=task.timeout
            )
            self._limit = {}  # HTTP has it from the connection
            self._json = {}
        self._inputs = []
        for name, array in inputs.items():
            tensor = library.InferInput(name, list(array.shape), _dtype(array))
            if name in task.regions:
                tensor.set_shared_memory(*task.regions[name])
            else:
                tensor.set_data_from_numpy(array)
            self._inputs.append(tensor)

    async def send(self) -> None:
        """Send the request and wait for its answer."""
        await self._client.infer(self._task.model, self._inputs, model_version=self._task.version, **self._limit)

    async def statistics(self) -> dict[str, Any]:
        """The model's statistics, as JSON."""
        answer: dict[str, Any] = await self._client.get_inference_statistics(
            self._task.model, self._task.version, **self._json, **self._limit
        )
        return answer

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()


class Window:
    """The requests that end between the opening and the closing of a level's measurement."""

    def __init__(self, requests: int) -> None:
        """Count at most ``requests``."""
        self.full = asyncio.Event()
        self.latencies_ms: list[float] = []
        self.errors = 0
        self.messages: dict[str, None] = {}
        self._requests = requests
        self._open = False

    def open(self) -> None:
        """Count from now on."""
        self._open = True

    def close(self) -> None:
        """Count no more."""
        self._open = False

    def add(self, milliseconds: float, error: str) -> None:
        """Note a request that ended, with its error or ``""``."""
        if not self._open:
            return
        if error:
            self.errors += 1
            if len(self.messages) < MESSAGES:
                self.messages[error] = None
        else:
            self.latencies_ms.append(milliseconds)
        if self.errors + len(self.latencies_ms) >= self._requests:
            self.close()
            self.full.set()


async def measure(sender: Sender, task: Task, concurrency: int) -> Measured:
    """Keep ``concurrency`` requests in flight, first to warm up, then to measure; wait for the last ones at the end.

    Args:
        sender: How to send.
        task: How long.
        concurrency: How many.
    """
    window = Window(task.requests)
    running = True
    done = 0

    async def keep_sending() -> None:
        nonlocal done
        while running:
            begin = time.perf_counter()
            error = ""
            try:
                await sender.send()
            except (TimeoutError, InferenceServerException, OSError) as failure:
                error = str(failure) or type(failure).__name__
            window.add((time.perf_counter() - begin) * 1000, error)
            done += 1
            if error:
                await asyncio.sleep(REST_AFTER_ERROR)

    senders = [asyncio.create_task(keep_sending()) for _ in range(concurrency)]
    try:
        await asyncio.sleep(task.warmup)
        while done < concurrency:  # each connection is open, each instance has run
            await asyncio.sleep(0.01)
        before = await sender.statistics()
        cpu = time.process_time()
        begin = time.perf_counter()
        window.open()
        try:
            await asyncio.wait_for(window.full.wait(), task.seconds)
        except TimeoutError:
            window.close()
        seconds = time.perf_counter() - begin
        cpu = time.process_time() - cpu
        after = await sender.statistics()
    finally:
        running = False
        await asyncio.gather(*senders)
    return Measured(
        concurrency, seconds, window.latencies_ms, window.errors, list(window.messages), [before, after], cpu, done
    )


async def run(
    make_sender: Callable[[Task, Mapping[str, Array]], Sender], task: Task, inputs: Mapping[str, Array]
) -> None:
    """Measure every level and print each as a line of JSON.

    Args:
        make_sender: How to send; :class:`TritonSender` for a Triton server.
        task: What to measure.
        inputs: The request.
    """
    sender = make_sender(task, inputs)
    try:
        for concurrency in task.levels:
            print(json.dumps(asdict(await measure(sender, task, concurrency))), flush=True)  # noqa: T201 - the protocol
    finally:
        await sender.close()


def pack(task: Task, inputs: Mapping[str, Array]) -> bytes:
    """What :func:`main` reads from its standard input."""
    head = json.dumps(asdict(task)).encode()
    body = io.BytesIO()
    # Text becomes bytes of one width: an array of objects could be read back only by running code from the stream.
    arrays = {name: a.astype(np.bytes_) if a.dtype.kind in "UO" else a for name, a in inputs.items()}
    np.savez(body, **arrays)  # type: ignore[arg-type]
    return struct.pack("<Q", len(head)) + head + body.getvalue()


def unpack(stream: BinaryIO) -> tuple[Task, dict[str, Array]]:
    """The inverse of :func:`pack`."""
    (length,) = struct.unpack("<Q", stream.read(8))
    said = json.loads(stream.read(length))
    with np.load(io.BytesIO(stream.read()), allow_pickle=False) as file:
        inputs = dict(file)
    said["levels"] = tuple(said["levels"])
    return Task(**said), inputs


def main() -> int:
    """Measure what standard input says; the exit status."""
    task, inputs = unpack(sys.stdin.buffer)
    try:
        asyncio.run(run(TritonSender, task, inputs))
    except FAILURES as error:
        print(json.dumps({"error": str(error) or type(error).__name__}), flush=True)  # noqa: T201
        return FAILED
    return 0


def _dtype(array: Array) -> str:
    return "BYTES" if array.dtype.kind == "S" else str(np_to_triton_dtype(array.dtype))


if __name__ == "__main__":
    sys.exit(main())
