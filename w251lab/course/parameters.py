"""Notebook parameters: parsed as papermill parses them, and refused when the notebook does not know them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from w251lab.accelerator import DEVICES
from w251lab.course.catalog import SCALES, nearest_hint
from w251lab.errors import UsageError

if TYPE_CHECKING:
    from nbformat import NotebookNode

#: Parameters that every notebook of the course takes and that have options of their own.
OPTIONS = ("device", "scale")


def parse(pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """``-p NAME VALUE`` pairs as papermill reads them: True, False, None, an integer, a float, else the text.

    Raises:
        UsageError: A name is no Python name, stands twice, or has an option of its own.
    """
    from papermill.cli import _resolve_type  # noqa: PLC0415 - papermill's reading of them; it has no public name

    parameters: dict[str, Any] = {}
    for name, value in pairs:
        if not name.isidentifier():
            raise UsageError(f"{name!r} cannot be a parameter's name.", "Write -p NAME VALUE.")
        if name in OPTIONS:
            raise UsageError(f"The parameter {name!r} has an option of its own.", f"Write --{name} {value}.")
        if name in parameters:
            raise UsageError(f"The parameter {name!r} is given twice.", "Give it once.")
        parameters[name] = _resolve_type(value)
    return parameters


def check_choice(option: str, value: str, choices: tuple[str, ...]) -> None:
    """Refuse a value that is not one of ``choices``.

    Raises:
        UsageError: It is not.
    """
    if value not in choices:
        raise UsageError(f"--{option} cannot be {value!r}.", f"Choose one of: {', '.join(choices)}.")


def check_device_and_scale(device: str, scale: str) -> None:
    """Refuse an unknown device or scale.

    Raises:
        UsageError: One of them is unknown.
    """
    check_choice("device", device, DEVICES)
    check_choice("scale", scale, SCALES)


def declared(nb: NotebookNode) -> tuple[str, ...]:
    """The names that the notebook's cell tagged ``parameters`` assigns, as papermill infers them."""
    from papermill import inspect_notebook  # noqa: PLC0415 - half a second, of every verb that has a --scale

    logger = logging.getLogger("papermill")
    logger.addFilter(_quiet)  # it reports every line of the cell that is no assignment
    try:
        return tuple(inspect_notebook(nb))
    finally:
        logger.removeFilter(_quiet)


def _quiet(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.ERROR


def check_names(nb: NotebookNode, parameters: dict[str, Any], name: str) -> None:
    """Refuse parameters that the notebook does not declare.

    Args:
        nb: The source notebook.
        parameters: Name -> value.
        name: What to call the notebook in the error.

    Raises:
        UsageError: One of the names is not in the cell tagged ``parameters``.
    """
    known = declared(nb)
    for parameter in parameters:
        if parameter not in known:
            remedy = nearest_hint(parameter, known)
            if parameter in OPTIONS:
                remedy = f"Add {parameter} to its cell tagged 'parameters': every notebook of the course takes it."
            raise UsageError(f"The notebook {name} has no parameter {parameter!r}.", remedy)
