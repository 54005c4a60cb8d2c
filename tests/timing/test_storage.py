from __future__ import annotations

import getpass
import json
import platform
from typing import TYPE_CHECKING, Any

import pytest
from fake_comparison import comparison

from w251lab.errors import W251Error
from w251lab.timing import Comparison

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def content(tmp_path: Path) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(comparison(failed=True).save(tmp_path / "c.json").read_text(encoding="utf-8"))
    return values


def load(folder: Path, content: object) -> Comparison:
    (folder / "c.json").write_text(json.dumps(content), encoding="utf-8")
    return Comparison.load(folder / "c.json")


def test_failures_are_kept(tmp_path: Path, content: dict[str, Any]) -> None:
    assert load(tmp_path, content).failures == comparison(failed=True).failures


def test_the_file_names_neither_the_machine_nor_the_user(tmp_path: Path) -> None:
    text = comparison().save(tmp_path / "c.json").read_text(encoding="utf-8")
    assert platform.node() not in text
    assert f'"{getpass.getuser()}"' not in text
    assert str(tmp_path) not in text
    assert text.endswith("}\n")


def test_saving_replaces_the_file_in_one_piece(tmp_path: Path) -> None:
    file = tmp_path / "c.json"
    file.write_text("old")
    assert comparison().save(str(file)) == file
    assert [path.name for path in tmp_path.iterdir()] == ["c.json"], "no part is left"
    assert file.stat().st_mode & 0o777 == 0o644


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(W251Error, match="cannot be written"):
        comparison().save(tmp_path / "file" / "c.json")
    (tmp_path / "c.json").mkdir()
    with pytest.raises(W251Error, match="cannot be written"):
        comparison().save(tmp_path / "c.json")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["c.json", "file"]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (b"", "no JSON"),
        (b'{"schema": "w251', "no JSON"),
        (b"\xff\xfe", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b'{"cold": NaN}', "NaN is no number"),
        (b"[]", "no comparison of w251lab"),
        (b'{"schema": "other", "version": 1}', "no comparison of w251lab"),
        (b'{"schema": "w251lab.timing.comparison", "version": 2}', "later w251lab: its format is 2"),
        (b'{"schema": "w251lab.timing.comparison", "version": "1"}', "version '1' is unknown"),
        (b'{"schema": "w251lab.timing.comparison"}', "version None is unknown"),
    ],
)
def test_a_broken_foreign_or_newer_file(tmp_path: Path, text: bytes, what: str) -> None:
    file = tmp_path / "c.json"
    file.write_bytes(text)
    with pytest.raises(W251Error, match=what) as caught:
        Comparison.load(file)
    assert str(file) in caught.value.what
    assert caught.value.remedy


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(W251Error, match="cannot be read: No such file"):
        Comparison.load(tmp_path / "none.json")
    with pytest.raises(W251Error, match="cannot be read: Is a directory"):
        Comparison.load(tmp_path)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda content: content.pop("title"), "'title' is missing"),
        (lambda content: content.update(made="yesterday"), "no day"),
        (lambda content: content.update(points=[]), "no points"),
        (lambda content: content.update(points={}), "points = "),
        (lambda content: content["points"].append(3), "'resident' is missing"),
        (lambda content: content["points"].append(content["points"][0]), "two points of one size"),
        (lambda content: content["points"][0].update(size=0), "size = 0"),
        (lambda content: content["points"][0].update(size=True), "size = True"),
        (lambda content: content["points"][0].update(from_host=1), "from_host = 1"),
        (lambda content: content["points"][0]["resident"].update(samples=[]), "samples = "),
        (lambda content: content["points"][1]["resident"].update(device="cpu"), "different devices"),
        (lambda content: content["failures"][0].pop("reason"), "'reason' is missing"),
    ],
)
def test_a_damaged_file(tmp_path: Path, content: dict[str, Any], change: Any, what: str) -> None:
    change(content)
    with pytest.raises(W251Error, match=what) as caught:
        load(tmp_path, content)
    assert "is damaged" in caught.value.what
