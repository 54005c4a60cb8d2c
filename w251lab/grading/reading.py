"""Read a submitted notebook whatever has become of its file: repair what can be repaired, and list it."""

from __future__ import annotations

import codecs
import json
from typing import TYPE_CHECKING, Any

import nbformat

from w251lab.course.notebook import KERNELSPEC, UnreadableNotebookError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nbformat import NotebookNode

#: Cells beyond which no lab's notebook goes; matching and showing them would take minutes.
MOST_CELLS = 5000
_KINDS = ("code", "markdown", "raw")
_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_submitted(content: bytes) -> tuple[NotebookNode, list[str]]:
    """A submitted notebook in format 4.5, made anew from nothing but its cells' kind, id, metadata and text.

    Outputs, counts and the notebook's own metadata are never taken over: they are made by the run, or are the course's.
    So whatever is invalid or forged in them is gone.

    Args:
        content: The file's bytes; any bytes.

    Returns:
        The notebook, and what was repaired, for people. A cell's id may be empty or stand twice.

    Raises:
        UnreadableNotebookError: No cells can be had from it; ``what`` is the reason that makes it ``ungradable``.
    """
    repairs: list[str] = []
    data = _version_4(_json(content, repairs), repairs)
    cells = data.get("cells")
    if not isinstance(cells, list) or not cells:
        raise _unreadable("it has no cells")
    if len(cells) > MOST_CELLS:
        raise _unreadable(f"it has {len(cells)} cells, more than {MOST_CELLS}")
    nodes = []
    for number, cell in enumerate(cells, 1):
        if isinstance(cell, dict):
            nodes.append(_cell(cell, number, repairs))
        else:
            repairs.append(f"Entry {number} of the notebook is no cell and was left out.")
    if not any(node["source"].strip() for node in nodes):
        raise _unreadable("all of its cells are empty")
    metadata = data.get("metadata")
    kernel = metadata.get("kernelspec") if isinstance(metadata, dict) else None
    if not isinstance(kernel, dict) or kernel.get("name") != KERNELSPEC["name"]:
        repairs.append("The notebook named another kernel than the course's; the course's was used.")
    whole = {
        "cells": nodes,
        "metadata": {"kernelspec": dict(KERNELSPEC), "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    nb: NotebookNode = nbformat.from_dict(whole)  # type: ignore[no-untyped-call]
    return nb, repairs


def _unreadable(why: str) -> UnreadableNotebookError:
    return UnreadableNotebookError(f"The notebook cannot be read: {why}.", "Ask the student for the file again.")


def _json(content: bytes, repairs: list[str]) -> dict[str, Any]:
    if not content.strip():
        raise _unreadable("the file is empty")
    encoding = "utf-16" if content.startswith(_WIDE) else "utf-8-sig"
    try:
        data = json.loads(content.decode(encoding))
    except (ValueError, RecursionError) as error:
        raise _unreadable(f"it is not JSON ({_short(error)})") from error
    if encoding == "utf-16":
        repairs.append("The file was encoded in UTF-16, not in UTF-8.")
    if not isinstance(data, dict):
        raise _unreadable("it is JSON, but no notebook")
    return data


def _version_4(data: dict[str, Any], repairs: list[str]) -> Mapping[str, Any]:
    """The notebook with its cells where format 4 has them."""
    version = data.get("nbformat")
    if version == 4:
        return data
    if version in (1, 2, 3):
        repairs.append(f"The notebook was converted from format {version}.")
        return _converted(data, int(version))
    # Format 5 does not exist yet, and a notebook without a number is one that lost it: the cells tell.
    repairs.append(f"The notebook has format {version!r}; it was read as format 4.")
    return data


def _converted(data: dict[str, Any], version: int) -> Mapping[str, Any]:
    from nbformat import converter, reader  # noqa: PLC0415 - hardly ever needed

    try:
        old = reader.reads(json.dumps(data))  # type: ignore[no-untyped-call]
        new: Mapping[str, Any] = converter.convert(old, 4)  # type: ignore[no-untyped-call]
    except Exception as error:  # the old formats' readers check nothing: a bad file fails anywhere in them
        raise _unreadable(f"it has format {version}, and cannot be converted ({_short(error)})") from error
    return new


def _cell(cell: Mapping[str, Any], number: int, repairs: list[str]) -> dict[str, Any]:
    kind, metadata, name = cell.get("cell_type"), cell.get("metadata"), cell.get("id")
    if kind not in _KINDS:
        repairs.append(f"Cell {number} had the unknown type {str(kind)[:40]!r}; it was read as text.")
        kind = "markdown"
    fresh: dict[str, Any] = {
        "cell_type": kind,
        "id": name if isinstance(name, str) else "",
        "metadata": metadata if isinstance(metadata, dict) else {},
        "source": _text(cell.get("source"), number, repairs),
    }
    if kind == "code":
        fresh |= {"execution_count": None, "outputs": []}
    elif _are_attachments(cell.get("attachments")):
        fresh["attachments"] = cell["attachments"]
    return fresh


def _text(value: object, number: int, repairs: list[str]) -> str:
    if isinstance(value, list) and all(isinstance(line, str) for line in value):
        value = "".join(value)
    if not isinstance(value, str):
        repairs.append(f"Cell {number} had no readable text; it was taken as empty.")
        return ""
    clean = value.encode("utf-8", "replace").decode()  # half of a surrogate pair can be neither saved nor run
    if clean != value:
        repairs.append(f"Cell {number} had characters that cannot be written; they were replaced.")
    return clean.replace("\r\n", "\n").replace("\r", "\n")


def _are_attachments(value: object) -> bool:
    return isinstance(value, dict) and all(
        isinstance(name, str) and isinstance(bundle, dict) and all(isinstance(text, str) for text in bundle.values())
        for name, bundle in value.items()
    )


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
