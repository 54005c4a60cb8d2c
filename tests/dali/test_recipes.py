from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from w251lab.dali.recipes import Pictures, Training, Validation
from w251lab.errors import UsageError

if TYPE_CHECKING:
    from w251lab.dali.recipes import Recipe


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (Training, {"crop": 0}),
        (Training, {"area": (0.5, 1.5)}),
        (Training, {"area": (0, 1)}),
        (Training, {"aspect": (2, 1)}),
        (Training, {"flip": 50}),
        (Training, {"rotation": -10}),
        (Training, {"interpolation": "linear"}),
        (Training, {"std": (1, 1, 0)}),
        (Validation, {"resize": 200}),
        (Validation, {"crop": 224.0}),
        (Validation, {"antialias": "yes"}),
        (Validation, {"mean": (0.0,)}),
        (Pictures, {"rotation": float("nan")}),
    ],
)
def test_what_cannot_be_meant_is_refused_with_a_remedy(kind: type[Recipe], values: dict[str, Any]) -> None:
    with pytest.raises(UsageError) as caught:
        kind(**values)
    assert caught.value.remedy
    assert str(next(iter(values.values()))).strip("(").split(",")[0] in caught.value.what


def test_recipes_are_values() -> None:
    assert Training(area=(0.5, 1.0)) == Training(area=(0.5, 1.0)) != Training()
    assert len({Validation(), Validation(), Pictures()}) == 2
