"""Whole runs: our solutions, and a student's notebook with a fault planted in every question."""

from __future__ import annotations

import copy
import os
import signal
import threading
import time
from typing import TYPE_CHECKING, Any

import course_builder as b
import psutil
import pytest

from w251lab.course.catalog import load_course
from w251lab.course.check import Options, check
from w251lab.course.notebook import cells, read_notebook
from w251lab.course.release import release_lab, write_release
from w251lab.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from w251lab.course.catalog import Course
    from w251lab.course.results import NotebookResult

STUBBORN = "while True:\n    try:\n        time.sleep(0.1)\n    except KeyboardInterrupt:\n        pass"
# Question -> what the student wrote. Every right answer is q_NAME() == 1.
ANSWERS = {
    "right": "def q_right():\n    return 1",
    "wrong": "def q_wrong():\n    return 2",
    "unanswered": None,
    "test_deleted": "def q_test_deleted():\n    return 1",
    "test_edited": "def q_test_edited():\n    return 2",
    "test_twice": "def q_test_twice():\n    return 1",
    "exits_hard": "def q_exits_hard():\n    return 1\nos._exit(1)",
    "exits_in_test": "def q_exits_in_test():\n    os._exit(1)",
    "loops": "def q_loops():\n    return 1\nwhile True:\n    pass",
    "ignores_interrupts": f"def q_ignores_interrupts():\n    return 1\n{STUBBORN}",
    "syntax": "def q_syntax()\n    return 1",
    "sys_exit": "import sys\nsys.exit()",
    "skipped": "def q_skipped():\n    return 1",
    "flood": "def q_flood():\n    return 1\nprint('x' * 3_000_000)",
    "stderr": "import sys\ndef q_stderr():\n    print('careful', file=sys.stderr)\n    return 1",
    "last": "def q_last():\n    return base - 39",
}


def source() -> Any:
    parts = [b.md("intro", "# Faults"), b.parameters(), b.locked("setup", "import os, time\nbase = 40")]
    for name in ANSWERS:
        parts += [
            b.answer(f"q_{name}", "1"),
            b.graded(
                f"{name}-test",
                f"assert callable(q_{name})\n### BEGIN HIDDEN TESTS\nassert q_{name}() == 1\n### END HIDDEN TESTS",
            ),
        ]
    return b.notebook(*parts, b.essay("words", "Because.", points=3))


def submit(course: Course) -> Any:
    nb = read_notebook(course.labs[0].labs / "faults.ipynb")
    place = {cell.key: cell.index for cell in cells(nb)}
    for name, text in ANSWERS.items():
        if text is not None:
            nb.cells[place[f"q_{name}"]].source = text
    nb.cells[place["q_skipped"]].metadata.tags = ["skip-execution"]
    nb.cells[place["test_edited-test"]].source = "assert True"
    nb.cells[place["setup"]].source = "import os, time\nbase = 0"
    nb.cells.append(copy.deepcopy(nb.cells[place["test_twice-test"]]))
    nb.cells[-1].id = "pasted"
    del nb.cells[place["test_deleted-test"]]
    return nb


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> NotebookResult:
    root = tmp_path_factory.mktemp("faults") / "a course"
    course = load_course(b.course(root, {"lab1": {"faults": source()}}, cell=3, whole=240))
    write_release(release_lab(course.labs[0]))
    mine = b.write(root / "submitted by ada" / "faults.ipynb", submit(course))
    before = sorted(path.read_bytes() for path in root.rglob("*.ipynb"))
    result = check(course, ["lab1"], Options(device="cpu"), submission=mine).result
    assert sorted(path.read_bytes() for path in root.rglob("*.ipynb")) == before, "nothing is written to the course"
    assert not result.ok
    assert result.subject == str(mine)
    return result.notebooks[0]


def test_every_fault_costs_its_own_question_and_no_other(faulty: NotebookResult) -> None:
    verdicts = {q.name.removeprefix("q_"): str(q.verdict) for q in faulty.questions}
    assert verdicts == {
        "right": "passed",
        "wrong": "failed",
        "unanswered": "failed",
        "test_deleted": "not_run",
        "test_edited": "tampered",
        "test_twice": "tampered",
        "exits_hard": "kernel_died",
        "exits_in_test": "kernel_died",
        "loops": "timed_out",
        "ignores_interrupts": "timed_out",
        "syntax": "failed",
        "sys_exit": "failed",
        "skipped": "not_run",
        "flood": "passed",
        "stderr": "passed",
        "last": "passed",
        "words": "awaiting_review",
    }
    assert all(q.earned == (q.points if q.verdict == "passed" else 0) for q in faulty.questions)
    assert (faulty.earned, faulty.points, faulty.review_points) == (4, 16, 3)


