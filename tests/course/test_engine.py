"""One real run with a fault in every question, and what the engine recorded about it."""

from __future__ import annotations

import sys
import tempfile
import threading
import time
from typing import TYPE_CHECKING, Any

import course_builder as b
import psutil
import pytest

from w251lab.course.catalog import TimeLimit
from w251lab.course.engine import CancelledRunError, run_notebook
from w251lab.course.kernel import WatchedClient

if TYPE_CHECKING:
    from pathlib import Path

STUBBORN = "import time\nwhile True:\n    try:\n        time.sleep(0.1)\n    except KeyboardInterrupt:\n        pass"


def run(nb: Any, folder: Path, *, cell: float = 20, whole: float = 100, **parameters: Any) -> dict[str, Any]:
    """Run a notebook; cells by grade_id or id."""
    folder.mkdir(exist_ok=True)
    out = run_notebook(
        nb,
        parameters,
        folder=folder,
        limit=TimeLimit(cell, whole),
        cancelled=threading.Event(),
        on_progress=lambda *_: None,
    )
    keyed = {cell.metadata.get("nbgrader", {}).get("grade_id") or cell.id: cell for cell in out.cells}
    return keyed | {"notebook": out}


def outcome(cell: Any) -> str:
    return cell.metadata.w251lab.outcome


def reason(cell: Any) -> str:
    return cell.metadata.w251lab.get("reason", "")


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    nb = b.notebook(
        b.parameters(),
        b.locked("setup", "import os, sys, time\ncount = globals().get('count', 0) + 1\nbase = 40"),
        b.code("looped", "for i in range(3):\n    print(i)\nopen('note.txt', 'a').write('x')"),
        b.answer("fine", "base + n"),
        b.graded("fine-test", "assert fine() == 47, fine()"),
        b.code("dies", "os._exit(3)"),
        b.graded("after-death", "assert fine() == 47 and count == 1"),
        b.code("slow", "while True:\n    time.sleep(0.1)"),
        b.code("syntax", "x = ("),
        b.code("raises", "1 / 0"),
        b.code("sysexit", "sys.exit()"),
        b.code("warns", "print('careful', file=sys.stderr)"),
        b.code("stubborn", STUBBORN),
        b.code("flood", "for _ in range(20_000):\n    print('y' * 100)"),
        b.code("leaves", "exit()"),
        b.graded("value", "fine()"),
        b.code("empty", "  "),
        b.code("skipped", "1 / 0", tags=["skip-execution"]),
        b.code("asks", "input('?')"),
        b.code("segfault", "import ctypes\nctypes.string_at(0)"),
        b.graded("last", "assert fine() == 47"),
    )
    return run(nb, tmp_path_factory.mktemp("faulty") / "a lab", cell=3, whole=200, n=7, device="cpu")


def test_records_every_outcome_and_goes_on(faulty: dict[str, Any]) -> None:
    outcomes = {key: outcome(cell) for key, cell in faulty.items() if cell.get("cell_type") == "code"}
    assert {key: value for key, value in outcomes.items() if value != "completed"} == {
        "dies": "kernel_died",
        "slow": "timed_out",
        "syntax": "error",
        "raises": "error",
        "sysexit": "error",
        "stubborn": "timed_out",
        "leaves": "kernel_died",
        "empty": "not_run",
        "skipped": "not_run",
        "asks": "error",
        "segfault": "kernel_died",
    }


def test_reasons_say_what_happened(faulty: dict[str, Any]) -> None:
    assert "exit status 3" in reason(faulty["dies"])
    assert reason(faulty["slow"]) == "the cell's time limit of 3 s passed"
    assert "ignored the interrupt" in reason(faulty["stubborn"])
    assert "SyntaxError" in reason(faulty["syntax"])
    assert reason(faulty["raises"]) == "ZeroDivisionError: division by zero"
    assert reason(faulty["leaves"]) == "the cell told its kernel to exit"
    assert "SIGSEGV" in reason(faulty["segfault"])


def test_a_new_kernel_replays_what_completed_without_touching_its_record(faulty: dict[str, Any]) -> None:
    assert outcome(faulty["after-death"]) == "completed", faulty["after-death"].outputs
    assert [output.text for output in faulty["looped"].outputs if output.output_type == "stream"] == ["0\n1\n2\n"]
    assert faulty["fine-test"].execution_count == 6
    assert faulty["value"].outputs[0].data["text/plain"] == "47"
    restarts = faulty["notebook"].metadata.w251lab.restarts
    assert [text.split(":")[0] for text in restarts] == [
        "cell dies",
        "cell stubborn",
        "cell leaves",
        "cell segfault",
    ]


