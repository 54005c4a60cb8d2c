"""The vintage filter of `w251lab.faces.vintage` against the same filter as loops over the pixels, in plain Python.

Prints a table in Markdown; ``--update-docs`` also writes it into docs/results.md. Both work on the bundled portrait at
``--size`` pixels a side, in one process on one thread, in turns; the bytes of both are compared first, and the ratio is
that of the round. The loops work on lists, which Python indexes faster than arrays, and draw the specks from the same
random numbers. Exit status 1: a preset's bytes differ, or its median ratio is below the aim.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import documents
import numpy as np
from PIL import Image

from w251lab import accelerator
from w251lab.faces import pictures, vintage
from w251lab.timing.timing import seconds
from w251lab.timing.versions import versions

if TYPE_CHECKING:
    from collections.abc import Callable

    from w251lab.faces.arguments import Picture
    from w251lab.faces.vintage import Preset

ROOT = Path(__file__).resolve().parents[1]
NAME = "vintage_speed"
AIM = 50.0


def by_loops(picture: Picture, preset: Preset, seed: int) -> Picture:
    """Gray, brightness, salt and pepper, box blur: one pixel after the other."""
    height, width = picture.shape[:2]
    specks = np.random.default_rng(seed).random((height, width)).tolist()
    rows = []
    for row, pixels in enumerate(picture.tolist()):
        line = []
        for column, (red, green, blue) in enumerate(pixels):
            level = (19595 * red + 38470 * green + 7471 * blue + 32768) >> 16
            level = min(round(level * preset.brightness), 255)
            speck = specks[row][column]
            if speck < preset.noise:
                level = 0
            elif speck >= 1 - preset.noise:
                level = 255
            line.append(level)
        rows.append(line)
    side, before = preset.blur, preset.blur // 2
    down = [mirrored(place, height) for place in range(-before, height + side)]
    across = [mirrored(place, width) for place in range(-before, width + side)]
    area = side * side
    result = []
    for row in range(height):
        window = [rows[place] for place in down[row : row + side]]
        line = []
        for column in range(width):
            columns = across[column : column + side]
            total = 0
            for levels in window:
                for place in columns:
                    total += levels[place]
            mean = (2 * total + area) // (2 * area)
            line.append([mean, mean, mean])
        result.append(line)
    return np.array(result, dtype=np.uint8)


def mirrored(place: int, length: int) -> int:
    """Where a place beyond the edge lies."""
    period = max(2 * length - 2, 1)
    place %= period
    return place if place < length else period - place


def timed(work: Callable[[], Picture]) -> tuple[float, Picture]:
    begin = time.perf_counter()
    result = work()
    return time.perf_counter() - begin, result


def measured(
    picture: Picture, preset: Preset, rounds: int, order: random.Random
) -> tuple[bool, list[float], list[float]]:
    """(the same bytes, seconds of the loops, seconds of ours) of all rounds."""
    same, slow, fast = True, [], []
    vintage.vintage(picture, preset)  # both have run once: the loops' code is compiled, ours has its pages
    by_loops(picture[:8, :8], preset, 0)
    for seed in range(rounds):
        both = {
            "loops": lambda: by_loops(picture, preset, seed),  # noqa: B023 - called in this round
            "ours": lambda: vintage.vintage(picture, preset, seed=seed),  # noqa: B023
        }
        names = list(both)
        order.shuffle(names)
        results = {name: timed(both[name]) for name in names}
        same = same and results["loops"][1].tobytes() == results["ours"][1].tobytes()
        slow.append(results["loops"][0])
        fast.append(results["ours"][0])
    return same, slow, fast


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=512, help="pixels a side")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--update-docs", action="store_true")
    options = parser.parse_args()
    image = Image.fromarray(pictures.portrait()).resize((options.size, options.size), Image.Resampling.LANCZOS)
    picture, order = np.array(image), random.Random(251)
    lines = [
        "| preset | loops over pixels | w251lab | ratio, median (least) | same bytes |",
        "| --- | ---: | ---: | ---: | --- |",
    ]
    failed = False
    for preset in vintage.PRESETS.values():
        same, slow, fast = measured(picture, preset, options.rounds, order)
        ratios = [one / other for one, other in zip(slow, fast, strict=True)]
        failed = failed or not same or statistics.median(ratios) < AIM
        lines.append(
            f"| {preset.name} | {seconds(statistics.median(slow))} | {seconds(statistics.median(fast))} "
            f"| {statistics.median(ratios):.0f} ({min(ratios):.0f}) | {'yes' if same else 'NO'} |"
        )
    where = (
        f"{options.size} x {options.size} pixels, {options.rounds} rounds, {accelerator.label('cpu')}, "
        f"Python {sys.version.split()[0]}, numpy {versions('cpu')['numpy']}."
    )
    text = "\n".join([*lines, "", where])
    print(text)
    if options.update_docs:
        documents.update(ROOT / "docs" / "results.md", NAME, text)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
