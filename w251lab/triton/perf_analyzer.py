"""NVIDIA's own load generator, where it is installed: run it, and read its report.

perf_analyzer comes with NVIDIA's SDK image (``tritonserver:YY.MM-py3-sdk``), and as a binary in tritonclient's wheels
for manylinux1 up to 2.60.0. Its options and report: "Perf Analyzer" in the Triton documentation; verified with 2.45.0.
"""

from __future__ import annotations

import base64
import csv
import io
import json
import math
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from tritonclient.grpc.model_config_pb2 import DataType
from tritonclient.utils import triton_to_np_dtype

from w251lab.errors import UsageError, W251Error
from w251lab.triton.errors import InferenceFailedError, ServerUnavailableError
from w251lab.triton.load_generator import MAX_REQUESTS
from w251lab.triton.load_result import Level

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tritonclient.grpc.model_config_pb2 import ModelConfig

    from w251lab.triton.load_generator import Task
    from w251lab.triton.requests import Array

ENVIRONMENT_VARIABLE = "W251LAB_PERF_ANALYZER"
HOW_TO_GET_IT = (
    "Use tool='client'; or run in NVIDIA's SDK image (tritonserver:YY.MM-py3-sdk), or point "
    f"{ENVIRONMENT_VARIABLE} at the binary."
)
# perf_analyzer measures in windows and wants three that agree within a percentage; with a percentage this large the
# first three make the level, and its duration is known beforehand.
WINDOWS = 3
ANY_STABILITY = "99999"
GRACE_SECONDS = 60.0  # to start, to finish the last requests and to write the report


def find() -> Path | None:
    """The perf_analyzer of this machine: ``$W251LAB_PERF_ANALYZER``, else the one on PATH, else None.

    Raises:
        UsageError: The variable names something that is not a program.
    """
    named = os.environ.get(ENVIRONMENT_VARIABLE)
    found = shutil.which(named or "perf_analyzer")
    if named and not found:
        raise UsageError(
            f"{ENVIRONMENT_VARIABLE} is {named!r}, which is not a program.", "Correct the variable, or unset it."
        )
    return Path(found) if found else None


def version(program: Path) -> str:
    """Its name and version, such as ``perf_analyzer 2.45.0``.

    Raises:
        W251Error: It does not run here.
    """
    said = _run([str(program), "--version"], 30.0)
    number = re.search(r"\d+(\.\d+)+\w*", said)
    return f"perf_analyzer {number.group()}" if number else "perf_analyzer"


def measure(program: Path, task: Task, config: ModelConfig, inputs: Mapping[str, Array]) -> Iterator[Level]:
    """Measure each level with one run of perf_analyzer.

    Args:
        program: The perf_analyzer.
        task: What to measure; its warm-up is the caller's.
        config: The model's configuration.
        inputs: The request.

    Raises:
        InferenceFailedError: A request failed: perf_analyzer gives up then.
        ServerUnavailableError: It did not end in time.
        W251Error: It does not run here.
    """
    rows = len(next(iter(inputs.values()))) if config.max_batch_size else 1
    with tempfile.TemporaryDirectory(prefix="w251lab-") as name:
        folder = Path(name)
        data = folder / "inputs.json"
        data.write_text(json.dumps(input_data(config, inputs)))
        for concurrency in task.levels:
            report = folder / f"{concurrency}.csv"
            said = _run(
                [
                    str(program),
                    *arguments(task, config, concurrency, rows),
                    "--input-data",
                    str(data),
                    "-f",
                    str(report),
                ],
                task.seconds + task.timeout + GRACE_SECONDS,
            )
            yield parse(report.read_text() if report.exists() else "", said, rows)


def arguments(task: Task, config: ModelConfig, concurrency: int, rows: int) -> list[str]:
    """perf_analyzer's arguments for one level.

    Args:
        task: What to measure; with regions, perf_analyzer makes its own in shared memory.
        config: The model's configuration.
        concurrency: Requests in flight.
        rows: The batch size.
    """
    by_count = task.requests < MAX_REQUESTS
    words = ["-m", task.model, "-u", task.url, "-i", task.protocol, "--async", "-b", str(rows)]
    words += ["-x", task.version] if task.version else []
    words += ["--concurrency-range", str(concurrency), "-r", str(WINDOWS), "-s", ANY_STABILITY]
    words += ["-p", str(max(100, round(task.seconds * 1000 / WINDOWS)))]
    if by_count:
        words += ["--measurement-mode", "count_windows"]
        words += ["--measurement-request-count", str(math.ceil(task.requests / WINDOWS))]
    if task.regions:
        words += ["--shared-memory", "system", "--output-shared-memory-size", str(_output_bytes(config, rows))]
    return words


