"""Other ways in which a photograph grows old: steps to put before, behind or in place of the vintage filter's.

Each takes a picture, uint8 (height, width, 3) or (height, width), of any size from 1 x 1, and gives a new one; only
`sepia` makes a gray one coloured. What is random takes a seed, and each kind of step has numbers of its own: two steps
with one seed do not damage the same pixels. The bytes are the same on every machine, but for `jpeg`'s: encoders differ.

    aged = compose(sepia, partial(grain, sigma=12, seed=1), partial(scratches, count=8, seed=1))
    old = aged(picture)
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image

from w251lab.faces import arguments

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from w251lab.faces.arguments import Picture

    Step = Callable[[Picture], Picture]

# The usual matrix of sepia filters, in 1/1000: rows are the new red, green and blue. CSS' sepia() has the same one
# (W3C, Filter Effects Module Level 1, "sepia"; 2014).
_SEPIA: Final = np.array([[393, 769, 189], [349, 686, 168], [272, 534, 131]], dtype=np.int64)
#: Faded paper: what a print's levels move towards.
PAPER: Final = (226, 214, 188)
# The streams of a seed's random numbers, one for each kind of step.
_SCRATCHES, _GRAIN = 1, 2


def compose(*steps: Step) -> Step:
    """One step out of several, the first of them first; of none, one that copies."""

    def all_of_them(picture: Picture) -> Picture:
        changed = arguments.pixels(picture).copy()
        for step in steps:
            changed = step(changed)
        return changed

    return all_of_them


def sepia(picture: Picture) -> Picture:
    """The brown of silver prints that were toned. Gray becomes (height, width, 3)."""
    levels = arguments.pixels(picture)
    wide = (levels if levels.ndim == 3 else np.repeat(levels[:, :, None], 3, axis=2)).astype(np.int64)
    brown: Picture = np.minimum((wide @ _SEPIA.T + 500) // 1000, 255).astype(np.uint8)
    return brown


def fade(picture: Picture, amount: float = 0.3, *, paper: tuple[int, int, int] = PAPER) -> Picture:
    """Less contrast: each level moves by the share ``amount`` (0..1) towards that of the paper."""
    levels = arguments.pixels(picture)
    share = arguments.number(amount, "amount", least=0, most=1)
    target = np.asarray([arguments.whole(level, "paper", least=0, most=255) for level in paper], dtype=np.float64)
    goal = target if levels.ndim == 3 else target.mean()
    return _rounded(levels * (1 - share) + share * goal)


def grain(picture: Picture, sigma: float = 10.0, *, seed: int = 0) -> Picture:
    """Film grain: normal noise with the deviation ``sigma`` in levels, the same in all three channels of a pixel."""
    levels = arguments.pixels(picture)
    deviation = arguments.number(sigma, "sigma", least=0)
    noise = deviation * arguments.generator(seed, _GRAIN).standard_normal(levels.shape[:2])
    return _rounded(levels + (noise[:, :, None] if levels.ndim == 3 else noise))


def scratches(picture: Picture, count: int = 6, *, seed: int = 0) -> Picture:
    """Thin scratches from the top down, as of film that was drawn over a gate: light ones, and a dark one in four.

    Each begins anywhere, goes over a third of the height or more, leans by at most one pixel in fifteen, and lets a
    little of the picture through.
    """
    levels = arguments.pixels(picture).copy()
    height, width = levels.shape[:2]
    random = arguments.generator(seed, _SCRATCHES)
    for _ in range(arguments.whole(count, "count", least=0)):
        start, length, across, lean, kind = random.random(5)
        rows = np.arange(int(start * height), min(height, int((start + 1 / 3 + length) * height) + 1))
        columns = np.rint(across * (width - 1) + (lean - 0.5) * 2 / 15 * (rows - rows[0])).astype(np.int64)
        inside = (columns >= 0) & (columns < width)
        place = rows[inside], columns[inside]
        levels[place] = _rounded(0.25 * levels[place] + 0.75 * (25 if kind < 0.25 else 235))
    return levels


def downsample(picture: Picture, factor: float) -> Picture:
    """As many pixels as before, but with the detail of a picture ``factor`` times smaller.

    Shrunk by the mean of each box, enlarged again bilinearly (both Pillow's). At least one pixel is left.
    """
    levels = arguments.pixels(picture)
    times = arguments.number(factor, "factor", least=1)
    height, width = levels.shape[:2]
    small = max(1, round(width / times)), max(1, round(height / times))
    shrunk = Image.fromarray(levels).resize(small, Image.Resampling.BOX)
    return np.array(shrunk.resize((width, height), Image.Resampling.BILINEAR))


def jpeg(picture: Picture, quality: int = 30) -> Picture:
    """Stored as JPEG at a quality of 1..100 (colours at half the resolution, as usual) and read again."""
    levels = arguments.pixels(picture)
    file = io.BytesIO()
    Image.fromarray(levels).save(file, "JPEG", quality=arguments.whole(quality, "quality", least=1, most=100))
    return np.array(Image.open(file))


def _rounded(levels: NDArray[np.float64]) -> Picture:
    return np.clip(np.rint(levels), 0, 255).astype(np.uint8)
