"""What is compared: onnxruntime in this process, Triton over several ways in, a FastAPI service."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httptools  # noqa: F401 - the load generator needs it: fail before anything is started
import numpy as np
import onnxruntime
import psutil
import tritonclient.http

from w251lab.triton import classifiers, load, repository, server
from w251lab.triton.description import DynamicBatching
from w251lab.triton.models import packaged
from w251lab.triton.shared_memory import SharedInputs

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

MODEL = packaged("efficientnet_lite0")
HERE = Path(__file__).parent
CORES = len(os.sched_getaffinity(0))
WARMUP = 0.3


@dataclass(frozen=True)
class Sample:
    """One measurement. Processor times are milliseconds for each inference.

    ``server_cpu_ms`` is that of the serving processes, ``generator_cpu_ms`` that of the load generator;
    ``others_cores`` is how many cores the machine's other processes kept busy: above 0.1 it was not quiet.
    """

    throughput: float
    p50_ms: float
    p99_ms: float
    average_batch: float
    server_cpu_ms: float
    generator_cpu_ms: float
    errors: int
    others_cores: float


@dataclass(frozen=True)
class Triton:
    """How the model is served."""

    instances: int = CORES
    threads: int = 1
    max_batch_size: int = 4
    max_queue_delay_us: int = 0


class Clock:
    """How busy the machine's other processes are between two moments."""

    def __init__(self) -> None:
        self._begin = time.perf_counter()
        self._busy, self._own = self._read()

    def others(self, served: float = 0.0) -> float:
        """Cores that neither this process nor its ended children kept busy; ``served`` seconds were a server's."""
        busy, own = self._read()
        return max(0.0, busy - self._busy - (own - self._own) - served) / (time.perf_counter() - self._begin)

    @staticmethod
    def _read() -> tuple[float, float]:
        machine = psutil.cpu_times()
        mine = os.times()
        return sum(machine) - machine.idle - machine.iowait, sum(mine[:4])


