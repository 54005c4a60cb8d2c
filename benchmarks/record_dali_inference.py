"""Record what it saves to prepare pictures on the server, on this machine's devices, for the lab on DALI in Triton.

    python benchmarks/record_dali_inference.py FOLDER [--devices gpu cpu] [--rounds 20]

Writes ``<device>.json`` for each device: pictures a second, bytes on the wire and the client's processor time, with the
pictures prepared by the client (Pillow, float32 to the classifier alone) and by the server (files to the ensemble),
over the number of requests under way. The work is that of the notebook's last table; the notebook shows such files, and
says that they were recorded.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from w251lab import accelerator
from w251lab.dali import bundled, serving
from w251lab.triton import server

if TYPE_CHECKING:
    from w251lab.triton.endpoints import Server

LEVELS = (1, 8, 64)
WAYS = {"client": serving.PreparingClients, "server": serving.EncodedClients}


def measure(triton: Server, contents: list[bytes], who: str, level: int) -> dict[str, float | int | str]:
    """One row of the table: ``who`` prepares the pictures, with ``level`` requests under way."""
    with WAYS[who](triton, concurrency=level) as clients:
        clients.classify(contents[: max(64, 2 * level)])  # the first requests are slower than those to come
        start, work = time.perf_counter(), time.process_time()
        answers = clients.classify(contents)
        seconds, work = time.perf_counter() - start, time.process_time() - work
    failed = [answer.error for answer in answers if not answer.ok]
    if failed:
        raise SystemExit(f"{len(failed)} of {len(answers)} pictures failed: {failed[0]}")
    few = contents[:64]  # each of the pictures once
    with serving.wire.Counted(triton) as counted, WAYS[who](counted.server, concurrency=level) as clients:
        clients.classify(few)
    return {
        "prepared by the": who,
        "requests under way": level,
        "pictures/s": round(len(contents) / seconds, 1),
        "client's CPU, ms a picture": round(1e3 * work / len(contents), 2),
        "kB sent a picture": round(counted.sent / len(few) / 1e3, 1),
    }


def record(device: accelerator.Device, rounds: int) -> dict[str, object]:
    """The figures of one device."""
    source = bundled.source()
    pictures = [source.read(index) for index in range(len(source))]
    folder = serving.write(tempfile.mkdtemp(), serving.Service(device=device))
    with server.start(folder, remove_repository=True) as triton:
        rows = [measure(triton, pictures * rounds, who, level) for level in LEVELS for who in WAYS]
    return {
        "device": accelerator.label(device),
        "device_kind": device,
        "processor": accelerator.label("cpu"),
        "made": dt.datetime.now(dt.UTC).date().isoformat(),
        "pictures": len(pictures) * rounds,
        "rows": rows,
    }


def main() -> None:
    """Record the devices asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--devices", nargs="+", choices=("cpu", "gpu"), default=["gpu", "cpu"])
    parser.add_argument("--rounds", type=int, default=20, help="how often each picture is asked about")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    for device in given.devices:
        found = record(accelerator.resolve_device(device), given.rounds)
        (given.folder / f"{device}.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
