"""The folder where downloaded files lie, and whether what lies there is what was meant."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from w251lab.assets.registry import Asset, AssetError

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Names the folder for downloads, another than ``~/.cache/w251lab``.
CACHE: Final = "W251LAB_CACHE"
#: A folder that somebody else filled: files are looked for there, too, and never written.
SHARED: Final = "W251LAB_WEIGHTS"
#: With ``1`` nothing is ever fetched.
OFFLINE: Final = "W251LAB_OFFLINE"

State = Literal["here", "partial", "missing", "damaged"]


def folder() -> Path:
    """Where downloads are kept; it may not exist yet.

    ``W251LAB_CACHE``, else the user's cache folder (``~/.cache/w251lab``).
    """
    named = os.environ.get(CACHE, "").strip()
    if named:
        return Path(named).expanduser().absolute()
    import pooch  # noqa: PLC0415

    return Path(pooch.os_cache("w251lab"))


def offline() -> bool:
    """Whether the environment forbids downloads (``W251LAB_OFFLINE`` is set, and not to 0)."""
    return os.environ.get(OFFLINE, "").strip().lower() not in ("", "0", "no", "false")


def target(asset: Asset) -> Path:
    """Where an asset's file belongs, whether or not it is there."""
    return folder() / asset.file


def part(asset: Asset) -> Path:
    """What is there of a download that broke off."""
    return folder() / f"{asset.file}.part"


def record(asset: Asset) -> Path:
    """Where the digest of an asset without a published one is written down at its first download."""
    return folder() / f"{asset.file}.sha256"


def expected(asset: Asset) -> str:
    """The digest that an asset's file must have; empty where none is known yet."""
    if asset.sha256:
        return asset.sha256
    try:
        words = record(asset).read_text(encoding="ascii").split()
    except (OSError, UnicodeDecodeError):
        return ""
    return words[0] if words else ""


def remember(asset: Asset, digest: str) -> None:
    """Write down the digest of a file whose publisher gives none, unless one is written down already."""
    if not asset.sha256 and not record(asset).exists():
        record(asset).write_text(f"{digest}  {asset.file}\n", encoding="ascii")


def digest(path: Path) -> str:
    """SHA-256 of a file in hex; computed once for each state of the file in a process."""
    state = path.stat()
    return _digest(path, state.st_mtime_ns, state.st_size)


@cache
def _digest(path: Path, _changed: int, _size: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def present(asset: Asset) -> Path | None:
    """Where an asset's file lies, unchecked: in the folder of downloads, else in the shared one; None: nowhere."""
    shared = os.environ.get(SHARED, "").strip()
    places = (target(asset), *([Path(shared) / asset.file] if shared else []))
    return next((path for path in places if path.is_file()), None)


def find(asset: Asset) -> Path:
    """The file of an asset, checked. Nothing is fetched.

    Raises:
        AssetError: It is not here, cannot be read, or is another file; with the command that puts it right.
    """
    path = present(asset)
    if path is not None:
        return _checked(asset, path)
    size = f", {asset.size / 1e6:.0f} MB" if asset.size else ""
    left = " (a part of it is; the command goes on from there)" if part(asset).exists() else ""
    raise AssetError(
        f"{asset.what} is not here{left}",
        f"fetch it with `{asset.command}`{size}; or, if you have {asset.file}: `{asset.command} --from FILE`",
    )


def state(asset: Asset) -> tuple[State, Path | None]:
    """What there is of an asset, and where; for a list."""
    try:
        return "here", find(asset)
    except AssetError:
        if target(asset).is_file():
            return "damaged", target(asset)
        return ("partial", part(asset)) if part(asset).exists() else ("missing", None)


def _checked(asset: Asset, path: Path) -> Path:
    try:
        found = digest(path)
    except OSError as error:
        raise AssetError(f"{path} cannot be read: {error.strerror}", "make it readable, or remove it") from error
    wanted = expected(asset)
    if not wanted or found == wanted:
        return path
    said = "publisher's" if asset.sha256 else "file that was fetched first"
    raise AssetError(
        f"{path} is not {asset.what}: its SHA-256 is {found}, that of the {said} is {wanted}",
        f"remove it (rm '{path}') and fetch it again: `{asset.command}`",
    )


def adopt(asset: Asset, source: Path) -> Path:
    """Copy a file that the user has into the folder of downloads, checked. The file itself is left as it is.

    Returns:
        Where the copy is.

    Raises:
        AssetError: There is no such file, it is another one, or it cannot be copied.
    """
    if not source.is_file():
        raise AssetError(f"there is no file {source}", f"give the path of {asset.file}")
    with writing(asset):
        found, wanted = digest(source), expected(asset)
        if wanted and found != wanted:
            raise AssetError(
                f"{source} is not {asset.what}: its SHA-256 is {found} in place of {wanted}",
                f"take {asset.file} from {asset.url}",
            )
        folder().mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder(), prefix=f".{asset.file}-", delete=False) as copy:
            place = Path(copy.name)
        try:
            shutil.copyfile(source, place)
            if digest(place) != found:
                raise AssetError(f"{source} changed while it was copied", "try again")
            place.replace(target(asset))
        finally:
            place.unlink(missing_ok=True)
        remember(asset, found)
    return target(asset)


@contextmanager
def writing(asset: Asset) -> Iterator[None]:
    """Say in words what went wrong with the disk.

    Raises:
        AssetError: In place of an OSError.
    """
    try:
        yield
    except OSError as error:
        raise AssetError(
            f"{asset.file} could not be written into {folder()}: {error.strerror or error}",
            f"make room there or make it writable, or name another folder: {CACHE}=/path; then run it again:"
            " what was fetched so far is kept",
        ) from error
