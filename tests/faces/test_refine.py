"""Landmarks are steadier after a second look, and right for a face that lies on its side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from w251lab.faces import centerface, refine

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from w251lab.faces.detect import Face


def test_the_scatter_of_the_landmarks_is_at_least_a_third_less(collins: NDArray[np.uint8]) -> None:
    window = Image.fromarray(collins).crop((125, 20, 325, 220))
    first, second = [], []
    for edge in (66, 90, 170, 380, 640, 800):
        seen = np.asarray(window.resize((edge, edge), Image.Resampling.LANCZOS))
        raw = centerface.run(seen, 0.3).landmarks[0] - 0.5
        for into, points in ((first, raw), (second, refine.landmarks(seen, raw))):
            into.append((points + 0.5) * 200 / edge)
    scatter = [np.std(each, axis=0).mean() for each in (first, second)]
    assert scatter[1] < 0.67 * scatter[0], scatter


def test_a_face_that_is_not_found_again_keeps_its_landmarks(collins_face: Face) -> None:
    gray = np.full((512, 512, 3), 128, np.uint8)
    np.testing.assert_array_equal(refine.landmarks(gray, collins_face.landmarks), collins_face.landmarks)
    one_point = np.full((5, 2), 9.0)
    np.testing.assert_array_equal(refine.landmarks(gray, one_point), one_point)
