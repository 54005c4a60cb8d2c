"""A second look at each face, upright and at the detector's best size: its landmarks become twice as steady.

The detector is surest of upright faces of about 100 pixels. A face is cut out so, as its first landmarks say, and
looked at again; one that was lying on its side or upside down is turned that way, looked at, and looked at once more.
Measured: docs/faces.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from w251lab.faces import centerface
from w251lab.faces.align import OUTSIDE, TEMPLATE, TEMPLATE_SIZE, similarity
from w251lab.faces.errors import FaceError
from w251lab.faces.warping import inverse, warp

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Edge of the cut-out, and in it the face at half of that: in the template it takes half of the edge, too.
_SIZE: Final = 192
_TARGET: Final = (TEMPLATE + 0.5) * _SIZE / TEMPLATE_SIZE - 0.5
# Weaker answers than the detector's own threshold are of use: that there is a face is known.
_THRESHOLD: Final = 0.3
_LOOKS: Final = 2
# A face that was turned by less than this, in radians, is seen right at the first look.
_TURNED: Final = 0.35


def landmarks(picture: NDArray[np.uint8], first: NDArray[np.float64]) -> NDArray[np.float64]:
    """Better landmarks of one face.

    Args:
        picture: uint8 (height, width, 3).
        first: float64 (5, 2), what the detector found in the whole picture.

    Returns:
        float64 (5, 2); ``first`` where the face is not found again.
    """
    points = first
    for _ in range(_LOOKS):
        try:
            matrix = similarity(points, _TARGET)
        except FaceError:
            return first  # a face of less than a pixel
        back = inverse(matrix)
        found = centerface.run(warp(picture, back, (_SIZE, _SIZE), OUTSIDE), _THRESHOLD)
        found = centerface.distinct(found)
        centres = (found.boxes[:, :2] + found.boxes[:, 2:]) / 2
        away = np.linalg.norm(centres - _TARGET.mean(axis=0), axis=1)
        if not len(away) or away.min() > _SIZE / 4:
            return points
        seen = found.landmarks[away.argmin()] - 0.5
        points = seen @ back[:, :2].T + back[:, 2]
        if abs(np.arctan2(matrix[1, 0], matrix[0, 0])) < _TURNED:
            break
    return points
