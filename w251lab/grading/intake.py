"""Find what was handed in for a lab, in nbgrader's layout: ``submitted/STUDENT/LAB/*.ipynb``, with its timestamp."""

from __future__ import annotations

import fnmatch
import re
import stat
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nbgrader.utils import parse_utc

from w251lab.course.notebook import UnreadableNotebookError
from w251lab.course.release import other_files
from w251lab.course.results import NotebookResult, QuestionResult, Reason, Verdict
from w251lab.course.score import ungradable
from w251lab.errors import UsageError
from w251lab.grading.job import Graded
from w251lab.grading.layout import TIMESTAMP, Layout
from w251lab.grading.matching import read_lab

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime
    from pathlib import Path

    from w251lab.course.catalog import Course, Lab, NotebookEntry

#: Bytes of the largest file that is taken from a student, of all of a submission's files, and their number.
MOST_BYTES = 64 * 1024**2
MOST_BYTES_IN_ALL = 256 * 1024**2
MOST_FILES = 1000
#: The fingerprint of `not_handed_in`'s results: there is no job to have one.
NOT_HANDED_IN = "not handed in"
#: What browsers and JupyterLab add to a name: ``kmeans (1)``, ``kmeans-Copy1``, ``kmeans-2``.
_ADDED = re.compile(r"(?:\s*\(\d+\)|-Copy\d*|[-_ ]?copy|-\d+)+$", re.IGNORECASE)


@dataclass(frozen=True)
class Submission:
    """What one student handed in for one lab.

    Attributes:
        student: nbgrader's student id: the folder's name.
        lab: The lab's name.
        notebooks: Notebook name -> file.
        missing: Names of the lab's notebooks that were not handed in.
        files: Relative POSIX path -> other file. Links and what nbgrader ignores are left out.
        timestamp: When it was handed in, in UTC without a time zone, as nbgrader keeps it; None where unknown.
        notes: For people.
    """

    student: str
    lab: str
    notebooks: Mapping[str, Path]
    missing: tuple[str, ...]
    files: Mapping[str, Path]
    timestamp: datetime | None
    notes: tuple[str, ...] = ()


def find_submissions(course: Course, lab: Lab, students: Iterable[str] = ()) -> tuple[Submission, ...]:
    """What was handed in for ``lab``, sorted by student.

    Args:
        course: The course.
        lab: One of its labs.
        students: Only theirs; everybody's when empty.

    Raises:
        UsageError: Nothing was handed in at all, or nothing by one of ``students``.
    """
    layout = Layout(course)
    folders = layout.students(lab.name)
    asked = list(dict.fromkeys(students))
    if not folders:
        raise UsageError(
            f"Nothing was handed in for {lab.name}: no {layout.submitted('STUDENT', lab.name)}.",
            "Collect with nbgrader, or a learning platform's export with 'w251lab collect'.",
        )
    if absent := [student for student in asked if student not in folders]:
        raise UsageError(
            f"Nothing was handed in for {lab.name} by {', '.join(absent)}.", f"It would be in {folders.popitem()[1]}."
        )
    return tuple(_submission(layout, lab, student, folders[student]) for student in asked or folders)


def _submission(layout: Layout, lab: Lab, student: str, folder: Path) -> Submission:
    notes: list[str] = []
    if folder.is_symlink() or not folder.is_dir():
        names = tuple(entry.name for entry in lab.notebooks)
        return Submission(student, lab.name, {}, names, {}, None, (f"{folder} is no folder of its own.",))
    try:
        notebooks = _notebooks(lab, folder, notes)
        files = _other_files(folder, layout.ignored, notes)
        timestamp = _timestamp(folder / TIMESTAMP, notes)
    except OSError as error:  # one student's folder must not end the run of a class
        names = tuple(entry.name for entry in lab.notebooks)
        why = f"{error.filename or folder} cannot be read: {error.strerror}."
        return Submission(student, lab.name, {}, names, {}, None, (why,))
    missing = tuple(entry.name for entry in lab.notebooks if entry.name not in notebooks)
    return Submission(student, lab.name, notebooks, missing, files, timestamp, tuple(notes))


def _notebooks(lab: Lab, folder: Path, notes: list[str]) -> dict[str, Path]:
    """The lab's notebooks among the files; one under a name that a browser has lengthened is taken, with a note."""
    present = {path.name: path for path in sorted(folder.iterdir()) if path.suffix == ".ipynb"}
    found, names = {}, [entry.name for entry in lab.notebooks]
    for name in names:
        if f"{name}.ipynb" in present:
            found[name] = present.pop(f"{name}.ipynb")
    for name in names:
        like = [path for path in present.values() if notebook_name(path.name, names) == name]
        if name in found or not like:
            continue
        if len(like) == 1:
            found[name] = like[0]
            notes.append(f"{like[0].name} was taken as {name}.ipynb.")
        else:
            notes.append(f"{', '.join(path.name for path in like)}: which of them is {name}.ipynb cannot be told.")
    return found


