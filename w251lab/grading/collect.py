"""Put a learning platform's export (a folder or a zip) into ``submitted/``, where nbgrader and the grader look.

An archive comes from students: no path in it leaves its place, nothing in it is believed about sizes, and what is not
taken is listed with its reason.
"""

from __future__ import annotations

import os
import stat
import zipfile
import zlib
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING

from w251lab.errors import UsageError, W251Error
from w251lab.grading.intake import MOST_BYTES, notebook_name
from w251lab.grading.layout import TIMESTAMP, Layout, write_whole
from w251lab.grading.platforms import Name, custom_pattern, read_name

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Iterator, Mapping

    from w251lab.course.catalog import Course, Lab

#: Files beyond which an archive is refused, and bytes beyond which no more is taken out of it.
MOST_MEMBERS = 20_000
MOST_BYTES_IN_ALL = 8 * 1024**3
_CHUNK = 1024**2
_CLUTTER = {"__MACOSX", ".DS_Store", ".ipynb_checkpoints", "Thumbs.db", "__pycache__"}


@dataclass(frozen=True)
class _Member:
    """One file of the export: its path, when it was changed (only to sort attempts), and how to read it."""

    path: str
    changed: tuple[int, ...]
    open: Callable[[], IO[bytes]]


@dataclass
class Collected:
    """What became of an export.

    Attributes:
        taken: Files of ``submitted/`` that were written.
        unchanged: Files that were there already, the same.
        left: (path in the export, why it was not taken).
    """

    taken: list[Path] = field(default_factory=list)
    unchanged: list[Path] = field(default_factory=list)
    left: list[tuple[str, str]] = field(default_factory=list)


def collect(
    course: Course,
    lab: Lab,
    export: Path,
    *,
    pattern: str | None = None,
    replace: bool = False,
    roster: Mapping[str, str] | None = None,
) -> Collected:
    """Take the submissions of ``lab`` out of ``export`` and put them into the course's ``submitted/``.

    Of several attempts of one student the latest is taken: by the time in the name, the attempt's number, then the
    file's own time. A timestamp is written only where a name tells it: an archive's own times say when it was made.

    Args:
        course: The course.
        lab: The lab that the files are for.
        export: A folder or a zip.
        pattern: A regular expression with the group ``student_id``, for names that are not known here.
        replace: Overwrite an earlier submission that differs; otherwise it stays, and the new one is listed.
        roster: The platform's number of a student -> student id, as the gradebook knows it.

    Raises:
        UsageError: ``export`` is neither a folder nor a zip, holds too many files, or ``pattern`` cannot be used.
    """
    done = Collected()
    compiled = custom_pattern(pattern) if pattern else None
    names = [entry.name for entry in lab.notebooks]
    layout = Layout(course)
    budget = [MOST_BYTES_IN_ALL]
    with _open(export, done) as members:
        attempts = _attempts(members, lab, names, compiled, done)
        for (student, target), claims in sorted(_by_student(attempts, roster or {}).items()):
            *older, (name, member) = claims
            done.left += [(other.path, f"an earlier attempt; {member.path} was taken") for _, other in older]
            content = _content(member, budget, done)
            if content is not None:
                folder = layout.submitted(student, lab.name)
                if _store(folder / target, content, member.path, done, replace=replace) and name.when is not None:
                    _keep_timestamp(folder, name)
    return done


class _open:  # noqa: N801 - used as a function in a with statement
    """The export's files, as a context: a zip stays open while they are read."""

    def __init__(self, export: Path, done: Collected) -> None:
        self.export = export
        self.done = done
        self.archive: zipfile.ZipFile | None = None

    def __enter__(self) -> list[_Member]:
        if self.export.is_dir():
            return list(_folder_members(self.export, self.done))
        try:
            self.archive = zipfile.ZipFile(self.export)
        except (OSError, zipfile.BadZipFile, NotImplementedError) as error:
            raise UsageError(
                f"{self.export} is neither a folder nor a zip that can be read: {error}.",
                "Download the export again, and name the zip or the folder that it was unpacked into.",
            ) from error
        return list(_zip_members(self.archive, self.done))

    def __exit__(self, *_: object) -> None:
        if self.archive is not None:
            self.archive.close()


def _folder_members(folder: Path, done: Collected) -> Iterator[_Member]:
    paths = sorted(path for path in folder.rglob("*") if not path.is_dir() or path.is_symlink())
    _check_number(len(paths), folder)
    for path in paths:
        name = path.relative_to(folder).as_posix()
        if _CLUTTER.isdisjoint(name.split("/")):
            status = path.lstat()
            if stat.S_ISREG(status.st_mode):
                yield _Member(name, (int(status.st_mtime),), lambda path=path: path.open("rb"))  # type: ignore[misc]
            else:
                done.left.append((name, "a link, or no file"))


def _zip_members(archive: zipfile.ZipFile, done: Collected) -> Iterator[_Member]:
    entries = archive.infolist()
    _check_number(len(entries), Path(str(archive.filename)))
    for entry in entries:
        name = _decoded(entry)
        if entry.is_dir() or not _CLUTTER.isdisjoint(name.split("/")):
            continue
        if stat.S_ISLNK(entry.external_attr >> 16):
            done.left.append((name, "a link"))
        elif why := _escapes(name):
            done.left.append((name, why))
        elif entry.flag_bits & 0x1:
            done.left.append((name, "it is encrypted"))
        else:
            yield _Member(name, entry.date_time, lambda entry=entry: archive.open(entry))  # type: ignore[misc]