def test_a_flood_is_cut_and_completes(faulty: dict[str, Any]) -> None:
    text = "".join(output.text for output in faulty["flood"].outputs)
    assert 900_000 < len(text) < 1_100_000
    assert text.endswith("is not kept]\n")


def test_seconds_are_measured(faulty: dict[str, Any]) -> None:
    assert 3 <= faulty["slow"].metadata.w251lab.seconds < 8
    assert faulty["fine"].metadata.w251lab.seconds < 2


def test_papermill_keeps_its_own_record(faulty: dict[str, Any]) -> None:
    assert faulty["notebook"].metadata.papermill.parameters == {"n": 7, "device": "cpu"}
    assert faulty["dies"].metadata.papermill.status == "failed"
    assert faulty["fine"].metadata.papermill.status == "completed"


def test_the_notebooks_limit_ends_the_run(tmp_path: Path) -> None:
    nb = b.notebook(b.code("one", "import time\ntime.sleep(60)"), b.code("two", "1"))
    cells = run(nb, tmp_path / "lab", cell=30, whole=4)
    assert (outcome(cells["one"]), outcome(cells["two"])) == ("timed_out", "not_run")
    assert "notebook's time limit of 4 s" in reason(cells["one"])
    assert "notebook's time limit of 4 s" in reason(cells["two"])


def test_a_death_between_cells_is_blamed_on_the_cell_before(tmp_path: Path) -> None:
    nb = b.notebook(
        b.code("keeps", "kept = 1"),
        b.code("bomb", "import threading, os\nthreading.Timer(0.2, os._exit, [1]).start()"),
        b.graded("after", "assert kept == 1"),
    )
    out = run_notebook(
        nb,
        {},
        folder=tmp_path,
        limit=TimeLimit(20, 60),
        cancelled=threading.Event(),
        on_progress=lambda done, _total: time.sleep(1.5) if done == 2 else None,
    )
    assert [outcome(cell) for cell in out.cells] == ["completed", "kernel_died", "completed"]
    assert reason(out.cells[1]) == "the kernel died right after this cell"


def test_a_death_in_every_cell_costs_no_other_cell(tmp_path: Path) -> None:
    deaths = [b.code(f"dies-{number}", "import os\nos._exit(1)") for number in range(4)]
    cells = run(b.notebook(*deaths, b.graded("innocent", "assert True")), tmp_path / "lab")
    assert outcome(cells["innocent"]) == "completed"


def test_a_kernel_that_dies_between_cells_over_and_over_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nb = b.notebook(b.code("one", "1"), b.code("two", "2"))
    # As if a thread that the first cell left behind killed each kernel right after it was brought up to date.
    monkeypatch.setattr(WatchedClient, "alive", lambda self: outcome(self.nb.cells[0]) == "not_run")
    cells = run(nb, tmp_path / "lab")
    assert outcome(cells["two"]) == "not_run"
    assert reason(cells["two"]) == "the kernel died 4 times, so the rest was not run"


def test_uses_this_interpreter_whatever_the_users_kernelspec_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = tmp_path / "data" / "kernels" / "python3"
    spec.mkdir(parents=True)
    (spec / "kernel.json").write_text('{"argv": ["/bin/false"], "display_name": "stale", "language": "python"}')
    startup = tmp_path / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "00.py").write_text("from_the_home = 1")
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "data"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    nb = b.notebook(
        b.code("who", "import os, sys\nprint(sys.executable)\nprint(os.getcwd())\nprint('from_the_home' in dir())")
    )
    cells = run(nb, tmp_path / "a lab")
    assert cells["who"].outputs[0].text.splitlines() == [sys.executable, str(tmp_path / "a lab"), "False"]


def test_cancelling_interrupts_and_leaves_no_kernel(tmp_path: Path) -> None:
    cancelled = threading.Event()
    before = set(psutil.Process().children(recursive=True))

    def call_off(done: int, _total: int) -> None:
        if done == 1:
            threading.Timer(0.5, cancelled.set).start()

    nb = b.notebook(b.code("one", "1"), b.code("two", "import time\ntime.sleep(60)"))
    start = time.monotonic()
    with pytest.raises(CancelledRunError):
        run_notebook(nb, {}, folder=tmp_path, limit=TimeLimit(60, 60), cancelled=cancelled, on_progress=call_off)
    assert time.monotonic() - start < 30
    assert set(psutil.Process().children(recursive=True)) <= before


def test_runs_where_the_temporary_folder_has_too_long_a_path_for_sockets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / ("long" * 25)
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    cells = run(b.notebook(b.code("one", "1 + 1")), tmp_path / "lab")
    assert outcome(cells["one"]) == "completed"
    assert list(folder.iterdir()) == [], "nothing is left there"
