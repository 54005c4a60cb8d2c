"""What can be downloaded: each topic registers its own files here."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass

from w251lab.errors import UsageError, W251Error

_ASSETS: dict[str, Asset] = {}


class AssetError(W251Error):
    """A file that is not here, cannot be fetched, or is not the one that was meant."""


@dataclass(frozen=True, kw_only=True)
class Asset:
    """One file of a publisher.

    Attributes:
        name: What the command line calls it, such as ``gfpgan-1.3``.
        what: What it is, for a person.
        file: Its name on the disk.
        url: Where the publisher has it.
        sha256: Digest in hex; empty where the publisher has none and nobody is known to have recorded it. The first
        file
            that is fetched then decides: its digest is written down beside it, and no other is taken from then on.
        size: In bytes; 0 where it is not known.
        licence: SPDX identifier of the publisher's licence.
        used_by: The command or option that uses it.
    """

    name: str
    what: str
    file: str
    url: str
    sha256: str = ""
    size: int = 0
    licence: str
    used_by: str = ""

    def __post_init__(self) -> None:
        """Refuse what would be written elsewhere than into the cache, or could never be checked."""
        if "/" in self.file or self.file.startswith("."):
            raise UsageError(f"the asset {self.name} has the file name {self.file!r}", "give a plain file name")
        if self.sha256 and not re.fullmatch(r"[0-9a-f]{64}", self.sha256):
            raise UsageError(
                f"the asset {self.name} has the digest {self.sha256!r}", "give 64 hexadecimal digits or none"
            )

    @property
    def command(self) -> str:
        """The command that fetches it."""
        return f"w251lab weights {self.name}"


def register(asset: Asset) -> Asset:
    """Make an asset known under its name; return it.

    Raises:
        UsageError: Another asset has the name or the file name.
    """
    for other in _ASSETS.values():
        if other != asset and (other.name == asset.name or other.file == asset.file):
            raise UsageError(f"two assets are called {asset.name} or {asset.file}", "give the new one names of its own")
    _ASSETS[asset.name] = asset
    return asset


def names() -> tuple[str, ...]:
    """The names of all known assets."""
    return tuple(_ASSETS)


def known(name: str) -> Asset:
    """The asset of a name.

    Raises:
        UsageError: There is none.
    """
    try:
        return _ASSETS[name]
    except KeyError:
        nearest = difflib.get_close_matches(name, _ASSETS, n=1)
        hint = f"did you mean {nearest[0]}? " if nearest else ""
        raise UsageError(f"there is no asset {name!r}", f"{hint}use one of {', '.join(_ASSETS)}") from None
