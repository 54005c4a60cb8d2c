"""Pillow's side of the comparison: it does what DALI does, or the comparison says nothing."""

from __future__ import annotations

import math
import struct
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from w251lab.dali import imagenet, pipelines, sources
from w251lab.dali.iterators import NumpyBatches
from w251lab.dali.loading import pillow
from w251lab.dali.loading.pillow import PillowLoader
from w251lab.dali.recipes import Training, Validation
from w251lab.errors import UsageError, W251Error

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from w251lab.dali.sources import Source

BARE = {"mean": (0.0, 0.0, 0.0), "std": (1.0, 1.0, 1.0)}
Pixels = np.ndarray[Any, Any]


def _by_dali(source: Source, recipe: Training, count: int, device: str = "cpu") -> Pixels:
    built = pipelines.training(source, recipe, batch_size=count, device=device, shuffle=False)
    (batch,) = NumpyBatches(built)
    return np.array(batch.images)


def _by_pillow(source: Source, recipe: Training, count: int) -> Pixels:
    return PillowLoader(source.names, recipe, batch_size=count).run()[0]


@pytest.mark.parametrize("flip", [0.0, 1.0])
@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
def test_a_fixed_window_gives_dalis_pixels(photographs: Source, flip: float, interpolation: Any) -> None:
    compared = 0
    for name in photographs.names:
        with Image.open(name) as picture:
            width, height = picture.size
        # All of the area, in the picture's own aspect ratio: the window can only be the whole picture.
        whole = Training(area=(1, 1), aspect=(width / height,) * 2, flip=flip, interpolation=interpolation, **BARE)
        one = sources.files([name])
        built = pipelines.training(one, whole, batch_size=1, device="cpu", until="decode")
        if tuple(built.run()[0][0].shape()) != (height, width, 3):
            continue  # DALI's arithmetic, in float32, has cut off a row
        compared += 1
        difference = np.abs(_by_dali(one, whole, 1) - _by_pillow(one, whole, 1)).mean()
        assert difference < 0.25, name
    assert compared >= 9


def test_normalised_as_dali_does(photographs: Source) -> None:
    with Image.open(photographs.names[3]) as picture:
        width, height = picture.size
    whole = Training(area=(1, 1), aspect=(width / height,) * 2, flip=0)
    one = sources.files([photographs.names[3]])
    found, expected = _by_pillow(one, whole, 1), _by_dali(one, whole, 1)
    assert found.dtype == np.float32
    assert found.flags.c_contiguous
    assert found.shape == expected.shape == (1, 3, 224, 224)
    assert np.abs(found - expected).mean() < 0.25 / min(imagenet.STD_255)


@pytest.fixture
def planes(tmp_path: Path) -> Source:
    """A picture that says of each pixel where it is, as a file that is quickly decoded, over and over."""
    place = np.arange(256, dtype=np.uint8)
    values = np.zeros((256, 256, 3), np.uint8)
    values[:, :, 0], values[:, :, 1] = place[np.newaxis, :], place[:, np.newaxis]
    Image.fromarray(values).save(tmp_path / "plane.bmp")
    return sources.files([tmp_path / "plane.bmp"] * 800)


def _windows(batch: Pixels) -> tuple[Pixels, Pixels, Pixels]:
    """Of pictures of the plane: the share of the area, log of the aspect ratio, and whether mirrored, of each window.

    Red grows by a level with each pixel from left to right, green from top to bottom.
    """
    across = batch[:, 0].mean(axis=1)  # a level for each column
    down = batch[:, 1].mean(axis=2)
    size = batch.shape[-1]
    # From the middle of a quarter to that of the last one: away from the edges, where the filter is cut.
    width, height = (
        (side[:, 3 * size // 4] - side[:, size // 4]) * size / (3 * size // 4 - size // 4) for side in (across, down)
    )
    return np.abs(width) * height / 256**2, np.log(np.abs(width) / height), width < 0


def test_the_windows_are_dalis_by_distribution(planes: Source) -> None:
    count = len(planes)
    recipe = Training(crop=32, **BARE)
    areas, aspects, mirrored = {}, {}, {}
    for name, make in (("dali", _by_dali), ("pillow", _by_pillow)):
        areas[name], aspects[name], mirrored[name] = _windows(make(planes, recipe, count))
    for found in (areas, aspects):
        # The largest distance between two samples' distributions (Kolmogorov, Smirnov): above this in 1 of 1,000 cases.
        assert _distance(found["dali"], found["pillow"]) < 1.95 * math.sqrt(2 / count)
    for name, shares in areas.items():
        assert 0.06 < shares.min() < 0.12
        assert 0.95 < shares.max() < 1.03
        assert abs(mirrored[name].mean() - 0.5) < 3.3 * 0.5 / math.sqrt(count)
        assert np.abs(aspects[name]).max() < math.log(4 / 3) + 0.05


def test_the_distance_tells_other_windows(planes: Source) -> None:
    count = len(planes)
    usual, _, _ = _windows(_by_pillow(planes, Training(crop=32, **BARE), count))
    other, _, _ = _windows(_by_pillow(planes, Training(crop=32, area=(0.4, 1.0), **BARE), count))
    assert _distance(usual, other) > 1.95 * math.sqrt(2 / count)


def _distance(one: Pixels, other: Pixels) -> float:
    places = np.sort(np.concatenate([one, other]))
    shares = [np.searchsorted(np.sort(values), places, side="right") / len(values) for values in (one, other)]
    return float(np.abs(shares[0] - shares[1]).max())


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (4000, 2), (300, 451)])
def test_a_window_lies_within_the_picture(size: tuple[int, int]) -> None:
    rng = np.random.default_rng(5)
    for _ in range(300):
        left, top, width, height = pillow.draw(*size, Training(), rng)
        assert left >= 0
        assert top >= 0
        assert 0 < width <= size[0] - left
        assert 0 < height <= size[1] - top


