"""kill -9 of the grader and of its workers: the gradebook ends as if nothing had happened, and nothing is graded twice.

One of each by default; ``W251LAB_TEST_KILLS=10`` has ten of each.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING

import little_course as little
import psutil
import pytest
from gradebook_rows import gradebook

from w251lab.grading.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = [pytest.mark.sandbox, pytest.mark.timeout(900)]

KILLS = int(os.environ.get("W251LAB_TEST_KILLS", "1"))
VERB = "import sys; from w251lab.cli import main; sys.argv[0] = 'w251lab'; main()"
CLASS = {f"s{number}": {} if number % 2 else {"total": little.WRONG["total"]} for number in range(5)}


def course(root: Path) -> Path:
    little.write_course(root)
    for student, answers in CLASS.items():
        folder = root / "submitted" / student / little.LAB
        folder.mkdir(parents=True)
        (folder / f"{little.NOTEBOOK}.ipynb").write_bytes(little.submission(answers))
    return root


def start(root: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", VERB, "grade", little.LAB, "--jobs", "2"]
    return subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def finish(root: Path) -> str:
    with start(root) as grader:
        said = grader.communicate(timeout=600)[0]
    assert grader.returncode == 0, said
    return said


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[tuple[str, str], object], float]:
    """The gradebook of a run that nobody disturbed, and how long it took."""
    root = course(tmp_path_factory.mktemp("undisturbed"))
    since = time.monotonic()
    finish(root)
    marks = gradebook(root)
    assert len(marks) == len(CLASS) * 6
    return marks, time.monotonic() - since


def gradings(root: Path) -> Counter[bytes]:
    """How often the journal has each submission."""
    lines = (root / ".grading" / f"{little.LAB}.journal").read_bytes().splitlines()
    return Counter(line.split(b'"fingerprint": "')[1][:64] for line in lines if b' {"graded":' in line)


def gone(processes: list[psutil.Process]) -> bool:
    return psutil.wait_procs(processes, timeout=60)[1] == []


def wait_for(what: Callable[[], bool], grader: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 300
    while not what() and grader.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)


@pytest.mark.parametrize("number", range(KILLS))
def test_a_killed_grader_goes_on_where_it_was(
    number: int, tmp_path: Path, undisturbed: tuple[dict[tuple[str, str], object], float]
) -> None:
    marks, seconds = undisturbed
    root = course(tmp_path / "course")
    moment = random.uniform(0.3, 0.95) * seconds
    with start(root) as grader:
        with suppress(subprocess.TimeoutExpired):
            grader.wait(timeout=moment)
        below = []
        with suppress(psutil.NoSuchProcess):  # it was faster this time
            below = psutil.Process(grader.pid).children(recursive=True)
        grader.send_signal(signal.SIGKILL)
        grader.wait(timeout=60)
        assert gone(below)
        said = finish(root)
    assert gradebook(root) == marks, f"killed after {moment:.1f} s; {said}"
    assert set(gradings(root).values()) == {1}
    assert len(gradings(root)) == len(CLASS)


def test_a_terminated_grader_ends_in_order_and_says_how_to_go_on(
    tmp_path: Path, undisturbed: tuple[dict[tuple[str, str], object], float]
) -> None:
    marks, _ = undisturbed
    root = course(tmp_path / "course")
    journal = root / ".grading" / f"{little.LAB}.journal"
    with start(root) as grader:
        wait_for(lambda: journal.exists() and b' {"graded":' in journal.read_bytes(), grader)
        below = psutil.Process(grader.pid).children(recursive=True)
        grader.send_signal(signal.SIGTERM)
        said = grader.communicate(timeout=300)[0]
    assert (grader.returncode, "what was graded is kept" in said) == (130, True), said
    assert f"w251lab grade {little.LAB}" in said
    assert gone(below)
    kept = gradings(root)
    assert kept
    finish(root)
    assert gradebook(root) == marks
    assert set(gradings(root).values()) == {1}


@pytest.mark.parametrize("number", range(KILLS))
def test_a_killed_worker_costs_nobody_anything(
    number: int, tmp_path: Path, undisturbed: tuple[dict[tuple[str, str], object], float]
) -> None:
    marks, _ = undisturbed
    root = course(tmp_path / "course")
    journal = root / ".grading" / f"{little.LAB}.journal"
    wanted = random.randrange(len(CLASS) - 1)  # finished submissions, after which a worker is killed

    def workers() -> list[psutil.Process]:
        with suppress(psutil.NoSuchProcess, ValueError):
            below = psutil.Process(grader.pid).children()
            (forks,) = [one for one in below if "forkserver" in " ".join(one.cmdline())]
            return forks.children()
        return []

    with start(root) as grader:
        wait_for(lambda: journal.exists() and journal.read_bytes().count(b' {"graded":') >= wanted, grader)
        wait_for(lambda: len(workers()) == 2, grader)
        time.sleep(random.uniform(0, 0.5))
        if victims := workers():
            with suppress(psutil.NoSuchProcess):
                random.choice(victims).kill()
        said = grader.communicate(timeout=600)[0]
    assert grader.returncode == 0, said
    assert gradebook(root) == marks, said
    with Journal(journal) as read:
        assert {entry.student for entry in read.entries()} == set(CLASS)
    assert set(gradings(root).values()) == {1}
