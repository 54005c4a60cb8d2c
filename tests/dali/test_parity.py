from __future__ import annotations

from importlib import import_module
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from w251lab.dali import parity, sources
from w251lab.dali.recipes import INTERPOLATIONS, Validation

if TYPE_CHECKING:
    from collections.abc import Callable

    from w251lab.dali.sources import Source


def _differences(source: Source, recipe: Validation, against: Validation, device: str = "cpu") -> list[float]:
    found = parity.pixels(source, recipe, device=device)
    expected = [parity.reference(Image.open(BytesIO(source.read(i))), against) for i in range(len(source))]
    return [parity.difference(one, other) for one, other in zip(found, expected, strict=True)]


def test_the_default_is_a_fraction_of_a_level_from_torchvision(photographs: Source) -> None:
    assert max(_differences(photographs, Validation(), Validation())) < 0.25


def test_the_default_is_the_nearest_of_all_settings(photographs: Source) -> None:
    means = {
        (interpolation, antialias): np.mean(
            _differences(photographs, Validation(interpolation=interpolation, antialias=antialias), Validation())
        )
        for interpolation in INTERPOLATIONS
        for antialias in (True, False)
    }
    nearest, second, *_ = sorted(means.values())
    assert means["bilinear", True] == nearest
    assert second > 5 * nearest


@pytest.mark.parametrize("interpolation", ["nearest", "bicubic"])
def test_other_filters_are_pillows_too(photographs: Source, interpolation: Any) -> None:
    recipe = Validation(interpolation=interpolation)
    assert np.mean(_differences(photographs, recipe, recipe)) < 0.25


@pytest.mark.parametrize("size", [(451, 300), (300, 451), (255, 256), (257, 1000), (1, 1), (1, 300), (1201, 7)])
@pytest.mark.parametrize("crop", [224, 223])
def test_every_size_is_cropped_at_the_same_place(
    photographs: Source, encode: Callable[..., bytes], size: tuple[int, int], crop: int
) -> None:
    picture = Image.open(photographs.names[0]).resize(size)
    recipe = Validation(crop=crop)
    assert max(_differences(sources.encoded([encode(picture)]), recipe, recipe)) < 0.5


@pytest.mark.parametrize(
    ("mode", "kind", "how"),
    [
        ("L", "JPEG", {}),
        ("CMYK", "JPEG", {}),
        ("RGB", "JPEG", {"progressive": True}),
        ("RGB", "JPEG", {"orientation": 6}),
        ("RGB", "JPEG", {"orientation": 2}),
        ("RGBA", "PNG", {}),
        ("P", "PNG", {}),
        ("RGB", "WEBP", {}),
        ("RGB", "BMP", {}),
        ("RGB", "TIFF", {}),
    ],
)
def test_files_of_many_kinds(
    photographs: Source, encode: Callable[..., bytes], mode: str, kind: str, how: dict[str, Any]
) -> None:
    options = dict(how)
    if orientation := options.pop("orientation", None):
        options["exif"] = Image.Exif()
        options["exif"][0x0112] = orientation
    content = encode(Image.open(photographs.names[3]).convert(mode), kind, **options)
    assert max(_differences(sources.encoded([content]), Validation(), Validation())) < 0.3


def test_a_difference_by_hand() -> None:
    one, other = np.array([0, 255], np.uint8), np.array([255, 0], np.uint8)
    assert parity.difference(one, other) == 255
    assert parity.difference(one, one) == 0


@pytest.mark.torch
def test_the_reference_is_torchvisions(photographs: Source) -> None:
    v2: Any = import_module("torchvision.transforms.v2")
    modes: Any = import_module("torchvision.transforms").InterpolationMode
    for interpolation in ("nearest", "bilinear", "bicubic"):
        steps = v2.Compose([v2.Resize(256, interpolation=modes(interpolation)), v2.CenterCrop(224)])
        for name in photographs.names:
            picture = Image.open(name).convert("RGB")
            found = parity.reference(picture, Validation(interpolation=interpolation))
            np.testing.assert_array_equal(found, np.asarray(steps(picture)))


@pytest.mark.gpu
def test_the_gpu_is_as_near(photographs: Source) -> None:
    assert max(_differences(photographs, Validation(), Validation(), device="gpu")) < 1
