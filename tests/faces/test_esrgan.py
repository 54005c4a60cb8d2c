"""The network cleans and sharpens, gives the same each time, and leaves no line between two tiles."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from w251lab.faces import esrgan
from w251lab.faces.errors import PictureError

if TYPE_CHECKING:
    from numpy.typing import NDArray


def error(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    return float(np.sqrt(((a.astype(float) - b) ** 2).mean()))


def test_noise_goes_and_edges_stay() -> None:
    clean = np.full((48, 48, 3), 60, np.uint8)
    clean[:, 24:] = 190
    noisy = np.clip(clean + np.random.default_rng(0).normal(0, 20, clean.shape), 0, 255).astype(np.uint8)
    ours = esrgan.enlarge_four_times(noisy)
    assert ours.shape == (192, 192, 3)
    large = clean.repeat(4, axis=0).repeat(4, axis=1)
    plain = np.asarray(Image.fromarray(noisy).resize((192, 192), Image.Resampling.LANCZOS))
    assert error(ours, large) < 0.6 * error(plain, large)
    assert ours[20:-20, 110].mean() - ours[20:-20, 82].mean() > 110


def test_tiles_leave_no_line(collins: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch) -> None:
    picture = collins[80:112, 170:218]
    whole = esrgan.enlarge_four_times(picture)
    monkeypatch.setattr(esrgan, "_TILE", 24)
    tiled = esrgan.enlarge_four_times(picture)
    assert tiled.shape == whole.shape == (128, 192, 3)
    assert [tuple(each) for each in esrgan._spans(32)] == [(0, 16), (16, 32)]
    assert error(tiled, whole) < 4
    # The step over the line between two tiles is no larger than in the picture that was made at once.
    steps = [np.abs(np.diff(each.astype(int), axis=1))[:, 95].mean() for each in (whole, tiled)]
    assert steps[1] < steps[0] + 2


def test_the_same_picture_gives_the_same_in_every_thread(collins: NDArray[np.uint8]) -> None:
    pieces = [collins[y : y + 16, 200:220] for y in (80, 100, 120)]
    alone = [esrgan.enlarge_four_times(each) for each in pieces]
    with ThreadPoolExecutor(3) as pool:
        for one, other in zip(alone, pool.map(esrgan.enlarge_four_times, pieces), strict=True):
            np.testing.assert_array_equal(one, other)


def test_a_single_pixel_becomes_sixteen() -> None:
    assert esrgan.enlarge_four_times(np.full((1, 1, 3), 200, np.uint8)).shape == (4, 4, 3)
    with pytest.raises(PictureError, match="height, width, 3"):
        esrgan.enlarge_four_times(np.zeros((4, 4), np.uint8))
