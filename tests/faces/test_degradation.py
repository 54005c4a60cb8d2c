"""GFPGAN's degradation: its published ranges, each parameter alone, and the damage rising with the strength."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from w251lab.errors import UsageError
from w251lab.faces import degradation, pictures, quality
from w251lab.faces.degradation import Degradation


def test_the_ends_are_the_published_ones() -> None:
    assert degradation.at(0) == Degradation(0.1, 0.8, 0.0, 100)
    assert degradation.at(1) == Degradation(10.0, 8.0, 20.0, 60)
    for seed in range(20):
        drawn = degradation.drawn(seed)
        assert 0.1 <= drawn.sigma <= 10
        assert 0.8 <= drawn.downsample <= 8
        assert 0 <= drawn.noise <= 20
        assert 60 <= (drawn.quality or 0) <= 100
    assert degradation.drawn(1) != degradation.drawn(2)
    assert degradation.drawn(1) == degradation.drawn(1)


def test_no_parameter_no_damage() -> None:
    picture = pictures.portrait()[:90, :70]
    assert np.array_equal(degradation.degrade(picture, Degradation(0, 1, 0, None)), picture)


def test_the_blur_is_the_gaussian_of_41_pixels() -> None:
    point = np.zeros((101, 101), np.uint8)
    point[50, 50] = 255
    blurred = degradation.degrade(point, Degradation(3.0, 1, 0, None)).astype(float)
    kernel = np.exp(-0.5 * (np.arange(-20, 21) / 3.0) ** 2)
    kernel /= kernel.sum()
    expected = 255 * np.outer(kernel, kernel)
    assert np.abs(blurred[30:71, 30:71] - expected).max() <= 0.5
    # A wide Gaussian is cut off at the kernel's edge.
    wide = degradation.degrade(np.where(np.arange(101) < 50, 255, 0).astype(np.uint8)[None].repeat(101, 0),
                               Degradation(10.0, 1, 0, None))  # fmt: skip
    assert (wide[:, :29] == 255).all()
    assert (wide[:, 71:] == 0).all()
    assert 0 < wide[0, 69] < 10


def test_the_noise_has_its_deviation_and_its_seed() -> None:
    even = np.full((256, 256, 3), 128, np.uint8)
    first = degradation.degrade(even, Degradation(0, 1, 15, None), seed=1)
    assert first.std() == pytest.approx(15, rel=0.03)
    assert np.array_equal(first, degradation.degrade(even, Degradation(0, 1, 15, None), seed=1))
    assert not np.array_equal(first, degradation.degrade(even, Degradation(0, 1, 15, None), seed=2))


def test_more_strength_is_more_damage() -> None:
    picture = pictures.portrait()
    damage = [quality.psnr(degradation.degrade(picture, strength), picture) for strength in (0, 0.25, 0.5, 1)]
    assert all(before > after + 1 for before, after in itertools.pairwise(damage))
    assert damage[0] > 30
    assert math.isfinite(damage[0])


@pytest.mark.parametrize("shape", [(1, 1), (1, 1, 3), (3, 50), (64, 5, 3)])
def test_any_size(shape: tuple[int, ...]) -> None:
    picture = np.random.default_rng(2).integers(0, 256, shape, dtype=np.uint8)
    for strength in (0, 1):
        made = degradation.degrade(picture, strength)
        assert made.shape == shape
        assert made.dtype == np.uint8


def test_what_cannot_be_meant() -> None:
    for wrong in (
        (-1, 1, 0, 90),
        (1, 0, 0, 90),
        (1, 1, -1, 90),
        (1, 1, 0, 0),
        (1, 1, 0, 101),
        (1, float("inf"), 0, 90),
    ):
        with pytest.raises(UsageError):
            Degradation(*wrong)
    with pytest.raises(UsageError):
        degradation.degrade(np.zeros((4, 4, 3), np.uint8), 1.5)
