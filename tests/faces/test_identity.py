"""The same person is near, another one far, whatever is done to the picture."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from w251lab.faces import detect, identity
from w251lab.faces.errors import FaceError, PictureError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from w251lab.faces.detect import Face


def test_one_person_is_one_person_and_two_are_two(
    collins: NDArray[np.uint8], collins_face: Face, hopper: NDArray[np.uint8], hopper_face: Face
) -> None:
    first = identity.embedding(collins, collins_face)
    assert first.shape == (identity.LENGTH,)
    assert first.dtype == np.float64
    smaller = Image.fromarray(collins).rotate(20).resize((300, 300))
    turned = np.asarray(smaller.convert("L").convert("RGB"))
    again = identity.embedding(turned, detect.detect(turned)[0])
    other = identity.embedding(hopper, hopper_face)
    assert identity.identity_distance(first, again) < 0.35
    assert identity.identity_distance(first, other) > identity.THRESHOLD
    assert identity.identity_distance(other, again) > identity.THRESHOLD
    assert identity.identity_distance(first, first) == 0
    assert identity.identity_distance(np.zeros(128), np.eye(128)[0] * 0.25) == 0.25


def test_threads_get_the_same_numbers(
    collins: NDArray[np.uint8], collins_face: Face, hopper: NDArray[np.uint8], hopper_face: Face
) -> None:
    work = [(collins, collins_face), (hopper, hopper_face)] * 4
    alone = [identity.embedding(*each) for each in work[:2]]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda each: identity.embedding(*each), work))
    for index, each in enumerate(together):
        np.testing.assert_array_equal(each, alone[index % 2])


def test_what_is_no_face_is_refused(collins: NDArray[np.uint8], collins_face: Face) -> None:
    with pytest.raises(PictureError, match="uint8"):
        identity.embedding(collins / 255, collins_face)
    with pytest.raises(FaceError, match="in one place"):
        identity.embedding(collins, detect.Face((0, 0, 1, 1), 1.0, np.zeros((5, 2))))
    for wrong in (np.zeros(127), np.zeros((1, 128)), np.full(128, np.nan)):
        with pytest.raises(FaceError, match="no embedding"):
            identity.identity_distance(np.zeros(128), wrong)
