"""Run notebooks and score them: our solutions, or a student's notebook."""

from __future__ import annotations

import filecmp
import shutil
import tempfile
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from w251lab.course import environment, parameters
from w251lab.course.engine import CancelledRunError, run_notebook
from w251lab.course.notebook import UnreadableNotebookError, read_notebook
from w251lab.course.release import has_solutions, ignored_names, other_files
from w251lab.course.results import NotebookResult, RunResult
from w251lab.course.score import Fault, cell_problems, reported_device, score, ungradable
from w251lab.course.submission import find_notebooks, make_reference, restore
from w251lab.errors import UsageError

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from w251lab.course.catalog import Course, Lab, NotebookEntry

#: Called with (notebook as ``lab/notebook``, cells done, cells to run), from several threads.
Progress = Callable[[str, int, int], None]


def silent(_name: str, _done: int, _total: int) -> None:
    """Show no progress."""


@dataclass(frozen=True)
class Options:
    """How to run: the notebooks' parameters ``device`` and ``scale``, further parameters, and how many at once."""

    device: str = "auto"
    scale: str = "small"
    parameters: Mapping[str, Any] = field(default_factory=dict)
    jobs: int = 1

    @property
    def all_parameters(self) -> dict[str, Any]:
        """Everything that goes into the notebook's parameters."""
        return {"device": self.device, "scale": self.scale, **self.parameters}


@dataclass
class Job:
    """One notebook to run and score.

    Attributes:
        lab: Its lab.
        entry: Its entry in the catalog.
        source: The notebook that says which questions there are.
        nb: The notebook to run; None when the submitted one could not be read.
        submitted_files: A student's folder, whose other files the notebook finds beside it where the course has none.
        faults: What was found before the run.
        notes: For people.
        unreadable: Why ``nb`` is None.
        ours: Whether it is our own solution, of which every cell must complete.
    """

    lab: Lab
    entry: NotebookEntry
    source: NotebookNode
    nb: NotebookNode | None
    submitted_files: Path | None = None
    faults: dict[str, Fault] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    unreadable: str = ""
    ours: bool = True

    @property
    def name(self) -> str:
        """``lab/notebook``."""
        return f"{self.lab.name}/{self.entry.name}"


@dataclass(frozen=True)
class Checked:
    """A finished run: its results, and the executed notebooks by ``lab/notebook``."""

    result: RunResult
    executed: dict[str, NotebookNode]


def check(
    course: Course,
    names: list[str] | None = None,
    options: Options | None = None,
    *,
    submission: Path | None = None,
    progress: Progress = silent,
) -> Checked:
    """Run the notebooks of labs and score them.

    Args:
        course: The course.
        names: The labs; all when empty. A submission needs exactly one.
        options: How to run.
        submission: A student's notebook, or a folder with the lab's notebooks. Without it the course's own
            ``solutions/`` are run; where there are none (a student's copy), the notebooks in ``labs/``.
        progress: Called as cells complete.

    Raises:
        UsageError: An unknown lab, device, scale or parameter; a submission that does not exist.
        W251Error: The source cannot be read or released.
        KeyboardInterrupt: After every kernel has been stopped.
    """
    options = options or Options()
    parameters.check_device_and_scale(options.device, options.scale)
    if options.jobs < 1:
        raise UsageError(f"--jobs cannot be {options.jobs}.", "Give a number of at least 1.")
    labs = course.select(names)
    jobs = plan(course, labs, submission)
    for job in jobs:
        parameters.check_names(job.source, options.all_parameters, job.name)
    started, start = datetime.now(UTC), monotonic()
    finished = _run_all(jobs, options, progress)
    result = RunResult(
        course=course.title,
        subject="solutions" if all(job.ours for job in jobs) else str(submission or "labs"),
        started=started.isoformat(timespec="seconds"),
        seconds=round(monotonic() - start, 3),
        device=options.device,
        scale=options.scale,
        parameters=dict(options.parameters),
        hidden_tests=has_solutions(course),
        environment=environment.describe([job.source for job in jobs]),
        notebooks=tuple(notebook for notebook, _ in finished),
    )
    executed = {job.name: nb for job, (_, nb) in zip(jobs, finished, strict=True) if nb is not None}
    return Checked(result, executed)


def plan(course: Course, labs: tuple[Lab, ...], submission: Path | None) -> list[Job]:
    """What to run, ready to run. See `check` for the arguments and errors."""
    if submission is not None:
        if len(labs) != 1:
            raise UsageError("A submission belongs to one lab.", "Name it: w251lab check LAB --submission PATH.")
        return [
            _submitted(course, labs[0], entry, path, submission if submission.is_dir() else None)
            for name, path in find_notebooks(labs[0], submission).items()
            for entry in labs[0].notebooks
            if entry.name == name
        ]
    jobs = []
    for lab in labs:
        for entry in lab.notebooks:
            path = lab.reference / f"{entry.name}.ipynb"
            if lab.reference == lab.solutions:
                nb = read_notebook(path)
                jobs.append(Job(lab, entry, nb, nb))
            else:
                jobs.append(_submitted(course, lab, entry, path))
    return jobs


