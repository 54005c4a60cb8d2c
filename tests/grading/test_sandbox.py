"""What a student's code sees and can do inside the sandbox, asked by running it there."""

from __future__ import annotations

import json
import os
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import little_course as little
import pytest

from w251lab.grading import kernels, sandbox
from w251lab.grading.job import Limits, SandboxError
from w251lab.grading.task import grade

LOOK = r"""
import json, os, pathlib, socket, subprocess
def tried(action):
    try:
        return f"yes: {action()}"[:300]
    except BaseException as error:
        return f"{type(error).__name__}: {error}"[:300]
def write(path):
    pathlib.Path(path).write_text("x")
    return path
def connect(where):
    with socket.create_connection(where, timeout=5):
        return where
facts = {
    "environment": dict(os.environ),
    "user": [os.getuid(), os.geteuid()],
    "root": sorted(os.listdir("/")),
    "home": sorted(os.listdir(os.path.expanduser("~"))),
    "here": sorted(os.listdir(".")),
    "processes": [pathlib.Path(f"/proc/{n}/cmdline").read_bytes().replace(b"\0", b" ").decode()
                  for n in os.listdir("/proc") if n.isdigit()],
    "capabilities": [line for line in open("/proc/self/status") if line.startswith(("CapEff", "CapBnd", "NoNewPrivs"))],
    "interfaces": [name for _, name in socket.if_nameindex()],
    "run": tried(lambda: os.listdir("/run/w251lab")),
    "sockets": sorted(os.listdir("/run/kernel")),
    "course": tried(lambda: os.listdir(COURSE)),
    "solutions": tried(lambda: os.listdir(SOLUTIONS)),
    "shadow": tried(lambda: open("/etc/shadow").read()),
    "passwd": open("/etc/passwd").read(),
    "write": [tried(lambda path=path: write(path))
              for path in ("/usr/x", "/etc/x", "/x", "/dev/x", PACKAGE + "/x", "/sys/x")],
    "write_here": [tried(lambda path=path: write(path)) for path in ("x", "/tmp/x", "/dev/shm/x")],
    "network": tried(lambda: connect(("192.0.2.1", 80))),
    "outside": tried(lambda: connect(("127.0.0.1", PORT))),
    "namespaces": tried(lambda: subprocess.run(["unshare", "--user", "true"], check=True, capture_output=True)),
    "warden": tried(lambda: os.kill(1, 9)),
    "trace": tried(lambda: open("/proc/1/environ").read()),
    "mount": tried(lambda: subprocess.run(["mount", "-t", "tmpfs", "x", "/tmp"], check=True, capture_output=True)),
    "link": tried(lambda: (os.symlink(COURSE, "out"), os.listdir("out"))),
}
print("FACTS" + json.dumps(facts) + "=END=")
"""


def facts_of(text: str, **changes: Any) -> dict[str, Any]:
    graded = grade(little.job(submitted=little.with_cell(text), **changes))
    said = little.said(graded)
    assert "FACTS" in said, graded.result
    assert little.marks(graded) == little.POINTS
    found: dict[str, Any] = json.loads(said.split("FACTS")[1].split("=END=")[0])
    return found


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    import socket  # noqa: PLC0415

    course = little.write_course(tmp_path_factory.mktemp("course"))
    os.environ["W251LAB_TEST_SECRET"] = "1"  # noqa: S105
    with socket.create_server(("127.0.0.1", 0)) as server:
        names = {
            "COURSE": str(course.root),
            "SOLUTIONS": str(course.root / "solutions"),
            "PACKAGE": str(Path(sandbox.__file__).parent),
            "PORT": server.getsockname()[1],
        }
        text = "\n".join(f"{name} = {value!r}" for name, value in names.items()) + LOOK
        try:
            return facts_of(text)
        finally:
            del os.environ["W251LAB_TEST_SECRET"]


@pytest.mark.sandbox
def test_nothing_of_the_course_or_of_another_is_in_sight(seen: dict[str, Any]) -> None:
    for name in ("course", "solutions"):
        assert seen[name].startswith("FileNotFoundError"), seen[name]
    assert seen["run"] == "yes: []" or seen["run"].startswith(("PermissionError", "FileNotFoundError"))
    assert seen["home"] == [little.LAB]
    assert seen["here"] == ["numbers.csv"]
    assert all(name.startswith("k-") for name in seen["sockets"])
    assert "student" in seen["passwd"]
    assert len(seen["passwd"].splitlines()) == 1
    assert not {"home", "mnt", "opt", "srv", "var", "boot"} & set(seen["root"]) - {"home"}
    assert "yes" not in seen["shadow"]


