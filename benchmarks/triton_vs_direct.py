"""Embedded Triton against onnxruntime called directly and against a FastAPI service, on the same cores in one run.

Prints the tables in Markdown; ``--update-docs`` also writes them, the plot and the raw figures into the repository.

Every contender runs the same ONNX file and gets the same float32 picture, 588 KiB for each inference: as the body of
a request (HTTP: binary, not JSON; gRPC: raw bytes), or in system shared memory, where the request only names it. The
load generator shares the cores with what it measures: its processor time is in the last column. It is the same small
program for FastAPI and for Triton over HTTP; for gRPC it is tritonclient's asynchronous client.
"""

from __future__ import annotations

import argparse
import datetime as dt
import importlib.metadata
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from serving import contenders, report

from w251lab import accelerator

if TYPE_CHECKING:
    from serving.report import Samples

ROOT = Path(__file__).resolve().parents[1]
TUNINGS = [
    contenders.Triton(instances, threads, batch, delay)
    for instances, threads in ((contenders.CORES, 1), (1, contenders.CORES))
    for batch in (1, 2, 4, 8)
    for delay in (0, 1000)
    if batch > 1 or not delay
]


def about(rounds: int, seconds: float, how: contenders.Triton, triton: str) -> dict[str, Any]:
    machine = accelerator.describe()
    return {
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "machine": {
            "cpu": machine.cpu,
            "cores": machine.cores,
            "memory_gib": round(machine.memory / 2**30),
            "platform": machine.platform.split(",", maxsplit=1)[0],
        },
        "versions": {
            "triton": triton,
            **{name: importlib.metadata.version(name) for name in ("onnxruntime", "fastapi", "uvicorn")},
        },
        "model": f"{contenders.MODEL.title}, batch 1 in each request",
        "triton": vars(how),
        "rounds": rounds,
        "seconds": seconds,
    }


def run(how: contenders.Triton, levels: list[int], rounds: int, seconds: float) -> tuple[Samples, str]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="w251lab-bench-")))
        ways = stack.enter_context(contenders.triton(folder, how))
        everyone = [
            *contenders.direct(levels),
            *ways,
            stack.enter_context(contenders.fastapi()),
        ]
        samples: Samples = {contender.name: {level: [] for level in levels} for contender in everyone}
        for number in range(rounds):
            for level in levels:
                for contender in everyone:
                    samples[contender.name][level].append(contender.measure(level, seconds))
            print(f"round {number + 1} of {rounds} done", flush=True)
        return samples, ways[0].version()


def tune(levels: list[int], rounds: int, seconds: float) -> None:
    """Each way to serve against direct calls, over HTTP with shared memory."""
    reference = contenders.direct([contenders.CORES])[0]
    print(
        "| instances | threads | max batch | delay us | in flight | inferences/s | of direct | batch | CPU ms | "
        "direct CPU ms | others |"
    )
    print(f"|{'---:|' * 11}")
    for how in TUNINGS:
        with (
            tempfile.TemporaryDirectory(prefix="w251lab-bench-") as folder,
            contenders.triton(Path(folder), how) as ways,
        ):
            for level in levels:
                pairs = [
                    (ways[0].measure(level, seconds), reference.measure(contenders.CORES, seconds))
                    for _ in range(rounds)
                ]
                served = [pair[0] for pair in pairs]
                ratio = report.statistics.median(a.throughput / b.throughput for a, b in pairs)
                print(
                    f"| {how.instances} | {how.threads} | {how.max_batch_size} | {how.max_queue_delay_us} | {level} | "
                    f"{report.median(served, 'throughput'):.0f} | {ratio:.2f} | "
                    f"{report.median(served, 'average_batch'):.1f} | {report.median(served, 'server_cpu_ms'):.2f} | "
                    f"{report.median([pair[1] for pair in pairs], 'server_cpu_ms'):.2f} | "
                    f"{report.median(served, 'others_cores'):.1f} |",
                    flush=True,
                )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="of measurements, interleaved")
    parser.add_argument("--seconds", type=float, default=1.5, help="of each measurement")
    parser.add_argument("--concurrency", type=int, nargs="+", default=[1, 2, 4, 8, 16])
    parser.add_argument("--tune", action="store_true", help="compare ways to serve, instead of contenders")
    parser.add_argument("--output", type=Path, help="write the raw figures there, as JSON")
    parser.add_argument("--update-docs", action="store_true", help="write docs/results.md, its plot and the figures")
    arguments = parser.parse_args()
    if arguments.tune:
        tune(arguments.concurrency, arguments.rounds, arguments.seconds)
        return
    how = contenders.Triton()
    samples, version = run(how, arguments.concurrency, arguments.rounds, arguments.seconds)
    conditions = about(arguments.rounds, arguments.seconds, how, version)
    table = report.markdown(samples, conditions)
    print(table)
    if arguments.output:
        arguments.output.write_text(report.record(samples, conditions))
    if arguments.update_docs:
        (ROOT / "benchmarks" / "results" / "triton_vs_direct.json").write_text(report.record(samples, conditions))
        report.plot(samples, conditions, ROOT / "docs" / "images" / "triton_vs_direct.svg")
        report.update(ROOT / "docs" / "results.md", table)


if __name__ == "__main__":
    main()
