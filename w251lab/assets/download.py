"""Fetching a file: with progress, on from where a broken connection left it, and never a wrong one.

pooch checks the digest and moves the file to its place; what is ours is the part in between, because pooch begins
every download anew. A download that broke off is asked for from its end on (HTTP Range, RFC 9110 section 14), under
the condition that the server's file is still the same one (If-Range with the ETag that came with the first part).
"""

from __future__ import annotations

import errno
import fcntl
import json
import shutil
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from w251lab.assets import store
from w251lab.assets.registry import Asset, AssetError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

#: How many times in a row a connection may break without a single new byte.
ATTEMPTS: Final = 4
#: What an ended connection costs at most: requests gives only whole pieces.
_PIECE: Final = 1 << 15
#: Seconds to connect, and to wait for the next bytes.
_TIMEOUT: Final = (20, 60)
#: Disk that has to stay free.
_SPARE: Final = 50_000_000


class _Broken(Exception):  # noqa: N818 - never leaves this module
    """The connection broke, or the server is busy: worth another attempt."""


class _Answer(NamedTuple):
    response: Any
    begin: int  # offset of the first byte that comes
    total: int  # 0: not known


def fetch(asset: Asset, progress: Callable[[int, int], None] | None = None, pause: float = 1.0) -> Path:
    """Have an asset's file here: fetch it if it is not.

    Args:
        asset: What to fetch.
        progress: Called again and again with the bytes that are here and the bytes in all (0: not known).
        pause: Seconds to wait before the second attempt; each further one waits twice as long.

    Returns:
        Where the file is, checked.

    Raises:
        AssetError: Downloads are switched off, the server cannot be reached or has no such file, the disk is full, or
            what came is not the file that was meant. What was fetched so far is kept, but for a wrong file.
    """
    place = store.target(asset)
    if store.present(asset) is not None:
        return store.find(asset)
    if store.offline():
        raise AssetError(
            f"{asset.what} is not here, and {store.OFFLINE} forbids to fetch it",
            f"unset {store.OFFLINE}, or bring the file: `{asset.command} --from FILE`",
        )
    with store.writing(asset):
        store.folder().mkdir(parents=True, exist_ok=True)
        with _alone(asset):
            if place.is_file():  # another process has fetched it while this one waited
                return store.find(asset)
            resumed = store.part(asset).exists()
            try:
                _retrieve(asset, progress, pause)
            except _MismatchError:
                # A part of an older file may have been continued with a newer one: once more, from the beginning.
                if not resumed:
                    raise
                _retrieve(asset, progress, pause)
    store.remember(asset, store.digest(place))
    return place


class _MismatchError(AssetError):
    """What came is another file."""


def _retrieve(asset: Asset, progress: Callable[[int, int], None] | None, pause: float) -> None:
    """Fetch into the place: pooch compares the digest before it moves the file there."""
    import pooch  # noqa: PLC0415

    def downloader(url: str, output_file: str, _pooch: object) -> None:
        _download(asset, url, progress, pause)
        shutil.move(store.part(asset), output_file)
        _condition(asset).unlink(missing_ok=True)

    wanted = store.expected(asset)
    logger = pooch.get_logger()
    level = logger.level
    logger.setLevel("ERROR")  # it would advise to pin a digest that nobody has published
    try:
        pooch.retrieve(
            asset.url,
            known_hash=f"sha256:{wanted}" if wanted else None,
            fname=asset.file,
            path=store.folder(),
            downloader=downloader,
        )
    except ValueError as error:  # pooch's word for another digest; it has removed the file
        raise _MismatchError(
            f"what came from {asset.url} is not {asset.what}: its SHA-256 is not {wanted}. It was removed",
            "try again; if it comes again, something between here and the server changes it (a proxy, a login page):"
            f" fetch {asset.file} with a browser and give it: `{asset.command} --from FILE`"
            + ("" if asset.sha256 else f". If the publisher has replaced it, remove {store.record(asset)}"),
        ) from error
    finally:
        logger.setLevel(level)


def _download(asset: Asset, url: str, progress: Callable[[int, int], None] | None, pause: float) -> None:
    """Have the whole file as the part."""
    failures = 0
    while True:
        before = _size(store.part(asset))
        try:
            _go_on(asset, url, progress)
        except _Broken as error:
            have = _size(store.part(asset))
            failures = failures + 1 if have <= before else 1
            if failures >= ATTEMPTS:
                kept = f"; {have / 1e6:.1f} MB are here and are kept" if have else ""
                raise AssetError(
                    f"{url} could not be fetched: {error}{kept}",
                    f"look at the connection (a proxy? HTTPS_PROXY), then run `{asset.command}` again: it goes on"
                    f" where this ended; or bring the file: `{asset.command} --from FILE`",
                ) from error
            time.sleep(pause * 2 ** (failures - 1))
        else:
            return


