from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from w251lab import assets, cli
from w251lab.assets import Asset, AssetError, commands
from w251lab.errors import UsageError

from .conftest import CONTENT

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Site


@pytest.fixture(autouse=True)
def _only_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "TOPICS", ())


def run(*words: str) -> str:
    done = CliRunner().invoke(cli.app, ["weights", *words], catch_exceptions=True, env={"COLUMNS": "200"})
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.output


def test_the_list_says_what_is_here(asset: Asset, site: Site, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert re.search(r"thing-1 +Thing v1 +1 +missing +MIT", run())
    assert site.asked == []
    run("thing-1")
    listed = run()
    assert re.search(r"thing-1 +Thing v1 +1 +here +MIT", listed)
    assert f"Folder: {cache}" in listed
    monkeypatch.setenv("W251LAB_OFFLINE", "1")
    assert "nothing will be fetched" in run()


def test_a_name_fetches_and_a_file_is_taken(asset: Asset, site: Site, cache: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine.bin"
    mine.write_bytes(CONTENT)
    assert str(cache / "weights.bin") in run("thing-1", "--from", str(mine))
    assert site.asked == []
    assets.find(asset).unlink()
    assert str(cache / "weights.bin") in run("thing-1")
    assert len(site.asked) == 1


def test_what_cannot_be_meant_is_refused(asset: Asset, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no asset 'thing1'") as caught:
        run("thing1")
    assert "did you mean thing-1?" in caught.value.remedy
    with pytest.raises(UsageError, match="needs the name"):
        run("--from", str(tmp_path / "x"))
    with pytest.raises(AssetError, match="there is no file"):
        run("thing-1", "--from", str(tmp_path / "x"))


def test_two_assets_cannot_share_a_file(asset: Asset) -> None:
    with pytest.raises(UsageError, match="two assets are called"):
        assets.register(Asset(name="thing-2", what="", file=asset.file, url=asset.url, licence="MIT"))
    with pytest.raises(UsageError, match="plain file name"):
        Asset(name="thing-3", what="", file="../x", url=asset.url, licence="MIT")
