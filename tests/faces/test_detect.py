"""Faces are found in pictures of every size, where they are, and nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from w251lab.errors import UsageError
from w251lab.faces import detect
from w251lab.faces.errors import PictureError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from w251lab.faces.detect import Face

# Where a person sees pupils, the tip of the nose and the corners of the mouth in the bundled portrait.
SEEN = np.array([[205, 101], [247, 104], [223, 125], [203, 142], [244, 145]])


def resized(picture: NDArray[np.uint8], *size: int) -> NDArray[np.uint8]:
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS))


def test_the_landmarks_are_where_a_person_sees_them(collins_face: Face) -> None:
    assert np.abs(collins_face.landmarks - SEEN).max() < 6
    left, top, right, bottom = collins_face.box
    assert 170 < left < 200
    assert 40 < top < 75
    assert 255 < right < 285
    assert 160 < bottom < 190
    assert collins_face.score > 0.8
    assert collins_face.eye_distance == pytest.approx(42, abs=5)


@pytest.mark.parametrize("edge", [60, 300, 1200])
def test_the_same_face_is_found_at_every_size(edge: int, collins: NDArray[np.uint8], collins_face: Face) -> None:
    window = collins[40:200, 145:305]
    (face,) = detect.detect(resized(window, edge, edge))
    there = (face.landmarks + 0.5) * 160 / edge - 0.5 + (145, 40)
    assert np.abs(there - collins_face.landmarks).max() < 6


def test_one_face_of_4096_pixels_and_a_small_one_are_found(collins: NDArray[np.uint8]) -> None:
    whole = np.zeros((4096, 3072, 3), np.uint8)
    whole[:3000, :3000] = resized(collins[40:190, 150:300], 3000, 3000)
    whole[3300:3556, 2600:2856] = resized(collins[40:200, 145:305], 256, 256)
    large, little = detect.detect(whole)
    assert large.eye_distance > 700
    assert 40 < little.eye_distance < 90
    assert large.area > little.area
    assert 2600 < little.centre[0] < 2856


def test_a_face_in_a_panorama_is_found(collins: NDArray[np.uint8]) -> None:
    wide = np.full((300, 12_000, 3), 90, np.uint8)
    wide[60:220, 9000:9160] = collins[40:200, 145:305]
    (face,) = detect.detect(wide)
    assert 9000 < face.centre[0] < 9160


@pytest.mark.parametrize("angle", [-90, 45, 180])
def test_a_turned_face_is_found_with_its_landmarks(angle: int, collins: NDArray[np.uint8], collins_face: Face) -> None:
    turned = np.asarray(Image.fromarray(collins).rotate(angle, Image.Resampling.BICUBIC))
    face = detect.detect(turned)[0]
    turn = np.deg2rad(-angle)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    wanted = (collins_face.landmarks - 255.5) @ rotation.T + 255.5
    assert np.abs(face.landmarks - wanted).max() < 0.15 * collins_face.eye_distance


@pytest.mark.parametrize("shape", [(1, 1, 3), (3, 2000, 3), (400, 400, 3)])
def test_where_there_is_no_face_none_is_found(shape: tuple[int, ...]) -> None:
    assert detect.detect(np.full(shape, 128, np.uint8)) == ()
    assert detect.detect(np.random.default_rng(5).integers(0, 256, shape, np.uint8)) == ()


def test_what_cannot_be_meant_is_refused(collins: NDArray[np.uint8]) -> None:
    for threshold in (0, 1, float("nan")):
        with pytest.raises(UsageError, match="threshold"):
            detect.detect(collins, threshold=threshold)
    with pytest.raises(UsageError, match="largest"):
        detect.detect(collins, largest=0)
    with pytest.raises(PictureError, match="uint8"):
        detect.detect(collins / 255)
