from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from w251lab.dali import serving
from w251lab.errors import UsageError


def test_zeros_fill_up_to_the_longest() -> None:
    batch = serving.padded([b"\x01\x02\x03", np.array([4], np.uint8), b"", bytearray(b"\x05\x00")])
    assert batch.dtype == np.uint8
    assert batch.tolist() == [[1, 2, 3], [4, 0, 0], [0, 0, 0], [5, 0, 0]]
    assert serving.padded([b""]).shape == (1, 1)


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ([], "no pictures"),
        (b"one", "one picture"),
        ("path.jpg", "one picture"),
        (["path.jpg"], "str"),
        ([np.zeros(3)], "float64"),
        ([np.zeros((2, 2), np.uint8)], r"uint8 \[2, 2\]"),
    ],
)
def test_what_is_not_the_bytes_of_pictures_is_refused(given: Any, word: str) -> None:
    with pytest.raises(UsageError, match=word):
        serving.padded(given)
