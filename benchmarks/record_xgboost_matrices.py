"""Record what it costs to make XGBoost's matrix on a GPU machine, for the XGBoost notebook of the RAPIDS lab.

    python benchmarks/record_xgboost_matrices.py [FILE] [--rows 1000000] [--rounds 100] [--depth 8]

Writes FILE (by default the notebook's ``evidence/xgboost_matrices.json``): the medians of making a DMatrix and a
QuantileDMatrix from rows in host memory, from rows that are copied to the GPU first, and from rows that are there
already; and of the training on the GPU that follows.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from w251lab import accelerator, timing
from w251lab.rapids import arrays, boosting, data

if TYPE_CHECKING:
    from collections.abc import Callable

FILE = Path(__file__).parents[1] / "solutions" / "02_rapids" / "evidence" / "xgboost_matrices.json"
FEATURES = 100
BUDGET = timing.Budget(seconds=5, at_least=5)


def record(rows: int, rounds: int, depth: int) -> dict:
    """Measure on this machine's GPU, and on its CPU what XGBoost makes there."""
    made = data.clicks(rows, FEATURES, seed=251, device="gpu")
    there = (made.features, made.labels)
    here = arrays.to_host(there)
    ways: dict[str, Callable] = {
        "rows in host memory": lambda kind: boosting.matrix(*here, kind=kind),
        "copied to the GPU first": lambda kind: boosting.matrix(*arrays.to_device(here, "gpu"), kind=kind),
        "rows in GPU memory": lambda kind: boosting.matrix(*there, kind=kind),
    }
    timings = {
        name: {
            way: timing.measure(partial(make, kind), name=f"{name}, {way}", budget=BUDGET) for way, make in ways.items()
        }
        for name, kind in (("DMatrix", "plain"), ("QuantileDMatrix", "quantile"))
    }
    matrix = boosting.matrix(*there)
    train = partial(boosting.train, matrix, rounds=rounds, depth=depth)
    training = timing.measure(train, device="gpu", name="training", budget=BUDGET)
    for measured in [*(each for row in timings.values() for each in row.values()), training]:
        print(measured)
    driver = accelerator.describe().gpus[0].driver
    return {
        "hardware": f"{training.hardware} (driver {driver}) beside {accelerator.label('cpu')}",
        "made": dt.datetime.now(tz=dt.UTC).date().isoformat(),
        "how": "medians of warm calls",
        "versions": training.versions,
        "rows": rows,
        "features": FEATURES,
        "rounds": rounds,
        "depth": depth,
        "training_s": round(training.median, 5),
        "matrix_s": {name: {way: round(t.median, 5) for way, t in row.items()} for name, row in timings.items()},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Record what it costs to make XGBoost's matrix on a GPU machine.")
    parser.add_argument("file", type=Path, nargs="?", default=FILE)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--depth", type=int, default=8)
    chosen = parser.parse_args()
    accelerator.require("gpu", "cupy", "cudf", "xgboost")
    recorded = record(chosen.rows, chosen.rounds, chosen.depth)
    chosen.file.parent.mkdir(parents=True, exist_ok=True)
    chosen.file.write_text(json.dumps(recorded, indent=2) + "\n", encoding="utf-8")
    print(chosen.file.name)


if __name__ == "__main__":
    main()
