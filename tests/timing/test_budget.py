from __future__ import annotations

import math
from typing import Any

import pytest

from w251lab.errors import UsageError
from w251lab.timing import Budget


def test_what_it_is_without_words() -> None:
    assert Budget() == Budget(2.0, 0.05, 5, 200)
    assert Budget(at_least=1, at_most=1).at_most == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("seconds", 0),
        ("seconds", -1.0),
        ("seconds", math.nan),
        ("seconds", math.inf),
        ("seconds", "2"),
        ("spread", 0.0),
        ("spread", True),
        ("at_least", 0),
        ("at_least", 2.5),
        ("at_most", True),
        ("at_most", 4),
    ],
)
def test_what_cannot_be_meant(name: str, value: Any) -> None:
    with pytest.raises(UsageError, match=name):
        Budget(**{name: value})
