"""Submissions per minute of `w251lab grade`, sandbox on, beside `nbgrader autograde`, on one machine in one run.

The lab is a quick one (twelve code cells, five graded tests, two thirds of a second of NumPy), or one notebook of a
real lab. Each round makes a fresh course with copies of one honest submission, and grades it with both, in turn first.
The limit is what the cells alone would need: their own CPU seconds, measured in a bare process after the imports, over
the cores.

    python benchmarks/grading.py --copies 40 --rounds 3
    python benchmarks/grading.py --copies 40 --rounds 1 --lab 02_rapids/kmeans
    python benchmarks/grading.py --grow 10 40 160 320
    python benchmarks/grading.py --hosts 2
    python benchmarks/grading.py --eta 300
    python benchmarks/grading.py --profile
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from importlib.util import cache_from_source
from pathlib import Path
from typing import Any

import psutil
from grading_class import Measured, cell_seconds, course, run
from nbgrader.api import Gradebook
from rich.console import Console

from w251lab.course.catalog import load_course
from w251lab.grading.cluster import Where
from w251lab.grading.grader import Options, grade_lab
from w251lab.grading.journal import Journal
from w251lab.grading.progress import ClassProgress

VERB = "import sys; from w251lab.cli import main; sys.argv[0] = 'w251lab'; main()"
CORES = len(os.sched_getaffinity(0))


def points(root: Path, measured: Measured) -> list[float]:
    """Every submission's score in the gradebook: both graders have to come to the same ones."""
    with Gradebook(f"sqlite:///{root / 'gradebook.db'}") as book:
        return [submission.score for submission in book.assignment_submissions(measured.lab)]


def compare(measured: Measured, copies: int, rounds: int, jobs: int | None) -> dict[str, Any]:
    """Both graders by rounds."""
    graders = {
        "nbgrader autograde": ("-m", "nbgrader", "autograde", measured.lab),
        "w251lab grade": ("-c", VERB, "grade", measured.lab, *(() if jobs is None else ("--jobs", str(jobs)))),
    }
    rates: dict[str, list[float]] = {name: [] for name in graders}
    scores: set[float] = set()
    for number in range(rounds):
        for name in list(graders)[:: 1 if number % 2 == 0 else -1]:
            with tempfile.TemporaryDirectory(prefix="w251lab-bench-") as folder:
                root = course(Path(folder), copies, measured)
                seconds = run(root, *graders[name])
                found = points(root, measured)
                scores |= set(found)
                assert len(found) == copies, f"{len(found)} of {copies} are in the gradebook"
                assert len(scores) == 1, f"not all copies got the same points: {scores}"
                assert min(scores) > 0, "right answers got no points"
            rates[name].append(60 * copies / seconds)
            print(f"round {number + 1}: {name}: {rates[name][-1]:.1f} submissions a minute", flush=True)
    with tempfile.TemporaryDirectory(prefix="w251lab-bench-") as folder:
        cpu = cell_seconds(course(Path(folder), 0, measured), measured, _bare_rounds(measured))
    ours, theirs = (statistics.median(rates[name]) for name in ("w251lab grade", "nbgrader autograde"))
    limit = 60 * CORES / cpu
    print(
        f"{ours / theirs:.2f} times nbgrader; {ours / limit:.2f} of the limit ({limit:.0f} a minute: {cpu:.2f} CPU s)"
    )
    return {"rates": rates, "cell_cpu_seconds": cpu, "times": ours / theirs, "share_of_limit": ours / limit}


