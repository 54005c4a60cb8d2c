"""The figures of docs/faces.md about the bundled portraits: how steady landmarks are, and the baseline's working size.

Prints both tables in Markdown; ``--update-docs`` also writes them into docs/faces.md. Nothing is drawn anew from run to
run: the same versions give the same figures, but for the seconds, which are those of the processor. ``--only`` makes
one of the two.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final
from unittest import mock

import documents
import numpy as np
from PIL import Image

from w251lab import accelerator
from w251lab.faces import align, detect, identity, pictures, quality, refine, vintage
from w251lab.faces.baseline import BaselineRestorer, suitable
from w251lab.faces.sweep import aligned_face

if TYPE_CHECKING:
    from numpy.typing import NDArray

ROOT: Final = Path(__file__).resolve().parents[1]
#: Sizes of the face's box in the picture that is looked at, in pixels.
FACES: Final = (25, 60, 150, 420)
#: Each copy: degrees by which it is turned, and its size beside the others'.
COPIES: Final = ((-15, 0.9), (-9, 0.95), (-3, 1.0), (3, 1.02), (9, 1.06), (15, 1.1))
PRESETS: Final = ("slight", "safe", "adventurous")
EDGES: Final = (64, 96, 128, 160)
SEED: Final = 0


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=("landmarks", "sizes"))
    parser.add_argument("--update-docs", action="store_true")
    options = parser.parse_args()
    for name, table in (("landmarks", landmarks), ("sizes", sizes)):
        if options.only in (None, name):
            text = "\n".join(table())
            print(text, flush=True)
            if options.update_docs:
                documents.update(ROOT / "docs" / "faces.md", f"faces_{name}", text)
    return 0


def landmarks() -> list[str]:
    """The standard deviation of a landmark over the copies, before and after the second look."""
    names = [name.capitalize() for name in pictures.PORTRAITS]
    heads = [f"{name}, {look} look" for name in names for look in ("first", "second")]
    lines = [f"| face in the picture, pixels | {' | '.join(heads)} |", f"| ---: |{' ---: |' * len(heads)}"]
    for size in FACES:
        scatters = [scatter(pictures.portrait(name), size, looks) for name in pictures.PORTRAITS for looks in (1, 2)]
        lines.append(f"| about {size} | {' | '.join(scatters)} |")
    return lines


def scatter(portrait: NDArray[np.uint8], size: int, looks: int) -> str:
    """In pixels of the portrait: the deviation of each landmark's x and y, averaged; how many were found if not all."""
    face = detect.detect(portrait)[0]
    side, whole = np.sqrt(face.area), np.array([portrait.shape[1], portrait.shape[0]])
    window = min(round(2.2 * side), *whole.tolist())  # what is cut out of the portrait around the face
    corner = np.clip(np.rint(face.centre - window / 2), 0, whole - window).astype(int)
    found = []
    for degrees, share in COPIES:
        about = tuple((face.centre + 0.5).tolist())  # Pillow counts from the corner of the first pixel
        turned = Image.fromarray(portrait).rotate(degrees, Image.Resampling.BICUBIC, center=about)
        edge = round(window * size * share / side)
        cut = turned.crop((*corner.tolist(), *(corner + window).tolist()))
        copy = np.asarray(cut.resize((edge, edge), Image.Resampling.LANCZOS))
        keep = refine.landmarks if looks == 2 else lambda _, first: first
        with mock.patch.object(refine, "landmarks", keep):
            faces = detect.detect(copy)
        if faces:
            seen = (faces[0].landmarks + 0.5) * window / edge - 0.5 + corner
            found.append(turned_back(seen, degrees, face.centre))
    number = f"{np.std(found, axis=0).mean():.1f}"
    return number if len(found) == len(COPIES) else f"{number} ({len(found)} of {len(COPIES)} found)"


def turned_back(points: NDArray[np.float64], degrees: float, centre: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points of a picture that Pillow has turned (counter-clockwise, about ``centre``), in the picture before."""
    turn = np.deg2rad(degrees)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return np.asarray((points - centre) @ rotation.T + centre)


def sizes() -> list[str]:
    """Identity distance and PSNR of the restored face, by the edge at which it went through the network."""
    lines = ["| portrait, preset | damaged | " + " | ".join(f"at {edge}" for edge in EDGES) + " |"]
    lines.append("| --- " * (2 + len(EDGES)) + "|")
    spent = dict.fromkeys(EDGES, 0.0)
    for name in pictures.PORTRAITS:
        portrait = pictures.portrait(name)
        face = detect.detect(portrait)[0]
        aligned = align.align(portrait, face)
        who = identity.embedding(aligned.picture, aligned_face())
        edge = suitable(aligned.scale)
        row = f"{name.capitalize()} (cut-out of {512 / aligned.scale:.0f} pixels, goes through at {edge})"
        for preset in PRESETS:
            damaged = align.align(vintage.vintage(portrait, preset, seed=SEED), face).picture
            bright = vintage.vintage(portrait, vintage.renamed(preset, noise=0, blur=1))
            wanted = align.align(bright, face).picture
            cells = [measured(damaged, wanted, who)]
            for at in EDGES:
                restorer = BaselineRestorer(face_pixels=at)
                begin = time.process_time()
                (restored,) = restorer.restore_faces(damaged[None])
                spent[at] += time.process_time() - begin
                cells.append(measured(restored, wanted, who))
            lines.append(f"| {row}, {preset} | {' | '.join(cells)} |")
            row = name.capitalize()
    rounds = len(pictures.PORTRAITS) * len(PRESETS)
    lines.append(f"| seconds of processor time a face | | {' | '.join(f'{spent[at] / rounds:.1f}' for at in EDGES)} |")
    return [*lines, "", f"Seed {SEED}; {accelerator.label('cpu')}."]


def measured(face: NDArray[np.uint8], wanted: NDArray[np.uint8], who: NDArray[np.float64]) -> str:
    """Identity distance, and PSNR in dB."""
    distance = identity.identity_distance(who, identity.embedding(face, aligned_face()))
    return f"{distance:.2f}, {quality.psnr(face, wanted):.1f}"


if __name__ == "__main__":
    sys.exit(main())
