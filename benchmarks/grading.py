"""Submissions per minute of `w251lab grade`, sandbox on, beside `nbgrader autograde`, on one machine in one run.

The lab is a quick one: twelve code cells, five graded tests and about a second of NumPy; each round makes a fresh
course with copies of one honest submission, and grades it with both, in turn first. The limit is what the cells alone
would need: their own CPU seconds, measured in a bare process after the imports, over the cores.

    python benchmarks/grading.py --copies 40 --rounds 3
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
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import nbformat
import psutil
from nbgrader.api import Gradebook
from rich.console import Console

from w251lab.course.catalog import load_course
from w251lab.grading.cluster import Where
from w251lab.grading.grader import Options, grade_lab
from w251lab.grading.journal import Journal
from w251lab.grading.progress import ClassProgress

ROOT = Path(__file__).resolve().parents[1]
LAB = "01_quick"
VERB = "import sys; from w251lab.cli import main; sys.argv[0] = 'w251lab'; main()"
TOML = f"""title = "Benchmark"
[labs.{LAB}]
title = "Quick"
summary = "A quick lab."
notebooks = [{{ name = "quick", title = "Quick" }}]
time_limits = {{ small = {{ cell = 120, notebook = 600 }}, full = {{ cell = 120, notebook = 600 }} }}
"""
WORK = """def f{n}(m):
    total = 0.0
    for k in range(m):
        total += float(np.sqrt(x + k).sum())
    return total"""
CORES = len(os.sched_getaffinity(0))


def cell(kind: str, name: str, source: str, **grader: Any) -> Any:
    """A cell with nbgrader's metadata where there is any."""
    made = nbformat.v4.new_code_cell(source) if kind == "code" else nbformat.v4.new_markdown_cell(source)
    made["id"] = name
    if grader:
        base = {
            "grade": False,
            "grade_id": name,
            "locked": False,
            "schema_version": 3,
            "solution": False,
            "task": False,
        }
        made["metadata"]["nbgrader"] = base | grader
    if name == "parameters":
        made["metadata"]["tags"] = ["parameters"]
    return made


def notebook() -> Any:
    """Parameters, a set-up, and five answers with a test each, half of it hidden.

    The arrays stay in the cache: with large ones the page faults of the allocator would be measured, and they depend on
    what a process has allocated before.
    """
    cells = [
        cell("code", "parameters", 'device = "auto"\nscale = "small"', locked=True),
        cell("code", "setup", "import numpy as np\nx = np.arange(10_000, dtype=float)", locked=True),
    ]
    for n in range(5):
        answer = f"### BEGIN SOLUTION\n{WORK.format(n=n)}\n### END SOLUTION"
        test = f"assert f{n}(1) > 0\n### BEGIN HIDDEN TESTS\nassert f{n}(5000) > f{n}(1)\n### END HIDDEN TESTS"
        cells += [
            cell("markdown", f"text-{n}", f"## Question {n}"),
            cell("code", f"f{n}", answer, solution=True),
            cell("code", f"f{n}-test", test, grade=True, locked=True, points=2),
        ]
    nb = nbformat.v4.new_notebook(cells=cells)
    nb["metadata"]["kernelspec"] = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    nb["metadata"]["language_info"] = {"name": "python"}
    return nb


def course(folder: Path, copies: int) -> Path:
    """A course with so many copies of the right answers handed in."""
    root = folder / "course"
    (root / "solutions" / LAB).mkdir(parents=True)
    (root / "course.toml").write_text(TOML)
    shutil.copy(ROOT / "nbgrader_config.py", root)
    nb = notebook()
    nbformat.write(nb, root / "solutions" / LAB / "quick.ipynb")
    run(root, "-m", "nbgrader", "generate_assignment", LAB, "--force")
    submitted = nbformat.read(root / "labs" / LAB / "quick.ipynb", 4)
    answers = {f"f{n}": WORK.format(n=n) for n in range(5)}
    for one in submitted["cells"]:
        one["source"] = answers.get(one["metadata"].get("nbgrader", {}).get("grade_id"), one["source"])
    for number in range(copies):
        place = root / "submitted" / f"student{number:04}" / LAB
        place.mkdir(parents=True)
        nbformat.write(submitted, place / "quick.ipynb")
    return root


def run(root: Path, *words: str) -> float:
    """Run this interpreter with these words; the seconds that it took."""
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    start = time.monotonic()
    done = subprocess.run(
        [sys.executable, *words], cwd=root, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{words}: {done.stdout}{done.stderr}")
    return time.monotonic() - start


def cell_seconds() -> float:
    """CPU seconds of the submission's cells alone, median of five bare runs after the imports."""
    source = "\n".join(one["source"] for one in notebook()["cells"] if one["cell_type"] == "code")
    program = f"import numpy, time\nstart = time.process_time()\n{source}\nprint(time.process_time() - start)"
    runs = [
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True) for _ in range(5)
    ]
    return statistics.median(float(done.stdout) for done in runs)


