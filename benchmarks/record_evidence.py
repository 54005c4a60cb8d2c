"""Record what a server says of itself, and how fast it answers, on this machine's devices, for the labs.

    python benchmarks/record_evidence.py FOLDER [--devices gpu cpu] [--seconds 3]

Writes ``<device>.json`` (the metrics page and the model's configuration, as the server gave them, after some traffic)
for each device, and ``sweeps.json`` (throughput and latency over concurrency, with and without dynamic batching, with
one instance and two). The GPU's unique number is replaced by zeros; nothing else is changed.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime as dt
import json
import re
import tempfile
import urllib.request
from pathlib import Path

from w251lab import accelerator
from w251lab.triton import load, metrics, repository, server
from w251lab.triton.classifiers import describe
from w251lab.triton.repository import DynamicBatching

MODEL = "efficientnet_lite0"
LEVELS = (1, 4, 16, 64)
UUID = re.compile(r"GPU-[0-9a-f-]{36}")


def record(device: accelerator.Device, seconds: float) -> tuple[dict, list[dict]]:
    """The evidence of one device, and its sweeps."""
    batching = DynamicBatching(max_queue_delay_us=2000)
    variants = {
        "each request alone": describe(MODEL, device=device),
        "dynamic batching": describe(MODEL, served_as="joined", device=device, dynamic_batching=batching),
        "2 instances": describe(MODEL, served_as="two", device=device, instances=2),
        "dynamic batching, 2 instances": describe(
            MODEL, served_as="joined_two", device=device, instances=2, dynamic_batching=batching
        ),
    }
    folder = repository.write(tempfile.mkdtemp(), list(variants.values()))
    sweeps = []
    with server.start(folder) as triton:
        for variant, model in variants.items():
            result = load.sweep(
                triton, model.name, LEVELS, seconds=seconds, tool="client", device=accelerator.label(device)
            )
            sweeps.append({"variant": variant, "device_kind": device, "sweep": json.loads(result.to_json())})
            print(device, variant, result.to_frame()[["throughput", "p95_ms", "average_batch"]].round(2), sep="\n")
        with urllib.request.urlopen(f"http://{triton.http}/v2/models/{MODEL}/config", timeout=10) as answer:
            config = json.load(answer)
        page = UUID.sub("GPU-" + "0" * 8 + "-0000" * 3 + "-" + "0" * 12, metrics.fetch(triton))
    return {"metrics": page, "config": config}, sweeps


def table(sweeps: list[dict]) -> str:
    """The sweeps as a Markdown table; a cell holds pictures a second, the 95th percentile and the average batch."""
    levels = [level["concurrency"] for level in sweeps[0]["sweep"]["levels"]]
    head = ["device", "variant", *(f"{level} in flight" for level in levels)]
    rows = [
        [
            record["sweep"]["device"],
            record["variant"],
            *(
                f"{level['throughput']:.0f}/s, {level['p95_ms']:.1f} ms, {level['average_batch']:.1f}"
                for level in record["sweep"]["levels"]
            ),
        ]
        for record in sweeps
    ]
    rule = ["---", "---", *("---:" for _ in levels)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [head, rule, *rows])


def main() -> None:
    """Record the devices asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--devices", nargs="+", choices=("cpu", "gpu"), default=["gpu", "cpu"])
    parser.add_argument("--seconds", type=float, default=3.0)
    arguments = parser.parse_args()
    machine = accelerator.describe()
    about = {
        "recorded": dt.datetime.now(tz=dt.UTC).date().isoformat(),
        "cpu": machine.cpu,
        "cores": machine.cores,
        "gpus": [dataclasses.asdict(gpu) for gpu in machine.gpus],
        "by": "benchmarks/record_evidence.py",
    }
    arguments.folder.mkdir(parents=True, exist_ok=True)
    everything = []
    for device in arguments.devices:
        evidence, sweeps = record(device, arguments.seconds)
        (arguments.folder / f"{device}.json").write_text(json.dumps(about | evidence, indent=1) + "\n")
        everything += sweeps
    print(table(everything))
    (arguments.folder / "sweeps.json").write_text(json.dumps(about | {"sweeps": everything}, indent=1) + "\n")


if __name__ == "__main__":
    main()