class Direct:
    """onnxruntime called in this process, by one thread or by one for each core; nothing travels."""

    def __init__(self, name: str, levels: dict[int, tuple[int, int, int]]) -> None:
        """Each level has a number of calling threads, of the session's own threads, and a batch size."""
        self.name = name
        self.levels = levels
        self._sessions = {threads: _session(threads) for _, threads, _ in levels.values()}

    def answer(self, images: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """The model's scores."""
        return next(iter(self._sessions.values())).run(None, {MODEL.input_name: images})[0]

    def measure(self, level: int, seconds: float) -> Sample:
        """Call it in a loop from each thread."""
        callers, threads, batch = self.levels[level]
        session = self._sessions[threads]
        images = make_images(batch)
        times: list[float] = []
        begin = time.perf_counter()
        opening, closing = begin + WARMUP, begin + WARMUP + seconds

        def call() -> None:
            while (start := time.perf_counter()) < closing:
                session.run(None, {MODEL.input_name: images})
                end = time.perf_counter()
                if opening < end <= closing:
                    times.append((end - start) * 1000)

        clock = Clock()
        cpu = time.process_time()
        workers = [threading.Thread(target=call) for _ in range(callers)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        cpu = (time.process_time() - cpu) * seconds / (time.perf_counter() - begin)
        count = len(times) * batch
        return Sample(
            count / seconds,
            _percentile(times, 50),
            _percentile(times, 99),
            batch,
            cpu * 1000 / count if count else float("nan"),
            0.0,
            0,
            clock.others(),
        )


class Service:
    """A service in processes of its own, under load from the generator."""

    def __init__(self, name: str, pid: int, task: load.Task, request: dict[str, npt.NDArray[Any]], client: Any) -> None:
        """``client`` reads Triton's counters; None for another service."""
        self.name = name
        self._process = psutil.Process(pid)
        self._task = task
        self._request = request
        self._client = client
        self._program = load.GENERATOR if task.protocol == "grpc" else (str(HERE / "poster.py"),)

    def measure(self, level: int, seconds: float) -> Sample:
        """Keep ``level`` requests in flight."""
        task = load.Task(
            self._task.url,
            self._task.protocol,
            self._task.model,
            (level,),
            warmup=WARMUP,
            seconds=seconds,
            timeout=30.0,
            regions=self._task.regions,
        )
        before = self._client.statistics(MODEL.name) if self._client else None
        clock = Clock()
        cpu = self._cpu()
        (found,) = load.generate(task, self._request, self._program)
        cpu = self._cpu() - cpu
        count = len(found.latencies_ms)
        if found.messages:
            raise SystemExit(f"{self.name}: {found.messages}")
        if not count:
            raise SystemExit(f"{self.name}: no answer came within {seconds} s; measure for longer, with --seconds")
        batch = float("nan")
        if before:
            after = self._client.statistics(MODEL.name)
            batch = (after.inferences - before.inferences) / (after.executions - before.executions)
        return Sample(
            count / found.seconds,
            _percentile(found.latencies_ms, 50),
            _percentile(found.latencies_ms, 99),
            batch,
            cpu * 1000 / found.sent,
            found.generator_cpu_seconds * 1000 / count,
            found.errors,
            clock.others(cpu),
        )

    def version(self) -> str:
        """The Triton server's version, as it says."""
        return str(self._client.server_metadata()["version"])

    def _cpu(self) -> float:
        processes = [self._process, *self._process.children(recursive=True)]
        return sum(p.cpu_times().user + p.cpu_times().system for p in processes)


def make_images(batch: int) -> npt.NDArray[np.float32]:
    """Random pictures, the same for every contender."""
    return np.random.default_rng(0).standard_normal((batch, *MODEL.input_dims)).astype(np.float32)


def direct(levels: list[int]) -> list[Direct]:
    """One row at a time from up to one thread for each core; and batches, which need no concurrency."""
    single = {level: (min(level, CORES), 1, 1) for level in levels}
    batched = {batch: (1, CORES, batch) for batch in levels}
    return [Direct("onnxruntime, batch 1", single), Direct("onnxruntime, batches", batched)]


@contextmanager
def triton(folder: Path, how: Triton) -> Iterator[list[Service]]:
    """The embedded server, over gRPC and HTTP, with the pixels in the request and in shared memory."""
    description = classifiers.describe(
        MODEL.name,
        max_batch_size=how.max_batch_size,
        instances=how.instances,
        threads=how.threads,
        dynamic_batching=DynamicBatching(how.max_queue_delay_us),
    )
    repository.write(folder, [description])
    images = {MODEL.input_name: make_images(1)}
    with ExitStack() as stack:
        running = stack.enter_context(server.start(folder))
        client = stack.enter_context(running.client("grpc"))
        scores = client.infer(MODEL.name, images)[MODEL.output_name]
        np.testing.assert_allclose(scores, direct([1])[0].answer(images[MODEL.input_name]), rtol=1e-3, atol=1e-4)
        regions = stack.enter_context(SharedInputs(running.http, "http", images)).regions
        pid = _pid_of("tritonserver")

        def service(name: str, protocol: str, shared: dict[str, tuple[str, int]]) -> Service:
            url = running.grpc if protocol == "grpc" else running.http
            task = load.Task(url, protocol, MODEL.name, (1,), regions=shared)
            request = images if protocol == "grpc" else _triton_request(running.http, images, shared)
            return Service(name, pid, task, request, client)

        yield [
            service("Triton, HTTP, shared memory", "http", regions),
            service("Triton, HTTP", "http", {}),
            service("Triton, gRPC, shared memory", "grpc", regions),
            service("Triton, gRPC", "grpc", {}),
        ]


@contextmanager
def fastapi() -> Iterator[Service]:
    """The FastAPI service under uvicorn, one process, with uvloop and httptools."""
    # Not a socket of ours (--fd): uvicorn takes that for a Unix one, leaves Nagle's algorithm on, and answers come
    # 40 ms late.
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"127.0.0.1:{port}"
    command = [sys.executable, "-m", "uvicorn", "--app-dir", str(HERE), "fastapi_service:app"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--loop", "uvloop", "--http", "httptools"]
    command += ["--no-access-log", "--log-level", "warning"]
    process = subprocess.Popen(command, env={**os.environ, "MODEL": str(MODEL.path())})
    try:
        images = make_images(1)
        scores = np.frombuffer(_first_answer(url, images.tobytes(), process), np.float32).reshape(1, -1)
        np.testing.assert_allclose(scores, direct([1])[0].answer(images), rtol=1e-3, atol=1e-4)
        request = _http(url, "/infer", images.tobytes(), {})
        yield Service("FastAPI", process.pid, load.Task(url, "post", "", (1,)), {"request": request}, None)
    finally:
        process.terminate()
        process.wait()


def _first_answer(url: str, body: bytes, process: subprocess.Popen[bytes]) -> bytes:
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        connection = http.client.HTTPConnection(url, timeout=30)
        try:
            connection.request("POST", "/infer", body)
            answer = connection.getresponse()
            if answer.status == 200:
                return answer.read()
            raise SystemExit(f"FastAPI answers {answer.status}: {answer.read()[:300]!r}")
        except ConnectionError:
            time.sleep(0.1)
        finally:
            connection.close()
    raise SystemExit("The FastAPI service did not start.")


def _pid_of(name: str) -> int:
    (found,) = [process.pid for process in psutil.Process().children(recursive=True) if process.name() == name]
    return found


def _triton_request(
    url: str, images: dict[str, npt.NDArray[np.float32]], regions: dict[str, tuple[str, int]]
) -> dict[str, npt.NDArray[np.uint8]]:
    """Triton's HTTP request with binary tensors, as tritonclient writes it."""
    tensors = []
    for name, array in images.items():
        tensor = tritonclient.http.InferInput(name, list(array.shape), "FP32")
        if name in regions:
            tensor.set_shared_memory(*regions[name])
        else:
            tensor.set_data_from_numpy(array)
        tensors.append(tensor)
    wanted = [tritonclient.http.InferRequestedOutput(MODEL.output_name, binary_data=True)]
    body, header = tritonclient.http.InferenceServerClient.generate_request_body(tensors, outputs=wanted)
    headers = {"Inference-Header-Content-Length": str(header)} if header else {}
    return {"request": _http(url, f"/v2/models/{MODEL.name}/infer", body, headers)}


def _http(url: str, path: str, body: bytes, headers: dict[str, str]) -> npt.NDArray[np.uint8]:
    fields = {"Host": url, "Content-Type": "application/octet-stream", "Content-Length": str(len(body)), **headers}
    head = f"POST {path} HTTP/1.1\r\n" + "".join(f"{key}: {value}\r\n" for key, value in fields.items()) + "\r\n"
    return np.frombuffer(head.encode() + body, np.uint8)


def _session(threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(MODEL.path(), options, providers=["CPUExecutionProvider"])


def _percentile(values: list[float], percent: float) -> float:
    return float(np.percentile(values, percent)) if values else float("nan")
