"""Files that are downloaded once and kept: what they are, where they lie, and how they are fetched.

Nothing is fetched unless :func:`fetch` is called: :func:`find` only looks, and says how to get what is missing.
"""

from w251lab.assets.download import fetch
from w251lab.assets.registry import Asset, AssetError, known, names, register
from w251lab.assets.store import adopt, find, folder, offline, state

__all__ = [
    "Asset",
    "AssetError",
    "adopt",
    "fetch",
    "find",
    "folder",
    "known",
    "names",
    "offline",
    "register",
    "state",
]
