"""A face turned upright and cut out at 512 x 512 pixels, and a restored one laid back into its picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from w251lab.faces.detect import Face


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
