"""nbgrader's grading pages, in a real Jupyter server in the course's folder, on a submission that was autograded."""

from __future__ import annotations

import os
import re
import secrets
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import course_builder as b
import httpx
import pytest
from nbgrader.api import Gradebook

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

STUDENT = "hopper"


def words_of_one() -> Any:
    """A coded question of 2 points, and an essay of 3 that a person has to grade."""
    return b.notebook(
        b.parameters(),
        b.answer("first", "42"),
        b.graded("first-test", "assert first() == 42", points=2),
        b.essay("words", "Because it is six times seven.", points=3),
    )


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course in a folder with a space in its name, with one submission."""
    root: Path = b.course(tmp_path_factory.mktemp("formgrader") / "a course", {"lab1": {"nb": words_of_one()}})
    b.write(root / "submitted" / STUDENT / "lab1" / "nb.ipynb", words_of_one())
    (root / "home").mkdir()
    return root


def surroundings(root: Path) -> dict[str, str]:
    """The variables of a process that reads and writes nothing of this user's."""
    own = {
        name: str(root / "home" / name) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")
    }
    return os.environ | own | {"HOME": str(root / "home"), "IPYTHONDIR": str(root / "home" / "ipython")}


@pytest.fixture(scope="module")
def grader(course: Path) -> Iterator[httpx.Client]:
    """A client of a Jupyter server that was started in the course's folder, as an instructor starts it."""
    token = secrets.token_hex(16)
    log = course / "home" / "server.txt"
    command = [sys.executable, "-m", "jupyter", "server", "--ServerApp.ip=127.0.0.1", "--ServerApp.port=0"]
    command += ["--no-browser", "--allow-root", f"--IdentityProvider.token={token}"]
    with log.open("w", encoding="utf-8") as said:
        process = subprocess.Popen(command, cwd=course, env=surroundings(course), stdout=said, stderr=said)
    try:
        address = wait_for_address(process, log)
        with httpx.Client(base_url=address, headers={"Authorization": f"token {token}"}, timeout=120) as client:
            # The buttons of the pages that release and autograde.
            for button in ("assignment/lab1/assign", f"submission/lab1/{STUDENT}/autograde"):
                done = client.post(f"/formgrader/api/{button}")
                assert done.status_code == 200, done.text
                assert done.json()["success"], done.json()["log"]
            yield client
    finally:
        process.terminate()
        process.wait(timeout=60)


def wait_for_address(process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline and process.poll() is None:
        if found := re.search(r"(http://127\.0\.0\.1:[1-9]\d*)/", log.read_text(encoding="utf-8")):
            return found[1]
        time.sleep(0.1)
    pytest.fail(f"the Jupyter server did not start:\n{log.read_text(encoding='utf-8')[-3000:]}")


def page(client: httpx.Client, path: str) -> str:
    answer = client.get(f"/formgrader/{path}", follow_redirects=True)  # some add or take a slash at the end
    assert answer.status_code == 200, (path, answer.status_code, answer.text[-2000:])
    assert answer.url.path.startswith("/formgrader"), (path, answer.url)
    return answer.text


def test_the_pages_answer(grader: httpx.Client) -> None:
    pages = {
        "": "Manage Assignments",
        "manage_assignments": "Manage Assignments",
        "manage_submissions/lab1": "lab1",
        "gradebook": "Manual Grading",
        "gradebook/lab1/nb": "nb",
        "manage_students": "Manage Students",
        f"manage_students/{STUDENT}": STUDENT,
    }
    for path, words in pages.items():
        assert words in page(grader, path), path


def test_what_the_pages_load_names_the_lab_the_student_and_the_points(grader: httpx.Client) -> None:
    (lab,) = grader.get("/formgrader/api/assignments").json()
    assert (lab["name"], lab["num_submissions"], lab["max_score"]) == ("lab1", 1, 5)
    (submitted,) = grader.get("/formgrader/api/submissions/lab1").json()
    assert (submitted["student"], submitted["autograded"], submitted["needs_manual_grade"]) == (STUDENT, True, True)
    assert (submitted["code_score"], submitted["max_code_score"]) == (2, 2)


def test_a_submission_is_shown_and_graded_by_hand(grader: httpx.Client, course: Path) -> None:
    with Gradebook(f"sqlite:///{course}/gradebook.db") as gradebook:
        number = gradebook.find_submission_notebook("nb", "lab1", STUDENT).id
    shown = page(grader, f"submissions/{number}")
    assert "six times seven" in shown
    assert STUDENT in shown
    essay = next(
        grade
        for grade in grader.get(f"/formgrader/api/grades?submission_id={number}").json()
        if grade["name"] == "words"
    )
    assert (essay["needs_manual_grade"], essay["max_score"]) == (True, 3)
    done = grader.put(f"/formgrader/api/grade/{essay['id']}", json={"manual_score": 2.5, "extra_credit": 0})
    assert done.status_code == 200, done.text
    with Gradebook(f"sqlite:///{course}/gradebook.db") as gradebook:
        assert gradebook.find_submission("lab1", STUDENT).score == 4.5


def test_without_the_token_nothing_is_shown(grader: httpx.Client) -> None:
    stranger = httpx.get(f"{grader.base_url}/formgrader/gradebook", follow_redirects=False, timeout=60)
    assert stranger.status_code in {302, 403}
    assert "/login" in stranger.headers.get("location", "/login")
