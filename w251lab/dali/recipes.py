"""What is done to a picture on its way to a model, as values: a recipe says nothing of where it is done, or to what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

from w251lab.dali import checks, imagenet
from w251lab.errors import UsageError

Interpolation = Literal["nearest", "bilinear", "bicubic", "lanczos"]
INTERPOLATIONS: Final = get_args(Interpolation)


@dataclass(frozen=True, kw_only=True)
class Training:
    """A random window of the picture, resized to the model's input, mirrored by chance, normalised.

    As torchvision's RandomResizedCrop and RandomHorizontalFlip: the window's area and aspect ratio are drawn at random,
    ten times at most, until it lies within the picture.

    Attributes:
        crop: Height and width of the result in pixels.
        area: The window's share of the picture's area, smallest and largest, in (0, 1].
        aspect: The window's width divided by its height, smallest and largest.
        flip: Probability of a mirrored picture, in 0..1.
        rotation: Largest angle in degrees: each picture is turned by a random one in ``-rotation..rotation`` after it
            was resized; what it leaves of the corners is black. 0 for none.
        interpolation: The filter of the resizing.
        antialias: Widen the filter where the picture is made smaller.
        mean: Subtracted from red, green and blue in 0..255.
        std: Divides the result.

    Raises:
        UsageError: A value that cannot be meant.
    """

    crop: int = imagenet.CROP
    area: tuple[float, float] = imagenet.AREA
    aspect: tuple[float, float] = imagenet.ASPECT
    flip: float = 0.5
    rotation: float = 0.0
    interpolation: Interpolation = "bilinear"
    antialias: bool = True
    mean: tuple[float, ...] = imagenet.MEAN_255
    std: tuple[float, ...] = imagenet.STD_255

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        checks.whole(self.crop, "crop")
        checks.interval(self.area, "area", above=0, most=1)
        checks.interval(self.aspect, "aspect", above=0)
        checks.number(self.flip, "flip", least=0, most=1)
        checks.number(self.rotation, "rotation", least=0, most=180)
        _check_pixels(self)


@dataclass(frozen=True, kw_only=True)
class Validation:
    """The shorter side resized, the centre cut out, normalised; nothing is random.

    As torchvision's Resize and CenterCrop, to the pixel; how near is in :mod:`w251lab.dali.parity`.

    Attributes:
        resize: Length of the shorter side in pixels. The longer side keeps the aspect ratio, cut to whole pixels.
        crop: Height and width of the result in pixels, at most ``resize``.
        interpolation: The filter of the resizing.
        antialias: Widen the filter where the picture is made smaller.
        mean: Subtracted from red, green and blue in 0..255.
        std: Divides the result.

    Raises:
        UsageError: A value that cannot be meant.
    """

    resize: int = imagenet.RESIZE
    crop: int = imagenet.CROP
    interpolation: Interpolation = "bilinear"
    antialias: bool = True
    mean: tuple[float, ...] = imagenet.MEAN_255
    std: tuple[float, ...] = imagenet.STD_255

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        checks.whole(self.resize, "resize")
        checks.whole(self.crop, "crop")
        if self.crop > self.resize:
            raise UsageError(
                f"a crop of {self.crop} pixels does not fit into a shorter side of {self.resize}",
                "give a resize at least as large as the crop",
            )
        _check_pixels(self)


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """Decoded pictures, each in its own size, to look at; turned at random where ``rotation`` is not 0.

    Attributes:
        rotation: Largest angle in degrees: each picture is turned by a random one in ``-rotation..rotation``. The
            canvas grows to hold all of it, and what is left of the corners is black. 0 for none.

    Raises:
        UsageError: A value that cannot be meant.
    """

    rotation: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        checks.number(self.rotation, "rotation", least=0, most=180)


Recipe = Training | Validation | Pictures


def _check_pixels(recipe: Training | Validation) -> None:
    checks.one_of(recipe.interpolation, "interpolation", INTERPOLATIONS)
    if not isinstance(recipe.antialias, bool):
        raise UsageError(f"antialias is {recipe.antialias!r}", "use True or False")
    checks.per_channel(recipe.mean, "mean")
    checks.per_channel(recipe.std, "std", positive=True)