def _go_on(asset: Asset, url: str, progress: Callable[[int, int], None] | None) -> None:
    """Ask for what is missing, and append it.

    Raises:
        _Broken: It ended early, with what came so far kept.
    """
    import requests  # noqa: PLC0415

    path = store.part(asset)
    have = _size(path)
    try:
        with _ask(asset, url, have) as answer:
            if answer is None:
                return
            _room(answer.total - answer.begin)
            with path.open("r+b" if path.exists() else "wb") as file:
                file.truncate(answer.begin)
                file.seek(answer.begin)
                for piece in answer.response.iter_content(_PIECE):
                    file.write(piece)
                    if progress:
                        progress(file.tell(), answer.total or asset.size)
                end = file.tell()
    except requests.RequestException as error:
        raise _Broken(_reason(error)) from error
    if answer.total and end != answer.total:
        raise _Broken(f"the connection ended after {end:,} of {answer.total:,} bytes")


@contextmanager
def _ask(asset: Asset, url: str, have: int) -> Iterator[_Answer | None]:
    """The server's answer to the request for everything from byte ``have`` on; None where nothing is missing."""
    import requests  # noqa: PLC0415

    headers = {"Accept-Encoding": "identity"}  # a compressed transfer could not be continued
    condition = _if_range(asset)
    # With neither a condition nor a digest nobody would notice that the rest is of another file: from the beginning.
    if have and (condition or store.expected(asset)):
        headers |= {"Range": f"bytes={have}-"} | condition
    with requests.get(url, headers=headers, stream=True, timeout=_TIMEOUT) as response:
        status = response.status_code
        if status == 416:  # nothing from there on: the part is whole, or of another file
            whole = str(response.headers.get("Content-Range", "")).rpartition("/")[2]
            if whole != str(have):
                store.part(asset).unlink()
                raise _Broken("the part that was here is longer than the server's file; it was removed")
            yield None
            return
        if status in (429, 500, 502, 503, 504):
            raise _Broken(f"the server answers {status} {response.reason}")
        if status not in (200, 206):
            raise AssetError(
                f"the server has no {asset.file} at {url}: it answers {status} {response.reason}",
                f"look with a browser where the publisher has it now, and give it: `{asset.command} --from FILE`",
            )
        length = int(response.headers.get("Content-Length", 0))
        begin = _begin(response.headers.get("Content-Range", "")) if status == 206 else 0
        if begin > have:
            raise _Broken(f"the server sends from byte {begin} on in place of {have}")
        if begin == 0:
            _condition(asset).write_text(json.dumps({"etag": response.headers.get("ETag", "")}), encoding="utf-8")
        yield _Answer(response, begin, begin + length if length else 0)


def _begin(content_range: str) -> int:
    """First byte of ``bytes 5-9/10``."""
    try:
        return int(content_range.removeprefix("bytes ").partition("-")[0])
    except ValueError:
        raise _Broken(f"the server's Content-Range is {content_range!r}") from None


def _condition(asset: Asset) -> Path:
    """Where the part's ETag is kept."""
    return store.folder() / f"{asset.file}.part.json"


def _if_range(asset: Asset) -> dict[str, str]:
    try:
        etag = str(json.loads(_condition(asset).read_text(encoding="utf-8"))["etag"])
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return {"If-Range": etag} if etag and not etag.startswith("W/") else {}  # a weak one is not allowed there


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _room(missing: int) -> None:
    """Refuse what will not fit before it is fetched.

    Raises:
        OSError: The disk has too little room.
    """
    free = shutil.disk_usage(store.folder()).free
    if missing > free - _SPARE:
        said = f"{missing / 1e6:.0f} MB are missing and {free / 1e6:.0f} MB are free (50 have to stay so)"
        raise OSError(errno.ENOSPC, said)


def _reason(error: Exception) -> str:
    """What went wrong, without the nest of exceptions that requests makes."""
    deepest: BaseException = error
    while deepest.__context__ is not None:
        deepest = deepest.__context__
    return f"{type(error).__name__} ({deepest})"


@contextmanager
def _alone(asset: Asset) -> Iterator[None]:
    """One process at a time fetches a file; a second one waits. The lock goes with the process."""
    with (store.folder() / f".{asset.file}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
