"""Preprocessing on the server against preprocessing on the client: images a second, and bytes on the wire.

    python benchmarks/dali_serving.py [--device gpu] [--update-docs]

Both ways end in the same classifier on the same embedded server, with dynamic batching, in one run and round by round:

- on the server: the encoded file is sent to the ensemble, which decodes, resizes and crops it with DALI;
- on the client: Pillow does that, in as many threads as there are requests in flight, and 588 KiB of float32 are sent.

Each way is asked about so many pictures at once that each client has four requests to send, one after the other. A
batch is one request, so those of 8 get 8 times as many pictures.

The clients run on the same cores as the server, and their processor time is in the table. Bytes are counted by a relay
between the two, in a pass of their own that is not timed: the payload of TCP, with the headers of HTTP or gRPC in it.
Prints the tables in Markdown.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime as dt
import json
import os
import statistics
import tempfile
import time
from contextlib import ExitStack
from itertools import cycle, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import documents
import psutil

from w251lab import accelerator
from w251lab.dali import bundled, serving
from w251lab.triton import server

if TYPE_CHECKING:
    from w251lab.dali.serving.ask import Clients
    from w251lab.triton.endpoints import Server

ROOT = Path(__file__).resolve().parents[1]
NAME = "dali_serving"
#: What is asked how: where the preprocessing is, and the arguments of the clients.
WAYS: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "server, gRPC": ("server", {"protocol": "grpc"}),
    "server, gRPC, padded batches of 8": ("server", {"protocol": "grpc", "way": "padded", "batch_size": 8}),
    "server, HTTP": ("server", {"protocol": "http"}),
    "server, HTTP, the file alone": ("server", {"protocol": "http", "way": "raw"}),
    "client, gRPC": ("client", {"protocol": "grpc"}),
    "client, HTTP": ("client", {"protocol": "http"}),
}
SIZES: Final = ((320, 240), (1024, 768), (2048, 1536))
PICTURES: Final = 32
#: Of each client, from one wait for all answers to the next.
REQUESTS: Final = 4


@dataclasses.dataclass(frozen=True)
class Sample:
    """One measurement; processor times are milliseconds for each image."""

    images_per_second: float
    server_cpu_ms: float
    client_cpu_ms: float
    others_cores: float


def clients(way: str, where: Server, concurrency: int) -> Clients:
    side, how = WAYS[way]
    kind = serving.EncodedClients if side == "server" else serving.PreparingClients
    return kind(where, concurrency=concurrency, **how)


def for_each_client(way: str, contents: list[bytes], concurrency: int) -> list[bytes]:
    """The pictures, again and again, so many that ``concurrency`` requests are in flight most of the time."""
    batch_size = WAYS[way][1].get("batch_size", 1)
    return list(islice(cycle(contents), max(len(contents), concurrency * batch_size * REQUESTS)))


def measure(
    asking: Clients, contents: list[bytes], asked: list[bytes], seconds: float, process: psutil.Process
) -> Sample:
    """Ask about all of ``asked`` again and again for so long, after once about ``contents``."""

    def served() -> float:
        return sum(sum(one.cpu_times()[:2]) for one in [process, *process.children(recursive=True)])

    def own() -> float:
        return sum(os.times()[:2])

    def busy() -> float:
        machine = psutil.cpu_times()
        return float(sum(machine) - machine.idle - machine.iowait)

    asking.classify(contents)  # connections, the model's configuration, and the server's memory for each size
    count, before = 0, (served(), own(), busy())
    begin = time.perf_counter()
    while (elapsed := time.perf_counter() - begin) < seconds:
        failed = [answer.error for answer in asking.classify(asked) if not answer.ok]
        if failed:
            raise SystemExit(f"a request failed: {failed[0]}")
        count += len(asked)
    by_server, by_client, by_all = (after - was for after, was in zip((served(), own(), busy()), before, strict=True))
    others = max(0.0, by_all - by_server - by_client) / elapsed
    return Sample(count / elapsed, 1000 * by_server / count, 1000 * by_client / count, others)


def wire(running: Server, way: str, contents: list[bytes]) -> tuple[float, float]:
    """Bytes sent and received for each image."""
    with serving.wire.Counted(running) as counted, clients(way, counted.server, 1) as asking:
        asking.classify(contents[:1])
        counted.reset()
        asking.classify(contents)
        return counted.sent / len(contents), counted.received / len(contents)


def run(levels: list[int], rounds: int, seconds: float, device: str, pictures: int) -> dict[str, Any]:
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="w251lab-bench-"))
        service = serving.Service(device="gpu" if device == "gpu" else "cpu")
        running = stack.enter_context(server.start(serving.write(folder, service)))
        (process,) = [p for p in psutil.Process().children(recursive=True) if p.name() == "tritonserver"]
        found: dict[str, Any] = {}
        for width, height in SIZES:
            source = bundled.photographs(pictures, (width, height))
            contents = [source.read(index) for index in range(len(source))]
            rows: dict[str, Any] = {
                way: {"wire": wire(running, way, contents), "levels": {level: [] for level in levels}} for way in WAYS
            }
            for number in range(rounds):
                for level in levels:
                    for way, row in rows.items():
                        asked = for_each_client(way, contents, level)
                        with clients(way, running, level) as asking:
                            row["levels"][level].append(measure(asking, contents, asked, seconds, process))
                print(f"{width} x {height}: round {number + 1} of {rounds} done", flush=True)
            found[f"{width} x {height}"] = {"file_bytes": statistics.mean(map(len, contents)), "ways": rows}
        with running.client() as client:
            version = client.server_metadata()["version"]
    return {"sizes": found, "triton": version}


def about(arguments: argparse.Namespace) -> dict[str, Any]:
    machine = accelerator.describe()
    return {
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "device": accelerator.label(arguments.device),
        "memory_gib": round(machine.memory / 2**30),
        "platform": machine.platform.split(",", maxsplit=1)[0],
        "rounds": arguments.rounds,
        "seconds": arguments.seconds,
        "pictures": arguments.pictures,
        "command": command(arguments),
    }


def command(arguments: argparse.Namespace) -> str:
    """With which numbers it was called, those that were not given included."""
    levels = " ".join(map(str, arguments.concurrency))
    return (
        f"benchmarks/dali_serving.py --device {arguments.device} --pictures {arguments.pictures} "
        f"--rounds {arguments.rounds} --seconds {arguments.seconds:g} --concurrency {levels}"
    )


def median(samples: list[Sample], field: str) -> float:
    return statistics.median(getattr(sample, field) for sample in samples)


def markdown(found: dict[str, Any], conditions: dict[str, Any]) -> str:
    every = [
        sample
        for size in found["sizes"].values()
        for row in size["ways"].values()
        for samples in row["levels"].values()
        for sample in samples
    ]
    others = statistics.median(sample.others_cores for sample in every)
    lines = [
        (
            f"Measured {conditions['date']} on {conditions['device']}, {conditions['memory_gib']} GiB, "
            f"{conditions['platform']}; meanwhile other processes kept {others:.1f} cores busy. "
            f"Triton {found['triton']}, EfficientNet-Lite0. Medians of {conditions['rounds']} interleaved rounds of "
            f"{conditions['seconds']:g} s or a little longer, of {conditions['pictures']} different pictures of each "
            f"size: `{conditions['command']}`."
        ),
    ]
    for size, measured in found["sizes"].items():
        levels = list(next(iter(measured["ways"].values()))["levels"])
        most = levels[-1]
        heads = [f"images/s, requests in flight: {level}" for level in levels]
        lines += [
            "",
            f"Pictures of {size} pixels, {measured['file_bytes'] / 1024:.0f} KiB each as JPEG files:",
            "",
            f"| Preprocessing on the | {' | '.join(heads)} | KiB sent | KiB received | server CPU ms | client CPU ms |",
            f"|---|{'---:|' * (len(levels) + 4)}",
        ]
        for way, row in measured["ways"].items():
            rates = " | ".join(f"{median(row['levels'][level], 'images_per_second'):.0f}" for level in levels)
            sent, received = (count / 1024 for count in row["wire"])
            server_ms, client_ms = (median(row["levels"][most], f"{side}_cpu_ms") for side in ("server", "client"))
            lines.append(f"| {way} | {rates} | {sent:.1f} | {received:.1f} | {server_ms:.1f} | {client_ms:.1f} |")
    lines += ["", f"Bytes and processor times are for each image, the latter with {most} requests in flight."]
    return "\n".join(lines)


def record(found: dict[str, Any], conditions: dict[str, Any]) -> str:
    def plain(value: Any) -> Any:
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            value = dataclasses.asdict(value)
        if isinstance(value, dict):
            return {str(key): plain(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [plain(item) for item in value]
        return round(value, 4) if isinstance(value, float) else value

    return json.dumps(plain({**conditions, **found}), indent=1) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="of measurements, interleaved")
    parser.add_argument("--seconds", type=float, default=3.0, help="of each measurement")
    parser.add_argument("--concurrency", type=int, nargs="+", default=[1, 8])
    parser.add_argument("--pictures", type=int, default=PICTURES, help="of each size")
    parser.add_argument("--device", choices=["cpu", "gpu"], default="cpu")
    parser.add_argument("--output", type=Path, help="write the raw figures there, as JSON")
    parser.add_argument("--update-docs", action="store_true", help="write docs/results.md and the figures")
    arguments = parser.parse_args()
    found = run(arguments.concurrency, arguments.rounds, arguments.seconds, arguments.device, arguments.pictures)
    conditions = about(arguments)
    text = markdown(found, conditions)
    print(text)
    name = NAME if arguments.device == "cpu" else f"{NAME}_gpu"
    if arguments.output:
        arguments.output.write_text(record(found, conditions))
    if arguments.update_docs:
        (ROOT / "benchmarks" / "results" / f"{name}.json").write_text(record(found, conditions))
        documents.update(ROOT / "docs" / "results.md", name, text)


if __name__ == "__main__":
    main()
