"""A face turned upright and cut out at 512 x 512 pixels, and a restored one laid back into its picture.

Points are (x, y) in pixels; the centre of the first pixel is at (0, 0).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import combinations
from typing import TYPE_CHECKING, Final

import numpy as np

from w251lab.errors import UsageError
from w251lab.faces.errors import FaceError
from w251lab.faces.pictures import check_picture
from w251lab.faces.warping import enlarged, inverse, warp

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from w251lab.faces.detect import Face

#: Where eyes, nose and corners of the mouth are in a face of 512 x 512 pixels: the mean face of FFHQ as GFPGAN and
#: facexlib align to it. float64 (5, 2).
TEMPLATE: Final = np.array(
    [
        [192.98138, 239.94708],
        [318.90277, 240.1936],
        [256.63416, 314.01935],
        [201.26117, 371.41043],
        [313.08905, 371.15118],
    ]
)
#: Edge of the square of `TEMPLATE`, in pixels.
TEMPLATE_SIZE: Final = 512
#: What is outside the picture in a face that reaches over its edge: the colour that GFPGAN was trained with.
OUTSIDE: Final = (135, 133, 132)
# Of a face of 512 pixels: what of its border is never laid back, and over how many pixels the rest fades in.
_BORDER, _FADE = 10, 60


@dataclass(frozen=True)
class Aligned:
    """A face that was cut out of a picture.

    Attributes:
        picture: uint8 (size, size, 3), the face upright, with eyes, nose and mouth near the template's.
        matrix: float64 (2, 3), takes a point (x, y, 1) of the picture to the cut-out.
        face: The face in the picture.
    """

    picture: NDArray[np.uint8]
    matrix: NDArray[np.float64]
    face: Face

    @property
    def scale(self) -> float:
        """Pixels of the cut-out for one of the picture: above 1 where the face was enlarged."""
        return float(np.hypot(self.matrix[0, 0], self.matrix[1, 0]))


def align(picture: NDArray[np.uint8], face: Face, size: int = TEMPLATE_SIZE) -> Aligned:
    """Cut a face out of a picture, upright and at a known size.

    Args:
        picture: uint8 (height, width, 3).
        face: One of :func:`w251lab.faces.detect.detect`.
        size: Edge of the cut-out in pixels.

    Raises:
        PictureError: ``picture`` is no picture.
        FaceError: The landmarks are all in one place.
        UsageError: ``size`` is below 1.
    """
    check_picture(picture)
    if size < 1:
        raise UsageError(f"size is {size!r}", "give a number of pixels, at least 1")
    target = (TEMPLATE + 0.5) * size / TEMPLATE_SIZE - 0.5
    matrix = similarity(face.landmarks, target)
    return Aligned(warp(picture, inverse(matrix), (size, size), OUTSIDE), matrix, face)


def similarity(points: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """The turn, scale and shift that takes five points to their targets, whatever one or two of them say.

    Least median of squares (Rousseeuw, "Least Median of Squares Regression", JASA 79, 1984): of the transforms that
    each pair of points fixes, the one with the least median of squared distances decides which points count; those
    are fitted by least squares. As the points are few, all pairs are tried: the result is always the same.

    Args:
        points: float64 (n, 2), n at least 3.
        target: float64 (n, 2).

    Returns:
        float64 (2, 3).

    Raises:
        FaceError: The points are all in one place, or not finite.
    """
    if not np.isfinite(points).all() or np.ptp(points, axis=0).max() < 1e-3:
        raise FaceError(
            "the landmarks of a face are all in one place", "detect the face again, or leave it out: it is too small"
        )
    best, least = None, np.inf
    for pair in combinations(range(len(points)), 2):
        chosen = list(pair)
        if np.linalg.norm(points[chosen[0]] - points[chosen[1]]) < 1e-6:
            continue
        away = _distances(least_squares(points[chosen], target[chosen]), points, target)
        if np.median(away) < least:
            best, least = away, float(np.median(away))
    assert best is not None
    # Rousseeuw's robust deviation, and 2.5 of it; the floor keeps points that are right to a tenth of a pixel.
    deviation = 1.4826 * (1 + 5 / (len(points) - 2)) * np.sqrt(least)
    inside = best <= max(2.5 * deviation, 0.1) ** 2
    return least_squares(points[inside], target[inside])


def paste_back(
    picture: NDArray[np.uint8],
    restored: NDArray[np.uint8],
    aligned: Aligned,
    *,
    upscale: float,
    mask: NDArray[np.floating] | None = None,
) -> NDArray[np.uint8]:
    """Lay a restored face into the enlarged picture, fading out towards its border.

    Of faces that overlap the one that is laid on later is seen.

    Args:
        picture: uint8 (height, width, 3), ``upscale`` times as large as the picture that the face was cut out of.
        restored: uint8 (size, size, 3), as large as ``aligned.picture``.
        aligned: Where the face comes from.
        upscale: How many times larger ``picture`` is, above 0.
        mask: How much of the restored face is to be seen, 0..1, of shape (size, size). None: :func:`feather`.

    Returns:
        A new picture. Where the mask is 0 its pixels are exactly those of ``picture``.

    Raises:
        PictureError: One of the two is no picture.
        FaceError: ``restored`` or ``mask`` is of another size than the face, or the mask goes beyond 0..1.
    """
    check_picture(picture)
    check_picture(restored, "the restored face")
    size = aligned.picture.shape[0]
    shown = feather(size) if mask is None else np.asarray(mask, dtype=np.float32)
    if restored.shape[:2] != (size, size) or shown.shape != (size, size):
        raise FaceError(
            f"the restored face is {restored.shape[:2]} and its mask {shown.shape}, in place of {(size, size)}",
            "resize them to the size of the aligned face",
        )
    if not (shown.min() >= 0 and shown.max() <= 1):
        raise FaceError(f"the mask reaches from {shown.min():g} to {shown.max():g}", "give numbers in 0..1")
    back = enlarged(aligned.matrix, upscale)  # a point of the enlarged picture to the face
    left, top, right, bottom = _reach(inverse(back), size, picture.shape)
    result = picture.copy()
    if left >= right or top >= bottom:
        return result
    shifted = back.copy()
    shifted[:, 2] += back[:, :2] @ (left, top)
    box = right - left, bottom - top
    face = warp(restored, shifted, box).astype(np.float32)
    share = warp(shown, shifted, box)[..., None]
    under = picture[top:bottom, left:right].astype(np.float32)
    result[top:bottom, left:right] = np.rint(under + share * (face - under))
    return result


@cache
def feather(size: int) -> NDArray[np.float32]:
    """How much of a restored face is seen when it is laid back: all of its middle, nothing of its border.

    Between the two it rises smoothly (3 t^2 - 2 t^3), so that there is no line where it begins. Corners are round.

    Returns:
        float32 (size, size), 0..1, not writable.
    """
    unit = size / TEMPLATE_SIZE
    along = (np.arange(size) + 0.5) / unit
    # How far a pixel is inside the rectangle from which on everything is seen; negative in the rim.
    inside = np.minimum(along, TEMPLATE_SIZE - along) - _BORDER - _FADE
    rim = np.minimum(inside, 0)
    way = np.clip(1 - np.hypot(rim[:, None], rim[None]) / _FADE, 0, 1)
    mask: NDArray[np.float32] = (way * way * (3 - 2 * way)).astype(np.float32)
    mask.setflags(write=False)
    return mask


def least_squares(points: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """The similarity x' = a x - b y + c, y' = b x + a y + d with the least sum of squared distances.

    Args:
        points: float64 (n, 2), n at least 2.
        target: float64 (n, 2).

    Returns:
        float64 (2, 3).
    """
    x, y, one, none = *points.T, np.ones(len(points)), np.zeros(len(points))
    system = np.concatenate([np.stack([x, -y, one, none], axis=1), np.stack([y, x, none, one], axis=1)])
    (a, b, c, d), *_ = np.linalg.lstsq(system, target.T.ravel(), rcond=None)
    return np.array([[a, -b, c], [b, a, d]])


def _distances(
    matrix: NDArray[np.float64], points: NDArray[np.float64], target: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Squared distances of the moved points from their targets."""
    return np.asarray(((points @ matrix[:, :2].T + matrix[:, 2] - target) ** 2).sum(axis=1))


def _reach(matrix: NDArray[np.float64], size: int, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """The pixels of a picture that a moved square may touch: left, top, right, bottom."""
    corners = np.array([[0, 0], [size, 0], [0, size], [size, size]]) - 0.5
    moved = corners @ matrix[:, :2].T + matrix[:, 2]
    low, high = np.floor(moved.min(axis=0)), np.ceil(moved.max(axis=0)) + 1
    limit = np.array([shape[1], shape[0]])
    (left, top), (right, bottom) = np.clip(low, 0, limit).astype(int), np.clip(high, 0, limit).astype(int)
    return int(left), int(top), int(right), int(bottom)
