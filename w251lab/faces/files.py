"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from functools import cache
from pathlib import Path


def write_whole(target: Path, content: bytes) -> None:
    """Write a file in one piece: one that is there before is replaced, or stays as it was.

    Args:
        target: In a folder that is there. What a link points to is replaced, not the link.
        content: All of the file.

    Raises:
        OSError: It cannot be written; nothing is left of the attempt.
    """
    place = target.resolve()
    if place.exists() and not place.is_file():
        place.write_bytes(content)  # a device or a pipe cannot be replaced; a folder says what it is
        return
    handle, name = tempfile.mkstemp(prefix=f".{place.stem[:50]}-", suffix=place.suffix, dir=place.parent)
    partial = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        partial.chmod(place.stat().st_mode if place.exists() else 0o666 & ~umask())
        partial.replace(place)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


@cache
def umask() -> int:
    """What is taken from a new file's permissions; there is no way to read it but to set it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
