"""What was graded, kept at once and for good: a run may be killed at any byte and loses only what was not yet graded.

One file for each lab, ``.grading/LAB.journal``: lines that are only ever appended, each with its checksum and flushed
to the disk before anyone is told. Lines of text rather than SQLite: a torn line is seen, named and left out, where its
write-ahead log would roll it back in silence; an instructor can read it with any tool; and a record, which is a whole
notebook, is read back only when it is asked for. What is said again later wins.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import socket
import threading
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, BinaryIO, Self

from w251lab.errors import W251Error
from w251lab.grading.job import Graded, GradedFormatError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from types import TracebackType

FOLDER = ".grading"
_MARK = b"w251lab-1"


class JournalError(W251Error):
    """The journal cannot be written, or another grader holds the course."""


@dataclass(frozen=True)
class Entry:
    """What the journal knows of one graded notebook without reading it back.

    Attributes:
        fingerprint: Of the job (`Job.fingerprint`).
        student: Who handed it in.
        notebook: The notebook's name.
        submission: SHA-256 of what was handed in: the notebook and the student's own files.
        basis: Question -> digest of what it was judged by (`w251lab.grading.basis`).
        verdicts: Question -> verdict.
    """

    fingerprint: str
    student: str
    notebook: str
    submission: str
    basis: Mapping[str, str] = field(default_factory=dict)
    verdicts: Mapping[str, str] = field(default_factory=dict)


class Journal:
    """The journal of one lab. Use it as a context manager; hold the course's `Lock` while it is open.

    Args:
        path: The file; it is made where it is missing. Only its owner can read it: it has the hidden tests in it.

    Attributes:
        damage: What was found unreadable when it was opened, for people; those notebooks are graded again.

    Raises:
        JournalError: The file cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.damage: list[str] = []
        self._lock = threading.Lock()  # one thread grades, another reads what goes into the gradebook
        self._entries: dict[tuple[str, str], tuple[Entry, int]] = {}
        self._written: dict[str, str] = {}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise JournalError(
                f"{path} cannot be written: {error.strerror}.", "Put that right; nothing ran."
            ) from error
        self._file: BinaryIO = os.fdopen(descriptor, "r+b")
        self._load()

    def latest(self, student: str, notebook: str) -> Entry | None:
        """The last entry of one student's notebook."""
        found = self._entries.get((student, notebook))
        return found[0] if found else None

    def entries(self) -> Iterator[Entry]:
        """The last entry of every graded notebook, in the order in which they were first graded."""
        return (entry for entry, _ in list(self._entries.values()))

    def read(self, entry: Entry) -> Graded:
        """The graded notebook of an entry of this journal.

        Raises:
            JournalError: The file was changed behind our back.
        """
        with self._lock:
            _, place = self._entries[entry.student, entry.notebook]
            self._file.seek(place)
            record = _open_line(self._file.readline())
        try:
            return Graded.from_bytes(record[1] if record else b"")
        except GradedFormatError as error:
            raise JournalError(
                f"{self.path} no longer has what was graded for {entry.student}: {error.what}",
                "Run the same command again: it grades what is missing.",
            ) from error

    def add(self, entry: Entry, graded: Graded) -> None:
        """Keep a graded notebook. When this returns it is on the disk.

        Raises:
            JournalError: The disk is full or the file is gone.
        """
        place = self._append({"graded": asdict(entry)}, graded.to_bytes())
        self._entries[entry.student, entry.notebook] = (entry, place)
        self._written.pop(entry.fingerprint, None)

    def mark_written(self, fingerprint: str, when: datetime | None = None) -> None:
        """Note that the gradebook and ``autograded/`` have this result. Losing the note costs one more writing.

        Args:
            fingerprint: Of the result.
            when: When the submission was handed in, as the gradebook now has it.
        """
        self._append({"written": fingerprint, "when": str(when)}, b"", sync=False)
        self._written[fingerprint] = str(when)

    def is_written(self, fingerprint: str, when: datetime | None = None) -> bool:
        """Whether `mark_written` was called since the result was added, for a hand-in at this time."""
        return self._written.get(fingerprint) == str(when)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the file."""
        self.close()

    def _append(self, head: dict[str, object], body: bytes, *, sync: bool = True) -> int:
        line = _line(json.dumps(head, ensure_ascii=True).encode(), body)
        try:
            with self._lock:
                place = self._file.seek(0, os.SEEK_END)
                self._write(line, place)
            if sync:
                os.fsync(self._file.fileno())
        except OSError as error:
            raise JournalError(
                f"{self.path} cannot be written: {error.strerror}.",
                "Make room, then run the same command again: it goes on where it was.",
            ) from error
        return place

    def _write(self, line: bytes, place: int) -> None:
        """Write past Python's buffer, which would try once more at its end what did not fit on the disk."""
        number, written = self._file.fileno(), 0
        try:
            while written < len(line):
                written += os.pwrite(number, line[written:], place + written)
        except BaseException:
            with suppress(OSError):
                os.ftruncate(number, place)
            raise

    def _load(self) -> None:
        """Read every line's head. A torn last line, of a writer that was killed, is cut off; another is passed over."""
        place, number = 0, 0
        for number, line in enumerate(self._file, 1):
            record = _open_line(line)
            if record is not None and self._take(record[0], place):
                place += len(line)
                continue
            last = not line.endswith(b"\n")
            cut = "a record that was not written to its end was dropped" if last else "a damaged record was left out"
            self.damage.append(f"{self.path}, line {number}: {cut}; what it held is graded again.")
            if last:
                self._file.truncate(place)
                os.fsync(self._file.fileno())
                break
            place += len(line)

    def _take(self, head: bytes, place: int) -> bool:
        try:
            data = json.loads(head)
            if "written" in data:
                self._written[data["written"]] = str(data.get("when"))
                return True
            entry = Entry(**data["graded"])
        except (ValueError, KeyError, TypeError):
            return False
        self._entries[entry.student, entry.notebook] = (entry, place)
        self._written.pop(entry.fingerprint, None)
        return True


