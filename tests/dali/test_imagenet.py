from __future__ import annotations

import pytest

from w251lab.dali import imagenet
from w251lab.dali.recipes import Training, Validation


def test_recipes_have_imagenets_numbers_for_pixels_up_to_255() -> None:
    for recipe in (Training(), Validation()):
        assert recipe.mean == pytest.approx((123.675, 116.28, 103.53))
        assert recipe.std == pytest.approx((58.395, 57.12, 57.375))
    assert (imagenet.RESIZE, imagenet.CROP) == (Validation().resize, Validation().crop) == (256, 224)
