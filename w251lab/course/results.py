"""What a run of the labs found: typed verdicts per test cell, question and notebook, and their JSON form."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from w251lab.course.environment import Environment

#: Version of the layout of ``results.json``; raised when a field changes its meaning or goes away.
SCHEMA_VERSION = 1


class Outcome(StrEnum):
    """What happened to one code cell when the notebook ran."""

    COMPLETED = "completed"
    ERROR = "error"
    TIMED_OUT = "timed_out"
    KERNEL_DIED = "kernel_died"
    NOT_RUN = "not_run"


class Verdict(StrEnum):
    """The judgement on a test cell or a question. Only ``PASSED`` (or partial credit) earns points."""

    PASSED = "passed"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    KERNEL_DIED = "kernel_died"
    NOT_RUN = "not_run"
    TAMPERED = "tampered"
    UNGRADABLE = "ungradable"
    AWAITING_REVIEW = "awaiting_review"


@dataclass(frozen=True)
class Reason:
    """Why a verdict is not ``passed``.

    Attributes:
        summary: One line.
        traceback: The last lines of the traceback without terminal colours; may be empty.
    """

    summary: str
    traceback: str = ""


@dataclass(frozen=True)
class TestResult:
    """One test cell. ``earned`` and ``points`` are nbgrader points; ``seconds`` is None where it never ran."""

    __test__ = False  # tells pytest that this is no test class

    grade_id: str
    verdict: Verdict
    earned: float
    points: float
    seconds: float | None = None
    reason: Reason | None = None


@dataclass(frozen=True)
class QuestionResult:
    """One question: a solution cell and its test cells, or a manually graded answer (no tests).

    ``earned`` of a manual question is 0 until a person has graded it; its points are counted apart.
    """

    name: str
    title: str
    verdict: Verdict
    earned: float
    points: float
    manual: bool = False
    seconds: float | None = None
    reason: Reason | None = None
    tests: tuple[TestResult, ...] = ()

    @property
    def full_marks(self) -> bool:
        """Whether every automatically graded point was earned (a manual question has none)."""
        return self.verdict is (Verdict.AWAITING_REVIEW if self.manual else Verdict.PASSED)


@dataclass(frozen=True)
class CellProblem:
    """A code cell, graded or not, that should have completed and did not."""

    cell: str
    outcome: Outcome
    reason: Reason | None = None


@dataclass(frozen=True)
class NotebookResult:
    """One notebook.

    Attributes:
        lab: The lab's name.
        notebook: The notebook's name, without extension.
        title: The notebook's title in the catalog.
        questions: In the order of the source notebook.
        seconds: Wall-clock time of the run.
        device: What the notebook reported to have computed on, or None: unknown.
        cells: Code cells that should have completed.
        completed: Code cells known to have completed.
        problems: The cells that make up the difference.
        notes: What was restored or set aside before the run.
        judged_cells: Whether an ungraded cell that fails spoils the run. True for our own solutions, False for a
            student's notebook, where only points count.
    """

    lab: str
    notebook: str
    title: str
    questions: tuple[QuestionResult, ...]
    seconds: float = 0.0
    device: str | None = None
    cells: int = 0
    completed: int = 0
    problems: tuple[CellProblem, ...] = ()
    notes: tuple[str, ...] = ()
    judged_cells: bool = True

    @property
    def earned(self) -> float:
        """Points earned in automatically graded questions."""
        return sum(question.earned for question in self.questions if not question.manual)

    @property
    def points(self) -> float:
        """Points to be had in automatically graded questions."""
        return sum(question.points for question in self.questions if not question.manual)

    @property
    def review_points(self) -> float:
        """Points of the questions that a person grades."""
        return sum(question.points for question in self.questions if question.manual)

    @property
    def ok(self) -> bool:
        """Full marks, and for our own solutions also every cell completed."""
        return all(q.full_marks for q in self.questions) and not (self.judged_cells and self.problems)


@dataclass(frozen=True)
class RunResult:
    """One run of ``w251lab check``.

    Attributes:
        course: The course's title.
        subject: What was checked: ``solutions``, or the path of the submission as it was given.
        started: Start of the run in UTC, ISO 8601.
        seconds: Wall-clock time of the whole run.
        device: The device asked for (``auto``, ``cpu``, ``gpu``).
        scale: ``small`` or ``full``.
        parameters: Further notebook parameters.
        hidden_tests: Whether the hidden tests were at hand.
        environment: Machine and versions.
        notebooks: One result per notebook; never empty.
    """

    course: str
    subject: str
    started: str
    seconds: float
    device: str
    scale: str
    parameters: dict[str, Any]
    hidden_tests: bool
    environment: Environment
    notebooks: tuple[NotebookResult, ...]

    @property
    def ok(self) -> bool:
        """Whether there is at least one notebook and every one is ``ok``."""
        return bool(self.notebooks) and all(notebook.ok for notebook in self.notebooks)

    def totals(self) -> dict[str, float]:
        """Sums over the notebooks: points earned, possible, and awaiting review."""
        return {
            "earned": sum(n.earned for n in self.notebooks),
            "points": sum(n.points for n in self.notebooks),
            "review_points": sum(n.review_points for n in self.notebooks),
        }

    def to_dict(self) -> dict[str, Any]:
        """The content of ``results.json``: plain dictionaries, lists, strings and numbers."""
        data = asdict(self)
        for plain, notebook in zip(data["notebooks"], self.notebooks, strict=True):
            plain |= {
                "earned": notebook.earned,
                "points": notebook.points,
                "review_points": notebook.review_points,
                "ok": notebook.ok,
            }
        return {"schema_version": SCHEMA_VERSION, "ok": self.ok, "totals": self.totals()} | data
