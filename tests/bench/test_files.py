"""What every benchmark does with its files; that of the curves is also in tests/rapids/test_bench_files.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from matplotlib.figure import Figure
from PIL import Image

from w251lab.bench import files
from w251lab.errors import UsageError, W251Error

if TYPE_CHECKING:
    from pathlib import Path


def _load(file: Path) -> str:
    if file.read_text() != "ours":
        raise W251Error(f"{file} is none")
    return "ours"


def test_one_run_after_another(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    assert files.make_room(folder, ["it"], _load) == []
    (folder / "it.json").write_text("ours")
    files.draw(Figure(), folder / "it.json")
    with Image.open(folder / "it.png") as picture:
        assert picture.width > 500
    assert files.make_room(folder, ["other"], _load) == []
    assert files.make_room(folder, ["it", "other"], _load) == [folder / "it.previous.json"]
    assert {file.name for file in folder.iterdir()} == {"it.previous.json", "it.previous.png"}


def test_nothing_is_moved_where_one_is_not_ours(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("ours")
    (tmp_path / "b.json").write_text("mine")
    with pytest.raises(UsageError, match=r"b\.json is not from an earlier run"):
        files.make_room(tmp_path, ["a", "b"], _load)
    assert {file.name for file in tmp_path.iterdir()} == {"a.json", "b.json"}


def test_a_folder_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="is not a folder"):
        files.make_room(tmp_path / "file", ["a"], _load)
    with pytest.raises(W251Error, match="cannot be written to"):
        files.make_room(tmp_path / "file" / "below", ["a"], _load)
    with pytest.raises(W251Error, match=r"a\.png cannot be written"):
        files.draw(Figure(), tmp_path / "file" / "a.json")