class Memory(threading.Thread):
    """The largest resident size of a process and of all below it, looked at ten times a second."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.process = psutil.Process(pid)
        self.main = self.all = 0

    def run(self) -> None:
        """Look until the process is gone."""
        while self.process.is_running() and self.process.status() != psutil.STATUS_ZOMBIE:
            try:
                self.main = max(self.main, self.process.memory_info().rss)
                below = [one.memory_info().rss for one in self.process.children(recursive=True)]
                self.all = max(self.all, self.main + sum(below))
            except psutil.NoSuchProcess:
                pass
            time.sleep(0.1)


def _bare_rounds(measured: Measured) -> int:
    return 3 if measured.is_real else 5


def grow(measured: Measured, sizes: list[int]) -> list[dict[str, float]]:
    """Rate and memory over the number of submissions."""
    found = []
    for size in sizes:
        with tempfile.TemporaryDirectory(prefix="w251lab-bench-") as folder:
            root = course(Path(folder), size, measured)
            start = time.monotonic()
            with subprocess.Popen(
                [sys.executable, "-c", VERB, "grade", measured.lab], cwd=root, stdout=subprocess.DEVNULL
            ) as grader:
                memory = Memory(grader.pid)
                memory.start()
                assert grader.wait() == 0
            seconds = time.monotonic() - start
        row = {
            "submissions": size,
            "per_minute": 60 * size / seconds,
            "grader_mb": memory.main / 1e6,
            "all_mb": memory.all / 1e6,
        }
        print({key: round(value, 1) for key, value in row.items()}, flush=True)
        found.append(row)
    return found


def hosts(measured: Measured, number: int, copies: int) -> list[dict[str, float]]:
    """The same class on one worker process, and on more, each with ports of its own."""
    found = []
    for count in range(1, number + 1):
        with ExitStack() as stack:
            root = course(
                Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="w251lab-bench-"))), copies, measured
            )
            address = root / "scheduler.json"
            quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
            dask = [sys.executable, "-m", "dask"]
            options = ["--host", "127.0.0.1", "--no-dashboard", "--scheduler-file", str(address)]
            environment = os.environ | {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0"}
            parts = [subprocess.Popen([*dask, "scheduler", "--port", "0", *options], env=environment, **quiet)]
            one = ["--nworkers", "1", "--nthreads", "1", "--memory-limit", "0", "--local-directory", str(root)]
            parts += [subprocess.Popen([*dask, "worker", *options, *one], **quiet) for _ in range(count)]
            for part in parts:
                stack.callback(part.wait)
                stack.callback(part.terminate)
            while not address.exists():
                time.sleep(0.1)
            seconds = run(
                root, "-c", VERB, "grade", measured.lab, "--cluster", json.loads(address.read_text())["address"]
            )
        found.append({"workers": count, "per_minute": 60 * copies / seconds})
        print(found[-1], flush=True)
    return found


class Told(ClassProgress):
    """Remembers what was said of the time left, and when."""

    def __init__(self) -> None:
        super().__init__(Console(stderr=True))
        self.said: list[tuple[float, float, float | None]] = []

    def finished(self, job: Any, graded: Any) -> None:
        """Note the share done, the time and the estimate."""
        super().finished(job, graded)
        assert self.estimate is not None
        share = self.estimate.finished / sum(self.estimate.totals.values())
        self.said.append((share, time.monotonic(), self.estimate.seconds_left()))


def in_process(measured: Measured, copies: int) -> tuple[Told, float, float, list[tuple[float, float]]]:
    """A class graded in this process: what was told, begin and end, and seconds and CPU seconds of each submission."""
    with tempfile.TemporaryDirectory(prefix="w251lab-bench-") as folder:
        loaded = load_course(course(Path(folder), copies, measured))
        begin = time.monotonic()
        with Told() as told:
            grade_lab(loaded, loaded.labs[0], Options(where=Where()), told)
        end = time.monotonic()
        with Journal(loaded.root / ".grading" / f"{measured.lab}.journal") as journal:
            each = [(one.seconds, one.cpu_seconds) for one in map(journal.read, journal.entries())]
    return told, begin, end, each


def eta(measured: Measured, copies: int) -> dict[str, float]:
    """How far the estimate was off after a quarter, a half and three quarters of the submissions."""
    told, _, _, _ = in_process(measured, copies)
    last = told.said[-1][1]
    off = {}
    for wanted in (0.25, 0.5, 0.75):
        _, when, said = next(row for row in told.said if row[0] >= wanted)
        off[str(wanted)] = abs((said or 0) - (last - when)) / (last - when)
        print(f"after {wanted:.0%}: said {said:.0f} s, were {last - when:.0f} s: off by {off[str(wanted)]:.0%}")
    return off


def profile(measured: Measured, copies: int) -> dict[str, float]:
    """Where the time of a run goes."""
    with tempfile.TemporaryDirectory(prefix="w251lab-bench-") as folder:
        cells = cell_seconds(course(Path(folder), 0, measured), measured, _bare_rounds(measured))
    told, begin, end, each = in_process(measured, copies)
    seconds, cpu = (statistics.median(row[column] for row in each) for column in (0, 1))
    row = {
        "until the first result": told.said[0][1] - begin,
        "first to last result": told.said[-1][1] - told.said[0][1],
        "after the last result": end - told.said[-1][1],
        "one submission": seconds,
        "its CPU": cpu,
        "its cells' CPU": cells,
    }
    for key, value in row.items():
        print(f"{key}: {value:.2f} s")
    return row


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lab", default="01_quick/quick", help="the notebook, as in 02_rapids/kmeans")
    parser.add_argument("--copies", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--jobs", type=int)
    parser.add_argument("--grow", type=int, nargs="+")
    parser.add_argument("--hosts", type=int)
    parser.add_argument("--eta", type=int)
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--to", type=Path, help="a JSON file for the figures")
    asked = parser.parse_args()
    measured = Measured(*asked.lab.split("/", 1))
    compiled = Path(cache_from_source(psutil.__file__)).is_file()
    if not compiled:
        print("note: the packages here are not compiled to bytecode: every kernel of either grader does it anew")
    found: dict[str, Any] = {
        "lab": asked.lab,
        "machine": platform.machine(),
        "cores": CORES,
        "bytecode": compiled,
        "load_before": os.getloadavg(),
    }
    print(f"{CORES} cores, load before {os.getloadavg()[0]:.1f}")
    if asked.grow:
        found["grow"] = grow(measured, asked.grow)
    if asked.hosts:
        found["hosts"] = hosts(measured, asked.hosts, asked.copies)
    if asked.eta:
        found["eta_off"] = eta(measured, asked.eta)
    if asked.profile:
        found["profile"] = profile(measured, asked.copies)
    if not (asked.grow or asked.hosts or asked.eta or asked.profile):
        found |= compare(measured, asked.copies, asked.rounds, asked.jobs)
    found["load_after"] = os.getloadavg()
    if asked.to:
        asked.to.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