def _check_number(number: int, export: Path) -> None:
    if number > MOST_MEMBERS:
        raise UsageError(f"{export} holds {number} files, more than {MOST_MEMBERS}.", "Name one lab's export.")


def _decoded(entry: zipfile.ZipInfo) -> str:
    """A member's name. Without the flag for UTF-8 it is cp437 by the standard, but many programs write UTF-8 anyway."""
    name = entry.filename
    if not entry.flag_bits & 0x800:
        with suppress(UnicodeError):  # then it is cp437 indeed
            name = name.encode("cp437").decode("utf-8")
    return name.replace("\\", "/")


def _escapes(name: str) -> str:
    """Why a path of an archive is not taken; empty for a good one. Nothing is written under such a path in any case."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or (path.parts and path.parts[0].endswith(":")):
        return "its path leads out of the archive"
    if any(ord(letter) < 32 for letter in name):
        return "its path has control characters"
    return ""


def _attempts(
    members: list[_Member], lab: Lab, names: list[str], pattern: re.Pattern[str] | None, done: Collected
) -> list[tuple[Name, str, _Member]]:
    """(what the name tells, the file's name in ``submitted/``, the member) for each file that belongs to a student."""
    found = []
    for member in members:
        name = read_name(member.path, lab.name, names, pattern)
        if name is None:
            done.left.append((member.path, "its name tells no student; --pattern says how to read it"))
            continue
        target = _target(name, names)
        if target is None:
            done.left.append((member.path, f"it is none of the notebooks of {lab.name}: {', '.join(names)}"))
        elif target == TIMESTAMP:
            done.left.append((member.path, "when something was handed in is not its student's say"))
        else:
            found.append((name, target, member))
    return found


def _target(name: Name, names: list[str]) -> str | None:
    """A file's name in ``submitted/``: that of the lab's notebook, or its own where it is another kind of file."""
    file = PurePosixPath(name.file).name
    if not file.casefold().endswith(".ipynb"):
        return file if not file.startswith(".") else None
    notebook = notebook_name(file, names)
    if notebook is None and len(names) == 1:
        notebook = names[0]  # whatever a student calls it: there is but one notebook in this lab
    return None if notebook is None else f"{notebook}.ipynb"


def _by_student(
    attempts: list[tuple[Name, str, _Member]], roster: Mapping[str, str]
) -> dict[tuple[str, str], list[tuple[Name, _Member]]]:
    """(student, file) -> attempts, the latest last. Two students of one name are told apart by their numbers."""
    numbers = defaultdict(set)
    for name, _, _ in attempts:
        numbers[name.student].add(name.number)
    found = defaultdict(list)
    for name, target, member in attempts:
        student = roster.get(name.number, name.student) if name.number else name.student
        if student == name.student and len(numbers[student]) > 1 and name.number:
            student = f"{student}_{name.number}"
        found[student, target].append((name, member))
    for claims in found.values():
        claims.sort(key=lambda claim: (claim[0].when is not None, str(claim[0].when), claim[0].order, claim[1].changed))
    return found


def _content(member: _Member, budget: list[int], done: Collected) -> bytes | None:
    """A member's bytes, read up to the limits whatever the archive says of its size; None where it is not taken."""
    chunks: list[bytes] = []
    size, left = 0, budget[0]
    try:
        with member.open() as file:
            while chunk := file.read(_CHUNK):
                size += len(chunk)
                if size > min(MOST_BYTES, left):
                    limit = f"{MOST_BYTES} bytes" if size > MOST_BYTES else f"{MOST_BYTES_IN_ALL} bytes in all"
                    done.left.append((member.path, f"it is larger than {limit}"))
                    return None
                chunks.append(chunk)
    except (OSError, zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError) as error:
        done.left.append((member.path, f"it cannot be read: {error}"))
        return None
    budget[0] -= size  # what was cut off or damaged takes nothing from the others
    return b"".join(chunks)


def _store(target: Path, content: bytes, origin: str, done: Collected, *, replace: bool) -> bool:
    """Write one file. Returns whether ``target`` now holds ``content``."""
    try:
        if target.is_symlink() or (target.exists() and not target.is_file()):
            done.left.append((origin, f"{target} is in the way"))
            return False
        if target.exists():
            if target.read_bytes() == content:
                done.unchanged.append(target)
                return True
            if not replace:
                done.left.append((origin, f"{target} is there and differs; --replace overwrites it"))
                return False
        write_whole(target, content)
    except OSError as error:
        raise W251Error(
            f"{target} cannot be written: {error.strerror}.", "Make room, or give yourself the right to write there."
        ) from error
    done.taken.append(target)
    return True


def _keep_timestamp(folder: Path, name: Name) -> None:
    """The latest time of all of a submission's files, as nbgrader has one for the whole."""
    path = folder / TIMESTAMP
    text = f"{name.when:%Y-%m-%d %H:%M:%S} UTC"
    if not path.exists() or path.read_text(encoding="utf-8", errors="replace") < text:
        write_whole(path, text.encode() + os.linesep.encode())
