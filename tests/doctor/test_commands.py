"""The verb as a whole, on this machine: what it prints, and its exit status."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from w251lab import accelerator

if TYPE_CHECKING:
    from collections.abc import Callable


def by_name(text: str) -> dict[str, dict[str, object]]:
    return {each["check"]: each for each in json.loads(text)["checks"]}


def test_this_machine_can_run_the_course(root: Path, doctor: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    done = doctor("--device", "cpu", "--json", cwd=root)
    assert done.returncode == 0, done.stdout + done.stderr
    said = json.loads(done.stdout)
    assert said["ok"]
    assert said["device"] == "cpu"
    assert all(lab["runs"] and lab["lacks"] == [] for lab in said["labs"])
    assert "01_triton_quickstart" in [lab["name"] for lab in said["labs"]]
    found = by_name(done.stdout)
    assert "Windsor tie" in str(found["triton-server"]["said"])
    assert "Windsor tie" in str(found["onnxruntime"]["said"])
    assert said["machine"]["cores"] == accelerator.describe().cores
    assert said["machine"]["server_packages"]["numpy"].startswith("1.")


def test_a_lab_without_its_server_cannot_run(
    make_course: Callable[..., Path], doctor: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    empty = tmp_path / "no server"
    done = doctor("01_lab", cwd=make_course("triton-server"), env={"W251LAB_SERVER_ENV": str(empty)})
    assert done.returncode == 1
    assert "no, it lacks: triton-server" in " ".join(done.stdout.split())
    assert "w251lab setup" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.gpu
def test_the_server_computes_on_the_gpu(root: Path, doctor: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    done = doctor("--device", "gpu", "--json", cwd=root)
    assert done.returncode == 0, done.stdout + done.stderr
    places = {(each["check"], each["device"]): each["status"] for each in json.loads(done.stdout)["checks"]}
    assert places["triton-server", "gpu"] == "passed"


def test_outside_a_course_it_describes_the_machine(
    tmp_path: Path, doctor: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    done = doctor(cwd=tmp_path, env={"W251LAB_SERVER_ENV": str(tmp_path / "none")})
    assert done.returncode == 0, done.stdout + done.stderr
    assert "This machine" in done.stdout
    assert "no lab was looked at" in done.stderr


@pytest.mark.parametrize(
    ("args", "status", "said"),
    [
        (["02_lab"], 2, "no lab '02_lab'"),
        (["--device", "tpu"], 2, "unknown device 'tpu'"),
        (["--course", "nowhere"], 2, "no course.toml"),
    ],
)
def test_wrong_usage(
    make_course: Callable[..., Path],
    doctor: Callable[..., subprocess.CompletedProcess[str]],
    args: list[str],
    status: int,
    said: str,
) -> None:
    done = doctor(*args, cwd=make_course())
    assert done.returncode == status
    assert said in done.stderr
    assert "what to do:" in done.stderr


def test_a_working_directory_that_is_gone(tmp_path: Path) -> None:
    program = (
        "import os, sys; os.rmdir(os.getcwd()); from w251lab.cli import main; sys.argv = ['w251lab', 'doctor']; main()"
    )
    (tmp_path / "gone").mkdir()
    command = [sys.executable, "-P", "-c", program]
    done = subprocess.run(command, cwd=tmp_path / "gone", capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert "does not exist any more" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_terminated_doctor_leaves_no_check_behind(
    make_course: Callable[..., Path], start_doctor: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    process = start_doctor(cwd=make_course("triton-server"), env={"TMPDIR": str(scratch)})
    deadline = time.monotonic() + 60
    while not (pids := checks_in(scratch)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert pids
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in out + err
    while (left := checks_in(scratch)) and time.monotonic() < deadline:  # a server ends a moment after its parent
        time.sleep(0.1)
    assert not left


def checks_in(scratch: Path) -> list[str]:
    """Processes whose temporary files are in ``scratch``, the doctor itself left out."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            environment = (folder / "environ").read_bytes().split(b"\0") if folder.name.isdecimal() else []
        except OSError:  # another user's, or it ended meanwhile
            continue
        if any(entry.startswith(f"TMPDIR={scratch}/".encode()) for entry in environment):
            found.append(folder.name)
    return found
