"""A template makes kernels for many students: nothing goes from one to the next, and nothing stays behind."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import little_course as little
import psutil
import pytest

from w251lab.grading import isolate, kernels, sandbox
from w251lab.grading.job import SandboxError
from w251lab.grading.task import grade

pytestmark = pytest.mark.sandbox

LEAVE = r"""
import builtins, os, pathlib, random, socket, subprocess, sys, time
mark = "left-by-" + "ada"
for place in ("here", "/tmp/there", "/dev/shm/there", os.path.expanduser("~/there")):
    pathlib.Path(place).write_text(mark)
os.environ["LEFT"] = mark
np.left = mark
sys.modules["left_module"] = sys
np.random.seed(1); random.seed(1)
if os.fork() == 0:
    os.setsid()
    server = socket.create_server(("127.0.0.1", 47123))
    if os.fork() == 0:
        while True:
            time.sleep(1)
    time.sleep(1000)
time.sleep(0.2)
pathlib.Path("/tmp/pid").write_text(str(os.getpid()))
"""
FIND = r"""
import os, pathlib, socket, sys
found = [place for place in ("here", "/tmp/there", "/dev/shm/there", os.path.expanduser("~/there"), "/tmp/pid")
         if pathlib.Path(place).exists()]
found += [name for name in ("LEFT",) if name in os.environ]
found += [name for name in ("left_module",) if name in sys.modules]
found += ["np.left"] if hasattr(np, "left") else []
found += [n for n in os.listdir("/proc") if n.isdigit() and int(n) not in (1, os.getpid())]
with socket.socket() as probe:
    found += ["port"] if probe.connect_ex(("127.0.0.1", 47123)) == 0 else []
memory = open("/proc/self/maps").read()
import gc
found += [one for one in gc.get_objects() if type(one) is str and "left-by-" + "ada" in one]
print("FOUND", found, "PARENT", os.getppid(), "RANDOM", float(np.random.rand()))
"""


def template_pids() -> list[int]:
    return [template.process.pid for template in kernels._templates.values()]


def test_nothing_goes_from_one_student_to_the_next() -> None:
    first = grade(little.job("ada", little.with_cell(LEAVE)))
    assert little.marks(first) == little.POINTS, first.result
    before = template_pids()
    said = [little.said(grade(little.job(name, little.with_cell(FIND)))) for name in ("bob", "cyd")]
    assert template_pids() == before
    assert len(before) >= 1
    assert all("FOUND [] PARENT 1" in text for text in said), said
    drawn = {text.split("RANDOM")[1].split()[0] for text in said}
    assert len(drawn) == 2


def test_a_kernel_starts_without_a_debugger_which_a_notebook_may_still_import() -> None:
    text = "import sys\nprint('LOADED', sorted({'debugpy', 'pydevd'} & set(sys.modules)))\nimport debugpy"
    graded = grade(little.job("ada", little.with_cell(text)))
    assert "LOADED []" in little.said(graded)
    assert graded.result.problems == (), "debugpy is there for whoever wants it"
    assert little.marks(graded) == little.POINTS


def inside(pid: int) -> list[psutil.Process]:
    return psutil.Process(pid).children(recursive=True)


def gone(processes: list[psutil.Process], seconds: float = 60) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in processes):
            return True
        time.sleep(0.1)
    return False


def test_a_killed_grader_leaves_no_process_and_its_folder_is_removed_by_the_next(tmp_path: Path) -> None:
    program = tmp_path / "grader.py"
    program.write_text(
        f"""
import importlib.util, sys
spec = importlib.util.spec_from_file_location("conftest", {str(Path(__file__).with_name("conftest.py"))!r})
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
import little_course as little
from w251lab.grading import kernels
from w251lab.grading.task import grade
print("run", kernels._run_folder(), flush=True)
grade(little.job(submitted=little.with_cell("import os\\nif os.fork() == 0:\\n    os.setsid()\\nwhile True: pass")))
"""
    )
    with subprocess.Popen([sys.executable, str(program)], stdout=subprocess.PIPE, text=True) as grader:
        run = Path(grader.stdout.readline().split()[1])
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:  # until two processes spin in the student's loop
            below = inside(grader.pid)
            if sum(one.cpu_times().user > 0.5 for one in below if one.is_running()) >= 2 and len(below) >= 6:
                break
            time.sleep(0.2)
        below = inside(grader.pid)
        assert len(below) >= 6
        os.kill(grader.pid, signal.SIGKILL)
        grader.wait()
        assert gone(below), [one.cmdline() for one in below if one.is_running()]
    assert run.exists()
    kernels.close()
    grade(little.job())
    assert not run.exists()


def test_where_nested_namespaces_are_refused_each_submission_has_a_sandbox_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(kernels._process, "forks", False)
    graded = grade(little.job(submitted=little.with_cell(FIND)))
    assert little.marks(graded) == little.POINTS
    assert "FOUND ['2'] " in little.said(graded) or "FOUND [] " in little.said(graded)  # its warden
    assert any("started for it alone" in note for note in graded.result.notes)


def test_a_folder_that_another_process_removes_before_it_is_locked_is_made_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lock, removed = fcntl.flock, []

    def late(file: int, how: int) -> None:
        if not removed:  # as a process that looks for what killed ones have left
            removed.append(Path(f"/proc/self/fd/{file}").readlink().parent)
            shutil.rmtree(removed[0])
        lock(file, how)

    monkeypatch.setattr(fcntl, "flock", late)
    folder = kernels._make_own_folder()
    assert folder.is_dir()
    assert removed != [folder]
    shutil.rmtree(folder)


def test_a_folder_that_somebody_tidied_away_costs_nobody_anything() -> None:
    grade(little.job())
    shutil.rmtree(kernels._run_folder())
    graded = grade(little.job())
    assert little.marks(graded) == little.POINTS


def test_a_kernel_that_does_not_start_twice_is_ungradable_and_not_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    tries = []

    def fail(*_: object) -> None:
        tries.append(1)
        raise SandboxError("The machine is full.", "Empty it.")

    monkeypatch.setattr(kernels.Place, "start", fail)
    graded = grade(little.job())
    assert len(tries) == 2
    assert set(little.verdicts(graded).values()) == {"ungradable"}
    assert "The machine is full." in graded.result.questions[0].reason.summary
    assert graded.executed is None


def test_a_template_that_died_is_replaced() -> None:
    grade(little.job())
    for template in kernels._templates.values():
        os.killpg(template.process.pid, signal.SIGKILL)
        template.process.wait()
    graded = grade(little.job())
    assert little.marks(graded) == little.POINTS
    assert not any("alone" in note for note in graded.result.notes)


def test_a_private_file_system_is_refused_without_privileges(tmp_path: Path) -> None:
    if os.geteuid():
        with pytest.raises(PermissionError):
            isolate.mount_tmpfs(str(tmp_path), 1 << 20)
    assert sandbox.HOME.startswith("/home/")