def _line(head: bytes, body: bytes) -> bytes:
    """``w251lab-1 CHECKSUM HEAD TAB BODY``, both JSON, which has no bare tab or line end."""
    content = head + b"\t" + body
    return b"%s %s %s\n" % (_MARK, hashlib.sha256(content).hexdigest().encode(), content)


def _open_line(line: bytes) -> tuple[bytes, bytes] | None:
    """Head and body of a whole and sound line, else None."""
    parts = line.split(b" ", 2)
    if len(parts) != 3 or parts[0] != _MARK or not line.endswith(b"\n"):
        return None
    content = parts[2][:-1]
    if hashlib.sha256(content).hexdigest().encode() != parts[1]:
        return None
    head, _, body = content.partition(b"\t")
    return head, body


class Lock:
    """One grader at a time on a course, also across the machines that share its folder where that passes locks on.

    The system lets go of it when the process ends, however it ends.

    Raises:
        JournalError: Another grader holds it; the message says which.
    """

    def __init__(self, course: Path) -> None:
        self.path = course / FOLDER / "lock"

    def __enter__(self) -> Self:
        """Take it, at once or not at all."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("a+", encoding="utf-8")
        except OSError as error:
            raise JournalError(f"{self.path} cannot be written: {error.strerror}.", "Put that right.") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._file.seek(0)
            holder = self._file.read().strip() or "another process"
            self._file.close()
            raise JournalError(
                f"This course is being graded already, by {holder}.",
                "Wait until it has ended, or end it; what it has graded is kept.",
            ) from error
        since = datetime.now(UTC).astimezone().isoformat(timespec="seconds")
        self._file.truncate(0)
        self._file.write(f"process {os.getpid()} on {socket.gethostname()}, since {since}\n")
        self._file.flush()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Let go. The file stays: removing it would let two graders lock two files of one name."""
        self._file.truncate(0)
        self._file.close()
