"""Network weights that lie in installed packages: found without importing the package, checked, loaded once.

The packages are carriers: what they would run, and what they ask for themselves, is not used here.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import wraps
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from w251lab.assets import store
from w251lab.faces.errors import WeightsError

if TYPE_CHECKING:
    from collections.abc import Callable

_T = TypeVar("_T")


@dataclass(frozen=True, kw_only=True)
class PackagedFile:
    """A file of weights inside a distribution.

    Attributes:
        distribution: Its name on the package index.
        version: The version that was tried.
        member: Path of the file below the folder of installed packages.
        sha256: Digest of the file, in hex.
        what: What it is, for a person.
        licence: SPDX identifier of the licence that its authors give it.
        source: Who made it.
    """

    distribution: str
    version: str
    member: str
    sha256: str
    what: str
    licence: str
    source: str

    def installed(self) -> bool:
        """Whether the distribution is there; of its file nothing is said."""
        try:
            metadata.distribution(self.distribution)
        except metadata.PackageNotFoundError:
            return False
        return True

    def path(self) -> Path:
        """Where the file is; its content is checked once for each process and each version of the file.

        Raises:
            WeightsError: The distribution is not installed, is without the file, or the file is another.
        """
        try:
            found = Path(str(metadata.distribution(self.distribution).locate_file(self.member)))
        except metadata.PackageNotFoundError as error:
            raise WeightsError(
                f"the package {self.distribution}, which carries {self.what}, is not installed",
                f"in a checkout: make env; elsewhere: {self._install()}",
            ) from error
        try:
            digest = store.digest(found)
        except OSError as error:
            raise WeightsError(
                f"{self.what} cannot be read from {found}: {error.strerror}", f"install it again: {self._install()}"
            ) from error
        if digest != self.sha256:
            raise WeightsError(
                f"{found} is not the file of {self.distribution} {self.version}: its SHA-256 is {digest}",
                f"install that version: {self._install()}",
            )
        return found

    def _install(self) -> str:
        return f"pip install --no-deps --force-reinstall {self.distribution}=={self.version}"


def once(load: Callable[[], _T]) -> Callable[[], _T]:
    """Have ``load`` called once in a process, and everybody given what it returned. Threads wait for each other.

    What it raises is not kept: the next call tries again.
    """
    lock = threading.Lock()
    kept: list[_T] = []

    @wraps(load)
    def loaded() -> _T:
        with lock:
            if not kept:
                kept.append(load())
            return kept[0]

    return loaded
