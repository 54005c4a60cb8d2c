"""What goes into grading one submission and what comes out of it: bytes and plain values, never a path or a pickle."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from w251lab.course.results import CellProblem, NotebookResult, Outcome, QuestionResult, Reason, TestResult, Verdict
from w251lab.errors import W251Error

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Version of what a grading decides and of `Graded`'s JSON. Raised with either: an older journal is graded again.
VERSION = 1

SandboxKind = Literal["bubblewrap", "none"]


class SandboxError(W251Error):
    """This machine cannot contain a submission, or its kernel did not start: no student's fault, so no verdict."""


class GradedFormatError(W251Error):
    """Bytes that are no `Graded`: cut short, damaged, or of another version."""


#: How many threads a worker's kernels give to a numerical library; as many as there are cores where it is not set.
THREADS_VARIABLE = "W251LAB_THREADS"


@dataclass(frozen=True)
class Limits:
    """What one submission may use, over all of its processes together.

    Attributes:
        memory: Bytes of memory.
        processes: Processes and threads.
        file_size: Bytes of the largest file, and of all files in its temporary folder and home.
        output: Bytes of output of one cell; a cell that says more is stopped. The first megabyte is kept.
        cell: Wall-clock seconds of one cell.
        notebook: Wall-clock seconds of all cells.
    """

    memory: int = 4 * 1024**3
    processes: int = 256
    file_size: int = 1024**3
    output: int = 20_000_000
    cell: float = 60.0
    notebook: float = 300.0


@dataclass(frozen=True)
class Job:
    """One submitted notebook to grade.

    Attributes:
        student: Who handed it in (nbgrader's student id).
        lab: The lab's name.
        notebook: The notebook's name, without extension.
        submitted: The ``.ipynb`` as it was handed in; any bytes.
        source: Our notebook with the hidden tests, in canonical bytes.
        files: Relative POSIX path -> content: the other files beside the notebook; the course's own have won already.
        parameters: The notebook's parameters (``device``, ``scale``, further ones).
        limits: What it may use.
        imports: Names of modules that the template imports ahead for every submission of this lab.
        sandbox: How it is contained. ``none`` is an instructor's explicit choice.
        gpu: The GPU to compute on, as in ``CUDA_VISIBLE_DEVICES``; None for none.
        questions: Only these questions are judged (a regrade); None for all.
        title: The notebook's title in the catalog.
        needs: What the lab needs of a machine, in the words of ``w251lab doctor``: ``triton-server`` has the server's
            environment bound into the sandbox.
    """

    student: str
    lab: str
    notebook: str
    submitted: bytes
    source: bytes
    files: Mapping[str, bytes] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    imports: tuple[str, ...] = ()
    sandbox: SandboxKind = "bubblewrap"
    gpu: str | None = None
    questions: tuple[str, ...] | None = None
    title: str = ""
    needs: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """``student/lab/notebook``."""
        return f"{self.student}/{self.lab}/{self.notebook}"

    @property
    def fingerprint(self) -> str:
        """SHA-256, in hexadecimal digits, over everything that decides the result: the journal's key.

        Which of several GPUs computes does not decide it, and neither does what is imported ahead.
        """
        decides = {
            "version": VERSION,
            "student": self.student,
            "lab": self.lab,
            "notebook": self.notebook,
            "submitted": _digest(self.submitted),
            "source": _digest(self.source),
            "files": {name: _digest(content) for name, content in self.files.items()},
            "parameters": dict(self.parameters),
            "limits": asdict(self.limits),
            "sandbox": self.sandbox,
            "gpu": self.gpu is not None,
            "questions": self.questions,
            "needs": self.needs,
        }
        return _digest(json.dumps(decides, sort_keys=True, ensure_ascii=True).encode())


@dataclass(frozen=True)
class Graded:
    """What grading one submission found.

    Attributes:
        student: Who handed it in.
        lab: The lab's name.
        notebook: The notebook's name.
        fingerprint: Of the job.
        result: Its questions with their verdicts. After a regrade only of the questions that were asked for.
        executed: The notebook as it ran, with the hidden tests' text (for ``autograded/``); None where it did not run.
        repairs: What was put back, set aside or mended before the run, for people.
        sandbox: How it was contained.
        seconds: Wall-clock time from the start to the verdict.
        cpu_seconds: CPU time of the submission's processes, as far as it is known.
        worker: Where it ran: host and process.
    """

    student: str
    lab: str
    notebook: str
    fingerprint: str
    result: NotebookResult
    executed: bytes | None = None
    repairs: tuple[str, ...] = ()
    sandbox: SandboxKind = "bubblewrap"
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    worker: str = ""

    def to_bytes(self) -> bytes:
        """As JSON in UTF-8."""
        data = asdict(self) | {"version": VERSION}
        data["executed"] = None if self.executed is None else self.executed.decode()
        return json.dumps(data, ensure_ascii=True, allow_nan=False).encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> Graded:
        """Read what `to_bytes` wrote.

        Raises:
            GradedFormatError: It is something else.
        """
        try:
            data = json.loads(content)
            version = data.pop("version")
            if version != VERSION:
                raise GradedFormatError(f"A graded submission has version {version!r}, not {VERSION}.", "Grade again.")
            data["result"] = result_from_dict(data["result"])
            data["executed"] = None if data["executed"] is None else data["executed"].encode()
            data["repairs"] = tuple(data["repairs"])
            return cls(**data)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise GradedFormatError(f"A graded submission cannot be read: {error}.", "Grade it again.") from error


def result_from_dict(data: dict[str, Any]) -> NotebookResult:
    """A result from `dataclasses.asdict`'s form of it.

    Raises:
        KeyError, TypeError, ValueError: It is no such form.
    """
    questions = tuple(_question(question) for question in data["questions"])
    problems = tuple(
        CellProblem(problem["cell"], Outcome(problem["outcome"]), _reason(problem["reason"]))
        for problem in data["problems"]
    )
    return NotebookResult(**(data | {"questions": questions, "problems": problems, "notes": tuple(data["notes"])}))


def _question(data: dict[str, Any]) -> QuestionResult:
    return QuestionResult(**(_typed(data) | {"tests": tuple(TestResult(**_typed(test)) for test in data["tests"])}))


def _typed(data: dict[str, Any]) -> dict[str, Any]:
    return data | {"verdict": Verdict(data["verdict"]), "reason": _reason(data["reason"])}


def _reason(data: dict[str, str] | None) -> Reason | None:
    return None if data is None else Reason(**data)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