def test_every_fault_has_its_reason(faulty: NotebookResult) -> None:
    reasons = {q.name.removeprefix("q_"): q.reason.summary for q in faulty.questions if q.reason}
    for name, words in {
        "wrong": "AssertionError",
        "unanswered": "NotImplementedError",
        "test_deleted": "test_deleted-test is missing from the notebook; get it back from labs/lab1/faults.ipynb",
        "test_edited": "test cell test_edited-test was changed",
        "test_twice": "2 cells carry the grade_id test_twice-test",
        "exits_hard": "in the solution cell: the kernel died with exit status 1",
        "exits_in_test": "the kernel died with exit status 1 while this cell ran",
        "loops": "in the solution cell: the cell's time limit of 3 s passed",
        "ignores_interrupts": "ignored the interrupt, so its kernel was killed",
        "syntax": "in the solution cell: SyntaxError",
        "sys_exit": "in the solution cell: SystemExit",
        "skipped": "in the solution cell: the cell is empty or tagged to skip",
    }.items():
        assert words in reasons[name]
    assert reasons.keys().isdisjoint({"right", "flood", "stderr", "last", "words"})
    wrong = next(q for q in faulty.questions if q.name == "q_wrong")
    assert "assert q_wrong() == 1" in wrong.reason.traceback
    assert len(wrong.reason.traceback.splitlines()) <= 15


def test_what_was_put_back_is_told(faulty: NotebookResult) -> None:
    assert "The locked cell setup was changed and was put back." in faulty.notes
    assert sum(note.startswith("Kernel restarted") for note in faulty.notes) == 3


@pytest.fixture
def course(tmp_path: Path) -> Course:
    return load_course(b.course(tmp_path / "a course", {"lab1": {"nb": b.two_questions()}}))


def test_the_reference_solutions_get_full_marks_in_parallel(tmp_path: Path) -> None:
    device = (
        "from IPython.display import display\ndisplay(1, metadata={'w251lab.device': device})\nopen('left.txt', 'w')"
    )
    seen = b.notebook(
        b.parameters(),
        b.code("show", f"{device}\nassert open('data.txt').read() == 'shared'\nassert n == 9 and scale == 'full'"),
        b.code("expected", "1 / 0", tags=["raises-exception"]),
    )
    parameters = b.two_questions()
    place = {cell.key: cell.index for cell in cells(parameters)}
    parameters.cells[place["second-test"]].source = "assert second() == 18"
    root = b.course(tmp_path / "a course", {"lab1": {"nb": parameters}, "lab2": {"seen": seen}})
    (root / "solutions" / "lab2" / "data.txt").write_text("shared")
    steps: list[tuple[str, int, int]] = []
    options = Options(device="cpu", scale="full", parameters={"n": 9}, jobs=2)
    checked = check(load_course(root), options=options, progress=lambda *step: steps.append(step))
    result = checked.result
    assert result.ok, [q for notebook in result.notebooks for q in notebook.questions]
    assert [(n.lab, n.earned, n.points, n.cells, n.completed) for n in result.notebooks] == [
        ("lab1", 5, 5, 8, 8),
        ("lab2", 0, 0, 4, 4),
    ]
    assert [n.device for n in result.notebooks] == [None, "cpu"]
    assert checked.executed.keys() == {"lab1/nb", "lab2/seen"}
    assert ("lab1/nb", 8, 8) in steps
    assert ("lab2/seen", 4, 4) in steps
    assert {path.name for path in (root / "solutions" / "lab2").iterdir()} == {"data.txt", "seen.ipynb"}


def test_an_ungraded_cell_that_fails_spoils_our_own_solution(tmp_path: Path) -> None:
    nb = b.notebook(b.parameters(), b.code("demo", "1 / 0"), b.answer("q", "1"), b.graded("q-test", "assert q() == 1"))
    result = check(load_course(b.course(tmp_path, {"lab1": {"nb": nb}}))).result
    assert result.notebooks[0].earned == 1
    assert not result.ok
    assert [p.cell for p in result.notebooks[0].problems] == ["demo"]


@pytest.mark.parametrize("content", [b"", b"{}", b'{"cells": [', b'{"cells": [], "metadata": {}, "nbformat": 4}'])
def test_an_unreadable_submission_is_ungradable(course: Course, tmp_path: Path, content: bytes) -> None:
    mine = tmp_path / "nb.ipynb"
    mine.write_bytes(content)
    notebook = check(course, ["lab1"], submission=mine).result.notebooks[0]
    assert {str(q.verdict) for q in notebook.questions} == {"ungradable"}
    assert notebook.points == 5
    assert notebook.earned == 0


