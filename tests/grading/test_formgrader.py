"""nbgrader's grading page in a real browser, on what we wrote: a mark typed there stays in a regrade."""

from __future__ import annotations

import os
import re
import secrets
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import chromium
import class_of_six as six
import little_course as little
import nbformat
import pytest
from nbgrader.api import Gradebook

from w251lab.course.notebook import parse_notebook, to_bytes
from w251lab.course.results import Verdict
from w251lab.grading.writer import open_writer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from w251lab.course.catalog import Course
    from w251lab.grading.job import Graded

#: What a student's code can put into an output: nbgrader shows it to the instructor, who is logged in.
SCRIPT = "<script>document.title = 'forged'</script><img src='x' onerror=\"document.title = 'forged'\"><b>bold</b>"


@pytest.fixture
def course(tmp_path: Path) -> Course:
    course = little.write_course(tmp_path / "a course")
    (course.root / "home").mkdir()
    return course


@pytest.fixture
def server(course: Course) -> Iterator[tuple[str, str]]:
    """The address of formgrader in a Jupyter server in the course's folder, and the server's token."""
    token = secrets.token_hex(16)
    log = course.root / "home" / "server.txt"
    command = [sys.executable, "-m", "jupyter", "server", "--ServerApp.ip=127.0.0.1", "--ServerApp.port=0"]
    command += ["--no-browser", "--allow-root", f"--IdentityProvider.token={token}"]
    with log.open("w", encoding="utf-8") as said:
        process = subprocess.Popen(
            command, cwd=course.root, env=surroundings(course.root / "home"), stdout=said, stderr=said
        )
    try:
        yield f"{wait_for_address(process, log)}/formgrader", token
    finally:
        process.terminate()
        process.wait(timeout=60)


def surroundings(home: Path) -> dict[str, str]:
    """The variables of a process that reads and writes nothing of this user's."""
    own = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    return os.environ | {name: str(home / name) for name in own} | {"HOME": str(home)}


def wait_for_address(process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + chromium.PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        if found := re.search(r"(http://127\.0\.0\.1:[1-9]\d*)/", log.read_text(encoding="utf-8")):
            return found[1]
        time.sleep(0.1)
    pytest.fail(f"the Jupyter server did not start:\n{log.read_text(encoding='utf-8')[-3000:]}")


def write(course: Course, *graded: Graded) -> None:
    with open_writer(course, course.labs[0]) as writer:
        for one in graded:
            writer.write(one.student, [one])


def manual(course: Course) -> Any:
    with closing(sqlite3.connect(course.root / "gradebook.db")) as connection:
        ((found,),) = connection.execute(
            "SELECT manual_score FROM grade JOIN base_cell ON base_cell.id = cell_id WHERE name = ?", [little.ESSAY]
        )
    return found


def with_output(graded: Graded) -> Graded:
    assert graded.executed is not None
    nb = parse_notebook(graded.executed, "executed")
    output = nbformat.v4.new_output("display_data", {"text/html": SCRIPT})
    nb["cells"][little.place(nb, "total")]["outputs"] = [output]
    return replace(graded, executed=to_bytes(nb))


@pytest.mark.browser
def test_a_mark_typed_in_formgrader_survives_a_regrade(course: Course, server: tuple[str, str], tmp_path: Path) -> None:
    write(
        course,
        with_output(six.made("ada", essay=f"Sum over count.\n\n{SCRIPT}", verdicts={"row_means": Verdict.UNGRADABLE})),
    )
    with Gradebook(f"sqlite:///{course.root}/gradebook.db") as gradebook:
        number = gradebook.find_submission_notebook(little.NOTEBOOK, little.LAB, "ada").id
    profile = tmp_path / "profile"
    profile.mkdir()
    with chromium.chromium(profile) as page:
        address, token = server
        page.send("Network.enable")
        page.send("Network.setExtraHTTPHeaders", headers={"Authorization": f"token {token}"})  # as if logged in
        page.open(f"{address}/submissions/{number}")
        assert "Sum over count." in page.ask("document.body.innerText")
        field = f"document.getElementById('{little.ESSAY}')"
        page.wait_for(f"{field}.classList.contains('needs_manual_grade')")
        assert page.ask("document.getElementById('row_means-test').classList.contains('needs_manual_grade')")
        assert page.ask("document.getElementById('total-test').placeholder") == "3"
        page.wait_for("[...document.querySelectorAll('textarea')].some(t => t.placeholder.includes('not be graded'))")
        page.type_into(f"[id='{little.ESSAY}']", "1.5")
        page.wait_for(f"!{field}.classList.contains('needs_manual_grade') && {field}.value === '1.5'")
        assert page.ask("document.querySelectorAll('b').length") == 2  # what is harmless stays
        assert page.ask("document.title") != "forged"
        assert manual(course) == 1.5
        write(
            course,
            six.made(
                "ada",
                essay=f"Sum over count.\n\n{SCRIPT}",
                wrong=("total",),
                fingerprint="other tests",
                only=("total",),
            ),
        )
        page.open(f"{address}/submissions/{number}")
        page.wait_for(f"{field}.value === '1.5' && !{field}.classList.contains('needs_manual_grade')")
        page.wait_for("document.getElementById('total-test').placeholder === '0'")
