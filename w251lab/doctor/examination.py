"""Run the checks side by side, each with its time limit, and decide which labs can run here."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from w251lab import accelerator
from w251lab.doctor.checks import CHECKS, explain_unknown, python
from w251lab.errors import W251Error

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from w251lab.accelerator import Device
    from w251lab.course.catalog import Lab

Status = Literal["passed", "failed", "timed_out", "crashed", "unknown"]


@dataclass(frozen=True)
class Finding:
    """What one check found.

    Attributes:
        check: Its name, the word in a lab's ``needs``.
        device: Where it was done.
        status: How it ended; ``unknown`` for a need that no check knows.
        said: What was seen, or what is wrong.
        remedy: What to do; empty when it passed.
        seconds: How long it took.
        required: Whether something that was asked for needs it.
    """

    check: str
    device: Device
    status: Status
    said: str
    remedy: str
    seconds: float
    required: bool

    @property
    def passed(self) -> bool:
        """Whether the machine has the thing."""
        return self.status == "passed"


@dataclass(frozen=True)
class Verdict:
    """Whether a lab can run here.

    Attributes:
        lab: The lab.
        device: Where it would run.
        lacking: What it needs and does not have; empty when it can run.
    """

    lab: Lab
    device: Device
    lacking: tuple[Finding, ...]

    @property
    def runs(self) -> bool:
        """Whether it can run here."""
        return not self.lacking


@dataclass(frozen=True)
class Examination:
    """Everything that was found.

    Attributes:
        device: The device that the labs would compute on.
        findings: In the order of the registry.
        verdicts: One for each lab, in the order of the course.
    """

    device: Device
    findings: tuple[Finding, ...]
    verdicts: tuple[Verdict, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing that was asked for is missing."""
        return all(finding.passed for finding in self.findings if finding.required)


def examine(labs: Sequence[Lab], device: str = "auto", *, started: Callable[[str], None] | None = None) -> Examination:
    """Run every check that the labs need, those that every lab needs, and the optional ones.

    Args:
        labs: The labs that were asked for. Without any, nothing but the basic checks (and a GPU, if asked for) is
            required, and every check is run.
        device: ``auto``, ``cpu`` or ``gpu``; a GPU is required only when it is asked for by name.
        started: Called with the names of the checks still running, for a progress line.

    Raises:
        UsageError: Another device.
        W251Error: There is no room for temporary files, or this user may not start this Python.
    """
    has_gpu = bool(accelerator.devices())
    # A GPU that was asked for and is missing is a finding like any other, not the end of the examination.
    chosen: Device = "gpu" if device == "gpu" else accelerator.resolve_device(device)
    named = dict.fromkeys(need for lab in labs for need in lab.needs)
    looked_at = [name for name, check in CHECKS.items() if check.role != "need" or name in named or not labs]
    required = {need for lab in labs for need in _needs(lab, chosen)} | _needs(
        None, chosen if device == "gpu" else "cpu"
    )
    jobs: list[tuple[str, Device]] = [
        (name, place)
        for name in looked_at
        for place in CHECKS[name].devices
        if place == "cpu" or (chosen == "gpu" and has_gpu)
    ]
    unknown = [
        Finding(need, chosen, "unknown", *explain_unknown(need), seconds=0.0, required=True)
        for need in named
        if need not in CHECKS
    ]
    decided = {(name, place): name in required and place == _place(name, chosen) for name, place in jobs}
    findings = (*_run(jobs, decided, started), *unknown)
    verdicts = tuple(Verdict(lab, chosen, tuple(_lacking(findings, _needs(lab, chosen), chosen))) for lab in labs)
    return Examination(chosen, findings, verdicts)


def _needs(lab: Lab | None, device: Device) -> set[str]:
    """What a lab needs on a device, what every lab needs included; without a lab only the latter."""
    basic = {name for name, check in CHECKS.items() if check.role == "basic"}
    return basic | set(lab.needs if lab else ()) | ({"gpu"} if device == "gpu" else set())


