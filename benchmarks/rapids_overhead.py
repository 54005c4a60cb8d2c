"""What `w251lab.rapids` adds to calling scikit-learn, cuML or XGBoost directly, on the same data and device.

Prints a table in Markdown; ``--update-docs`` also writes it into docs/results.md. ``--output`` keeps the figures as
JSON, and ``--figures`` reads them again: measure on the machine with the GPU, write the document where the checkout is.

In each round the two take turns, now one first, now the other, and the ratio is that of the round: what slows the
machine for longer slows both. Each call has the device waited for before and after it. The data lies where it is worked
on.
"""

from __future__ import annotations

import argparse
import datetime as dt
import functools
import gc
import itertools
import json
import statistics
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import documents

from w251lab import accelerator
from w251lab.rapids import boosting, data, forest, kmeans
from w251lab.timing import WallClock
from w251lab.timing.timing import seconds
from w251lab.timing.versions import versions

if TYPE_CHECKING:
    from collections.abc import Callable

    from w251lab.accelerator import Device

ROOT = Path(__file__).resolve().parents[1]
NAME = "rapids_overhead"
AIM = 1.02


@dataclass(frozen=True)
class Work:
    """The same work in two spellings.

    Attributes:
        name: With its size.
        make: The data.
        ours: Does it through w251lab.
        direct: Does it through the library alone.
    """

    name: str
    make: Callable[[], Any]
    ours: Callable[[Any], object]
    direct: Callable[[Any], object]


def cluster(points: Any, device: Device) -> object:
    settings = {"n_clusters": 8, "random_state": 0, "n_init": 1, "max_iter": 300, "tol": 1e-4}
    if device == "gpu":
        from cuml.cluster import KMeans  # noqa: PLC0415

        model = KMeans(**settings, init="scalable-k-means++", oversampling_factor=2.0, output_type="cupy").fit(points)
    else:
        from sklearn.cluster import KMeans  # noqa: PLC0415

        model = KMeans(**settings, init="k-means++").fit(points)
    return model.cluster_centers_, model.labels_


def grow(table: data.Table, device: Device, **more: Any) -> Any:
    settings = {"n_estimators": 25, "max_depth": 16, "max_features": 1.0, "random_state": 10}
    if device == "gpu":
        from cuml.ensemble import RandomForestClassifier  # noqa: PLC0415

        settings |= {"n_bins": 128, "output_type": "cupy"} | more
    else:
        from sklearn.ensemble import RandomForestClassifier  # noqa: PLC0415

        settings |= {"n_jobs": -1}
    return RandomForestClassifier(**settings).fit(table.features, table.labels)


def boost(table: data.Table, device: Device) -> object:
    import xgboost as xgb  # noqa: PLC0415

    settings = {
        "device": "cuda" if device == "gpu" else "cpu", "tree_method": "hist", "max_bin": 256, "max_depth": 8,
        "learning_rate": 0.3, "objective": "binary:logistic", "eval_metric": "auc", "seed": 0,
    }  # fmt: skip
    return xgb.train(
        settings, xgb.QuantileDMatrix(table.features, label=table.labels, max_bin=256), num_boost_round=100
    )


def works(device: Device, *, tiny: bool) -> list[Work]:
    sizes: dict[str, tuple[int, ...]] = {
        "kmeans": (100_000, 1_000_000, 4_000_000) if device == "gpu" else (10_000, 100_000),
        "forest": (16_384, 131_072) if device == "gpu" else (512,),
        "boosting": (100_000, 1_000_000) if device == "gpu" else (1_000, 10_000),
    }
    if tiny:
        sizes = {"kmeans": (500,), "forest": (64,), "boosting": (40,)}
    found = [
        Work(
            f"K-means, {rows:,} x 25, 8 clusters",
            functools.partial(lambda rows: data.blobs(rows, 25, 8, std=1.0, device=device).points, rows),
            lambda points: kmeans.fit(points, 8),
            lambda points: cluster(points, device),
        )
        for rows in sizes["kmeans"]
    ]
    found += [
        Work(
            f"random forest, {rows:,} x 399, 25 trees",
            functools.partial(data.classification, rows, device=device),
            lambda table: forest.train(table.features, table.labels, trees=25),
            lambda table: grow(table, device),
        )
        for rows in sizes["forest"]
    ]
    found += [
        Work(
            f"XGBoost, {rows:,} x 100, 100 rounds",
            functools.partial(data.clicks, rows, device=device),
            lambda table: boosting.train(table.features, table.labels, rounds=100, depth=8),
            lambda table: boost(table, device),
        )
        for rows in sizes["boosting"]
    ]
    return found