def input_data(config: ModelConfig, inputs: Mapping[str, Array]) -> dict[str, Any]:
    """A request in perf_analyzer's JSON form, one entry for each row.

    Args:
        config: The model's configuration.
        inputs: The request.
    """
    batched = config.max_batch_size > 0
    count = len(next(iter(inputs.values()))) if batched else 1
    types = {tensor.name: DataType.Name(tensor.data_type) for tensor in config.input}

    def entry(name: str, row: Array) -> dict[str, Any]:
        if types[name] == "TYPE_STRING":
            texts = [t.decode() if isinstance(t, bytes) else str(t) for t in row.reshape(-1).tolist()]
            return {"content": texts, "shape": list(row.shape)}
        return {"content": {"b64": base64.b64encode(row.tobytes()).decode()}, "shape": list(row.shape)}

    return {
        "data": [
            {name: entry(name, array[row] if batched else array) for name, array in inputs.items()}
            for row in range(count)
        ]
    }


def parse(report: str, said: str, rows: int) -> Level:
    """Read perf_analyzer's report of one level.

    Args:
        report: The CSV file (``-f``).
        said: What it printed, which alone holds the counts.
        rows: The batch size.

    Raises:
        W251Error: It is not such a report.
    """
    try:
        (row,) = csv.DictReader(io.StringIO(report))
        throughput = float(row["Inferences/Second"])
        p50, p90, p95, p99 = (float(row[f"p{p} latency"]) / 1000 for p in (50, 90, 95, 99))
        queue, gather, infer, output = (
            float(row[f"Server {part}"]) / 1000
            for part in ("Queue", "Compute Input", "Compute Infer", "Compute Output")
        )
        requests = _count(r"Request count", said)
        executions = _count(r"Execution count", said)
        inferences = _count(r"Inference count", said)
        concurrency = int(row["Concurrency"])
    except (ValueError, KeyError) as error:
        tail = "\n".join(said.strip().splitlines()[-5:])
        raise W251Error(
            f"perf_analyzer's report cannot be read ({error!r}); it said:\n{tail}", "Use tool='client'."
        ) from error
    return Level(
        concurrency,
        requests,
        0,
        requests * rows / throughput if throughput else float("nan"),
        throughput,
        p50,
        p90,
        p95,
        p99,
        inferences / executions if executions else float("nan"),
        queue,
        gather,
        infer,
        output,
    )


def _output_bytes(config: ModelConfig, rows: int) -> int:
    """Room for the largest output; for one whose size is not known beforehand perf_analyzer's own default."""
    sizes = [100 * 1024]
    for tensor in config.output:
        kind = triton_to_np_dtype(DataType.Name(tensor.data_type).removeprefix("TYPE_"))
        if kind is not None and min(tensor.dims) > 0:
            sizes.append(rows * math.prod(tensor.dims) * np.dtype(kind).itemsize)
    return max(sizes)


def _count(what: str, said: str) -> int:
    found = re.search(rf"{what}: (\d+)", said)
    if found is None:
        raise ValueError(f"no {what!r} in its output")
    return int(found.group(1))


def _run(command: list[str], timeout: float) -> str:
    """Run perf_analyzer; what it said."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=timeout, check=False)
    except subprocess.TimeoutExpired as error:
        raise ServerUnavailableError(
            f"perf_analyzer did not end within {timeout:g} s.",
            "Look at the server's log, or measure for a shorter time.",
        ) from error
    except OSError as error:
        raise W251Error(f"{command[0]} does not run: {error}.", HOW_TO_GET_IT) from error
    if done.returncode == 127 or "error while loading shared libraries" in done.stderr:
        raise W251Error(f"{command[0]} does not run here: {done.stderr.strip()[-300:]}.", HOW_TO_GET_IT)
    if done.returncode:
        reasons = list(
            dict.fromkeys(line for line in done.stderr.splitlines() if line.strip() and "WARNING" not in line)
        )
        raise InferenceFailedError(
            "perf_analyzer gave up; it said:\n" + "\n".join(reasons[-5:]),
            "Mend what it names, or use tool='client', which counts failed requests and goes on.",
        )
    return done.stdout + done.stderr  # the version goes to the one, the counts to the other