def _place(name: str, device: Device) -> Device:
    """Where a check has to pass for a lab that computes on ``device``."""
    return device if name not in CHECKS or device in CHECKS[name].devices else "cpu"


def _lacking(findings: Sequence[Finding], needs: set[str], device: Device) -> list[Finding]:
    return [
        finding
        for finding in findings
        if finding.check in needs and finding.device == _place(finding.check, device) and not finding.passed
    ]


def _run(
    jobs: Sequence[tuple[str, Device]],
    required: dict[tuple[str, Device], bool],
    started: Callable[[str], None] | None,
) -> list[Finding]:
    """Run the checks side by side; none outlives this call."""
    findings: dict[tuple[str, Device], Finding] = {}
    try:
        folder = tempfile.TemporaryDirectory(prefix="w251lab-doctor-", ignore_cleanup_errors=True)
    except OSError as error:
        raise W251Error(
            f"There is no place for temporary files: {error}.", "Make room, or name another folder in TMPDIR."
        ) from error
    with folder as scratch:
        running: dict[tuple[str, Device], _Job] = {}
        try:
            try:
                for job in jobs:
                    running[job] = _Job(*job, Path(scratch))
            except OSError as error:
                raise W251Error(
                    f"The checks cannot be started: {error}.", "Make room, or make the environment again as this user."
                ) from error
            while running:
                if started is not None:
                    started(", ".join(dict.fromkeys(name for name, _ in running)))
                for key in [key for key, job in running.items() if job.ended()]:
                    findings[key] = running.pop(key).finding(required=required[key])
                time.sleep(0.05)
        finally:
            for unfinished in running.values():
                unfinished.kill()
    return [findings[job] for job in jobs]


class _Job:
    """The process of one check."""

    def __init__(self, name: str, device: Device, scratch: Path) -> None:
        self.name, self.device = name, device
        own = scratch / f"{name}-{device}"
        own.mkdir()
        self._out, self._err = own / "answer.json", own / "errors.txt"
        self._begin = time.monotonic()
        self._seconds = 0.0
        self._timed_out = False
        with self._out.open("wb") as out, self._err.open("wb") as err:
            # A session of its own, so that all of it can be killed; what a killed check leaves goes with `scratch`.
            self._process = subprocess.Popen(
                [*python(), name, device],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
                env=os.environ | {"TMPDIR": str(own), "MPLBACKEND": "agg", "PYTHONWARNINGS": "ignore"},
            )

    def ended(self) -> bool:
        """Whether it ended, by itself or because its time is over."""
        self._seconds = time.monotonic() - self._begin
        if self._process.poll() is not None:
            return True
        if self._seconds > CHECKS[self.name].seconds:
            self._timed_out = True
            self.kill()
        return self._timed_out

    def kill(self) -> None:
        """End the process and those it started. A server or a kernel ends by itself when it has lost its parent."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def finding(self, *, required: bool) -> Finding:
        """What it found."""
        check = CHECKS[self.name]
        status: Status = "crashed"
        answer = self._out.read_text(encoding="utf-8")
        if self._timed_out:
            status, remedy = "timed_out", check.repair
            said = f"It did not end within {check.seconds:g} s."
        elif self._process.returncode == 0 and answer:
            parsed = json.loads(answer)
            status, said, remedy = parsed["status"], parsed["said"], parsed["remedy"]
        else:
            said, remedy = self._last_words(), check.repair
        return Finding(self.name, self.device, status, said, remedy, round(self._seconds, 1), required)

    def _last_words(self) -> str:
        code = self._process.returncode
        lines = [line for line in self._err.read_text(errors="replace").splitlines() if line.strip()]
        how = f"by {signal.Signals(-code).name}" if code < 0 else f"with exit status {code}"
        return f"It ended {how}" + (f": {lines[-1].strip()}" if lines else ".")
