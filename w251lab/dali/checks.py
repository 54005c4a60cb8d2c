"""What is looked at before a pipeline is built: numbers that cannot be meant."""

from __future__ import annotations

import math
import operator
from typing import TYPE_CHECKING

from w251lab.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection


def whole(value: object, name: str, *, least: int = 1, most: int | None = None) -> int:
    """``value`` as an int.

    Args:
        value: What was given; True and 2.0 are no whole numbers.
        name: What to call it in an error.
        least: The smallest that is allowed.
        most: The largest, or None.

    Raises:
        UsageError: It is no whole number, or out of range.
    """
    try:
        number = None if isinstance(value, bool) else operator.index(value)  # type: ignore[arg-type]  # it is looked at
    except TypeError:
        number = None
    if number is None or number < least or (most is not None and number > most):
        upper = "" if most is None else f" and at most {most}"
        raise UsageError(f"{name} is {value!r}", f"give a whole number, at least {least}{upper}")
    return number


def interval(value: object, name: str, *, above: float, most: float | None = None) -> None:
    """Refuse what is not (low, high) with ``above < low <= high <= most``.

    Args:
        value: What was given.
        name: What to call it in an error.
        above: Both numbers are larger.
        most: Neither is larger than this; None for no such limit.

    Raises:
        UsageError: It is something else.
    """
    if isinstance(value, (tuple, list)) and len(value) == 2 and all(map(_finite, value)):
        low, high = value
        if above < low <= high and (most is None or high <= most):
            return
    upper = "" if most is None else f" and at most {most:g}"
    raise UsageError(f"{name} is {value!r}", f"give two numbers (low, high), above {above:g}{upper}")


def number(value: object, name: str, *, least: float, most: float) -> None:
    """Refuse what is not a number in ``least..most``.

    Raises:
        UsageError: It is something else.
    """
    if not _finite(value) or not least <= float(value) <= most:  # type: ignore[arg-type]  # _finite has looked
        raise UsageError(f"{name} is {value!r}", f"give a number in {least:g}..{most:g}")


def one_of(value: object, name: str, choices: Collection[str]) -> None:
    """Refuse what is not among ``choices``.

    Raises:
        UsageError: It is something else.
    """
    if value not in choices:
        raise UsageError(f"{name} is {value!r}", f"use one of {', '.join(choices)}")


def per_channel(value: object, name: str, *, positive: bool = False) -> None:
    """Refuse what is not three finite numbers, one each for red, green and blue.

    Raises:
        UsageError: It is something else, or a number is not above 0 where it must be.
    """
    good = isinstance(value, (tuple, list)) and len(value) == 3 and all(map(_finite, value))
    if not good or (positive and min(value) <= 0):  # type: ignore[call-overload]  # three numbers
        raise UsageError(
            f"{name} is {value!r}",
            f"give three {'positive' if positive else 'finite'} numbers, for red, green and blue",
        )


def _finite(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
