"""Grade a lab: what was handed in, through the cluster, into the journal, and from there into the gradebook."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from w251lab.errors import UsageError
from w251lab.grading.ahead import Ahead
from w251lab.grading.cluster import Where
from w251lab.grading.job import Limits
from w251lab.grading.journal import FOLDER, Entry, Journal, Lock
from w251lab.grading.recorder import Recorder, pages
from w251lab.grading.sandbox import refuse_course_in_sight

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from distributed import Client

    from w251lab.course.catalog import Course, Lab
    from w251lab.grading.intake import Submission
    from w251lab.grading.job import Graded, Job, SandboxKind
    from w251lab.grading.layout import Layout
    from w251lab.grading.part import Terms
    from w251lab.grading.plan import Part, Regrade, Todo
    from w251lab.grading.progress import ClassProgress


@dataclass(frozen=True)
class Options:
    """How to grade.

    Attributes:
        where: On which processes.
        sandbox: How submissions are contained; ``none`` is an explicit choice.
        regrade: What of what is graded to grade again; None for nothing.
        students: Only these; all when empty.
        scale: The notebooks' ``scale``.
        memory: Bytes of memory for a submission; None for the usual.
    """

    where: Where = field(default_factory=Where)
    sandbox: SandboxKind = "bubblewrap"
    regrade: Regrade | None = None
    students: tuple[str, ...] = ()
    scale: str = "small"
    memory: int | None = None


@dataclass
class Summary:
    """What a run did.

    Attributes:
        graded: student/notebook -> how many questions it had by verdict, of what this run graded.
        unchanged: Notebooks that were graded already.
        outdated: Of those, how many were judged by other tests than are there now.
        ungradable: student/notebook -> reason: they wait for a person.
        review: Notebooks of this run with something for a person to mark.
        damage: What the journal lost, for people.
        cpu_seconds: CPU time of the submissions of this run.
    """

    graded: dict[str, Counter[str]] = field(default_factory=dict)
    unchanged: int = 0
    outdated: int = 0
    ungradable: dict[str, str] = field(default_factory=dict)
    review: int = 0
    damage: list[str] = field(default_factory=list)
    cpu_seconds: float = 0.0

    def add(self, graded: Graded) -> None:
        """Count one more."""
        name = f"{graded.student}/{graded.notebook}"
        result = graded.result.questions
        self.graded[name] = Counter(str(question.verdict) for question in result)
        self.review += any(question.verdict == "awaiting_review" for question in result)
        reason = next((q.reason for q in result if q.verdict == "ungradable" and q.reason), None)
        if reason is not None:
            self.ungradable[name] = reason.summary
        self.cpu_seconds += graded.cpu_seconds


def grade_lab(
    course: Course,
    lab: Lab,
    options: Options,
    progress: ClassProgress,
    *,
    grade: Callable[[Job], Graded] | None = None,
) -> Summary:
    """Grade what was handed in for a lab and is not graded yet, and write it into the gradebook.

    What is done is kept however the run ends: a second run goes on where this one was.

    Args:
        course: The course, with its ``solutions/``.
        lab: One of its labs.
        options: How to grade.
        progress: Told what happens.
        grade: In place of `w251lab.grading.worker.grade`; workers import it by name.

    Raises:
        UsageError: Nothing was handed in, or the course has no ``solutions/``.
        JournalError: Another grader is at work on this course, or the disk is full.
        SandboxError: Submissions would see the course.
        W251Error: See `schedule`, `open_writer`.
        KeyboardInterrupt: After the workers have ended; what was graded is kept.
    """
    if not lab.solutions.is_dir():
        raise UsageError(
            f"{lab.solutions} is not there: without the source there are no hidden tests to grade by.",
            "Grade in the course's own folder, not in a student's copy.",
        )
    if options.sandbox == "bubblewrap" and options.where.cluster is None:
        refuse_course_in_sight(course.root)
    with ExitStack() as stack:
        stack.enter_context(Lock(course.root))
        journal = stack.enter_context(Journal(course.root / FOLDER / f"{lab.name}.journal"))
        run = _Grading(course, lab, options, journal, progress)
        workers = stack.enter_context(Ahead(options.where, run.likely(), run.shared_jobs))
        run.read()
        if not run.todo:
            run.write_what_is_left()
            return run.summary
        client = workers.client(len(run.todo))
        from w251lab.grading import worker  # noqa: PLC0415 - loads dask

        run.run(client, grade or worker.grade)
        return run.summary


class _Grading:
    """One run of `grade_lab`."""

    def __init__(self, course: Course, lab: Lab, options: Options, journal: Journal, progress: ClassProgress) -> None:
        self.course, self.lab, self.options, self.journal, self.progress = course, lab, options, journal, progress
        self.summary = Summary(damage=list(journal.damage))
        self.parts: dict[str, Part] = {}
        self.todo: list[Todo] = []
        self.submissions: dict[str, Submission] = {}
        self.unwritten: set[str] = set()
        self.notes: dict[str, list[str]] = {}

    def likely(self) -> int:
        """How many notebooks there may be to grade, by the folders' names alone: so many workers are started ahead."""
        known = Counter(entry.student for entry in self.journal.entries())
        there = {path.parent.name for path in (self.course.root / "submitted").glob(f"*/{self.lab.name}")}
        if self.options.students:
            there &= set(self.options.students)
        new = there if self.options.regrade else there - known.keys()
        return len(new) * len(self.lab.notebooks)

    def shared_jobs(self) -> list[Job]:
        """The jobs of the lab's notebooks, without a student and without files: what is known before all is read."""
        from w251lab.course.notebook import read_notebook  # noqa: PLC0415 - nbformat takes long, too
        from w251lab.grading.part import shared_job  # noqa: PLC0415

        return [
            shared_job(
                self.lab,
                entry,
                read_notebook(self.lab.reference / f"{entry.name}.ipynb"),
                files={},
                **self._terms(),
            )
            for entry in self.lab.notebooks
        ]

    def _terms(self) -> Terms:
        options = self.options
        limit = self.lab.limits[options.scale]
        limits = Limits(cell=limit.cell, notebook=limit.notebook)
        return {
            "limits": limits if options.memory is None else replace(limits, memory=options.memory),
            "parameters": {"device": "gpu" if options.where.gpus else "cpu", "scale": options.scale},
            "sandbox": options.sandbox,
            "gpu": options.where.gpus[0] if options.where.gpus else None,
        }

    def read(self) -> None:
        """Find out what has to be graded, and what is graded and not yet in the gradebook."""
        from w251lab.grading import plan  # noqa: PLC0415 - nbgrader takes seconds
        from w251lab.grading.intake import find_submissions  # noqa: PLC0415

        options = self.options
        self.parts = plan.make_parts(self.course, self.lab, **self._terms())
        for submission in find_submissions(self.course, self.lab, options.students):
            self.submissions[submission.student] = submission
            for name, part in self.parts.items():
                digest = plan.digest_of(submission, name)
                known = self.journal.latest(submission.student, name)
                what = plan.decide(known, digest, part.basis, options.regrade)
                if what is not False:
                    assert what is not True
                    self.todo.append(plan.Todo(submission, name, digest, what))
                    continue
                assert known is not None
                self.summary.unchanged += 1
                self.summary.outdated += bool(plan.outdated(known, part.basis))
                if not self._in_gradebook(known, submission):
                    self.unwritten.add(submission.student)

    def _in_gradebook(self, entry: Entry, submission: Submission) -> bool:
        layout = self._layout
        if not layout.has_gradebook() or not layout.autograded(entry.student, self.lab.name).is_dir():
            return False
        told = all(path.is_file() for path in pages(layout, self.lab, entry.student))
        return told and self.journal.is_written(entry.fingerprint, submission.timestamp)

    @cached_property
    def _layout(self) -> Layout:
        from w251lab.grading.layout import Layout  # noqa: PLC0415

        return Layout(self.course)

    def write_what_is_left(self) -> None:
        """Bring the gradebook up to what the journal has."""
        if self.unwritten:
            with self._recorder() as recorder:
                for student in sorted(self.unwritten):
                    recorder.put(student)

    def _recorder(self) -> Recorder:
        return Recorder(self.course, self.lab, self.journal, self.submissions)

    def run(self, client: Client, grade: Callable[[Job], Graded]) -> None:
        """Grade what is to do, and write it as it comes."""
        from w251lab.grading.schedule import schedule  # noqa: PLC0415 - loads dask

        totals = Counter(todo.notebook for todo in self.todo)
        self.progress.begin(self.lab.name, dict(totals))
        waiting = Counter(todo.submission.student for todo in self.todo)
        digests = {(todo.submission.student, todo.notebook): todo for todo in self.todo}
        with self._recorder() as recorder:
            for student in sorted(self.unwritten - waiting.keys()):
                recorder.put(student)

            def keep(graded: Graded) -> None:
                self._keep(graded, digests[graded.student, graded.notebook])
                waiting[graded.student] -= 1
                if not waiting[graded.student]:
                    recorder.put(graded.student)
                recorder.check()

            results = schedule(
                client,
                [part.job for part in self.parts.values()],
                self._jobs(keep),
                grade,
                ungradable=self._ungradable,
                watch=self.progress,
            )
            try:
                for graded in results:
                    notes = self.notes.pop(f"{graded.student}/{graded.notebook}", [])
                    keep(replace(graded, repairs=(*notes, *graded.repairs)))
            finally:
                results.close()  # type: ignore[attr-defined]  # it is a generator

    def _jobs(self, keep: Callable[[Graded], None]) -> Iterator[Job]:
        """The jobs, read one by one. What needs no worker (nothing handed in, unreadable) is kept at once."""
        from w251lab.course.notebook import UnreadableNotebookError  # noqa: PLC0415
        from w251lab.grading import intake, plan  # noqa: PLC0415

        for todo in self.todo:
            submission, part = todo.submission, self.parts[todo.notebook]
            about = (submission.student, self.lab, part.entry, part.job.source)
            decided = None
            if todo.notebook in submission.notebooks:
                try:
                    job, notes = plan.make_job(self.course, self.lab, part, todo)
                except UnreadableNotebookError as error:
                    decided = intake.ungraded(*about, reason=error.what)
            elif submission.notebooks:
                decided = intake.not_handed_in(*about)
            else:
                why = " ".join(["No notebook of the lab was handed in.", *submission.notes])
                decided = intake.ungraded(*about, reason=why)
            if decided is not None:
                self.progress.decided(todo.notebook)
                keep(replace(decided, repairs=submission.notes))
                continue
            self.notes[f"{job.student}/{job.notebook}"] = notes
            yield job

    def _ungradable(self, job: Job, reason: str) -> Graded:
        from w251lab.grading.intake import ungraded  # noqa: PLC0415

        part = self.parts[job.notebook]
        whole = ungraded(job.student, self.lab, part.entry, part.job.source, reason=reason, fingerprint=job.fingerprint)
        if job.questions is None:
            return whole
        asked = tuple(question for question in whole.result.questions if question.name in job.questions)
        return replace(whole, result=replace(whole.result, questions=asked))

    def _keep(self, graded: Graded, todo: Todo) -> None:
        """Into the journal: with the questions of before, where only some were graded again."""
        from w251lab.grading import intake  # noqa: PLC0415

        basis: Mapping[str, str] = self.parts[graded.notebook].basis
        known = self.journal.latest(graded.student, graded.notebook)
        if todo.questions is not None and known is not None:
            from w251lab.grading import plan  # noqa: PLC0415
            from w251lab.grading.writer import merge  # noqa: PLC0415 - nbgrader's database takes seconds

            basis = {name: basis[name] if name in todo.questions else known.basis.get(name, "") for name in basis}
            earlier, source = self.journal.read(known), self.parts[graded.notebook].job.source
            executed = plan.with_earlier_outputs(earlier.executed, graded.executed, source, todo.questions)
            graded = replace(merge(earlier, graded), executed=executed)
        verdicts = {question.name: str(question.verdict) for question in graded.result.questions}
        fingerprint = graded.fingerprint
        if fingerprint in ("", intake.NOT_HANDED_IN):
            fingerprint = f"decided {graded.student} {todo.digest}"
        self.journal.add(
            Entry(fingerprint, graded.student, graded.notebook, todo.digest, dict(basis), verdicts), graded
        )
        self.summary.add(graded)