def _submitted(course: Course, lab: Lab, entry: NotebookEntry, path: Path, folder: Path | None = None) -> Job:
    reference = make_reference(course, lab, entry)
    job = Job(lab, entry, reference.source, None, folder, ours=False)
    try:
        submitted = read_notebook(path)
    except UnreadableNotebookError as error:
        job.unreadable = error.what
        return job
    if not submitted["cells"]:
        job.unreadable = f"{path} has no cells."
        return job
    try:
        restored = restore(submitted, reference)
    except Exception as error:  # noqa: BLE001 - a student's notebook must not keep the others from their report
        job.unreadable = _could_not(error)
        return job
    job.nb, job.faults, job.notes = restored.nb, restored.faults, restored.notes
    return job


def _run_all(jobs: list[Job], options: Options, progress: Progress) -> list[tuple[NotebookResult, NotebookNode | None]]:
    """Run the jobs, at most ``options.jobs`` at once, each in a thread of its own; results in the order of the jobs."""
    cancelled = threading.Event()
    # Threads, so that this one stays free for Ctrl-C. The work is done in the kernels' processes.
    with ThreadPoolExecutor(max_workers=options.jobs, thread_name_prefix="notebook") as pool:
        futures: list[Future[tuple[NotebookResult, NotebookNode | None]]] = [
            pool.submit(_run_one, job, options, cancelled, progress) for job in jobs
        ]
        try:
            done, _ = wait(futures, return_when=FIRST_EXCEPTION)
            for future in done:
                future.result()  # an error of one ends the run
            return [future.result() for future in futures]
        finally:
            # On Ctrl-C or an error: interrupt the running cells, and wait until their kernels are gone.
            cancelled.set()
            for future in futures:
                future.cancel()


def _run_one(
    job: Job, options: Options, cancelled: threading.Event, progress: Progress
) -> tuple[NotebookResult, NotebookNode | None]:
    """Run and score one notebook. What goes wrong with a student's makes it ``ungradable``; with ours it is raised."""
    try:
        return _run_and_score(job, options, cancelled, progress)
    except CancelledRunError:
        raise
    except Exception as error:
        if job.ours:
            raise
        progress(job.name, 1, 1)
        base = NotebookResult(job.lab.name, job.entry.name, job.entry.title, (), judged_cells=False)
        return _filled(base, questions=ungradable(job.source, _could_not(error)), notes=tuple(job.notes)), None


def _could_not(error: Exception) -> str:
    return f"The notebook could not be run: {type(error).__name__}: {error}"


def _run_and_score(
    job: Job, options: Options, cancelled: threading.Event, progress: Progress
) -> tuple[NotebookResult, NotebookNode | None]:
    base = NotebookResult(job.lab.name, job.entry.name, job.entry.title, (), judged_cells=job.ours)
    if job.nb is None:
        progress(job.name, 1, 1)
        return _filled(base, questions=ungradable(job.source, job.unreadable)), None
    start = monotonic()
    with tempfile.TemporaryDirectory(prefix="w251lab-lab-", ignore_cleanup_errors=True) as temporary:
        folder = Path(temporary) / job.lab.name
        _copy_files(job, folder)
        executed = run_notebook(
            job.nb,
            options.all_parameters,
            folder=folder,
            limit=job.lab.limits[options.scale],
            cancelled=cancelled,
            on_progress=lambda done, total: progress(job.name, done, total),
        )
    cells, completed, problems = cell_problems(executed)
    result = _filled(
        base,
        questions=score(job.source, executed, job.faults),
        seconds=round(monotonic() - start, 3),
        device=reported_device(executed),
        cells=cells,
        completed=completed,
        problems=problems,
        notes=tuple(job.notes)
        + tuple(f"Kernel restarted: {text}." for text in executed["metadata"]["w251lab"]["restarts"]),
    )
    return result, executed


def _filled(base: NotebookResult, **values: Any) -> NotebookResult:
    return NotebookResult(**(vars(base) | values))


def _copy_files(job: Job, folder: Path) -> None:
    """Give the notebook a private copy of the files that belong beside it.

    The course's own win, as in nbgrader: a student's file that is in their way, or cannot be read, is left out, and
    noted unless it is the same.
    """
    folder.mkdir()
    ignore = ignored_names(job.lab.course)
    for name, path in other_files(job.lab.reference, ignore).items():
        _copy(path, folder / name)
    if job.submitted_files is None:
        return
    for name, path in other_files(job.submitted_files, ignore, skip_links=True).items():
        target = folder / name
        try:
            if target.exists():
                if not (target.is_file() and filecmp.cmp(path, target, shallow=False)):
                    job.notes.append(f"The submitted file {name} was left out: the course has its own.")
                continue
            _copy(path, target)
        except OSError as error:
            job.notes.append(f"The submitted file {name} was left out: {error.strerror}.")


def _copy(path: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, target)
    target.chmod(0o644 | (path.stat().st_mode & 0o111))