def points(root: Path) -> float:
    """All points in the gradebook: both graders have to come to the same."""
    with Gradebook(f"sqlite:///{root / 'gradebook.db'}") as book:
        return sum(submission.score for submission in book.assignment_submissions(LAB))


def compare(copies: int, rounds: int, jobs: int | None) -> dict[str, Any]:
    """Both graders by rounds."""
    graders = {
        "nbgrader autograde": ("-m", "nbgrader", "autograde", LAB),
        "w251lab grade": ("-c", VERB, "grade", LAB, *(() if jobs is None else ("--jobs", str(jobs)))),
    }
    rates: dict[str, list[float]] = {name: [] for name in graders}
    for number in range(rounds):
        for name in list(graders)[:: 1 if number % 2 == 0 else -1]:
            with tempfile.TemporaryDirectory(prefix="w251lab-bench-") as folder:
                root = course(Path(folder), copies)
                seconds = run(root, *graders[name])
                assert points(root) == copies * 10
            rates[name].append(60 * copies / seconds)
            print(f"round {number + 1}: {name}: {rates[name][-1]:.1f} submissions a minute", flush=True)
    cpu = cell_seconds()
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


def grow(sizes: list[int]) -> list[dict[str, float]]:
    """Rate and memory over the number of submissions."""
    found = []
    for size in sizes:
        with tempfile.TemporaryDirectory(prefix="w251lab-bench-") as folder:
            root = course(Path(folder), size)
            start = time.monotonic()
            with subprocess.Popen(
                [sys.executable, "-c", VERB, "grade", LAB], cwd=root, stdout=subprocess.DEVNULL
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


def hosts(number: int, copies: int) -> list[dict[str, float]]:
    """The same class on one worker process, and on more, each with ports of its own."""
    found = []
    for count in range(1, number + 1):
        with ExitStack() as stack:
            root = course(Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="w251lab-bench-"))), copies)
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
            seconds = run(root, "-c", VERB, "grade", LAB, "--cluster", json.loads(address.read_text())["address"])
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


def in_process(copies: int) -> tuple[Told, float, float, list[tuple[float, float]]]:
    """A class graded in this process: what was told, begin and end, and seconds and CPU seconds of each submission."""
    with tempfile.TemporaryDirectory(prefix="w251lab-bench-") as folder:
        loaded = load_course(course(Path(folder), copies))
        begin = time.monotonic()
        with Told() as told:
            grade_lab(loaded, loaded.labs[0], Options(where=Where()), told)
        end = time.monotonic()
        with Journal(loaded.root / ".grading" / f"{LAB}.journal") as journal:
            each = [(one.seconds, one.cpu_seconds) for one in map(journal.read, journal.entries())]
    return told, begin, end, each


def eta(copies: int) -> dict[str, float]:
    """How far the estimate was off after a quarter, a half and three quarters of the submissions."""
    told, _, _, _ = in_process(copies)
    last = told.said[-1][1]
    off = {}
    for wanted in (0.25, 0.5, 0.75):
        _, when, said = next(row for row in told.said if row[0] >= wanted)
        off[str(wanted)] = abs((said or 0) - (last - when)) / (last - when)
        print(f"after {wanted:.0%}: said {said:.0f} s, were {last - when:.0f} s: off by {off[str(wanted)]:.0%}")
    return off


def profile(copies: int) -> dict[str, float]:
    """Where the time of a run goes."""
    told, begin, end, each = in_process(copies)
    seconds, cpu = (statistics.median(row[column] for row in each) for column in (0, 1))
    row = {
        "until the first result": told.said[0][1] - begin,
        "first to last result": told.said[-1][1] - told.said[0][1],
        "after the last result": end - told.said[-1][1],
        "one submission": seconds,
        "its CPU": cpu,
        "its cells' CPU": cell_seconds(),
    }
    for key, value in row.items():
        print(f"{key}: {value:.2f} s")
    return row


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--copies", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--jobs", type=int)
    parser.add_argument("--grow", type=int, nargs="+")
    parser.add_argument("--hosts", type=int)
    parser.add_argument("--eta", type=int)
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--to", type=Path, help="a JSON file for the figures")
    asked = parser.parse_args()
    found: dict[str, Any] = {"machine": platform.machine(), "cores": CORES, "load_before": os.getloadavg()}
    print(f"{CORES} cores, load before {os.getloadavg()[0]:.1f}")
    if asked.grow:
        found["grow"] = grow(asked.grow)
    if asked.hosts:
        found["hosts"] = hosts(asked.hosts, asked.copies)
    if asked.eta:
        found["eta_off"] = eta(asked.eta)
    if asked.profile:
        found["profile"] = profile(asked.copies)
    if not (asked.grow or asked.hosts or asked.eta or asked.profile):
        found |= compare(asked.copies, asked.rounds, asked.jobs)
    found["load_after"] = os.getloadavg()
    if asked.to:
        asked.to.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