def once(call: Callable[[], object], clock: WallClock) -> float:
    """Seconds of a call, without the garbage of another."""
    gc.collect()
    gc.disable()
    try:
        clock.synchronize()
        begin = clock.now()
        result = call()
        clock.synchronize()
        taken = clock.now() - begin
    finally:
        gc.enable()
    del result
    return taken


def measure(work: Work, rounds: int) -> dict[str, Any]:
    """Seconds of both, round by round, after a warm-up of each."""
    made, clock = work.make(), WallClock()
    calls = {"direct": functools.partial(work.direct, made), "ours": functools.partial(work.ours, made)}
    for call in calls.values():
        once(call, clock)
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(rounds):
        for name in list(calls) if number % 2 else reversed(list(calls)):
            taken[name].append(once(calls[name], clock))
    print(f"{work.name}: done", file=sys.stderr, flush=True)
    return {"work": work.name, **taken}


def markdown(figures: dict[str, Any]) -> str:
    lines = [
        (
            f"Measured {figures['date']} on {figures['hardware']} ({figures['versions']}). Medians of "
            f"{figures['rounds']} rounds; the ratio is the median of each round's own, beside it their middle half."
        ),
        "",
        "| Work | directly | through w251lab | ratio | middle half | at most 1.02 |",
        "|---|---:|---:|---:|---:|---|",
    ]
    for row in figures["rows"]:
        ratios = [ours / direct for ours, direct in zip(row["ours"], row["direct"], strict=True)]
        ratio = statistics.median(ratios)
        low, _, high = statistics.quantiles(ratios, n=4, method="inclusive") if len(ratios) > 1 else (ratio,) * 3
        direct, ours = (seconds(statistics.median(row[who])) for who in ("direct", "ours"))
        reached = "yes" if ratio <= AIM else "no"
        lines.append(f"| {row['work']} | {direct} | {ours} | {ratio:.3f} | {low:.3f} to {high:.3f} | {reached} |")
    return "\n".join(lines)


def run(device: Device, rounds: int, *, tiny: bool) -> dict[str, Any]:
    rows = [measure(work, rounds) for work in works(device, tiny=tiny)]
    return {
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "device": device,
        "hardware": accelerator.label(device),
        "versions": ", ".join(f"{name} {version}" for name, version in versions(device).items()),
        "rounds": rounds,
        "rows": rows,
    }


def tune_forest() -> None:
    """The forest of cuML with other settings than its own: seconds, and the accuracy on rows that were held out."""
    from w251lab.rapids import agreement  # noqa: PLC0415

    whole = data.classification(131_072 + 16_384, device="gpu")
    train = data.Table(whole.features[:131_072], whole.labels[:131_072])
    clock = WallClock()
    print("| n_streams | n_bins | max_batch_size | seconds | accuracy |\n|---:|---:|---:|---:|---:|")
    for streams, bins, batch in itertools.product((1, 4, 8, 16), (64, 128), (4096, 16_384)):
        settings = {"n_streams": streams, "n_bins": bins, "max_batch_size": batch}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # that more than one stream is not reproducible
            call = functools.partial(grow, train, "gpu", **settings)
            model = call()
            taken = statistics.median(once(call, clock) for _ in range(3))
        right = agreement.accuracy(whole.labels[131_072:], model.predict(whole.features[131_072:]))
        print(f"| {streams} | {bins} | {batch} | {taken:.2f} | {right:.4f} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="auto", help="auto, cpu or gpu")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--tiny", action="store_true", help="next to nothing of each, to see that it runs")
    parser.add_argument("--tune-forest", action="store_true", help="compare settings of cuML's forest instead")
    parser.add_argument("--output", type=Path, help="write the figures there, as JSON")
    parser.add_argument("--figures", type=Path, help="read figures from there, and measure nothing")
    parser.add_argument("--update-docs", action="store_true", help="write the table into docs/results.md")
    arguments = parser.parse_args()
    if arguments.rounds < 1:
        parser.error("--rounds takes a number from 1")
    if arguments.figures:
        figures = json.loads(arguments.figures.read_text())
    else:
        device = accelerator.require(arguments.device, "cupy", "cudf", "cuml", "xgboost")
        if arguments.tune_forest:
            accelerator.require("gpu", "cuml")
            tune_forest()
            return
        figures = run(device, arguments.rounds, tiny=arguments.tiny)
    if arguments.output:
        arguments.output.write_text(json.dumps(figures, indent=1) + "\n")
    table = markdown(figures)
    print(table)
    if arguments.update_docs:
        documents.update(ROOT / "docs" / "results.md", f"{NAME}_{figures['device']}", table)


if __name__ == "__main__":
    main()
