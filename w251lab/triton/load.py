"""How much a model on a server can bear: throughput and latency over the number of requests in flight.

A closed loop: exactly N requests are in flight, a new one goes out when one is answered. Throughput grows with N until
the server's instances are never idle; beyond that only the latency grows.
"""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
import tempfile
import time
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from tritonclient.grpc.model_config_pb2 import DataType, ModelConfig, ModelInstanceGroup
from tritonclient.utils import triton_to_np_dtype

from w251lab import accelerator
from w251lab.errors import UsageError, W251Error
from w251lab.triton import load_generator, perf_analyzer, statistics
from w251lab.triton.client import TritonClient
from w251lab.triton.endpoints import Server
from w251lab.triton.errors import ServerUnavailableError
from w251lab.triton.load_generator import MAX_REQUESTS, Measured, Task
from w251lab.triton.load_result import Level, LoadResult
from w251lab.triton.shared_memory import LOOPBACK, SharedInputs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from w251lab.triton.client import Protocol
    from w251lab.triton.requests import Array

__all__ = ["Level", "LoadResult", "Tool", "describe_device", "generate", "sample_inputs", "sweep"]

Tool = Literal["auto", "perf_analyzer", "client"]
CLIENT_TOOL = "tritonclient (asynchronous)"
MAX_CONCURRENCY = 1024
MAX_SECONDS = 600.0
GENERATOR = ("-P", "-m", load_generator.__name__)


def sweep(
    server: Server | str,
    model: str,
    concurrencies: Sequence[int] = (1, 2, 4, 8, 16),
    *,
    protocol: Protocol = "grpc",
    seconds: float | None = None,
    requests: int | None = None,
    inputs: Mapping[str, Array] | None = None,
    batch_size: int = 1,
    version: str = "",
    seed: int = 0,
    warmup: float = 0.5,
    timeout: float = 60.0,
    shared_memory: bool = False,
    tool: Tool = "auto",
    device: str | None = None,
    on_level: Callable[[Level], None] | None = None,
) -> LoadResult:
    """Measure a model with each number of requests in flight.

    Args:
        server: The server, or ``host:port`` of its endpoint for ``protocol``.
        model: The model's name.
        concurrencies: Numbers of requests in flight, each at most 1024.
        protocol: ``grpc`` or ``http``.
        seconds: Duration of each level's measurement, at most 600; 3 by default, 60 if ``requests`` is given.
        requests: Ends a level's measurement early, when this many have ended; at most 100 000.
        inputs: The request; made from the model's configuration by default, see :func:`sample_inputs`.
        batch_size: Rows of the request that is made.
        version: The model's version; the newest by default.
        seed: Of the random request.
        warmup: Seconds under load before each measurement; they count for nothing.
        timeout: Seconds that one request may take.
        shared_memory: Place the inputs in system shared memory instead of sending them; the server must be here.
        tool: ``client`` is tritonclient's asynchronous client, in a process of its own. ``perf_analyzer`` is NVIDIA's
            load generator. ``auto`` takes perf_analyzer where it is installed.
        device: What to call the device; by default what the server's configuration says, with the name of this
            machine's processor where the server is here.
        on_level: Called with each level when it is done.

    Raises:
        UsageError: An argument out of range, or inputs that the model does not take.
        W251Error: The server cannot be reached, does not have the model, or stops answering.
    """
    levels = _check(concurrencies, seconds, requests, warmup, tool)
    analyzer = perf_analyzer.find() if tool != "client" else None
    if tool == "perf_analyzer" and analyzer is None:
        raise UsageError("perf_analyzer is not installed here.", perf_analyzer.HOW_TO_GET_IT)
    url = (server.http if protocol == "http" else server.grpc) if isinstance(server, Server) else server
    with TritonClient(url, protocol, timeout=timeout) as client:
        config = client.config(model, version)
        request = sample_inputs(config, batch_size, seed) if inputs is None else dict(inputs)
        client.infer(model, request, version=version)  # a request that cannot work fails here, with its remedy
        if analyzer:
            end = time.monotonic() + warmup
            while time.monotonic() < end:
                client.infer(model, request, version=version)
    task = Task(
        client.url,
        protocol,
        model,
        levels,
        version=version,
        warmup=warmup,
        seconds=seconds or (60.0 if requests else 3.0),
        requests=requests or MAX_REQUESTS,
        timeout=timeout,
    )
    rows = len(next(iter(request.values()))) if config.max_batch_size else 1
    done: list[Level] = []
    with SharedInputs(client.url, protocol, request if shared_memory else {}, timeout=timeout) as placed:
        task = dataclasses.replace(task, regions=placed.regions)
        found = (
            perf_analyzer.measure(analyzer, task, config, request)
            if analyzer
            else (_level(measured, model, rows) for measured in generate(task, request))
        )
        for level in found:
            done.append(level)
            if on_level:
                on_level(level)
    used = perf_analyzer.version(analyzer) if analyzer else CLIENT_TOOL
    how = f"{protocol} with shared memory" if shared_memory else protocol
    return LoadResult(model, how, rows, used, device or describe_device(config, client.url), tuple(done))