@pytest.mark.sandbox
def test_no_variable_and_no_process_of_the_machine_is_in_sight(seen: dict[str, Any]) -> None:
    assert "W251LAB_TEST_SECRET" not in seen["environment"]
    assert seen["environment"]["HOME"] == sandbox.HOME
    assert len(seen["processes"]) == 2, seen["processes"]  # the warden and the kernel
    assert seen["user"] == [sandbox.USER, sandbox.USER]


def test_numerical_libraries_use_no_more_threads_than_the_worker_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    for given, threads in (("3", 3), ("", None), ("0", None), ("3,1", None)):
        monkeypatch.setenv("W251LAB_THREADS", given)
        assert kernels._threads() == threads
    assert sandbox.environment(None, 3)["OMP_NUM_THREADS"] == "3"
    assert "OMP_NUM_THREADS" not in sandbox.environment(None)


@pytest.mark.sandbox
def test_it_has_no_privilege_and_gets_none(seen: dict[str, Any]) -> None:
    values = {line.split()[0]: int(line.split()[1], 16) for line in seen["capabilities"]}
    assert values == {"CapEff:": 0, "CapBnd:": 0, "NoNewPrivs:": 1}
    for name in ("namespaces", "mount"):
        assert seen[name].startswith("CalledProcessError"), seen[name]
    assert seen["trace"].startswith("PermissionError")


@pytest.mark.sandbox
def test_it_writes_only_into_what_is_its_own(seen: dict[str, Any]) -> None:
    assert all("OSError" in one or "PermissionError" in one for one in seen["write"]), seen["write"]
    assert all(one.startswith("yes") for one in seen["write_here"])
    assert "yes" not in seen["link"]


@pytest.mark.sandbox
def test_there_is_no_network_but_its_own_loopback(seen: dict[str, Any]) -> None:
    assert seen["interfaces"] == ["lo"]
    assert "unreachable" in seen["network"]
    assert seen["outside"].startswith("ConnectionRefusedError")


LIMITS = Limits(memory=512 * 1024**2, processes=64, file_size=50 * 1024**2, output=2_000_000, cell=60, notebook=300)
#: A cell that uses too much -> what is said of it.
GREEDY = {
    "memory in one piece": ("x = np.ones(100_000_000_000)", "MemoryError"),  # more than on any number of cores
    "memory piece by piece": (
        "import time\nx = []\nfor _ in range(60):\n    x.append(np.ones(2_000_000))\n    time.sleep(0.05)",
        "memory|MemoryError",  # whichever is less: what all processes use, or the address space of one
    ),
    "memory of many processes": (
        (
            "import os, time\n"
            "for _ in range(6):\n    if os.fork() == 0:\n        y = np.ones(20_000_000)\n        time.sleep(100)\n"
            "time.sleep(60)"
        ),
        "memory",
    ),
    "memory of processes whose first thread has ended": (
        (
            "import ctypes, os, threading, time\n"
            "def grow():\n    time.sleep(0.5)\n    y = np.ones(20_000_000)\n    time.sleep(100)\n"
            "for _ in range(6):\n    if os.fork() == 0:\n"
            "        threading.Thread(target=grow).start()\n"
            "        ctypes.CDLL(None).syscall(60, 0)\n"
            "time.sleep(60)"
        ),
        "memory",
    ),
    "memory in files of no folder": (
        (
            "import os, time\nfiles = [os.memfd_create(str(n)) for n in range(40)]\n"
            "for file in files:\n    os.write(file, bytes(40_000_000))\ntime.sleep(60)"
        ),
        "memory",
    ),
    "processes": (
        "import os, time\nfor _ in range(500):\n    if os.fork() == 0:\n        time.sleep(100)\ntime.sleep(60)",
        "BlockingIOError",
    ),
    "a file": ("open('big', 'wb').truncate(60_000_000)", "File too large"),
    "the temporary folder": (
        "for n in range(9):\n    open(f'/tmp/{n}', 'wb').write(bytes(10_000_000))",
        "No space left on device",
    ),
    # On a busy machine it waits in the kernel's memory, which then is what there is too much of.
    "output": ("while True:\n    print('x' * 100_000)", "more than"),
    "output past Jupyter": ("import os\nwhile True:\n    os.write(2, b'x' * 60_000)", "more than"),
}


GREEDY_MEMORY = {"processes": 4 * 1024**3}