def test_a_directory_named_like_a_notebook_is_ungradable(course: Course, tmp_path: Path) -> None:
    mine = tmp_path / "nb.ipynb"
    mine.mkdir()
    notebook = check(course, ["lab1"], submission=mine).result.notebooks[0]
    assert "Is a directory" in notebook.questions[0].reason.summary
    folder = tmp_path / "folder"
    folder.mkdir()
    notebook = check(course, ["lab1"], submission=folder).result.notebooks[0]
    assert "No such file" in notebook.questions[0].reason.summary


def test_submitted_files_in_the_way_of_the_courses_own_are_left_out(tmp_path: Path) -> None:
    look = "import os\nprint(*sorted(os.path.join(at, f) for at, _, files in os.walk('.') for f in files))"
    nb = b.notebook(
        b.parameters(),
        b.answer("q", "1"),
        b.graded("q-test", "assert q() == 1"),
        b.locked("look", f"{look}\nprint(open('data.txt').read())"),
    )
    course = load_course(b.course(tmp_path / "a course", {"lab1": {"nb": nb}}))
    ours, mine = course.labs[0].solutions, tmp_path / "mine"
    for name, text in {"images/one.png": "1", "data.txt": "ours", "same.txt": "same", "sub": "a file"}.items():
        (ours / name).parent.mkdir(exist_ok=True)
        (ours / name).write_text(text)
    b.write(mine / "nb.ipynb", nb)
    for name, text in {"images": "a file", "data.txt": "mine", "same.txt": "same", "sub/x": "", "own/y": ""}.items():
        (mine / name).parent.mkdir(exist_ok=True)
        (mine / name).write_text(text)
    checked = check(course, ["lab1"], submission=mine)
    notebook = checked.result.notebooks[0]
    assert (notebook.earned, notebook.points) == (1, 1)
    assert checked.executed["lab1/nb"].cells[-1].outputs[0].text == (
        "./data.txt ./images/one.png ./own/y ./same.txt ./sub\nours\n"
    )
    assert notebook.notes == (
        "The submitted file data.txt was left out: the course has its own.",
        "The submitted file images was left out: the course has its own.",
        "The submitted file sub/x was left out: File exists.",
    )


def test_what_goes_wrong_with_one_submitted_notebook_leaves_the_others_their_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nb = b.notebook(b.parameters(), b.answer("q", "1"), b.graded("q-test", "assert q() == 1"))
    course = load_course(b.course(tmp_path / "a course", {"lab1": {"bad": nb, "good": nb}}))
    for name in ("bad", "good"):
        b.write(tmp_path / "mine" / f"{name}.ipynb", nb)

    def break_down(job: Any, folder: Path) -> None:
        if job.entry.name == "bad":
            raise OSError(28, "No space left on device")
        folder.mkdir()

    monkeypatch.setattr("w251lab.course.check._copy_files", break_down)
    bad, good = check(course, ["lab1"], submission=tmp_path / "mine").result.notebooks
    assert (str(bad.questions[0].verdict), bad.earned, good.earned) == ("ungradable", 0, 1)
    assert "No space left on device" in bad.questions[0].reason.summary
    with pytest.raises(OSError, match="No space left"):
        check(course, ["lab1"])


def test_wrong_requests_are_refused_before_anything_runs(course: Course, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no lab 'lab2'"):
        check(course, ["lab2"])
    with pytest.raises(UsageError, match="no parameter 'm'"):
        check(course, options=Options(parameters={"m": 1}))
    with pytest.raises(UsageError, match="--device cannot be 'tpu'"):
        check(course, options=Options(device="tpu"))
    with pytest.raises(UsageError, match="--jobs cannot be 0"):
        check(course, options=Options(jobs=0))
    with pytest.raises(UsageError, match="does not exist"):
        check(course, ["lab1"], submission=tmp_path / "none")
    two = load_course(b.course(tmp_path / "two", {"a": {"nb": b.two_questions()}, "b": {"nb": b.two_questions()}}))
    with pytest.raises(UsageError, match="belongs to one lab"):
        check(two, submission=tmp_path)


def test_an_interrupt_ends_the_run_and_leaves_no_kernel(tmp_path: Path) -> None:
    """Ctrl-C arrives in the main thread while two notebooks run."""
    slow = b.notebook(b.parameters(), b.code("slow", "import time\ntime.sleep(100)"))
    course = load_course(b.course(tmp_path, {"lab1": {"one": slow, "two": slow}}, cell=110))
    before = set(psutil.Process().children(recursive=True))
    running = threading.Semaphore(0)

    def progress(_name: str, done: int, _total: int) -> None:
        if done == 2:
            running.release()

    def press() -> None:
        running.acquire(timeout=60)
        running.acquire(timeout=60)
        time.sleep(0.5)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=press, daemon=True).start()
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        check(course, options=Options(jobs=2), progress=progress)
    assert time.monotonic() - start < 60
    assert set(psutil.Process().children(recursive=True)) <= before
