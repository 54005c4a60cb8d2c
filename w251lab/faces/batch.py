"""Many picture files restored one after the other; what fails is said, and stops no other."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from w251lab.errors import UsageError, W251Error
from w251lab.faces.pictures import read_picture, write_picture

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from w251lab.faces.restore import Restorer


class Line(NamedTuple):
    """What became of one picture.

    Attributes:
        text: For a person; a line for each thing to know.
        failed: True where nothing was written.
    """

    text: str
    failed: bool


def targets(sources: Sequence[Path], folder: Path) -> dict[Path, Path]:
    """For each picture file the file to write: a PNG of its name in ``folder``.

    Raises:
        UsageError: Two of them would be written to the same file, one onto itself, or one onto a file that lies beside
            the pictures, and may be one of them.
    """
    chosen: dict[Path, Path] = {}
    for source in dict.fromkeys(sources):
        target = folder / f"{source.stem}.png"
        same = next((each for each, taken in chosen.items() if taken == target), None)
        if same is not None:
            raise UsageError(f"{same} and {source} would both be written to {target}", "restore them into two folders")
        if target.resolve() == source.resolve():
            raise UsageError(f"{source} would be overwritten", "name another folder with --output")
        if target.exists() and target.resolve().parent == source.resolve().parent:
            raise UsageError(
                f"{target}, which lies beside {source.name}, would be overwritten", "name another folder with --output"
            )
        chosen[source] = target
    return chosen


def restore_files(files: dict[Path, Path], restorer: Restorer, *, upscale: float, largest: int) -> Iterator[Line]:
    """Restore picture files.

    Args:
        files: For each picture the file to write; see :func:`targets`.
        restorer: Restores them.
        upscale: How many times larger the results are, 1 to 4.
        largest: Pictures whose longer side has more pixels are shrunk to it first.

    Yields:
        A line for each picture, once it is done.

    Raises:
        UsageError: ``upscale`` or ``largest`` is out of range.
    """
    for source, target in files.items():
        try:
            picture = read_picture(source, largest=largest)
            result = restorer.restore(picture, upscale=upscale)
            write_picture(result.picture, target)
        except UsageError:
            raise
        except W251Error as error:
            yield Line(f"{source}: error: {error.what}\n  what to do: {error.remedy}", failed=True)
            continue
        count = len(result.faces)
        done = f"{source}: {count} {'face' if count == 1 else 'faces'} restored in {result.seconds:.1f} s, see {target}"
        limited = max(picture.shape) == largest
        shrunk = (f"it was read at {picture.shape[1]} x {picture.shape[0]} pixels, see --largest",) if limited else ()
        yield Line("\n".join([done, *(f"  {note}" for note in (*shrunk, *result.notes))]), failed=False)
