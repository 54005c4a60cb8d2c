from __future__ import annotations

import errno
import os
import re
import resource
import socket
import subprocess
import sys
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from w251lab import assets
from w251lab.assets import Asset, AssetError, download, store

from .conftest import CONTENT

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Site


def test_a_file_is_fetched_once(asset: Asset, site: Site, cache: Path) -> None:
    seen: list[tuple[int, int]] = []
    place = assets.fetch(asset, lambda done, total: seen.append((done, total)))
    assert place == cache / "weights.bin"
    assert place.read_bytes() == CONTENT
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert [done for done, _ in seen] == sorted({done for done, _ in seen})
    assert assets.fetch(asset) == assets.find(asset) == place
    assert len(site.asked) == 1
    assert [file.name for file in cache.iterdir() if not file.name.startswith(".")] == ["weights.bin"]


def test_a_broken_connection_is_taken_up_where_it_ended(asset: Asset, site: Site) -> None:
    site.breaks = [300_000, 200_000]
    assert assets.fetch(asset, pause=0).read_bytes() == CONTENT
    begins = [int(asked.get("range", "bytes=0-")[6:-1]) for asked in site.asked]
    assert begins[0] == 0
    assert 0 < begins[1] <= 300_000
    assert begins[1] < begins[2] <= 500_000
    assert all(asked["if-range"] == '"one"' for asked in site.asked[1:])


def test_a_later_command_goes_on(asset: Asset, site: Site, cache: Path) -> None:
    site.breaks = [300_000, *[0] * 10]
    with pytest.raises(AssetError, match="could not be fetched") as caught:
        assets.fetch(asset, pause=0)
    assert "MB are here and are kept" in caught.value.what
    assert "w251lab weights thing-1" in caught.value.remedy
    assert store.part(asset).stat().st_size > 0
    assert assets.state(asset)[0] == "partial"
    with pytest.raises(AssetError, match="a part of it is"):
        assets.find(asset)
    site.breaks, before = [], len(site.asked)
    assert assets.fetch(asset).read_bytes() == CONTENT
    assert len(site.asked) == before + 1
    assert "range" in site.asked[-1]
    assert not list(cache.glob("*.part*"))


def test_a_server_without_ranges_sends_all_again(asset: Asset, site: Site) -> None:
    site.ranges, site.breaks = False, [300_000]
    assert assets.fetch(asset, pause=0).read_bytes() == CONTENT
    assert len(site.asked) == 2


def test_a_file_that_changed_meanwhile_is_fetched_anew(asset: Asset, site: Site) -> None:
    old = bytes(len(CONTENT))
    site.content, site.etag, site.breaks = old, '"old"', [300_000, *[0] * 10]
    with pytest.raises(AssetError):
        assets.fetch(asset, pause=0)
    site.content, site.etag, site.breaks = CONTENT, '"one"', []
    assert assets.fetch(asset, pause=0).read_bytes() == CONTENT
    assert site.asked[-1]["if-range"] == '"old"'


def test_a_part_of_another_file_costs_one_more_download(asset: Asset, site: Site, cache: Path) -> None:
    cache.mkdir()
    store.part(asset).write_bytes(b"x" * 1000)  # no ETag beside it, so the server continues it
    assert assets.fetch(asset, pause=0).read_bytes() == CONTENT
    assert ["range" in asked for asked in site.asked] == [True, False]


@pytest.mark.parametrize("surplus", [b"", b"more"])
def test_a_part_that_is_whole_or_too_long(asset: Asset, site: Site, cache: Path, surplus: bytes) -> None:
    cache.mkdir()
    store.part(asset).write_bytes(CONTENT + surplus)
    assert assets.fetch(asset, pause=0).read_bytes() == CONTENT
    assert len(site.asked) == (2 if surplus else 1)


def test_wrong_bytes_are_refused_and_removed(asset: Asset, site: Site, cache: Path) -> None:
    site.content = CONTENT[:-1] + b"!"
    with pytest.raises(AssetError, match="is not Thing v1: its SHA-256 is not") as caught:
        assets.fetch(asset)
    assert "--from FILE" in caught.value.remedy
    assert [file.name for file in cache.iterdir() if not file.name.startswith(".")] == []
    assert len(site.asked) == 1


def test_without_a_published_digest_the_first_file_decides(asset: Asset, site: Site, cache: Path) -> None:
    unknown = replace(asset, sha256="")
    assets.fetch(unknown)
    assert store.record(unknown).read_text() == f"{asset.sha256}  weights.bin\n"
    store.target(unknown).unlink()
    site.content = CONTENT + b"!"
    with pytest.raises(AssetError, match="is not Thing v1") as caught:
        assets.fetch(unknown)
    assert str(store.record(unknown)) in caught.value.remedy
    store.target(unknown).write_bytes(b"changed on the disk")
    with pytest.raises(AssetError, match="file that was fetched first is"):
        assets.find(unknown)