def notebook_name(file: str, names: Iterable[str]) -> str | None:
    """Which of the lab's notebooks a file's name means, also where something was added to it; None for none of them."""
    stem = re.sub(r"\.ipynb$", "", file, flags=re.IGNORECASE)
    known = {name.casefold(): name for name in names}
    return known.get(stem.casefold()) or known.get(_ADDED.sub("", stem).casefold())


def _other_files(folder: Path, ignore: list[str], notes: list[str]) -> dict[str, Path]:
    found = other_files(folder, [*ignore, TIMESTAMP], skip_links=True)
    links = [path for path in folder.rglob("*") if path.is_symlink()]
    notes += [f"The link {path.relative_to(folder)} was left out." for path in sorted(links)[:20]]
    kept: dict[str, Path] = {}
    total = 0
    for name, path in found.items():
        size = path.stat().st_size
        if len(kept) >= MOST_FILES or size > MOST_BYTES or total + size > MOST_BYTES_IN_ALL:
            notes.append(f"The file {name} ({size} bytes) was left out: too large, or one too many.")
            continue
        kept[name] = path
        total += size
    return kept


def _timestamp(path: Path, notes: list[str]) -> datetime | None:
    if path.is_symlink() or not path.is_file():
        return None
    try:
        text = path.read_bytes()[:200].decode().strip()
        when: datetime | None = parse_utc(text) if text else None
    except (ValueError, OverflowError):
        notes.append(f"{TIMESTAMP} cannot be read: when this was handed in is not known.")
        return None
    if when is None:
        notes.append(f"{TIMESTAMP} is empty: when this was handed in is not known.")
    return when


def read_submitted_file(path: Path) -> bytes:
    """A submitted notebook's bytes.

    Raises:
        UnreadableNotebookError: It is a link or no file, is larger than `MOST_BYTES`, or the system refuses it: it is
            ``ungradable`` for the reason in ``what``.
    """
    try:
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode):
            raise UnreadableNotebookError(f"{path.name} is no file of its own.", "Ask the student for the file.")
        if status.st_size > MOST_BYTES:
            raise UnreadableNotebookError(
                f"{path.name} is too large: {status.st_size} bytes.", "Clear its outputs, and save it again."
            )
        return path.read_bytes()
    except OSError as error:
        raise UnreadableNotebookError(f"{path.name} cannot be read: {error.strerror}.") from error


def files_beside(course: Course, lab: Lab, submission: Submission) -> tuple[dict[str, bytes], list[str]]:
    """The files that a submission finds beside its notebooks, and notes: the course's own win, as in nbgrader.

    Returns:
        Relative POSIX path -> content, and what of the student's was left out.
    """
    own = other_files(lab.reference, Layout(course).ignored)
    files = {name: path.read_bytes() for name, path in own.items()}
    parents = {parent.as_posix() for path in own.values() for parent in path.relative_to(lab.reference).parents}
    notes = []
    for name, path in submission.files.items():
        in_the_way = name in parents or any(fnmatch.fnmatchcase(name, f"{other}/*") for other in own)
        try:
            content = path.read_bytes()
        except OSError as error:
            notes.append(f"The submitted file {name} was left out: {error.strerror}.")
            continue
        if in_the_way or files.get(name, content) != content:
            notes.append(f"The submitted file {name} was left out: the course has its own.")
        else:
            files[name] = content
    return files, notes


def ungraded(
    student: str, lab: Lab, entry: NotebookEntry, source: bytes, *, reason: str, fingerprint: str = ""
) -> Graded:
    """The result of a notebook that could not be graded at all: every question ``ungradable``, for a person to look at.

    Args:
        student: Whose.
        lab: The lab.
        entry: The notebook's entry in the catalog.
        source: The lab's notebook in canonical bytes.
        reason: Why.
        fingerprint: Of the job, where there is one.
    """
    return _decided(student, lab, entry, ungradable(read_lab(source).nb, reason), fingerprint)


def not_handed_in(student: str, lab: Lab, entry: NotebookEntry, source: bytes) -> Graded:
    """The result of a notebook that a student did not hand in beside others: no points, as nbgrader has it."""
    why = Reason("this notebook was not handed in")
    questions = tuple(
        replace(
            question,
            verdict=Verdict.NOT_RUN,
            reason=why,
            tests=tuple(replace(test, verdict=Verdict.NOT_RUN) for test in question.tests),
        )
        for question in ungradable(read_lab(source).nb, why.summary)
    )
    return _decided(student, lab, entry, questions, NOT_HANDED_IN)


def _decided(
    student: str, lab: Lab, entry: NotebookEntry, questions: tuple[QuestionResult, ...], fingerprint: str
) -> Graded:
    result = NotebookResult(lab.name, entry.name, entry.title, questions, judged_cells=False)
    return Graded(student, lab.name, entry.name, fingerprint, result)
