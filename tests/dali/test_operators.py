from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from w251lab.dali import installed, operators, pipelines, sources
from w251lab.dali.iterators import NumpyBatches
from w251lab.dali.recipes import Pictures, Training, Validation

if TYPE_CHECKING:
    from collections.abc import Callable

    from w251lab.dali.recipes import Recipe
    from w251lab.dali.sources import Source

BARE: dict[str, Any] = {"mean": (0, 0, 0), "std": (1, 1, 1)}


def _images(source: Source, recipe: Recipe, *, device: str = "cpu", decode: str | None = None, seed: int = 0) -> Any:
    built = pipelines.build(recipe, source, batch_size=len(source), device=device, decode=decode, threads=1, seed=seed)
    (batch,) = NumpyBatches(built)
    return batch.images


@pytest.fixture(scope="module")
def planes(plane: bytes) -> Source:
    return sources.encoded([plane] * 200)


def _windows(planes: Source, recipe: Training, **how: Any) -> np.ndarray[Any, Any]:
    """Width and height of each random window of the plane in 0..1, and whether it was mirrored: [n, 3]."""
    images = _images(planes, recipe, **how)
    middle = images.shape[2] // 2
    # A window of w of 256 levels shows them over its pixels but one.
    levels = 256 * (1 - 1 / images.shape[2])
    across = (images[:, 0, middle, -1] - images[:, 0, middle, 0]) / levels
    down = (images[:, 1, -1, middle] - images[:, 1, 0, middle]) / levels
    return np.stack([np.abs(across), np.abs(down), across < 0], axis=1)


def test_training_takes_windows_of_imagenets_areas_and_aspects(planes: Source) -> None:
    found = _windows(planes, Training(crop=64, **BARE))
    area, aspect = found[:, 0] * found[:, 1], found[:, 0] / found[:, 1]
    assert 0.07 < area.min() < 0.2
    assert 0.8 < area.max() <= 1.02
    assert 0.70 < aspect.min() < 0.85
    assert 1.15 < aspect.max() < 1.40
    assert 70 <= found[:, 2].sum() <= 130  # a fair coin: 4 standard deviations and more


@pytest.mark.parametrize(("flip", "mirrored"), [(0, 0), (1, 200)])
def test_mirrored_never_or_always(planes: Source, flip: float, mirrored: int) -> None:
    found = _windows(planes, Training(crop=32, flip=flip, area=(0.5, 0.5), aspect=(1, 1), **BARE))
    assert found[:, 2].sum() == mirrored
    np.testing.assert_allclose(found[:, 0] * found[:, 1], 0.5, atol=0.05)


def test_training_is_normalised_by_hand(flat: Callable[[int], Source]) -> None:
    found = _images(flat(3), Training(crop=16))
    expected = [
        [(level / 255 - m) / s for m, s in ((0.485, 0.229), (0.456, 0.224), (0.406, 0.225))] for level in range(3)
    ]
    assert found.shape == (3, 3, 16, 16)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, np.asarray(expected)[:, :, np.newaxis, np.newaxis] * np.ones((16, 16)), atol=1e-5)


def test_rotation_turns_by_less_than_its_limit_and_blackens_corners(plane: bytes) -> None:
    source = sources.encoded([plane] * 40)
    whole = {"crop": 101, "area": (1, 1), "aspect": (1, 1), "flip": 0.0} | BARE
    plain, turned = _images(source, Training(**whole)), _images(source, Training(rotation=10, **whole))
    assert turned.shape == plain.shape
    # Down the middle column red does not change in the plane; when it is turned it does, by the sine of the angle.
    red = turned[:, 0, 80, 50] - turned[:, 0, 20, 50]
    angles = np.degrees(np.arcsin(red / 60 * 101 / 256))
    assert np.abs(angles).max() <= 10.5
    assert angles.min() < -4
    assert angles.max() > 4
    assert (turned[:, 0, 0, -1] == 0).any()
    assert (plain[:, 0, 0, -1] > 250).all()


def test_pictures_keep_their_sizes_and_grow_when_they_are_turned(photographs: Source) -> None:
    plain, turned = _images(photographs, Pictures()), _images(photographs, Pictures(rotation=10))
    assert all(image.dtype == np.uint8 and image.shape[2] == 3 for image in plain + turned)
    assert {image.shape for image in plain} >= {(600, 463, 3), (300, 451, 3)}
    grown = [np.subtract(big.shape, small.shape)[:2] for big, small in zip(turned, plain, strict=True)]
    assert np.min(grown) >= 0
    assert np.max(grown) > 10


@pytest.mark.parametrize("crop", [1, 223, 224])
def test_the_centre_of_an_odd_margin_is_pythons(plane: bytes, crop: int) -> None:
    image = _images(sources.encoded([plane]), Validation(resize=512, crop=crop, **BARE))[0]
    start = round((512 - crop) / 2)
    assert image[0, 0, 0] == image[1, 0, 0] == start // 2


def test_they_serve_as_well_in_a_serialised_pipeline_that_is_fed(photographs: Source) -> None:
    dali = installed.dali()
    how: dict[str, Any] = {"batch_size": 10, "num_threads": 1, "device_id": None, "prefetch_queue_depth": 1}
    made = dali.Pipeline(**how)
    with made:
        encoded = dali.fn.external_source(name="INPUT", dtype=dali.types.UINT8, ndim=1)
        made.set_outputs(operators.validate(Validation(), encoded, device="cpu", decode="cpu"))
    fed = dali.Pipeline.deserialize(made.serialize(), **how)
    # As a client pads a batch: decoders pass over what follows the picture.
    contents = [photographs.read(index) for index in range(10)]
    longest = max(map(len, contents))
    batch = np.stack([np.frombuffer(content.ljust(longest, b"\0"), np.uint8) for content in contents])
    (found,) = fed.run(INPUT=batch)
    np.testing.assert_array_equal(np.asarray(found.as_tensor()), _images(photographs, Validation()))


@pytest.mark.gpu
@pytest.mark.parametrize("recipe", [Training(rotation=10), Validation(), Pictures(rotation=10)], ids=repr)
@pytest.mark.parametrize("decode", ["cpu", "gpu"])
def test_both_devices_make_nearly_the_same(photographs: Source, recipe: Recipe, decode: str) -> None:
    here, there = _images(photographs, recipe), _images(photographs, recipe, device="gpu", decode=decode)
    scale = 1.0 if isinstance(recipe, Pictures) else 57.0  # from normalised values to levels of 0..255
    for one, other in zip(here, there, strict=True):
        assert one.shape == other.shape
        assert one.dtype == other.dtype
        assert np.abs(one.astype(np.float64) - other).mean() * scale < 2