def test_the_centre_where_no_window_fits() -> None:
    rng = np.random.default_rng(5)
    square = Training(area=(1, 1), aspect=(1, 1))
    assert pillow.draw(300, 100, square, rng) == (100, 0, 100, 100)
    assert pillow.draw(100, 300, square, rng) == (0, 100, 100, 100)
    assert pillow.draw(100, 100, square, rng) == (0, 0, 100, 100)


@pytest.mark.torch
def test_the_windows_are_torchvisions() -> None:
    from importlib import import_module  # noqa: PLC0415

    torch = import_module("torch")
    transform = import_module("torchvision.transforms").RandomResizedCrop(32)
    rng = np.random.default_rng(5)
    picture = Image.new("RGB", (640, 480))
    torch.manual_seed(5)
    theirs = np.array([transform.get_params(picture, transform.scale, transform.ratio) for _ in range(3000)])
    ours = np.array([pillow.draw(640, 480, Training(), rng) for _ in range(3000)])
    for mine, their in ((0, 1), (1, 0), (2, 3), (3, 2)):  # left, top, width, height against top, left, height, width
        assert _distance(ours[:, mine], theirs[:, their]) < 1.95 * math.sqrt(2 / 3000)


def test_what_pillow_cannot_do_as_dali_does() -> None:
    with pytest.raises(UsageError, match="no recipe for training"):
        pillow.check(Validation())
    with pytest.raises(UsageError, match="do not turn pictures"):
        pillow.check(Training(rotation=10))
    with pytest.raises(UsageError, match="always widens the filter"):
        pillow.check(Training(antialias=False))
    nearest = Training(interpolation="nearest", antialias=False)
    assert pillow.check(nearest) is nearest


def test_it_goes_round_and_draws_anew(photographs: Source) -> None:
    loader = PillowLoader(photographs.names[:3], Training(crop=16, flip=0), batch_size=2, seed=4)
    first, second, third = (loader.run()[0] for _ in range(3))
    assert not np.array_equal(first[0], second[1]), "the same picture, another window"
    again = PillowLoader(photographs.names[:3], Training(crop=16, flip=0), batch_size=6, seed=4).run()[0]
    np.testing.assert_array_equal(again, np.concatenate([first, second, third]))
    other = PillowLoader(photographs.names[:3], Training(crop=16, flip=0), batch_size=6, seed=5).run()[0]
    assert not np.array_equal(again, other)


def test_the_laps_are_most_of_the_time(photographs: Source) -> None:
    import time  # noqa: PLC0415

    loader = PillowLoader(photographs.names, Training(), batch_size=10)
    begin = time.perf_counter()
    _, laps = loader.run()
    took = time.perf_counter() - begin
    assert min(laps.seconds.values()) > 0
    assert sum(laps.seconds.values()) <= took


def test_upright_and_in_colour(encode: Callable[..., bytes]) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    wide = Image.new("L", (40, 20), 77)
    picture = pillow.decode(encode(wide, "JPEG", exif=exif), "it")
    assert picture.size == (20, 40)
    assert picture.mode == "RGB"


def test_a_picture_that_is_none(tmp_path: Path, broken: bytes) -> None:
    file = tmp_path / "my picture.jpg"
    file.write_bytes(broken)
    loader = PillowLoader([str(file)], Training(), batch_size=1)
    with pytest.raises(W251Error, match=r"my picture\.jpg cannot be decoded"):
        loader.run()
    file.unlink()
    with pytest.raises(W251Error, match=r"my picture\.jpg cannot be read: No such file"):
        loader.run()


def test_a_tag_of_another_type_is_named(encode: Callable[..., bytes]) -> None:
    content = bytearray(encode(Image.new("RGB", (8, 6)), "TIFF"))
    place = content.index(struct.pack("<HHI", 0x111, 4, 1))  # where the pixels are, by one number
    content[place + 2 : place + 4] = struct.pack("<H", 11)  # with a fraction
    with pytest.raises(W251Error, match=r"it\.tif cannot be decoded"):
        pillow.decode(bytes(content), "it.tif")


def test_a_bomb_is_named_at_any_size(encode: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    content = encode(Image.new("RGB", (48, 40)), "PNG")
    # Pillow warns above its limit (an error here, and for whoever asks for it), and refuses above twice of it.
    for limit in (48 * 40 - 1, 48 * 40 // 2 - 1):
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
        with pytest.raises(W251Error, match=r"it\.png cannot be decoded: Image size \(1920 pixels\) exceeds"):
            pillow.decode(content, "it.png")


@pytest.mark.gpu
def test_a_fixed_window_gives_the_gpus_pixels(photographs: Source) -> None:
    name = photographs.names[2]  # not that of the Alps: DALI rounds its window to one row less
    with Image.open(name) as picture:
        width, height = picture.size
    whole = replace(Training(area=(1, 1), aspect=(width / height,) * 2, flip=0), **BARE)
    one = sources.files([name])
    assert np.abs(_by_dali(one, whole, 1, "gpu") - _by_pillow(one, whole, 1)).mean() < 1
