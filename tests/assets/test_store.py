from __future__ import annotations

from pathlib import Path

import pytest

from w251lab import assets
from w251lab.assets import Asset, AssetError, store

from .conftest import CONTENT


def test_looking_fetches_nothing(asset: Asset, cache: Path) -> None:
    with pytest.raises(AssetError, match="Thing v1 is not here") as caught:
        assets.find(asset)
    assert "`w251lab weights thing-1`, 1 MB" in caught.value.remedy
    assert "--from FILE" in caught.value.remedy
    assert assets.state(asset) == ("missing", None)
    assert not cache.exists()


def test_the_folder_is_the_users_cache_unless_it_is_named(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert assets.folder() == cache
    monkeypatch.delenv("W251LAB_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert assets.folder() == Path.home() / ".cache" / "w251lab"


def test_a_file_of_ones_own_is_copied_and_checked(asset: Asset, cache: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine.bin"
    mine.write_bytes(CONTENT)
    assert assets.adopt(asset, mine) == assets.find(asset) == cache / "weights.bin"
    assert mine.read_bytes() == CONTENT
    mine.write_bytes(CONTENT + b"!")
    with pytest.raises(AssetError, match="is not Thing v1: its SHA-256 is") as caught:
        assets.adopt(asset, mine)
    assert asset.url in caught.value.remedy
    assert mine.exists()
    assert assets.find(asset).read_bytes() == CONTENT, "the good one stays"
    with pytest.raises(AssetError, match="there is no file"):
        assets.adopt(asset, tmp_path / "none")
    assert [file.name for file in cache.iterdir()] == ["weights.bin"]


def test_a_shared_folder_is_read_and_checked(asset: Asset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    monkeypatch.setenv("W251LAB_WEIGHTS", str(shared))
    (shared / "weights.bin").write_bytes(CONTENT)
    assert assets.find(asset) == shared / "weights.bin"
    (shared / "weights.bin").write_bytes(b"other")
    with pytest.raises(AssetError, match="is not Thing v1: its SHA-256 is"):
        assets.find(asset)


def test_a_damaged_file_is_known(asset: Asset, cache: Path) -> None:
    cache.mkdir()
    store.target(asset).write_bytes(CONTENT[:-1])
    assert assets.state(asset) == ("damaged", store.target(asset))
    with pytest.raises(AssetError, match="that of the publisher's is") as caught:
        assets.find(asset)
    assert f"rm '{store.target(asset)}'" in caught.value.remedy
