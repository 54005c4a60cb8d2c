"""A file is written whole or not at all. That a full disk and a link are no exception is in `test_pictures`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from w251lab.faces.files import umask, write_whole

if TYPE_CHECKING:
    from pathlib import Path


def test_a_file_keeps_its_permissions_when_it_is_replaced(tmp_path: Path) -> None:
    file = tmp_path / "private.png"
    write_whole(file, b"one")
    assert file.stat().st_mode & 0o777 == 0o666 & ~umask()
    file.chmod(0o600)
    write_whole(file, b"two")
    assert file.read_bytes() == b"two"
    assert file.stat().st_mode & 0o777 == 0o600


def test_where_nothing_can_be_written_nothing_is_left(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    for target in (tmp_path / "folder", tmp_path / "missing" / "a.png", tmp_path / ("n" * 300)):
        with pytest.raises(OSError, match=r"Is a directory|No such file|File name too long"):
            write_whole(target, b"x")
    assert [each.name for each in tmp_path.iterdir()] == ["folder"]
