"""Faces found in a picture by CenterFace, with five landmarks each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Face:
    """One face in a picture. Coordinates are in pixels, x to the right and y downwards; the centre of
    the first pixel is at (0, 0).

    Attributes:
        box: Left, top, right and bottom edge. It may reach over the edge of the picture.
        score: How sure the detector is, 0..1.
        landmarks: float64 (5, 2): left eye, right eye, nose, left and right corner of the mouth, as seen in the picture.
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
