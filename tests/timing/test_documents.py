"""What is not in tests/timing/test_storage.py already, which reads and writes a kind of document."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from w251lab.errors import W251Error
from w251lab.timing.documents import Kind

if TYPE_CHECKING:
    from pathlib import Path

KIND = Kind("w251lab.tests.kind", 3, "kind of test", "write another")


def test_there_and_back(tmp_path: Path) -> None:
    file = KIND.save({"a": [1, "ü"]}, tmp_path / "a folder" / "k.json")
    assert KIND.load(file) == {"schema": "w251lab.tests.kind", "version": 3, "a": [1, "ü"]}
    with pytest.raises(W251Error, match="no other of w251lab") as caught:
        Kind("w251lab.tests.other", 3, "other", "look elsewhere").load(file)
    assert caught.value.remedy == "look elsewhere"
    with pytest.raises(W251Error, match="its format is 3, and this one reads 2"):
        Kind("w251lab.tests.kind", 2, "kind of test", "").load(file)


def test_values() -> None:
    values = {"size": 3, "made": "2026-11-21", "flag": True, "none": 0}
    assert KIND.count(values, "size") == 3
    assert KIND.day(values, "made") == "2026-11-21"
    for name in ("flag", "none", "made", "missing"):
        with pytest.raises(W251Error):
            KIND.count(values, name)
    for name in ("size", "missing"):
        with pytest.raises(W251Error):
            KIND.day(values, name)
    with pytest.raises(W251Error, match="'size' is missing"):
        KIND.take([], "size", int)
