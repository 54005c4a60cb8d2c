"""The verbs through the command line: exit statuses, messages, other working directories, a killed run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import course_builder as b
import psutil
import pytest
from junitparser import JUnitXml

from w251lab.course.listing import BEGIN, END

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def course(tmp_path: Path) -> Path:
    return b.course(tmp_path / "a course", {"lab1": {"nb": b.two_questions()}})


def test_the_way_of_a_lab(cli: Run, course: Path, tmp_path: Path) -> None:
    """tidy, release, check and list, from another working directory and from inside the course."""
    assert cli("tidy", "--check", "--course", course, cwd=tmp_path).returncode == 1
    assert cli("tidy", "--course", course, cwd=tmp_path).returncode == 0
    done = cli("tidy", "--check", cwd=course)
    assert (done.returncode, done.stdout) == (0, "1 notebook in canonical form.\n")

    done = cli("release", "--check", cwd=course)
    assert done.returncode == 1
    assert "labs/lab1/nb.ipynb: is missing" in done.stdout
    assert not (course / "labs").exists()
    done = cli("release", cwd=course / "solutions")
    assert (done.returncode, done.stderr) == (0, "")
    assert cli("release", "lab1", "--check", cwd=course).returncode == 0

    report = tmp_path / "the report"
    for _ in range(2):  # a second run into the same folder is as good as the first
        done = cli("check", "--course", course, "--report", report, "-p", "n", "3", "--device", "cpu", cwd=tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "5 / 5" in done.stdout
        assert "cpu → unknown" in done.stdout
        assert done.stderr == ""
        assert json.loads((report / "results.json").read_text())["ok"] is True
        assert JUnitXml.fromfile(str(report / "junit.xml")).failures == 0
        assert "Full marks" in (report / "index.html").read_text()

    assert json.loads(cli("list", "--format", "json", cwd=course).stdout)["labs"][0]["name"] == "lab1"
    assert cli("list", "--format", "markdown", cwd=course).stdout.startswith("| Lab | Notebook |")
    assert "lab1" in cli("list", cwd=course).stdout


def test_exit_statuses_of_the_program(w251lab: Run, course: Path) -> None:
    """As a process of its own: full marks are 0, less is 1, wrong usage is 2."""
    done = w251lab("check", cwd=course)
    assert (done.returncode, done.stderr) == (0, "")
    assert (course / "report" / "index.html").is_file()
    nb = b.two_questions()
    nb.cells[4].source = "def first():\n    raise ValueError('no idea')"
    b.write(course / "submitted" / "nb.ipynb", nb)
    done = w251lab("check", "lab1", "--submission", "submitted", cwd=course)
    assert done.returncode == 1
    assert "lab1/nb: first (0 / 2) failed. ValueError: no idea." in done.stdout
    assert w251lab("list", "--check", cwd=course).returncode == 2


def test_the_readme_table_is_kept_up_to_date(cli: Run, course: Path) -> None:
    readme = course / "README.md"
    readme.write_text(f"{BEGIN}\n{END}\n")
    assert cli("list", "--update", readme, "--check", cwd=course).returncode == 1
    assert cli("list", "--update", readme, cwd=course).returncode == 0
    assert cli("list", "--update", readme, "--check", cwd=course).returncode == 0


def test_release_check_names_cell_and_change(cli: Run, course: Path) -> None:
    cli("release", cwd=course)
    path = course / "labs" / "lab1" / "nb.ipynb"
    path.write_text(path.read_text().replace("isinstance(first(), int)", "True"))
    (course / "labs" / "old").mkdir()
    done = cli("release", "--check", cwd=course)
    assert done.returncode == 1
    assert "labs/lab1/nb.ipynb, cell first-test: its source differs" in done.stdout
    assert "+assert True" in done.stdout
    assert "belongs to no lab" in done.stdout
    assert cli("release", cwd=course).returncode == 1, "a stray folder under labs/ is left to the instructor"


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["check", "lab9"], "There is no lab 'lab9'"),
        (["check", "-p", "m", "4"], "no parameter 'm'"),
        (["check", "-p", "n"], "takes a name and a value"),
        (["check", "-p", "n=3", "lab1"], "'n=3' cannot be a parameter's name"),
        (["check", "--scale", "huge"], "--scale cannot be 'huge'"),
        (["check", "--report", "course.toml"], "is not a folder"),
        (["check", "lab1", "--submission", "nowhere"], "does not exist"),
        (["list", "--check"], "--check goes with --update"),
        (["tidy", "nowhere.ipynb"], "nowhere.ipynb does not exist"),
        (["release", "--course", "labs"], "has no course.toml"),
    ],
)
def test_wrong_usage_is_status_2_with_a_message(cli: Run, course: Path, args: list[str], message: str) -> None:
    done = cli(*args, cwd=course)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert "what to do:" in done.stderr


def test_a_page_that_is_no_report_is_refused_before_the_run(
    cli: Run, course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("w251lab.course.check.check", lambda *_, **__: pytest.fail("it ran"))
    (course / "index.html").write_text("mine")
    done = cli("check", "--report", ".", cwd=course)
    assert done.returncode == 2
    assert "index.html is not from an earlier report" in done.stderr
    assert (course / "index.html").read_text() == "mine"


def test_what_is_broken_is_status_1_with_a_message(cli: Run, course: Path, tmp_path: Path) -> None:
    done = cli("check", cwd=tmp_path)
    assert (done.returncode, "No course.toml" in done.stderr) == (1, True)
    (course / "course.toml").write_text('title = "Empty"\n')
    done = cli("check", cwd=course)
    assert done.returncode == 1, "no labs at all is no success"
    assert "belongs to no lab" in done.stderr
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "course.toml").write_text('title = "Empty"\n')
    done = cli("check", cwd=tmp_path / "empty")
    assert (done.returncode, "lists no lab" in done.stderr) == (1, True)


def kernels(folder: Path) -> list[psutil.Process]:
    """The kernels that belong to a run whose temporary files are in ``folder``."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        command = " ".join(process.info["cmdline"] or ())
        if "ipykernel_launcher" in command and str(folder) in command:
            found.append(process)
    return found


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_run_leaves_no_kernel(course: Path, sent: signal.Signals) -> None:
    nb = b.notebook(b.parameters(), b.code("slow", "import time\nopen('started', 'w')\ntime.sleep(200)"))
    b.write(course / "solutions" / "lab1" / "nb.ipynb", nb)
    program = "from w251lab.cli import main; main()"
    command = [sys.executable, "-c", program, "check"]
    # A short TMPDIR of its own, so that the kernel can be told from those of other tests.
    short = b.short_folder()
    environment = os.environ | {"TMPDIR": str(short)}
    child = subprocess.Popen(command, cwd=course, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while not list(short.rglob("started")):
            assert time.monotonic() < deadline, "the notebook did not start"
            assert child.poll() is None
            time.sleep(0.1)
        assert len(kernels(short)) == 1
        child.send_signal(sent)
        assert child.wait(timeout=30) == (130 if sent == signal.SIGINT else -signal.SIGKILL)
        deadline = time.monotonic() + 20
        while kernels(short) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert kernels(short) == []
    finally:
        child.kill()
        child.wait()
        b.remove(short)
