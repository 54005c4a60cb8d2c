"""The record of a run: medians, ratios, JSON, a table in Markdown and a plot."""

from __future__ import annotations

import dataclasses
import json
import statistics
from typing import TYPE_CHECKING, Any

import documents
import matplotlib as mpl
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from pathlib import Path

    from serving.contenders import Sample

Samples = dict[str, dict[int, list["Sample"]]]
DIRECT = "onnxruntime, batch 1"
BATCHES = "onnxruntime, batches"
COLOURS = {
    DIRECT: "#000000",
    BATCHES: "#999999",
    "Triton, HTTP, shared memory": "#0072B2",
    "Triton, HTTP": "#56B4E9",
    "Triton, gRPC, shared memory": "#009E73",
    "Triton, gRPC": "#E69F00",
    "FastAPI": "#D55E00",
}
NAME = "triton_vs_direct"
BEGIN, END = documents.markers(NAME)


def median(samples: list[Sample], field: str) -> float:
    """The median over the rounds."""
    return statistics.median(getattr(sample, field) for sample in samples)


def best_level(levels: dict[int, list[Sample]]) -> int:
    """The level with the highest median throughput."""
    return max(levels, key=lambda level: median(levels[level], "throughput"))


def ratio(samples: Samples, name: str, other: str) -> float:
    """The median over the rounds of one contender's throughput over another's, each at its best level.

    A round's measurements lie within seconds of each other: what slows the machine for longer slows both.
    """
    mine, theirs = (samples[who][best_level(samples[who])] for who in (name, other))
    return statistics.median(a.throughput / b.throughput for a, b in zip(mine, theirs, strict=True))


def cpu_ratio(samples: Samples, name: str, other: str) -> float:
    """As :func:`ratio`, of the inferences for each second of processor time, the load generator's included."""
    mine, theirs = (samples[who][best_level(samples[who])] for who in (name, other))
    return statistics.median(
        (b.server_cpu_ms + b.generator_cpu_ms) / (a.server_cpu_ms + a.generator_cpu_ms)
        for a, b in zip(mine, theirs, strict=True)
    )


def others(samples: Samples) -> float:
    """The median over all measurements of the cores that other processes kept busy."""
    return statistics.median(s.others_cores for levels in samples.values() for found in levels.values() for s in found)


def summary(samples: Samples) -> dict[str, Any]:
    """For each contender its best level, the medians there, and the ratios to direct calls and to FastAPI."""
    reference = max((DIRECT, BATCHES), key=lambda name: median(samples[name][best_level(samples[name])], "throughput"))
    found: dict[str, Any] = {"reference": reference, "contenders": {}}
    for name, levels in samples.items():
        level = best_level(levels)
        fields = [field.name for field in dataclasses.fields(levels[level][0])]
        found["contenders"][name] = {
            "best_level": level,
            **{field: median(levels[level], field) for field in fields},
            "throughputs": [sample.throughput for sample in levels[level]],
            "to_direct": ratio(samples, name, reference),
            "to_fastapi": ratio(samples, name, "FastAPI"),
            "cpu_to_direct": cpu_ratio(samples, name, reference),
        }
    return found


