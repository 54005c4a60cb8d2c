"""Faces found in a picture by CenterFace, with five landmarks each."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image

from w251lab.errors import UsageError
from w251lab.faces import centerface, refine
from w251lab.faces.pictures import check_picture

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Edge of a square with as many pixels as a picture may have when it is looked at; larger ones are shrunk.
LARGEST: Final = 1024
# Smaller ones are doubled: the network misses faces below about 24 pixels.
_SMALL: Final = 256


@dataclass(frozen=True)
class Face:
    """One face in a picture. Points are (x, y) in pixels; the centre of the first pixel is at (0, 0).

    Attributes:
        box: Left, top, right and bottom edge. It may reach over the edge of the picture.
        score: How sure the detector is, 0..1.
        landmarks: float64 (5, 2): left eye, right eye, nose, left and right corner of the mouth, as seen in the
            picture.
    """

    box: tuple[float, float, float, float]
    score: float
    landmarks: NDArray[np.float64]

    @property
    def eye_distance(self) -> float:
        """Distance between the eyes in pixels."""
        return float(np.linalg.norm(self.landmarks[1] - self.landmarks[0]))

    @property
    def centre(self) -> NDArray[np.float64]:
        """The box's centre, float64 (2,): x, y."""
        left, top, right, bottom = self.box
        return np.array([(left + right) / 2, (top + bottom) / 2])

    @property
    def area(self) -> float:
        """Area of the box in square pixels."""
        left, top, right, bottom = self.box
        return max(right - left, 0.0) * max(bottom - top, 0.0)


def detect(picture: NDArray[np.uint8], *, threshold: float = 0.5, largest: int = LARGEST) -> tuple[Face, ...]:
    """The faces in a picture, largest first.

    The picture is looked at twice, the second time at half the size: the network misses a face of more than about 600
    pixels, and one in a grainy picture is found more often once the grain is averaged away. Of a face that is found
    twice the first look counts, which is the finer one. Then each face is looked at alone, for its landmarks; see
    `w251lab.faces.refine`.

    Args:
        picture: uint8 (height, width, 3), RGB.
        threshold: The least score of a face, above 0 and below 1.
        largest: A picture with more pixels than a square of this edge is shrunk to as many for the detector. Higher
            finds smaller faces in large pictures, and takes longer in proportion to the area.

    Raises:
        PictureError: ``picture`` is no picture.
        UsageError: ``threshold`` or ``largest`` is out of range.
        WeightsError: The detector's weights are not here.
    """
    check_picture(picture)
    if not 0 < threshold < 1:
        raise UsageError(f"threshold is {threshold!r}", "give a number above 0 and below 1")
    if largest < 1:
        raise UsageError(f"largest is {largest!r}", "give a number of pixels, at least 1")
    height, width = picture.shape[:2]
    first = 2.0 if max(height, width) < _SMALL else min(largest / math.sqrt(height * width), 1.0)
    looks = [_look(picture, scale, threshold) for scale in (first, first / 2)]
    boxes, scores, landmarks = map(np.concatenate, zip(*looks, strict=True))
    found = centerface.distinct(centerface.Found(boxes, scores, landmarks))
    faces = [
        Face((box[0], box[1], box[2], box[3]), score, refine.landmarks(picture, points))
        for box, score, points in zip(found.boxes.tolist(), found.scores.tolist(), found.landmarks, strict=True)
    ]
    return tuple(sorted(faces, key=lambda face: face.area, reverse=True))


def _look(picture: NDArray[np.uint8], scale: float, threshold: float) -> centerface.Found:
    """Faces at one size, in the picture's coordinates."""
    height, width = picture.shape[:2]
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    seen = picture
    if size != (width, height):
        seen = np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BICUBIC))
    found = centerface.distinct(centerface.run(seen, threshold))
    # From the corner of the first pixel to its centre.
    by = np.array([width / size[0], height / size[1]])
    return centerface.Found(found.boxes * np.tile(by, 2) - 0.5, found.scores, found.landmarks * by - 0.5)
