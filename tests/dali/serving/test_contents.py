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


def test_what_is_not_the_bytes_of_pictures_is_refused(no_pictures: tuple[Any, str]) -> None:
    given, word = no_pictures
    with pytest.raises(UsageError, match=word):
        serving.padded(given)
