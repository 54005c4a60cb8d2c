"""The damage that GFPGAN was trained to undo.

Its authors make a training pair of a good photograph x: ``y = JPEG_q((x * k_sigma) down_r + n_delta)``, a Gaussian
blur, fewer pixels, normal noise, and JPEG, then enlarge y to the size of x again (Wang, Li, Zhang, Shan, "Towards
Real-World Blind Face Restoration with Generative Facial Prior", CVPR 2021). Ranges are those of the paper and of the
training options that were published with the code: a kernel of 41 x 41 pixels with sigma 0.1..10, r 0.8..8, delta
0..20 levels, q 60..100, for faces of 512 x 512. In training half of the kernels are not round; here all are, so that
one number says how blurred.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from w251lab.faces import ageing, arguments

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from w251lab.faces.arguments import Picture

KERNEL: Final = 41  # pixels
SIGMA: Final = (0.1, 10.0)  # pixels
DOWNSAMPLE: Final = (0.8, 8.0)  # times; below 1 the picture is enlarged
NOISE: Final = (0.0, 20.0)  # levels
QUALITY: Final = (100, 60)  # from mild to harsh
_STREAM: Final = 3  # of a seed's random numbers: not those of the vintage filter's steps


@dataclass(frozen=True)
class Degradation:
    """The four parameters, from the least damage to the most in the training's ranges.

    Attributes:
        sigma: Of the blur in pixels; 0 for none.
        downsample: By how much both sides are shrunk; above 0.
        noise: Standard deviation in levels.
        quality: JPEG's, 1..100; None for no JPEG.
    """

    sigma: float
    downsample: float
    noise: float
    quality: int | None

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        arguments.number(self.sigma, "sigma", least=0)
        arguments.number(self.downsample, "downsample", least=0.1)
        arguments.number(self.noise, "noise", least=0)
        if self.quality is not None:
            arguments.whole(self.quality, "quality", least=1, most=100)

    def __str__(self) -> str:
        """All four, for a picture's caption."""
        encoded = "no JPEG" if self.quality is None else f"JPEG {self.quality}"
        return f"blur {self.sigma:.3g}, 1/{self.downsample:.3g}, noise {self.noise:.3g}, {encoded}"


def at(strength: float) -> Degradation:
    """The parameters at a strength: 0 is the mild end of each range, 1 the harsh end, straight lines between.

    Args:
        strength: 0..1. At 0 the picture is still encoded as JPEG, at quality 100.

    Raises:
        UsageError: It is not in 0..1.
    """
    share = arguments.number(strength, "strength", least=0, most=1)

    def between(limits: tuple[float, float]) -> float:
        return limits[0] + share * (limits[1] - limits[0])

    return Degradation(between(SIGMA), between(DOWNSAMPLE), between(NOISE), round(between(QUALITY)))


def drawn(seed: int) -> Degradation:
    """Parameters as a training pair has them: each drawn from its range, independently and evenly."""
    sigma, times, noise, quality = arguments.generator(seed, _STREAM, 1).random(4)
    harsh = [at(float(share)) for share in (sigma, times, noise, quality)]
    return Degradation(harsh[0].sigma, harsh[1].downsample, harsh[2].noise, harsh[3].quality)


def degrade(picture: Picture, strength: float | Degradation, *, seed: int = 0) -> Picture:
    """Blur, shrink, add noise, encode; then enlarge to the size that the picture had.

    Args:
        picture: uint8, (height, width, 3) or (height, width). The published parameters are for faces of 512 x 512
            pixels: the same strength harms a smaller face more.
        strength: 0..1, or the parameters themselves.
        seed: Of the noise. Of one seed the noise has the same pattern at every strength that leaves as many pixels.

    Returns:
        uint8 of the same shape.

    Raises:
        PictureError: It is no picture.
        UsageError: The strength is not in 0..1, or the seed is no whole number from 0.
    """
    levels = arguments.pixels(picture)
    wanted = strength if isinstance(strength, Degradation) else at(strength)
    height, width = levels.shape[:2]
    small = max(1, round(height / wanted.downsample)), max(1, round(width / wanted.downsample))
    changed = _resized(_blurred(levels.astype(np.float64), wanted.sigma), small)
    random = arguments.generator(seed, _STREAM)
    changed = changed + wanted.noise * random.standard_normal(changed.shape)
    encoded = np.clip(np.rint(changed), 0, 255).astype(np.uint8)
    if wanted.quality is not None:
        encoded = ageing.jpeg(encoded, wanted.quality)
    enlarged = _resized(encoded.astype(np.float64), (height, width))
    return np.clip(np.rint(enlarged), 0, 255).astype(np.uint8)


def _blurred(levels: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    """By a Gaussian cut off at the published kernel; mirrored about the outermost pixels, as OpenCV does."""
    from scipy import ndimage  # noqa: PLC0415 - it takes a while

    if sigma == 0:
        return levels
    blurred: NDArray[np.float64] = ndimage.gaussian_filter(
        levels, sigma, mode="mirror", radius=KERNEL // 2, axes=(0, 1)
    )
    return blurred


def _resized(levels: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.float64]:
    """Bilinearly between pixels' centres, without smoothing before it shrinks: as the published code (OpenCV) does."""
    from skimage import transform  # noqa: PLC0415 - it takes a while

    if levels.shape[:2] == size:
        return levels
    resized: NDArray[np.float64] = transform.resize(  # type: ignore[no-untyped-call]
        levels, size, order=1, mode="edge", anti_aliasing=False, preserve_range=True
    )
    return resized