def test_without_a_digest_and_a_condition_nothing_is_continued(asset: Asset, site: Site) -> None:
    """The rest could be of another file, and nobody would notice: a weak ETag is no condition for a range."""
    unknown = replace(asset, sha256="")
    site.etag, site.breaks = 'W/"one"', [300_000]
    assert assets.fetch(unknown, pause=0).read_bytes() == CONTENT
    assert ["range" in asked for asked in site.asked] == [False, False]


def test_what_lies_in_the_shared_folder_is_not_fetched(
    asset: Asset, site: Site, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "weights.bin").write_bytes(CONTENT)
    monkeypatch.setenv("W251LAB_WEIGHTS", str(tmp_path / "shared"))
    monkeypatch.setenv("W251LAB_OFFLINE", "1")
    assert assets.fetch(asset) == tmp_path / "shared" / "weights.bin"
    assert site.asked == []
    assert not cache.exists()


@pytest.mark.parametrize("status", [404, 403, 410])
def test_a_file_that_is_not_there_is_not_asked_for_again(asset: Asset, site: Site, status: int) -> None:
    site.statuses = [status]
    with pytest.raises(AssetError, match=f"it answers {status}"):
        assets.fetch(asset, pause=0)
    assert len(site.asked) == 1


def test_a_busy_server_is_asked_again(asset: Asset, site: Site) -> None:
    site.statuses = [503, 429]
    assert assets.fetch(asset, pause=0).read_bytes() == CONTENT
    assert len(site.asked) == 3


def test_no_server_at_all(asset: Asset, site: Site) -> None:
    with socket.socket() as taken:  # nobody listens on it, and nobody else can
        taken.bind(("127.0.0.1", 0))
        nowhere = replace(asset, url=f"http://127.0.0.1:{taken.getsockname()[1]}/weights.bin")
        with pytest.raises(AssetError, match="could not be fetched: ConnectionError") as caught:
            assets.fetch(nowhere, pause=0)
    assert "HTTPS_PROXY" in caught.value.remedy
    assert site.asked == []


def test_offline_nothing_is_asked(asset: Asset, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("W251LAB_OFFLINE", "1")
    with pytest.raises(AssetError, match="W251LAB_OFFLINE forbids"):
        assets.fetch(asset)
    assert site.asked == []
    monkeypatch.setenv("W251LAB_OFFLINE", "0")
    assert assets.fetch(asset).exists()


def test_too_little_room_is_said_before(asset: Asset, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "_SPARE", 1 << 60)  # no disk has that
    with pytest.raises(AssetError, match=r"1 MB are missing and \d+ MB are free") as caught:
        assets.fetch(asset)
    assert "W251LAB_CACHE" in caught.value.remedy


def test_a_disk_that_fills_up_keeps_what_is_there(asset: Asset, site: Site, cache: Path) -> None:
    """A limit on a file's size stops the writing as a full disk does: an OSError in the middle of it."""
    program = f"""
import resource, signal
from w251lab import assets
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, resource.RLIM_INFINITY))
thing = assets.Asset(name="thing-1", what="Thing v1", file="weights.bin", url={site.url!r}, sha256="", licence="MIT")
try:
    assets.fetch(thing)
except assets.AssetError as error:
    print(error)
"""
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] == resource.RLIM_INFINITY
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert os.strerror(errno.EFBIG) in done.stdout, done.stderr
    assert "what was fetched so far is kept" in done.stdout
    assert 0 < store.part(asset).stat().st_size <= 600_000
    assert assets.fetch(asset).read_bytes() == CONTENT
    assert re.fullmatch(r"bytes=\d+-", site.asked[-1]["range"])


def test_two_at_once_fetch_it_once(asset: Asset, site: Site) -> None:
    asked = threading.Event()
    go_on = threading.Event()

    def meanwhile() -> None:
        asked.set()
        go_on.wait(60)

    site.meanwhile = meanwhile
    found: list[bytes] = []
    threads = [threading.Thread(target=lambda: found.append(assets.fetch(asset).read_bytes())) for _ in range(2)]
    for thread in threads:
        thread.start()
    assert asked.wait(60)
    go_on.set()
    for thread in threads:
        thread.join(60)
    assert found == [CONTENT, CONTENT]
    assert len(site.asked) == 1


def test_a_folder_that_cannot_be_written(asset: Asset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("W251LAB_CACHE", str(tmp_path / "file"))
    with pytest.raises(AssetError, match="could not be written into") as caught:
        assets.fetch(asset)
    assert "W251LAB_CACHE=/path" in caught.value.remedy
