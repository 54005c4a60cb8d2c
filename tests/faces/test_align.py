"""A face is cut out where the template has it, and laid back where it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from w251lab.errors import UsageError
from w251lab.faces import align
from w251lab.faces.detect import Face
from w251lab.faces.errors import FaceError
from w251lab.faces.warping import inverse

if TYPE_CHECKING:
    from numpy.typing import NDArray


def moved(points: NDArray[np.float64], matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    return points @ matrix[:, :2].T + matrix[:, 2]


def known(angle: float, scale: float, shift: tuple[float, float]) -> NDArray[np.float64]:
    a, b = scale * np.cos(angle), scale * np.sin(angle)
    return np.array([[a, -b, shift[0]], [b, a, shift[1]]])


def test_a_known_transform_is_found_whatever_one_point_says() -> None:
    matrix = known(0.3, 2.5, (40, -7))
    points = moved(align.TEMPLATE, inverse(matrix))
    np.testing.assert_allclose(align.similarity(points, align.TEMPLATE), matrix, atol=1e-6)
    points[2] += 60
    np.testing.assert_allclose(align.similarity(points, align.TEMPLATE), matrix, atol=1e-6)


def test_of_points_that_all_err_a_little_all_count() -> None:
    matrix = known(-0.1, 1.5, (3, 9))
    errors = np.random.default_rng(1).normal(0, 1, (200, 5, 2))
    points = moved(align.TEMPLATE, inverse(matrix))
    away = [np.abs(align.similarity(points + error, align.TEMPLATE) - matrix)[:, :2].max() for error in errors]
    # Least squares of all five points: 0.0165 on average; of two of them it would be several times that.
    assert np.mean(away) < 0.022


def test_the_aligned_face_has_its_landmarks_at_the_template(collins: NDArray[np.uint8], collins_face: Face) -> None:
    aligned = align.align(collins, collins_face)
    assert aligned.picture.shape == (512, 512, 3)
    assert np.abs(moved(collins_face.landmarks, aligned.matrix) - align.TEMPLATE).max() < 20
    assert aligned.scale == pytest.approx(126 / collins_face.eye_distance, rel=0.15)
    # The same pixels are there: the nose's, the left eye's.
    for point in collins_face.landmarks[[0, 2]]:
        x, y = np.rint(point).astype(int)
        column, row = np.rint(moved(np.array([[x, y]], float), aligned.matrix)[0]).astype(int)
        assert np.abs(aligned.picture[row, column].astype(int) - collins[y, x]).max() < 25
    half = align.align(collins, collins_face, 256).picture
    smaller = np.asarray(Image.fromarray(aligned.picture).resize((256, 256), Image.Resampling.BOX))
    assert np.abs(half.astype(int) - smaller).mean() < 2


def test_what_is_outside_the_picture_is_gray(collins: NDArray[np.uint8], collins_face: Face) -> None:
    cut = collins[80:, 190:]
    face = Face(collins_face.box, 1.0, collins_face.landmarks - (190, 80))
    aligned = align.align(cut, face)
    assert aligned.picture[0, 0].tolist() == list(align.OUTSIDE)
    assert aligned.picture[300, 300].tolist() != list(align.OUTSIDE)


def test_a_large_face_is_shrunk_without_patterns() -> None:
    lines = np.zeros((2048, 2048, 3), np.uint8)
    lines[:, ::2] = 255  # at a quarter of the size this is an even gray
    face = Face((0, 0, 1, 1), 1.0, (align.TEMPLATE + 0.5) * 4 - 0.5 + 0.3)
    inner = align.align(lines, face).picture[8:-8, 8:-8]
    assert np.abs(inner.astype(int) - 127).max() < 12


@pytest.mark.parametrize("upscale", [1, 2, 2.5])
def test_an_unrestored_face_laid_back_changes_next_to_nothing(
    upscale: float, collins: NDArray[np.uint8], collins_face: Face
) -> None:
    aligned = align.align(collins, collins_face)
    size = round(512 * upscale)
    picture = np.asarray(Image.fromarray(collins).resize((size, size), Image.Resampling.BICUBIC))
    before = picture.copy()
    result = align.paste_back(picture, aligned.picture, aligned, upscale=upscale)
    np.testing.assert_array_equal(picture, before)
    difference = np.abs(result.astype(int) - picture)
    assert difference.any()
    assert difference.mean() < 0.3
    assert np.percentile(difference, 99.9) < 12


def test_a_laid_back_face_is_seen_in_its_place_only(collins: NDArray[np.uint8], collins_face: Face) -> None:
    aligned = align.align(collins, collins_face)
    green = np.full((512, 512, 3), (0, 255, 0), np.uint8)
    result = align.paste_back(collins, green, aligned, upscale=1)
    x, y = np.rint(collins_face.landmarks[2]).astype(int)
    assert result[y, x].tolist() == [0, 255, 0]
    # Exactly as before where the face's square is not.
    rows, columns = np.mgrid[:512, :512]
    there = moved(np.stack([columns.ravel(), rows.ravel()], axis=1).astype(float), aligned.matrix)
    outside = ((there < -2) | (there > 513)).any(axis=1).reshape(512, 512)
    assert outside.mean() > 0.5
    np.testing.assert_array_equal(result[outside], collins[outside])
    # No line where it begins: from one pixel to the next it comes in by a few levels more than the picture itself.
    shown = align.paste_back(np.zeros_like(collins), np.full_like(green, 255), aligned, upscale=1)[..., 0].astype(int)
    assert max(np.abs(np.diff(shown, axis=0)).max(), np.abs(np.diff(shown, axis=1)).max()) < 30


def test_of_overlapping_faces_the_later_one_is_seen(collins: NDArray[np.uint8], collins_face: Face) -> None:
    second = Face(collins_face.box, 1.0, collins_face.landmarks + np.array([40, 0]))
    both = collins
    for face, level in ((collins_face, 0), (second, 255)):
        aligned = align.align(collins, face)
        both = align.paste_back(both, np.full((512, 512, 3), level, np.uint8), aligned, upscale=1)
    x, y = np.rint(second.landmarks[2]).astype(int)
    assert both[y, x].tolist() == [255] * 3
    assert both[y, x - 100].tolist() == [0] * 3


def test_a_mask_says_what_is_seen(collins: NDArray[np.uint8], collins_face: Face) -> None:
    aligned = align.align(collins, collins_face)
    nothing = align.paste_back(collins, aligned.picture, aligned, upscale=1, mask=np.zeros((512, 512)))
    np.testing.assert_array_equal(nothing, collins)
    white = np.full((512, 512, 3), 255, np.uint8)
    half = align.paste_back(np.zeros_like(collins), white, aligned, upscale=1, mask=np.full((512, 512), 0.5))
    x, y = np.rint(collins_face.landmarks[2]).astype(int)
    assert half[y, x].tolist() == [128] * 3
    for mask in (np.ones((4, 4)), np.full((512, 512), 2.0), np.full((512, 512), np.nan)):
        with pytest.raises(FaceError, match="mask"):
            align.paste_back(collins, white, aligned, upscale=1, mask=mask)


def test_a_face_beyond_the_picture_leaves_it_alone(collins: NDArray[np.uint8]) -> None:
    aligned = align.align(collins, Face((0, 0, 1, 1), 1.0, align.TEMPLATE + 5000))
    np.testing.assert_array_equal(align.paste_back(collins, aligned.picture, aligned, upscale=1), collins)


def test_landmarks_in_one_place_are_refused(collins: NDArray[np.uint8]) -> None:
    for points in (np.full((5, 2), 7.0), np.full((5, 2), np.nan)):
        with pytest.raises(FaceError, match="in one place"):
            align.align(collins, Face((0, 0, 1, 1), 1.0, points))
    with pytest.raises(UsageError, match="size"):
        align.align(collins, Face((0, 0, 1, 1), 1.0, align.TEMPLATE), size=0)
