"""The vintage filter against a definition in plain loops, Pillow and SciPy; the presets, the seed, every size."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy import ndimage

from w251lab.errors import UsageError
from w251lab.faces import vintage
from w251lab.faces.errors import PictureError
from w251lab.faces.vintage import PRESETS, Preset

if TYPE_CHECKING:
    from w251lab.faces.arguments import Picture

SIZES = [(1, 1), (1, 7), (2, 3), (5, 4), (33, 20)]


def noise(*shape: int, seed: int = 5) -> Picture:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def mirrored(place: int, length: int) -> int:
    """Where a place beyond the edge lies: 3 2 | 1 2 3."""
    period = max(2 * length - 2, 1)
    place %= period
    return place if place < length else period - place


def blurred_by_loops(levels: Picture, size: int) -> Picture:
    result = np.empty_like(levels)
    reach = range(-(size // 2), size - size // 2)
    for row, column in np.ndindex(levels.shape):
        total = sum(
            int(levels[mirrored(row + down, levels.shape[0]), mirrored(column + right, levels.shape[1])])
            for down in reach
            for right in reach
        )
        result[row, column] = int(total / size**2 + 0.5)
    return result


def test_the_presets_are_the_courses() -> None:
    assert [(p.name, p.brightness, p.noise, p.blur) for p in PRESETS.values()] == [
        ("slight", 1.2, 0.01, 3),
        ("safe", 1.6, 0.04, 5),
        ("adventurous", 2.0, 0.07, 6),
        ("lucky", 2.3, 0.10, 8),
    ]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 6, 8])
@pytest.mark.parametrize("shape", SIZES)
def test_the_box_blur_is_the_mean_of_its_box(shape: tuple[int, int], size: int) -> None:
    levels = noise(*shape)
    assert np.array_equal(vintage.box_blur(levels, size), blurred_by_loops(levels, size))


def test_the_box_blur_of_colours_is_scipys_up_to_halves() -> None:
    levels = noise(40, 50, 3)
    for size in (3, 5, 6, 8):
        mean = ndimage.uniform_filter(levels.astype(float), (size, size, 1), mode="mirror")
        assert np.abs(vintage.box_blur(levels, size) - mean).max() <= 0.5 + 1e-9


def test_gray_is_the_luma_in_whole_numbers() -> None:
    levels = noise(64, 64, 3)
    red, green, blue = (levels[:, :, channel].astype(int) for channel in range(3))
    luma = (19595 * red + 38470 * green + 7471 * blue + 32768) >> 16
    assert np.array_equal(vintage.gray(levels), np.repeat(luma[:, :, None], 3, axis=2))


def test_brightness_stops_at_white() -> None:
    levels = np.array([[0, 1, 100, 127, 128, 255]], np.uint8)
    assert vintage.brighten(levels, 2.0).tolist() == [[0, 2, 200, 254, 255, 255]]


def test_half_of_the_corrupted_share_is_black() -> None:
    even = np.full((400, 500, 3), 128, np.uint8)
    for preset in PRESETS.values():
        specked = vintage.salt_and_pepper(even, preset.noise, seed=2)
        black, white = (specked == 0).all(2), (specked == 255).all(2)
        assert (specked[~black & ~white] == 128).all()
        assert black.mean() == pytest.approx(preset.noise, rel=0.08)
        assert white.mean() == pytest.approx(preset.noise, rel=0.08)
        assert preset.corrupted == 2 * preset.noise


@pytest.mark.parametrize("shape", [*SIZES, *((*size, 3) for size in SIZES)])
def test_the_order_of_the_steps(shape: tuple[int, ...]) -> None:
    levels = noise(*shape)
    preset = Preset("mine", 1.7, 0.2, 4)
    step_by_step = vintage.box_blur(
        vintage.salt_and_pepper(vintage.brighten(vintage.gray(levels), 1.7), 0.2, seed=9), 4
    )
    before = levels.copy()
    assert np.array_equal(vintage.vintage(levels, preset, seed=9), step_by_step)
    assert np.array_equal(levels, before)
    assert step_by_step.shape == shape
    assert step_by_step.dtype == np.uint8


def test_the_order_matters() -> None:
    levels = noise(30, 30, 3)
    other = vintage.salt_and_pepper(vintage.box_blur(levels, 3), 0.1, seed=1)
    assert not np.array_equal(vintage.vintage(levels, Preset("x", 1, 0.1, 3), seed=1, color=True), other)


def test_a_seed_gives_the_same_bytes_everywhere() -> None:
    made = vintage.vintage(np.arange(48 * 64 * 3, dtype=np.uint32).reshape(48, 64, 3).astype(np.uint8), "lucky", seed=7)
    assert hashlib.sha256(made.tobytes()).hexdigest() == DIGEST
    assert not np.array_equal(made, vintage.vintage(noise(48, 64, 3), "lucky", seed=8))


DIGEST = "fe816f39d9e9232ad5d887314fdf7311caa3cc889fd3418f6b0496d0ac05b561"


def test_colours_are_kept_when_asked() -> None:
    red = np.zeros((20, 20, 3), np.uint8)
    red[:, :, 0] = 100
    kept = vintage.vintage(red, Preset("x", 1.2, 0.0, 3), color=True)
    assert (kept == [120, 0, 0]).all()
    assert (vintage.vintage(red, Preset("x", 1.2, 0.0, 3)) == 36).all()


def test_strengths_lead_from_nothing_to_lucky() -> None:
    levels = noise(20, 20, 3)
    assert np.array_equal(vintage.vintage(levels, vintage.at(0), color=True), levels)
    last, lucky = vintage.at(1), PRESETS["lucky"]
    assert (last.brightness, last.noise, last.blur) == (lucky.brightness, lucky.noise, lucky.blur)


@pytest.mark.parametrize(
    "settings",
    [("x", -1, 0.1, 3), ("x", 1, 0.6, 3), ("x", 1, 0.1, 0), ("x", 1, 0.1, 2.5), ("x", float("nan"), 0.1, 3)],
)
def test_settings_that_cannot_be_meant(settings: tuple[str, float, float, int]) -> None:
    with pytest.raises(UsageError):
        Preset(*settings)


def test_what_is_refused() -> None:
    picture = noise(4, 4, 3)
    for call in (
        lambda: vintage.vintage(picture, "unlucky"),
        lambda: vintage.vintage(picture, seed=-1),
        lambda: vintage.vintage(picture, seed=1.5),  # type: ignore[arg-type]
        lambda: vintage.at(1.1),
        lambda: vintage.renamed("safe", sepia=1),
    ):
        with pytest.raises(UsageError):
            call()
    for wrong in (picture / 255, picture[:0], picture[:, :, :2], [[1]], "face.jpg"):
        with pytest.raises(PictureError):
            vintage.vintage(wrong)  # type: ignore[arg-type]


def test_a_preset_with_another_setting() -> None:
    assert vintage.renamed("safe", noise=0.0) == Preset("safe, changed", 1.6, 0.0, 5)
