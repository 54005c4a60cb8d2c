"""The baseline really restores: a damaged portrait comes out clearer, the same each time, and says where it ran."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image, ImageFilter

from w251lab.errors import UsageError
from w251lab.faces import align
from w251lab.faces.baseline import BaselineRestorer, suitable
from w251lab.faces.errors import FaceError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from w251lab.faces.detect import Face


def grain(picture: NDArray[np.uint8]) -> float:
    """What a median filter takes away: noise, and little else."""
    image = Image.fromarray(picture).convert("L")
    smooth = np.asarray(image.filter(ImageFilter.MedianFilter(5))).astype(float)
    return float(np.abs(np.asarray(image) - smooth).mean())


def test_a_damaged_face_comes_out_cleaner_and_nearer_to_the_original(
    hopper: NDArray[np.uint8], hopper_face: Face
) -> None:
    noise = np.random.default_rng(3).normal(0, 45, hopper.shape)
    damaged = np.clip(hopper + noise, 0, 255).astype(np.uint8)
    original, before = (align.align(each, hopper_face) for each in (hopper, damaged))
    restorer = BaselineRestorer(face_pixels=64)
    (after,) = restorer.restore_faces(before.picture[None])
    distances = [np.sqrt(((each - original.picture.astype(float)) ** 2).mean()) for each in (before.picture, after)]
    assert distances[1] < 0.9 * distances[0]
    assert grain(after) < 0.4 * grain(before.picture)
    assert restorer.device == "cpu"
    assert restorer.model == "Real-ESRGAN x4plus (baseline)"


def test_the_same_faces_give_the_same_and_the_order_stays(
    collins: NDArray[np.uint8],
    collins_face: Face,
    hopper: NDArray[np.uint8],
    hopper_face: Face,
    quick: BaselineRestorer,
) -> None:
    cut = [align.align(collins, collins_face), align.align(hopper, hopper_face)]
    both = np.stack([each.picture for each in cut])
    once, again = quick.restore_faces(both), quick.restore_faces(both[::-1])
    assert once.shape == both.shape
    assert once.dtype == np.uint8
    np.testing.assert_array_equal(once, again[::-1])
    np.testing.assert_array_equal(quick.restore_aligned(cut), once)
    assert quick.restore_faces(both[:0]).shape == (0, 512, 512, 3)


def test_a_face_goes_through_at_the_size_of_its_detail() -> None:
    assert suitable(512 / 160) == 96  # 160 pixels in its picture
    assert suitable(512 / 20) == 32
    assert suitable(512 / 1500) == 128


def test_what_cannot_be_meant_is_refused(quick: BaselineRestorer) -> None:
    with pytest.raises(UsageError, match="on the CPU only") as caught:
        BaselineRestorer(device="gpu")
    assert "gfpgan" in caught.value.remedy
    with pytest.raises(UsageError, match="unknown device 'tpu'"):
        BaselineRestorer(device="tpu")
    with pytest.raises(UsageError, match="face_pixels"):
        BaselineRestorer(face_pixels=8)
    with pytest.raises(UsageError, match="bicubic"):
        BaselineRestorer(background="bicubic")
    for faces in (
        np.zeros((512, 512, 3), np.uint8),
        np.zeros((1, 512, 512, 3)),
        np.zeros((1, 256, 256, 3), np.uint8),
        [],
    ):
        with pytest.raises(FaceError, match="the faces are"):
            quick.restore_faces(faces)
