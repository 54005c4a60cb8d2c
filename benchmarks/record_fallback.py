"""Record what zero-code-change acceleration does to the two scripts of the RAPIDS lab, on a machine with a GPU.

    python benchmarks/record_fallback.py FOLDER [--times 20] [--rounds 3]

FOLDER is where the lab's evidence lies, solutions/02_rapids/evidence. Each script runs as it is and under its
accelerator, in turns, each time in a process of its own; it says itself how long it took, and the median of the rounds
is kept: ``data_frames_runs.json``. Then it runs once more under the accelerator's profiler:
``data_frames_flights_report.json`` and ``data_frames_delay_model.json``.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import re
import subprocess
import sys
from pathlib import Path
from statistics import median

from w251lab import accelerator
from w251lab.rapids import fallback

LAB = Path(__file__).resolve().parents[1] / "solutions" / "02_rapids"
TOOK = re.compile(r"took ([0-9.]+) s")


def seconds(*command: str) -> float:
    """What the last line of a script says."""
    done = subprocess.run([sys.executable, *command], cwd=LAB, stdout=subprocess.PIPE, text=True, check=True)
    last = done.stdout.splitlines()[-1]
    found = TOOK.search(last)
    if found is None:
        raise SystemExit(f"{' '.join(command)} does not end with the seconds that it took, but with: {last}")
    return float(found[1])


def timed(script: str, kind: str, arguments: list[str], rounds: int) -> dict[str, object]:
    """The script as it is, and under its accelerator."""
    found: dict[str, list[float]] = {"plain": [], "accelerated": []}
    for _ in range(rounds):
        found["plain"].append(seconds(script, *arguments))
        found["accelerated"].append(seconds("-m", kind, script, *arguments))
    print(script, found)
    return {
        "script": " ".join([script, *arguments]),
        "accelerator": kind,
        "plain_seconds": median(found["plain"]),
        "accelerated_seconds": median(found["accelerated"]),
    }


def main() -> None:
    """Record everything."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--times", type=int, default=20, help="how often the report's year is repeated")
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    accelerator.require("gpu", "cudf", "cuml")
    work = [("flights_report.py", "cudf.pandas", [str(chosen.times)]), ("delay_model.py", "cuml.accel", [])]
    chosen.folder.mkdir(parents=True, exist_ok=True)
    timings = [timed(*each, chosen.rounds) for each in work]  # first: libraries compile and cache in the first run
    versions = {}
    for script, kind, arguments in work:
        profile = fallback.profile(LAB / script, kind, arguments)
        print(profile, profile.frame(), sep="\n")
        profile.save(chosen.folder / f"data_frames_{Path(script).stem}.json")
        versions |= profile.versions
    runs = {
        "hardware": accelerator.label("gpu"),
        "processor": accelerator.label("cpu"),
        "versions": versions,
        "made": dt.datetime.now(dt.UTC).date().isoformat(),
        "rounds": chosen.rounds,
        "runs": timings,
    }
    (chosen.folder / "data_frames_runs.json").write_text(json.dumps(runs, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
