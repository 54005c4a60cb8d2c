"""1,000 requests of pictures of all sizes and kinds from 8 clients at once, held against client-side preprocessing.

    python benchmarks/dali_mixed_requests.py [--requests 1000] [--device gpu] [--all] [--update-docs]

Each request is one picture: a shipped photograph, scaled to 50..4,000 pixels on its longest side (as many from 50 to
100 as from 2,000 to 4,000), as a JPEG file (colour, gray, CMYK, progressive, or turned by its EXIF orientation) or as
PNG (colour, with transparency, palette, gray). The ensemble's most likely class is compared with the reference path's:
Pillow with torchvision's arithmetic on the client, and the classifier alone. Prints a table in Markdown, by kind.

The photographs are those that the classifier is sure of, at their own size, with a score of 0.5 or more. Of others the
two highest scores may lie so near each other that a difference of one level in a few pixels decides between them:
``--all`` takes them too, and shows by how much.

The aim is missed, and the exit status 1, where a request fails, or more than 1 % of the classes differ (of fewer than
100 requests, more than one).
"""

from __future__ import annotations

import argparse
import datetime as dt
import random
import tempfile
from collections import Counter, defaultdict
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import documents

from w251lab import accelerator
from w251lab.dali import bundled, serving, variants
from w251lab.triton import server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parents[1]
NAME = "dali_mixed_requests"
CLIENTS: Final = 8
AT_ONCE: Final = 40  # pictures in memory
SMALLEST, LARGEST = 50, 4000
ALLOWED: Final = 0.01
SURE: Final = 0.5
KINDS: Final[dict[str, Callable[..., bytes]]] = {
    "JPEG": variants.jpeg,
    "gray JPEG": partial(variants.jpeg, mode="L"),
    "CMYK JPEG": partial(variants.jpeg, mode="CMYK"),
    "progressive JPEG": partial(variants.jpeg, progressive=True),
    **{f"JPEG, orientation {number}": partial(variants.jpeg, orientation=number) for number in range(2, 9)},
    "PNG": variants.png,
    "PNG with transparency": partial(variants.png, mode="RGBA"),
    "palette PNG": partial(variants.png, mode="P"),
    "gray PNG": partial(variants.png, mode="L"),
}


def requests(photographs: list[bytes], count: int, seed: int) -> Iterator[tuple[str, int, bytes]]:
    """Kind, longest side and bytes of each picture; the kinds take turns."""
    draw = random.Random(seed)
    for number in range(count):
        kind = list(KINDS)[number % len(KINDS)]
        size = round(SMALLEST * (LARGEST / SMALLEST) ** draw.random())
        # The first two are the extremes, however few there are.
        size = (SMALLEST, LARGEST)[number] if number < 2 else size
        yield kind, size, KINDS[kind](draw.choice(photographs), size=size)


def run(count: int, seed: int, device: str, protocol: str, *, everyone: bool) -> dict[str, Any]:
    """Ask, and count by kind."""
    asked: Counter[str] = Counter()
    same: Counter[str] = Counter()
    errors: list[str] = []
    others: list[str] = []
    sizes: defaultdict[str, list[int]] = defaultdict(list)
    service = serving.Service(device="gpu" if device == "gpu" else "cpu")
    how: dict[str, Any] = {"protocol": protocol, "concurrency": CLIENTS, "top_k": 2}
    with (
        tempfile.TemporaryDirectory(prefix="w251lab-mixed-") as folder,
        server.start(serving.write(folder, service)) as running,
        serving.EncodedClients(running, way="single", **how) as clients,
        serving.PreparingClients(running, **how) as reference,
    ):
        shipped = bundled.source()
        photographs = [shipped.read(index) for index in range(len(shipped))]
        if not everyone:
            known = reference.classify(photographs)
            photographs = [one for one, answer in zip(photographs, known, strict=True) if answer.best.score >= SURE]
        source = requests(photographs, count, seed)
        while part := list(islice(source, AT_ONCE)):
            contents = [content for _, _, content in part]
            answers = zip(part, clients.classify(contents), reference.classify(contents), strict=True)
            for (kind, size, _), answer, expected in answers:
                asked[kind] += 1
                sizes[kind].append(size)
                if not (answer.ok and expected.ok):
                    errors.append(f"{kind}, {size} px: {answer.error or expected.error}")
                elif answer.best.index == expected.best.index:
                    same[kind] += 1
                else:
                    first, second = expected.classes
                    others.append(
                        f"{kind}, {size} px: {answer.best.label} in place of {first.label}; the reference path gives "
                        f"that {first.score:.3f}, and {second.score:.3f} to {second.label}"
                    )
        with running.client() as client:
            joined = client.statistics(service.preprocessing).average_batch
            version = client.server_metadata()["version"]
    return {
        "asked": asked,
        "same": same,
        "errors": errors,
        "others": others,
        "sizes": sizes,
        "batch": joined,
        "photographs": len(photographs),
        "triton": version,
    }


def missed(found: dict[str, Any]) -> bool:
    """Whether a request failed, or more classes differ than may."""
    return bool(found["errors"]) or len(found["others"]) > max(1, ALLOWED * found["asked"].total())


def verdict(found: dict[str, Any]) -> str:
    """In words, what was aimed at and whether it was reached."""
    return f"The aim, no failure and {100 * (1 - ALLOWED):.0f} %, is {'missed' if missed(found) else 'reached'}."


def markdown(found: dict[str, Any], device: str, seed: int) -> str:
    asked, same = found["asked"], found["same"]
    total, agree = asked.total(), same.total()
    rows = [
        (
            f"Measured {dt.datetime.now(dt.UTC).date().isoformat()} on {accelerator.label(device)}, Triton "
            f"{found['triton']}: {total:,} requests, made of {found['photographs']} photographs, from {CLIENTS} "
            f"clients at once (seed {seed}), joined by the server into batches of {found['batch']:.1f} on average; "
            f"{len(found['errors'])} failed. The same class as the reference path: {agree:,} "
            f"({100 * agree / max(total, 1):.1f} %). {verdict(found)}"
        ),
        "",
        "| Kind | requests | longest side, pixels | same class |",
        "|---|---:|---:|---:|",
    ]
    for kind, count in asked.items():
        low, high = min(found["sizes"][kind]), max(found["sizes"][kind])
        rows.append(f"| {kind} | {count} | {low}-{high} | {same[kind]} |")
    if found["others"]:
        rows += ["", "Another class:", "", *(f"- {line}" for line in found["others"])]
    return "\n".join(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", choices=["cpu", "gpu"], default="cpu")
    parser.add_argument("--protocol", choices=["http", "grpc"], default="http")
    parser.add_argument("--all", action="store_true", help="also photographs that the classifier is not sure of")
    parser.add_argument("--update-docs", action="store_true", help="write the section of docs/results.md")
    arguments = parser.parse_args()
    found = run(arguments.requests, arguments.seed, arguments.device, arguments.protocol, everyone=arguments.all)
    text = markdown(found, arguments.device, arguments.seed)
    print(text)
    if arguments.update_docs:
        documents.update(ROOT / "docs" / "results.md", f"{NAME}_all" if arguments.all else NAME, text)
    if missed(found):
        differ = f"{len(found['others'])} of {found['asked'].total()} classes differ"
        raise SystemExit("\n".join(["", *found["errors"], differ, verdict(found)]))


if __name__ == "__main__":
    main()
