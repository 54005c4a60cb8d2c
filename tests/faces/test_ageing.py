"""The other steps: each does what it says, on colour and gray and any size, and composes."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pytest

from w251lab.errors import UsageError
from w251lab.faces import ageing, quality

if TYPE_CHECKING:
    from collections.abc import Callable

    from w251lab.faces.arguments import Picture

STEPS: dict[str, Callable[[Picture], Picture]] = {
    "fade": ageing.fade,
    "grain": ageing.grain,
    "scratches": partial(ageing.scratches, count=9, seed=3),
    "downsample": partial(ageing.downsample, factor=3),
    "jpeg": ageing.jpeg,
}
SHAPES = [(1, 1), (1, 1, 3), (7, 1), (1, 9, 3), (40, 30), (41, 30, 3)]


def smooth(height: int = 120, width: int = 90) -> Picture:
    """A picture with colours, edges and slopes."""
    down, right = np.mgrid[0:height, 0:width]
    return np.stack([down * 2, right * 2, 255 * ((down // 8 + right // 8) % 2)], axis=2).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", STEPS)
def test_any_size_in_colour_and_gray(name: str, shape: tuple[int, ...]) -> None:
    levels = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    before = levels.copy()
    made = STEPS[name](levels)
    assert made.shape == shape
    assert made.dtype == np.uint8
    assert np.array_equal(levels, before)
    made[...] = 0  # its own memory


def test_sepia_is_the_known_matrix_and_colours_gray() -> None:
    assert ageing.sepia(np.array([[[100, 50, 20]]], np.uint8)).tolist() == [[[82, 73, 57]]]
    assert ageing.sepia(np.array([[255]], np.uint8)).tolist() == [[[255, 255, 239]]]


def test_fading_ends_at_the_paper() -> None:
    picture = smooth()
    assert np.array_equal(ageing.fade(picture, 0), picture)
    assert (ageing.fade(picture, 1) == ageing.PAPER).all()
    assert ageing.fade(picture, 0.5).std() < 0.7 * picture.std()


def test_grain_has_the_deviation_that_was_asked() -> None:
    even = np.full((300, 300, 3), 128, np.uint8)
    grainy = ageing.grain(even, 12, seed=4).astype(int) - 128
    assert grainy.std() == pytest.approx(12, rel=0.03)
    assert (grainy[:, :, 0] == grainy[:, :, 2]).all()
    assert np.array_equal(ageing.grain(even, 12, seed=4), ageing.grain(even, 12, seed=4))
    assert not np.array_equal(ageing.grain(even, 12, seed=4), ageing.grain(even, 12, seed=5))


def test_scratches_are_thin_and_long() -> None:
    even = np.full((200, 150), 128, np.uint8)
    for seed in range(5):
        touched = ageing.scratches(even, 1, seed=seed) != 128
        assert touched.any()
        assert touched.sum(axis=1).max() == 1
    assert (ageing.scratches(even, 8) != 128).mean() < 0.08
    assert np.array_equal(ageing.scratches(even, 0), even)


def test_downsampling_and_jpeg_lose_more_the_more_is_asked() -> None:
    picture = smooth()
    by_size = [quality.psnr(ageing.downsample(picture, factor), picture) for factor in (1.5, 3, 6)]
    by_quality = [quality.psnr(ageing.jpeg(picture, level), picture) for level in (95, 50, 10)]
    assert by_size == sorted(by_size, reverse=True)
    assert by_quality == sorted(by_quality, reverse=True)
    assert np.array_equal(ageing.downsample(picture, 1), picture)


def test_the_first_step_is_the_first() -> None:
    picture = smooth()
    both = ageing.compose(ageing.sepia, partial(ageing.fade, amount=0.5))
    assert np.array_equal(both(picture), ageing.fade(ageing.sepia(picture), 0.5))
    assert not np.array_equal(both(picture), ageing.sepia(ageing.fade(picture, 0.5)))
    alone = ageing.compose()(picture)
    assert np.array_equal(alone, picture)
    assert not np.shares_memory(alone, picture)


@pytest.mark.parametrize(
    "call",
    [
        partial(ageing.fade, amount=1.2),
        partial(ageing.fade, paper=(1, 2, 256)),
        partial(ageing.grain, sigma=-1),
        partial(ageing.grain, seed="a"),
        partial(ageing.scratches, count=-1),
        partial(ageing.downsample, factor=0.5),
        partial(ageing.jpeg, quality=0),
    ],
)
def test_what_cannot_be_meant(call: Callable[[Picture], Picture]) -> None:
    with pytest.raises(UsageError):
        call(smooth())