@pytest.mark.sandbox
@pytest.mark.parametrize("kind", GREEDY)
def test_a_cell_that_uses_too_much_fails_and_the_rest_is_graded(kind: str) -> None:
    text, said = GREEDY[kind]
    limits = replace(LIMITS, memory=GREEDY_MEMORY.get(kind, LIMITS.memory))
    graded = grade(little.job(kind, little.with_cell(text), limits=limits))
    problems = {problem.cell: problem for problem in graded.result.problems}
    (own,) = [problem for name, problem in problems.items() if name.startswith("own")]
    assert own.reason is not None
    assert re.search(said, own.reason.summary), own
    # A kernel that was killed is started again: nothing of the question depends on the greedy cell.
    assert little.marks(graded) == little.POINTS, graded.result


SHARE = """
import os, time
x = np.ones(30_000_000)
for _ in range(4):
    children = []
    for _ in range(8):
        if (child := os.fork()) == 0:
            time.sleep(0.35)
            os._exit(int(x[-1] != 1))
        children.append(child)
    print("ENDED", [os.waitpid(child, 0)[1] for child in children])
"""


@pytest.mark.sandbox
def test_pages_that_forks_have_in_common_are_counted_once_also_while_these_end() -> None:
    graded = grade(little.job(submitted=little.with_cell(SHARE), limits=LIMITS))
    assert graded.result.problems == ()
    assert little.said(graded).count(f"ENDED {[0] * 8}") == 4
    assert little.marks(graded) == little.POINTS


def test_a_machine_without_bubblewrap_is_told_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox.check.cache_clear()
    monkeypatch.setenv("PATH", "/nowhere")
    try:
        with pytest.raises(SandboxError) as caught:
            grade(little.job())
    finally:
        sandbox.check.cache_clear()
    assert "apt-get install bubblewrap" in caught.value.remedy
    assert "--sandbox none" in caught.value.remedy


@pytest.mark.sandbox
def test_a_system_that_refuses_is_told_what_to_allow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refusing = tmp_path / "bwrap"
    refusing.write_text("#!/bin/sh\necho 'bwrap: setting up uid map: Permission denied' >&2\nexit 1\n")
    refusing.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(sandbox, "_PLAIN", {"PATH": os.environ["PATH"]})
    sandbox.check.cache_clear()
    try:
        with pytest.raises(SandboxError, match="uid map: Permission denied") as caught:
            sandbox.check()
        # Also where it is noticed only when a submission's own sandbox is to start: it is not the submission's doing.
        sandbox.check.cache_clear()
        kernels.close()
        monkeypatch.setattr(kernels._process, "contained", False)
        with pytest.raises(SandboxError, match="this system refuses it"):
            grade(little.job())
        # Where others were contained it was this one that failed: it waits for a person, and the class goes on.
        sandbox.check.cache_clear()
        monkeypatch.setattr(kernels._process, "contained", True)
        assert set(little.verdicts(grade(little.job())).values()) == {"ungradable"}
    finally:
        sandbox.check.cache_clear()
    for word in ("apparmor_restrict_unprivileged_userns", "unprivileged_userns_clone", "--security-opt"):
        assert word in caught.value.remedy


def test_an_interpreter_behind_links_is_shown_and_a_home_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    managed = tmp_path / "share" / "cpython-3.11.9"
    (managed / "bin").mkdir(parents=True)
    (managed / "bin" / "python3.11").touch()
    (managed / "lib" / "python3.11").mkdir(parents=True)
    (managed / "lib" / "python3.11" / "os.py").touch()
    alias = tmp_path / "share" / "cpython-3.11"
    alias.symlink_to(managed)
    home = tmp_path / "home" / "bin"
    home.mkdir(parents=True)
    (home / "python3").symlink_to(alias / "bin" / "python3.11")
    venv = tmp_path / "venv"
    (venv / "bin").mkdir(parents=True)
    (venv / "bin" / "python").symlink_to(home / "python3")
    monkeypatch.setattr(sys, "prefix", str(venv))
    monkeypatch.setattr(sys, "base_prefix", str(managed))
    shown = sandbox.visible(sandbox.Enclosure(tmp_path, 1))
    assert {venv, alias, managed, home / "python3"} <= set(shown)
    assert home not in shown
    assert home.parent not in shown


def test_a_course_that_every_sandbox_would_show_is_refused(tmp_path: Path) -> None:
    sandbox.refuse_course_in_sight(tmp_path)
    with pytest.raises(SandboxError, match="submissions see all of /usr"):
        sandbox.refuse_course_in_sight(Path("/usr/src/course"))
