"""One run of the real verb over everything that students may do, and twenty honest ones."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import course_builder as build
import hostile_class as kinds
import little_course as little
import psutil
import pytest

from w251lab.grading.journal import Journal

if TYPE_CHECKING:
    from pathlib import Path

    from w251lab.grading.job import Graded

pytestmark = [pytest.mark.sandbox, pytest.mark.timeout(1200)]

#: Seconds of one cell: a thousand times what an honest one takes, so that a busy machine hurts nobody.
CELL, WHOLE = 15, 120
VERB = "import sys; from w251lab.cli import main; sys.argv[0] = 'w251lab'; main()"


@dataclass
class Class:
    """What the run left."""

    graded: dict[str, Graded]
    students: dict[str, kinds.Student]
    said: str
    status: int
    secrets: tuple[str, ...]
    visitors: list[object]
    before: dict[str, str]
    after: dict[str, str]
    left: list[str]


def state(*folders: Path) -> dict[str, str]:
    """Every file under the folders -> digest of its content."""
    files = [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Class:
    root, outside = tmp_path_factory.mktemp("course"), tmp_path_factory.mktemp("outside")
    build.course(root, {little.LAB: {little.NOTEBOOK: little.source()}}, cell=CELL, whole=WHOLE)
    for name, content in little.FILES.items():
        (root / "solutions" / little.LAB / name).write_bytes(content)
    canary = outside / "canary.txt"
    in_file, in_environment = (f"canary-{secrets.token_hex(8)}" for _ in range(2))
    canary.write_text(in_file)
    canary.chmod(0o666)
    mark = f"86399.{secrets.randbelow(10**6):06}"
    visitors: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as door:
        threading.Thread(target=_listen, args=(door, visitors), daemon=True).start()
        fill = {"COURSE": str(root), "CANARY": str(canary), "PORT": str(door.getsockname()[1]), "MARK": mark}
        students = kinds.hostile(fill) | kinds.broken() | kinds.honest()
        for name, student in students.items():
            folder = root / "submitted" / name / little.LAB
            folder.mkdir(parents=True)
            for file, content in student.files.items():
                (folder / file).write_bytes(content)
            if student.content is not None:
                (folder / f"{little.NOTEBOOK}.ipynb").write_bytes(student.content)
        guarded = (root / "solutions", root / "submitted", outside)
        before = state(*guarded)
        done = subprocess.run(
            [sys.executable, "-c", VERB, "grade", little.LAB, "--jobs", "3", "--memory", "1G"],
            cwd=root,
            env=os.environ | {"W251LAB_CANARY": in_environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=1100,
        )
        left = _left(mark)
    with Journal(root / ".grading" / f"{little.LAB}.journal") as journal:
        found = {entry.student: journal.read(entry) for entry in journal.entries()}
    hidden = (in_file, in_environment, "BEGIN SOLUTION")
    return Class(
        found, students, done.stdout + done.stderr, done.returncode, hidden, visitors, before, state(*guarded), left
    )


def _listen(door: socket.socket, visitors: list[object]) -> None:
    while True:
        try:
            visitors.append(door.accept())
        except OSError:
            return


def _left(mark: str) -> list[str]:
    """Processes of the run that are still there after a while: with the mark, or sandboxes."""
    deadline = time.monotonic() + 60
    while True:
        left = []
        for process in psutil.process_iter(["pid", "cmdline"]):
            words = " ".join(process.info["cmdline"] or ())
            if mark in words:
                left.append(words[:200])
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(0.2)


def test_the_run_ends_by_itself_and_every_submission_has_a_result(graded: Class) -> None:
    assert graded.status == 0, graded.said
    assert set(graded.graded) == set(graded.students)
    assert len(kinds.hostile({})) + len(kinds.broken()) >= 30
    assert len(kinds.honest()) == 20


def test_every_result_has_the_right_type(graded: Class) -> None:
    wrong = []
    for name, student in graded.students.items():
        verdicts = {question.name: str(question.verdict) for question in graded.graded[name].result.questions}
        assert set(verdicts) == {*little.POINTS, little.ESSAY}
        wrong += [
            f"{name}: {question} is {verdicts[question]}, not {' or '.join(sorted(right))}"
            for question, right in student.verdicts.items()
            if verdicts[question] not in right
        ]
    assert wrong == []


def test_points_are_exact_and_nobody_has_more_than_were_earned(graded: Class) -> None:
    wrong = []
    for name, student in graded.students.items():
        earned = {question.name: question.earned for question in graded.graded[name].result.questions}
        wrong += [
            f"{name}: {key} {earned[key]} of {points}"
            for key, points in student.earned.items()
            if earned[key] != points
        ]
        certain = {key for key, right in student.verdicts.items() if "passed" not in right}
        # Wrong answers earn the point of the one visible test that they pass, and no other.
        wrong += [f"{name}: {key} {earned[key]}" for key in certain if earned[key] > (1 if key == "normalise" else 0)]
    assert wrong == []


def test_nothing_outside_was_read_or_written(graded: Class) -> None:
    assert graded.after == graded.before
    assert graded.visitors == []
    told = []
    for name, one in graded.graded.items():
        outputs = (
            "" if one.executed is None else json.dumps([c.get("outputs") for c in json.loads(one.executed)["cells"]])
        )
        told += [f"{name}: {secret}" for secret in graded.secrets if secret in outputs]
    assert told == []


def test_no_process_is_left(graded: Class) -> None:
    assert graded.left == []
