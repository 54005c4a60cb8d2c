"""How far DALI's pixels are from torchvision's, by interpolation, antialiasing and the arithmetic of the crop.

    python benchmarks/dali_parity.py [FOLDER] [--device gpu]

Prints a table in Markdown: the mean absolute difference in levels of 0..255 over a folder's pictures, of a 224 x 224
centre crop after the shorter side was resized to 256; in brackets the picture that differs most. The columns of tensors
are measured where torchvision is installed.
"""

from __future__ import annotations

import argparse
import importlib.util
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageOps

from w251lab import accelerator
from w251lab.dali import installed, parity, sources
from w251lab.dali.recipes import INTERPOLATIONS, Validation

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[1]
Pixels = np.ndarray[Any, Any]


def own_sizes(source: sources.Source, device: str) -> Pixels:
    """What DALI gives when its own operators choose the size and the crop: resize_shorter, then a centred crop."""
    dali = installed.dali()
    pipeline = dali.Pipeline(batch_size=len(source), num_threads=2, device_id=0 if device == "gpu" else None)
    with pipeline:
        encoded, _ = dali.fn.readers.file(files=list(source.names), labels=list(range(len(source))))
        images = dali.fn.decoders.image(
            encoded,
            device="mixed" if device == "gpu" else "cpu",
            output_type=dali.types.RGB,
            jpeg_fancy_upsampling=True,
        )
        images = dali.fn.resize(images, resize_shorter=256, interp_type=dali.types.INTERP_LINEAR, antialias=True)
        pipeline.set_outputs(dali.fn.crop(images, crop=(224, 224)))
    (found,) = pipeline.run()
    return np.asarray(found.as_cpu().as_tensor())


def tensors(picture: Image.Image, antialias: bool) -> Pixels:
    """What torchvision makes of a tensor of uint8, bilinear."""
    v2 = import_module("torchvision.transforms.v2")
    steps = v2.Compose([v2.PILToTensor(), v2.Resize(256, antialias=antialias), v2.CenterCrop(224)])
    return np.asarray(steps(ImageOps.exif_transpose(picture).convert("RGB")).permute(1, 2, 0))


def row(found: Pixels, references: dict[str, list[Pixels]]) -> list[str]:
    cells = []
    for expected in references.values():
        each = [parity.difference(one, other) for one, other in zip(found, expected, strict=True)]
        cells.append(f"{np.mean(each):.2f} ({max(each):.2f})")
    return cells


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "solutions" / "01_triton_quickstart" / "images")
    parser.add_argument("--device", choices=["cpu", "gpu"], default="cpu")
    arguments = parser.parse_args()
    device = installed.require(arguments.device)
    source = sources.folder(arguments.folder)
    opened = [Image.open(name) for name in source.names]

    makers: dict[str, Callable[[Image.Image], Pixels]] = {
        "Pillow, bilinear": parity.reference,
        "Pillow, bicubic": lambda picture: parity.reference(picture, Validation(interpolation="bicubic")),
    }
    if importlib.util.find_spec("torchvision"):
        makers["tensor, bilinear, antialias"] = lambda picture: tensors(picture, antialias=True)
        makers["tensor, bilinear, no antialias"] = lambda picture: tensors(picture, antialias=False)
    references = {name: [make(picture) for picture in opened] for name, make in makers.items()}

    print(f"{len(source)} pictures; DALI {installed.dali().__version__} on {accelerator.label(device)}\n")
    print(f"| DALI | {' | '.join(references)} |")
    print("|" + " --- |" * (1 + len(references)))
    for interpolation in INTERPOLATIONS:
        for antialias in (True, False):
            if interpolation == "nearest" and antialias:
                continue  # it has no filter to widen
            recipe = Validation(interpolation=interpolation, antialias=antialias)
            name = f"{interpolation}, {'antialias' if antialias else 'no antialias'}"
            print(f"| {name} | {' | '.join(row(parity.pixels(source, recipe, device=device), references))} |")
    print(
        f"| bilinear, antialias, DALI's own size and crop | {' | '.join(row(own_sizes(source, device), references))} |"
    )


if __name__ == "__main__":
    main()
