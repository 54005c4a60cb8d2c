"""Read student and notebook from the names that learning platforms give to handed-in files."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from w251lab.errors import UsageError
from w251lab.grading.intake import notebook_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# Canvas: lastnamefirstname_LATE_12345_67890_file-2.ipynb (user, upload; the number of the attempt at the end)
_CANVAS = re.compile(r"(?P<student>[^_/]+)_(?:LATE_)?(?P<number>\d+)_(?P<upload>\d+)_(?P<file>[^/]+)")
# Moodle, one folder for each student: Ada Lovelace_12345_assignsubmission_file_/file.ipynb; or all in one folder
_MOODLE = re.compile(r"(?P<student>[^/]+?)_(?P<number>\d+)_assignsubmission_file_?/?(?P<file>[^/]+)")
# Blackboard: Lab_student_attempt_2026-03-01-23-59-59_file.ipynb
_BLACKBOARD = re.compile(
    r"[^/]*_(?P<student>[^_/]+)_attempt_(?P<when>\d{4}(?:-\d{2}){5})(?:_(?P<file>[^/]+))?",
)
_ATTEMPT = re.compile(r"[-( ](?P<attempt>\d+)\)?$")
_MOST_BYTES = 120  # a folder's name may have 255, and nbgrader's column has 128
_UNSAFE = re.compile(r"[\x00-\x1f\x7f/\\:*?\"<>|]")


@dataclass(frozen=True)
class Name:
    """What a file's name tells.

    Attributes:
        student: Whose it is, as a folder may be called.
        number: The platform's own number of the student; empty without one.
        file: The file's own name.
        when: When it was handed in (UTC, no time zone); None where the name does not say.
        order: Sorts the attempts of one student at one file, where ``when`` does not.
    """

    student: str
    number: str
    file: str
    when: datetime | None = None
    order: tuple[int, ...] = ()


def custom_pattern(text: str) -> re.Pattern[str]:
    """An instructor's own pattern, in the names that nbgrader's ``zip_collect`` gives its groups.

    Raises:
        UsageError: It is no regular expression, or lacks the group ``student_id``.
    """
    try:
        pattern = re.compile(text)
    except re.error as error:
        raise UsageError(f"--pattern {text!r} is no regular expression: {error}.", "Correct it.") from error
    if "student_id" not in pattern.groupindex:
        raise UsageError(
            f"--pattern {text!r} has no group named student_id.",
            r"Write, for example: '(?P<student_id>\w+)-(?P<file_id>.+)\.ipynb'. A group timestamp may be there, too.",
        )
    return pattern


def read_name(path: str, lab: str, notebooks: Sequence[str], pattern: re.Pattern[str] | None = None) -> Name | None:
    """What the path of a handed-in file tells; None where it tells nothing.

    Args:
        path: Relative to the folder or archive, with slashes.
        lab: The lab's name.
        notebooks: The names of its notebooks.
        pattern: The instructor's own, which then is the only one.
    """
    path = unicodedata.normalize("NFC", path)
    if pattern is not None:
        return _custom(path, pattern)
    parts = path.split("/")
    for known in (_MOODLE, _CANVAS, _BLACKBOARD):
        tail = "/".join(parts[-2:]) if known is _MOODLE and len(parts) > 1 else parts[-1]
        if match := known.fullmatch(tail):
            return _known(match)
    return _flat(parts[-1], notebooks) or _folders(parts, lab)


def student_id(text: str) -> str:
    """A student's name as a folder may be called: no separators or control characters, blanks as hyphens.

    Returns:
        The name; empty where nothing usable is left of it.
    """
    clean = _UNSAFE.sub("", unicodedata.normalize("NFC", text))
    name = "-".join(clean.split()).strip(".-")
    return name if len(name.encode()) <= _MOST_BYTES else ""


def _known(match: re.Match[str]) -> Name | None:
    groups = match.groupdict()
    file = groups["file"] or "notebook.ipynb"
    when = None
    if groups.get("when"):
        try:
            # The platform's clock shows the institution's time, which is taken to be this machine's.
            when = datetime.strptime(groups["when"], "%Y-%m-%d-%H-%M-%S").astimezone(UTC).replace(tzinfo=None)
        except (ValueError, OverflowError):
            return None
    attempt = _ATTEMPT.search(file.rpartition(".")[0])
    order = (int(attempt["attempt"]) if attempt else 0, int(groups.get("upload") or 0))
    return _named(groups["student"], groups.get("number") or "", file, when, order)


def _custom(path: str, pattern: re.Pattern[str]) -> Name | None:
    from nbgrader.utils import parse_utc  # noqa: PLC0415 - takes a second

    match = pattern.search(path)
    if match is None:
        return None
    groups = match.groupdict()
    file = (groups.get("file_id") or path.rpartition("/")[2]).removesuffix(".ipynb")
    suffix = "" if "." in file else ".ipynb"
    try:
        when: datetime | None = parse_utc(groups["timestamp"].replace("_", " ")) if groups.get("timestamp") else None
    except (ValueError, OverflowError):
        return None
    return _named(match["student_id"], "", file + suffix, when, ())


def _flat(file: str, notebooks: Iterable[str]) -> Name | None:
    """``student_notebook.ipynb``; the longest notebook's name counts, since one may end like another."""
    for cut in [index for index, letter in enumerate(file) if letter in "_-"]:
        own = file[cut + 1 :]
        if file.casefold().endswith(".ipynb") and notebook_name(own, notebooks) is not None:
            attempt = _ATTEMPT.search(own.rpartition(".")[0])
            return _named(file[:cut], "", own, None, (int(attempt["attempt"]) if attempt else 0,))
    return None


def _folders(parts: list[str], lab: str) -> Name | None:
    """``student/file`` or nbgrader's ``submitted/student/lab/file``."""
    folders = [part for part in parts[:-1] if part != "submitted"]
    if folders and folders[-1] == lab:
        folders.pop()
    return _named(folders[-1], "", parts[-1], None, ()) if folders else None


def _named(student: str, number: str, file: str, when: datetime | None, order: tuple[int, ...]) -> Name | None:
    name = student_id(student)
    return Name(name, number, file, when, order) if name else None
