"""The training recipe by Pillow and NumPy, a picture at a time, as torchvision does it on Pillow pictures.

The window is drawn as by torchvision's RandomResizedCrop (``get_params``): ten attempts, then the centre. Pillow
decodes the whole picture before the window is cut out of it; DALI decodes the window only.
"""

from __future__ import annotations

import io
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from PIL import Image, ImageOps

from w251lab.dali import damage
from w251lab.dali.loading.stages import Laps
from w251lab.dali.recipes import Training
from w251lab.errors import UsageError, W251Error

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

_ATTEMPTS: Final = 10


class Window(NamedTuple):
    """A part of a picture, in pixels."""

    left: int
    top: int
    width: int
    height: int


def check(recipe: object) -> Training:
    """``recipe``, if Pillow can do it as DALI does.

    Raises:
        UsageError: It is not for training, it turns pictures, or it resizes without antialiasing.
    """
    if not isinstance(recipe, Training):
        raise UsageError(f"{recipe!r} is no recipe for training", "give a w251lab.dali.recipes.Training")
    if recipe.rotation:
        raise UsageError("the loaders do not turn pictures", "use a recipe with rotation=0")
    if not recipe.antialias and recipe.interpolation != "nearest":
        raise UsageError(
            "Pillow always widens the filter where a picture is made smaller", "use a recipe with antialias=True"
        )
    return recipe


def read(path: str) -> bytes:
    """The bytes of a file.

    Raises:
        W251Error: It cannot be read.
    """
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise W251Error(
            f"the picture {path} cannot be read: {error.strerror}", "check the path and its permissions with: ls -l"
        ) from error


def decode(content: bytes, name: str) -> Image.Image:
    """A picture's pixels: RGB, upright as its EXIF orientation says.

    Raises:
        W251Error: Pillow cannot decode it; ``name`` is in the message.
    """
    try:
        with Image.open(io.BytesIO(content)) as picture:
            return ImageOps.exif_transpose(picture).convert("RGB")
    except damage.UNREADABLE as error:
        raise W251Error(f"{name} cannot be decoded: {error}", "remove it, or save it again") from error


def draw(width: int, height: int, recipe: Training, rng: np.random.Generator) -> Window:
    """A random window of a picture.

    Args:
        width: Of the picture, in pixels.
        height: Of the picture.
        recipe: Its ``area`` and ``aspect`` are used.
        rng: Where chance comes from.
    """
    low, high = (math.log(ratio) for ratio in recipe.aspect)
    for _ in range(_ATTEMPTS):
        area = width * height * rng.uniform(*recipe.area)
        aspect = math.exp(rng.uniform(low, high))
        w, h = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
        if 0 < w <= width and 0 < h <= height:
            return Window(int(rng.integers(width - w + 1)), int(rng.integers(height - h + 1)), w, h)
    # The largest window of the centre with an aspect ratio that is allowed.
    narrow, wide = recipe.aspect
    w = min(width, max(round(height * wide), 1))
    h = min(height, max(round(width / narrow), 1))
    return Window((width - w) // 2, (height - h) // 2, w, h)


def augment(picture: Image.Image, recipe: Training, rng: np.random.Generator) -> Image.Image:
    """A random window of ``picture``, resized to ``recipe.crop`` pixels each way, and mirrored by chance."""
    left, top, width, height = draw(*picture.size, recipe, rng)
    # Cut out first: with resize(box=...) the filter would see the pixels around the window.
    window = picture.crop((left, top, left + width, top + height))
    resized = window.resize((recipe.crop, recipe.crop), Image.Resampling[recipe.interpolation.upper()])
    return resized.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if rng.random() < recipe.flip else resized


def normalise(picture: Image.Image, recipe: Training) -> npt.NDArray[np.float32]:
    """Channels first, mean subtracted, divided by the standard deviation.

    Args:
        picture: RGB.
        recipe: Its ``mean`` and ``std``, of values in 0..255.

    Returns:
        float32 [3, height, width], contiguous.
    """
    pixels = np.asarray(picture).transpose(2, 0, 1).astype(np.float32, order="C")
    pixels -= _per_channel(recipe.mean)
    pixels *= 1 / _per_channel(recipe.std)
    return pixels


def fill(
    batch: npt.NDArray[np.float32], paths: Sequence[str], recipe: Training, *, seed: int, first: int, laps: Laps
) -> None:
    """Make pictures and put them into a batch.

    Each picture has random numbers of its own, from the seed and its number: so it comes out the same, whichever
    process makes it.

    Args:
        batch: float32 [pictures, 3, crop, crop]; written to.
        paths: The file of each picture.
        recipe: What is done to it.
        seed: Of everything random.
        first: The number of the first of them, counted from the start.
        laps: Where the seconds are added.

    Raises:
        W251Error: A file cannot be read or decoded; it is named.
    """
    for place, path in enumerate(paths):
        with laps.lap("read"):
            content = read(path)
        with laps.lap("decode"):
            picture = decode(content, path)
        with laps.lap("augment"):
            augmented = augment(picture, recipe, np.random.default_rng([seed, first + place]))
        with laps.lap("normalise"):
            pixels = normalise(augmented, recipe)
        with laps.lap("copy"):
            batch[place] = pixels


class PillowLoader:
    """Batches made in this process, one after the other; nothing is prepared ahead.

    Args:
        paths: The files; the loader goes round them in this order without end.
        recipe: What is done to each picture; see :func:`check`.
        batch_size: Pictures in a batch.
        seed: Of everything random.
    """

    def __init__(self, paths: Sequence[str], recipe: Training, *, batch_size: int, seed: int = 0) -> None:
        self.paths, self.recipe, self.batch_size, self.seed = tuple(paths), check(recipe), batch_size, seed
        self._made = 0

    def run(self) -> tuple[npt.NDArray[np.float32], Laps]:
        """The next batch, float32 [batch_size, 3, crop, crop], and the seconds of its stages."""
        laps = Laps()
        with laps.lap("copy"):
            batch = np.empty((self.batch_size, 3, self.recipe.crop, self.recipe.crop), np.float32)
        fill(
            batch,
            around(self.paths, self._made, self.batch_size),
            self.recipe,
            seed=self.seed,
            first=self._made,
            laps=laps,
        )
        self._made += self.batch_size
        return batch, laps


def around(paths: Sequence[str], first: int, count: int) -> list[str]:
    """``count`` of the paths from number ``first`` on, beginning again at the end."""
    return [paths[number % len(paths)] for number in range(first, first + count)]


def _per_channel(values: tuple[float, ...]) -> npt.NDArray[Any]:
    return np.asarray(values, np.float32)[:, np.newaxis, np.newaxis]
