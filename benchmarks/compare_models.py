"""How the shipped models differ: agreement of their answers on your pictures, and their latency on this machine.

``uv run --extra cpu python benchmarks/compare_models.py FOLDER_OR_PICTURE...``

The first shipped model is the reference.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from w251lab.errors import W251Error
from w251lab.triton.models import names, packaged
from w251lab.triton.preprocessing import load_image

Array = npt.NDArray[np.float32]


def session(name: str, threads: int) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    return ort.InferenceSession(packaged(name).verify(), options, providers=["CPUExecutionProvider"])


def prepare(sources: list[Path], name: str) -> Array:
    paths = [path for source in sources for path in (sorted(source.rglob("*.*")) if source.is_dir() else [source])]
    prepared = []
    for path in paths:
        try:
            prepared.append(packaged(name).preprocessing(load_image(path)))
        except W251Error as error:
            print(f"passed over: {error.what}")
    if not prepared:
        raise W251Error("There is no picture among what was named.", "Name pictures or folders of pictures.")
    return np.stack(prepared)


def scores(name: str, images: Array) -> Array:
    model = session(name, threads=0)
    return np.concatenate([model.run(None, {"images": image[np.newaxis]})[0] for image in images])


def print_agreement(sources: list[Path]) -> None:
    reference, *others = names()
    images = prepare(sources, reference)
    expected = scores(reference, images)
    sure = expected.max(axis=1) > 0.5
    print(f"\n{len(images)} pictures; {reference} gives {int(sure.sum())} of them a score above 0.5")
    for name in others:
        given = scores(name, images)
        same = expected.argmax(axis=1) == given.argmax(axis=1)
        among_five = [first in five for first, five in zip(expected.argmax(1), given.argsort(1)[:, -5:], strict=True)]
        print(f"{name}: the same first answer for {same.sum()} ({same.mean():.1%}),", end=" ")
        print(
            f"of the sure ones for {same[sure].sum()}; the reference's first is among its five for {sum(among_five)};"
        )
        print(f"  largest difference of a score {np.abs(expected - given).max():.3f}")


def print_latency(rounds: int) -> None:
    print(f"\nonnxruntime {ort.__version__} on {platform.machine()}; milliseconds a picture: fastest (median)")
    for threads in (1, 2):
        models = {name: session(name, threads) for name in names()}
        for batch in (1, 8):
            images = np.zeros((batch, *packaged(names()[0]).input_dims), dtype=np.float32)
            taken: dict[str, list[float]] = {name: [] for name in models}
            # The models take turns, so that another process's load falls on both.
            for _ in range(rounds):
                for name, model in models.items():
                    model.run(None, {"images": images})
                    start = time.perf_counter()
                    model.run(None, {"images": images})
                    taken[name].append((time.perf_counter() - start) / batch * 1e3)
            for name, values in taken.items():
                print(f"{threads} threads, batch {batch}, {name}: {min(values):.2f} ({statistics.median(values):.2f})")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pictures", type=Path, nargs="+")
    parser.add_argument("--rounds", type=int, default=30, help="runs of each model for the latency (default 30)")
    arguments = parser.parse_args()
    try:
        print_agreement(arguments.pictures)
    except W251Error as error:
        print(error)
        return 2
    print_latency(arguments.rounds)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