def sample_inputs(config: ModelConfig, batch_size: int = 1, seed: int = 0) -> dict[str, Array]:
    """A request that a model takes, filled with random values: normal ones for floats, 0 to 9 for integers.

    Args:
        config: The model's configuration.
        batch_size: Rows.
        seed: Of the random values.

    Raises:
        UsageError: The model does not take such a batch, or has an axis of any length: it cannot be guessed.
    """
    if not 1 <= batch_size <= max(config.max_batch_size, 1):
        raise UsageError(
            f"The model {config.name!r} cannot take a batch of {batch_size}.",
            f"Use 1 to {max(config.max_batch_size, 1)}.",
        )
    random = np.random.default_rng(seed)
    made: dict[str, Array] = {}
    for tensor in config.input:
        if any(length < 0 for length in tensor.dims):
            raise UsageError(
                f"Input {tensor.name!r} of {config.name!r} has an axis of any length: {list(tensor.dims)}.",
                "Give a request: inputs={name: array}.",
            )
        shape = ([batch_size] if config.max_batch_size else []) + list(tensor.dims)
        made[tensor.name] = _random(random, DataType.Name(tensor.data_type).removeprefix("TYPE_"), shape)
    return made


def generate(task: Task, inputs: Mapping[str, Array], program: Sequence[str] = GENERATOR) -> Iterator[Measured]:
    """Run the load generator in a process of its own; each level as it is done.

    Args:
        task: What to measure.
        inputs: The request.
        program: Arguments for Python: the load generator, or another that speaks as it does.

    Raises:
        ServerUnavailableError: The server stopped answering.
        W251Error: The load generator ended by itself.
    """
    command = [sys.executable, *program]
    with tempfile.TemporaryFile() as stdin, tempfile.TemporaryFile() as stderr:
        stdin.write(load_generator.pack(task, inputs))
        stdin.seek(0)
        process = subprocess.Popen(command, stdin=stdin, stdout=subprocess.PIPE, stderr=stderr)
        assert process.stdout is not None
        try:
            for line in process.stdout:
                said: dict[str, Any] = json.loads(line)
                if "error" in said:
                    raise ServerUnavailableError(
                        f"The server at {task.url} stopped answering under load: {said['error']}.",
                        "Look at the server's log, or try fewer requests in flight.",
                    )
                yield Measured(**said)
            if process.wait():
                stderr.seek(0)
                tail = stderr.read().decode(errors="replace").strip().splitlines()[-5:]
                raise W251Error(
                    "The load generator ended by itself:\n" + "\n".join(tail),
                    "Try again with fewer requests in flight.",
                )
        finally:
            process.kill()
            process.wait()
            process.stdout.close()


def describe_device(config: ModelConfig, url: str) -> str:
    """What a model runs on, as its configuration says: ``CPU`` or ``GPU``; with its name if the server is here.

    Args:
        config: The model's configuration, as the server runs it.
        url: The server's address.
    """
    kinds = {group.kind for group in config.instance_group}
    here = url.rpartition(":")[0] in LOOPBACK
    machine = accelerator.describe() if here else None
    if kinds & {ModelInstanceGroup.KIND_GPU, ModelInstanceGroup.KIND_AUTO}:
        return f"GPU ({machine.gpus[0].name})" if machine and machine.gpus else "GPU"
    if kinds != {ModelInstanceGroup.KIND_CPU}:
        return "unknown device"
    cores = f"{machine.cores} core{'s' if machine.cores > 1 else ''}" if machine else ""
    return f"CPU ({machine.cpu}, {cores})" if machine else "CPU"


def _check(
    concurrencies: Sequence[int], seconds: float | None, requests: int | None, warmup: float, tool: str
) -> tuple[int, ...]:
    levels = tuple(int(n) for n in concurrencies)
    if not levels or not all(1 <= n <= MAX_CONCURRENCY for n in levels):
        raise UsageError(
            f"{list(concurrencies)} requests in flight.", f"Give one or more numbers, 1 to {MAX_CONCURRENCY}."
        )
    if seconds is not None and not 0 < seconds <= MAX_SECONDS:
        raise UsageError(f"A level cannot take {seconds} seconds.", f"Use more than 0 and at most {MAX_SECONDS:g}.")
    if requests is not None and not 1 <= requests <= MAX_REQUESTS:
        raise UsageError(f"A level cannot take {requests} requests.", f"Use 1 to {MAX_REQUESTS}.")
    if not 0 <= warmup <= MAX_SECONDS:
        raise UsageError(f"A warm-up of {warmup} seconds.", f"Use 0 to {MAX_SECONDS:g}.")
    if tool not in {"auto", "perf_analyzer", "client"}:
        raise UsageError(f"Unknown tool {tool!r}.", "Use auto, perf_analyzer or client.")
    return levels


def _random(random: np.random.Generator, dtype: str, shape: Sequence[int]) -> Array:
    if dtype == "STRING":
        return np.full(shape, b"w251lab", np.object_)
    kind = np.dtype(triton_to_np_dtype(dtype))
    if kind.kind == "f":
        return random.standard_normal(shape).astype(kind)
    return random.integers(0, 2 if kind.kind == "b" else 10, shape).astype(kind)


def _level(found: Measured, model: str, rows: int) -> Level:
    latencies = np.array(found.latencies_ms) if found.latencies_ms else np.array([np.nan])
    p50, p90, p95, p99 = (float(np.percentile(latencies, p)) for p in (50, 90, 95, 99))
    before, after = (statistics.from_json(said, model) for said in found.statistics)
    executions = after.executions - before.executions
    answered = after.successes - before.successes

    def split(part: str) -> float:
        spent: float = getattr(after, part) - getattr(before, part)
        return spent / 1e6 / answered if answered > 0 else float("nan")

    return Level(
        found.concurrency,
        len(found.latencies_ms),
        found.errors,
        found.seconds,
        len(found.latencies_ms) * rows / found.seconds,
        p50,
        p90,
        p95,
        p99,
        (after.inferences - before.inferences) / executions if executions > 0 else float("nan"),
        split("queue_ns"),
        split("input_ns"),
        split("infer_ns"),
        split("output_ns"),
        tuple(found.messages),
    )
