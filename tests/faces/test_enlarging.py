"""The background is enlarged by the network where that ends in seconds, and what was done is said."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from w251lab.errors import UsageError
from w251lab.faces import enlarging, esrgan

if TYPE_CHECKING:
    from numpy.typing import NDArray


def test_the_network_is_taken_up_to_a_limit() -> None:
    assert enlarging.plan((200, 200, 3), 2).method == "network"
    large = enlarging.plan((200, 201, 3), 2)
    assert large.method == "lanczos"
    assert "201 x 200 pixels" in large.note
    assert 'background="network"' in large.note
    assert enlarging.plan((4000, 3000, 3), 2, "network").method == "network"
    assert enlarging.plan((8, 8, 3), 2, "lanczos").method == "lanczos"
    assert enlarging.plan((8, 8, 3), 1) == ("none", "")
    with pytest.raises(UsageError, match="auto, network, lanczos"):
        enlarging.plan((8, 8, 3), 2, "bicubic")


def test_the_result_is_what_the_plan_says(collins: NDArray[np.uint8]) -> None:
    piece = np.ascontiguousarray(collins[100:116, 200:221])
    assert enlarging.enlarge(piece, 1) is piece
    np.testing.assert_array_equal(enlarging.enlarge(piece, 4), esrgan.enlarge_four_times(piece))
    twice = enlarging.enlarge(piece, 2)
    assert twice.shape == (32, 42, 3)
    plain = enlarging.enlarge(piece, 2, "lanczos")
    np.testing.assert_array_equal(plain, np.asarray(Image.fromarray(piece).resize((42, 32), Image.Resampling.LANCZOS)))
    assert (twice != plain).any()
    assert enlarging.enlarge(piece, 2.5).shape == (40, 52, 3)