def markdown(samples: Samples, about: dict[str, Any]) -> str:
    """The tables, with the machine and the conditions above them."""
    said = summary(samples)
    machine = about["machine"]
    versions = about["versions"]
    lines = [
        (
            f"Measured {about['date']} on {machine['cpu']}, {machine['cores']} cores, {machine['memory_gib']} GiB, "
            f"{machine['platform']}; meanwhile other processes kept {others(samples):.1f} cores busy. "
            f"Triton {versions['triton']}, onnxruntime {versions['onnxruntime']}, FastAPI {versions['fastapi']}, "
            f"uvicorn {versions['uvicorn']}. Model: {about['model']}. "
            f"Medians of {about['rounds']} interleaved rounds of {about['seconds']:g} s."
        ),
        "",
        (
            "| Contender | best at | inferences/s | of direct | of FastAPI | p50 ms | p99 ms | batch | server CPU ms | "
            "generator CPU ms | of direct, by CPU |"
        ),
        f"|---|---|{'---:|' * 9}",
    ]
    for name, row in said["contenders"].items():
        what = "batch" if name == BATCHES else "callers" if name == DIRECT else "in flight"
        batch = "" if row["average_batch"] != row["average_batch"] else f"{row['average_batch']:.1f}"
        lines.append(
            f"| {name} | {row['best_level']} {what} | {row['throughput']:.0f} | {row['to_direct']:.2f} | "
            f"{row['to_fastapi']:.2f} | {row['p50_ms']:.1f} | {row['p99_ms']:.1f} | {batch} | "
            f"{row['server_cpu_ms']:.2f} | {row['generator_cpu_ms']:.2f} | "
            f"{row['cpu_to_direct']:.2f} |"
        )
    levels = list(next(iter(samples.values())))
    lines += [
        "",
        "Inferences per second over the requests in flight (for batches: the batch size):",
        "",
        f"| Contender | {' | '.join(map(str, levels))} |",
        f"|---|{'---:|' * len(levels)}",
    ]
    for name, found in samples.items():
        cells = " | ".join(f"{median(found[level], 'throughput'):.0f}" for level in levels)
        lines.append(f"| {name} | {cells} |")
    lines += [
        "",
        (
            "Ratios are the medians of each round's own ratio, each contender at its best level; direct is "
            f"{said['reference']}. CPU times are for one inference; all share the same {machine['cores']} cores."
        ),
    ]
    return "\n".join(lines)


def record(samples: Samples, about: dict[str, Any]) -> str:
    """All of it as JSON, NaN as null."""

    def clean(value: Any) -> Any:
        if isinstance(value, dict):
            return {str(key): clean(item) for key, item in value.items()}
        if isinstance(value, list):
            return [clean(item) for item in value]
        if isinstance(value, float):
            return None if value != value else round(value, 4)  # noqa: PLR0124 - NaN is not itself
        return value

    raw = {
        name: {level: [dataclasses.asdict(sample) for sample in found] for level, found in levels.items()}
        for name, levels in samples.items()
    }
    return json.dumps(clean({**about, "summary": summary(samples), "samples": raw}), indent=1) + "\n"


def plot(samples: Samples, about: dict[str, Any], file: Path) -> None:
    """Throughput over the requests in flight, one line for each contender, as SVG."""
    with mpl.rc_context({"svg.hashsalt": "w251lab", "svg.fonttype": "none"}):
        figure = Figure(figsize=(9, 5), layout="constrained")
        axes = figure.add_subplot()
        for name, levels in samples.items():
            medians = [median(found, "throughput") for found in levels.values()]
            style = "--" if name in {DIRECT, BATCHES} else "-"
            axes.plot(list(levels), medians, style, marker="o", color=COLOURS[name], label=name)
        levels = list(next(iter(samples.values())))
        axes.set_xscale("log", base=2)
        axes.set_xticks(levels, [str(level) for level in levels])
        axes.minorticks_off()
        axes.set_ylim(bottom=0)
        axes.set_xlabel("requests in flight (onnxruntime: calling threads up to the cores, or the batch size)")
        axes.set_ylabel("inferences per second")
        machine = f"{about['machine']['cpu']}, {about['machine']['cores']} cores"
        noise = f"other processes kept {others(samples):.1f} cores busy"
        axes.set_title(f"{about['model']}\n{machine}; {noise}", fontsize=10, loc="left")
        axes.grid(visible=True, axis="y", alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
        figure.legend(loc="outside right upper", frameon=False)
        file.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(file, format="svg", metadata={"Date": None})


def update(document: Path, text: str) -> None:
    """Put ``text`` between the markers of ``document``.

    Raises:
        SystemExit: It has no such markers.
    """
    documents.update(document, NAME, text)
