from __future__ import annotations

import errno
import os
import signal
import stat
import subprocess
import sys
import time
from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from w251lab.course.results import NotebookResult, QuestionResult, Verdict
from w251lab.grading.job import Graded
from w251lab.grading.journal import Entry, Journal, JournalError, Lock

if TYPE_CHECKING:
    from pathlib import Path


def graded(student: str, earned: float = 1.0) -> tuple[Entry, Graded]:
    question = QuestionResult("q", "Q", Verdict.PASSED, earned, 2.0)
    result = NotebookResult("lab", "n", "N", (question,), judged_cells=False)
    entry = Entry(f"print-{student}", student, "n", "handed-in", {"q": "basis"}, {"q": "passed"})
    return entry, Graded(student, "lab", "n", entry.fingerprint, result, '{"é": "\\n"}'.encode())


def filled(path: Path, *students: str) -> Path:
    with Journal(path) as journal:
        for student in students:
            journal.add(*graded(student))
    return path


def test_what_was_kept_is_there_again_and_the_last_word_counts(tmp_path: Path) -> None:
    path = tmp_path / "made" / "lab.journal"
    with Journal(path) as journal:
        assert journal.latest("ada", "n") is None
        journal.add(*graded("ada"))
        journal.mark_written("print-ada")
        journal.add(*graded("bob"))
        journal.mark_written("print-bob")
        journal.add(*graded("ada", 0.5))  # graded again: what the gradebook has is the old one
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with Journal(path) as journal:
        assert journal.damage == []
        assert [entry.student for entry in journal.entries()] == ["ada", "bob"]
        entry = journal.latest("ada", "n")
        assert entry == graded("ada")[0]
        assert journal.read(entry) == graded("ada", 0.5)[1]
        assert not journal.is_written("print-ada")
        assert journal.is_written("print-bob")


def test_a_journal_cut_at_any_byte_keeps_every_whole_record_and_names_the_torn_one(tmp_path: Path) -> None:
    content = filled(tmp_path / "whole", "ada", "bob").read_bytes()
    first = content.index(b"\n") + 1
    path = tmp_path / "cut"
    for length in sorted({*range(0, len(content), 23), first - 1, first, first + 1, len(content) - 1, len(content)}):
        path.write_bytes(content[:length])
        with Journal(path) as journal:
            kept = [entry.student for entry in journal.entries()]
            assert kept == ["ada", "bob"][: content[:length].count(b"\n")]
            torn = length not in (0, first, len(content))
            assert len(journal.damage) == torn
            if torn:
                assert "not written to its end" in journal.damage[0]
            journal.add(*graded("cy"))
        with Journal(path) as journal:  # what was added after the cut is sound
            assert journal.damage == []
            assert [entry.student for entry in journal.entries()] == [*kept, "cy"]
            assert [journal.read(entry).student for entry in journal.entries()] == [*kept, "cy"]


def test_a_full_disk_is_told_and_leaves_the_journal_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = filled(tmp_path / "journal", "ada")
    write, room = os.pwrite, [100]

    def full(number: int, content: bytes, place: int) -> int:
        if not room:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(number, content[: room.pop()], place)

    with Journal(path) as journal:  # closing it raises nothing of its own
        monkeypatch.setattr(os, "pwrite", full)
        with pytest.raises(JournalError, match="No space left on device"):
            journal.add(*graded("bob"))
        monkeypatch.undo()
    with Journal(path) as journal:
        assert journal.damage == []
        assert [entry.student for entry in journal.entries()] == ["ada"]


def test_what_is_written_is_written_for_one_time_of_handing_in(tmp_path: Path) -> None:
    when = datetime(2026, 3, 1, 12, 0)  # noqa: DTZ001 - as nbgrader keeps it
    path = filled(tmp_path / "journal", "ada")
    with Journal(path) as journal:
        journal.mark_written("print-ada", when)
    with Journal(path) as journal:
        assert journal.is_written("print-ada", when)
        assert not journal.is_written("print-ada", when.replace(day=2))
        assert not journal.is_written("print-ada")


def test_a_damaged_record_in_the_middle_costs_itself_alone(tmp_path: Path) -> None:
    path = filled(tmp_path / "journal", "ada", "bob", "cy")
    content = bytearray(path.read_bytes())
    content[content.index(b"print-bob") + 2] ^= 1
    path.write_bytes(content)
    with Journal(path) as journal:
        assert [entry.student for entry in journal.entries()] == ["ada", "cy"]
        assert "line 2" in journal.damage[0]
        assert [journal.read(entry).student for entry in journal.entries()] == ["ada", "cy"]


def test_a_journal_that_changes_behind_our_back_is_noticed(tmp_path: Path) -> None:
    path = filled(tmp_path / "journal", "ada")
    with Journal(path) as journal:
        path.write_bytes(path.read_bytes().replace(b'"earned": 1.0', b'"earned": 2.0'))
        with pytest.raises(JournalError, match="no longer has what was graded for ada"):
            journal.read(graded("ada")[0])


HOLDER = """
import sys, time
from pathlib import Path
from w251lab.grading.journal import Lock
with Lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


def test_the_second_grader_is_told_who_holds_the_course_and_a_killed_one_holds_nothing(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLDER, tmp_path], stdout=subprocess.PIPE, text=True) as holder:
        try:
            assert holder.stdout.readline() == "held\n"
            with pytest.raises(JournalError, match=f"process {holder.pid} on "), Lock(tmp_path):
                pass
        finally:
            holder.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 60
    while True:
        try:
            with Lock(tmp_path):
                break
        except JournalError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    with Lock(tmp_path):  # and it was let go at the end
        assert f"process {os.getpid()} " in (tmp_path / ".grading" / "lock").read_text()


def test_a_journal_that_cannot_be_made_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalError, match="cannot be written"):
        Journal(tmp_path / "file" / "journal")
