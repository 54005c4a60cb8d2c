"""Answers that stand in a lab's ``answers/`` folder, put into its released notebooks and handed in.

``LAB/answers/QUESTION/wrong_*.py`` and ``right_*.py`` are what the solution cell of the question holds; a question's
name stands for it in the whole lab, whichever notebook it is in. The first line says what the student thought; the
second line of a wrong one is ``# caught: KIND: TEXT``, the kind of error that has to stop it and words that have to
stand in its message or in the end of its traceback.

Two kinds of cells more may stand there, for these tests alone:

- ``LAB/shorten.py`` runs before everything else in a notebook whose figures do not matter, and makes it measure less;
- ``LAB/answers/QUESTION/reset.py`` runs before each try of an answer where many are tried in one kernel, and undoes
  what an answer leaves beside the names that it binds: on a server, in a folder, in the lab's own data.
"""

from __future__ import annotations

import ast
import copy
import shutil
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from w251lab.course.catalog import load_course
from w251lab.course.check import Checked, Options, check
from w251lab.course.notebook import canonical_bytes, cells, questions, read_notebook
from w251lab.course.results import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nbformat import NotebookNode

    from w251lab.course.catalog import Course, Lab, NotebookEntry, TimeLimit
    from w251lab.course.results import NotebookResult, QuestionResult

HERE = Path(__file__).parent
CAUGHT = "# caught: "
#: Every run is on the CPU, whatever the machine has: these tests are about the grading.
OPTIONS = Options(device="cpu", scale="small")


@dataclass(frozen=True)
class Answer:
    """One planted answer: the text of its cell and, for a wrong one, what has to catch it."""

    question: str
    name: str
    source: str
    caught: str = ""


@dataclass(frozen=True)
class Planted:
    """The answers to one question; ``stub`` is what the release holds, ``reference`` our own solution."""

    wrong: tuple[Answer, ...]
    right: tuple[Answer, ...]
    stub: Answer
    reference: Answer


@dataclass(frozen=True, eq=False)
class Notebook:
    """One notebook of a lab, in a course that has nothing else: it is run and judged apart from the lab's others.

    Attributes:
        course: That course.
        lab: The lab, with this notebook only.
        is_first: Of the whole course's notebooks.
    """

    course: Course
    lab: Lab
    is_first: bool

    @property
    def name(self) -> str:
        return f"{self.lab.name}/{self.lab.notebooks[0].name}"

    @property
    def file(self) -> str:
        return f"{self.lab.notebooks[0].name}.ipynb"

    @property
    def tests(self) -> Path:
        """What belongs to the lab in ``tests/labs/``."""
        return HERE / self.lab.name

    def source(self) -> NotebookNode:
        return read_notebook(self.lab.solutions / self.file)

    def released(self) -> NotebookNode:
        """What a student gets."""
        return read_notebook(self.lab.labs / self.file)

    @cached_property
    def graded(self) -> tuple[str, ...]:
        """The names of the automatically graded questions, in order."""
        return tuple(question.name for question in questions(self.source()) if not question.manual)

    @cached_property
    def answers(self) -> dict[str, Planted]:
        """Question -> its planted answers, in the order of the questions."""
        given, ours = ({cell.key: cell.source for cell in cells(nb)} for nb in (self.released(), self.source()))
        return {
            name: Planted(
                tuple(_read(path) for path in sorted((self.tests / "answers" / name).glob("wrong_*.py"))),
                tuple(_read(path) for path in sorted((self.tests / "answers" / name).glob("right_*.py"))),
                Answer(name, "stub", given[name], "NotImplementedError"),
                Answer(name, "reference", ours[name]),
            )
            for name in self.graded
        }

    @cached_property
    def plans(self) -> list[dict[str, Answer]]:
        """What is handed in: for each time, question -> answer. Of the course's notebooks the first is handed in."""
        return group_plans(self.answers) if self.is_first else []

    @cached_property
    def trials(self) -> dict[str, list[Answer]]:
        """Question -> the answers that no plan holds, with the stub, and the reference solution last."""
        used = {(answer.question, answer.name) for plan in self.plans for answer in plan.values()}
        return {
            name: [a for a in (*have.wrong, have.stub, *have.right) if (name, a.name) not in used] + [have.reference]
            for name, have in self.answers.items()
        }


def notebooks(root: Path) -> dict[str, Notebook]:
    """``lab/notebook`` -> each notebook of the course in ``root``."""
    course = load_course(root)
    every = [alone(course, lab, entry) for lab in course.labs for entry in lab.notebooks]
    return {notebook.name: notebook for notebook in every}


def alone(course: Course, lab: Lab, entry: NotebookEntry) -> Notebook:
    only = replace(lab, notebooks=(entry,))
    return Notebook(replace(course, labs=(only,)), only, is_first=(lab, entry) == (course.labs[0], lab.notebooks[0]))


def _read(path: Path) -> Answer:
    source = path.read_text(encoding="utf-8")
    _, second, *_ = [*source.splitlines(), "", ""]
    caught = second.removeprefix(CAUGHT) if second.startswith(CAUGHT) else ""
    return Answer(path.parent.name, path.stem, source, caught)


# --- group testing --------------------------------------------------------------------------------------------------


def group_size(questions: int) -> int:
    """How many group runs a notebook with so many questions takes: ceil(log2), and at least two."""
    return max((questions - 1).bit_length(), 2)


def group_plans(answers: Mapping[str, Planted]) -> list[dict[str, Answer]]:
    """Hand-ins that separate every question from each one before it: the earlier is wrong, the later right, in one.

    A kernel runs the cells in order, so an answer can cost its own question and those after it, no earlier one. The
    questions get different sets of runs to be wrong in, none a smaller one than that of a later question; so no set is
    a part of a later one. The sets of about half of the runs are taken first: all but the first and the last question
    are answered rightly as well as wrongly, and these two are, too, unless every set is needed.
    """
    lacking = [name for name, have in answers.items() if not (have.wrong and have.right)]
    assert not lacking, f"no wrong or no right answers are planted to {lacking}"
    runs = group_size(len(answers))
    sets = sorted(range(2**runs), key=lambda runs_wrong: (abs(2 * runs_wrong.bit_count() - runs), -runs_wrong))
    chosen = sorted(sets[: len(answers)], key=int.bit_count, reverse=True)
    plans: list[dict[str, Answer]] = []
    for run in range(runs):
        plan = {}
        for (name, have), wrong_in in zip(answers.items(), chosen, strict=True):
            choices = have.wrong if wrong_in >> run & 1 else have.right
            plan[name] = choices[run % len(choices)]
        plans.append(plan)
    return plans


# --- handing in -----------------------------------------------------------------------------------------------------


def cell_of(nb: NotebookNode, key: str) -> Any:
    return nb["cells"][next(cell.index for cell in cells(nb) if cell.key == key)]


def answered(notebook: Notebook, sources: Mapping[str, str]) -> NotebookNode:
    """The released notebook with these texts in its solution cells, and made short."""
    nb = shortened(notebook, notebook.released())
    for name, source in sources.items():
        cell_of(nb, name)["source"] = source
    return nb


def with_own_cell(nb: NotebookNode, after: str, name: str, source: str) -> NotebookNode:
    """The notebook with a cell of the student's own, which has no say in the score."""
    place = next(cell.index for cell in cells(nb) if cell.key == after) + 1
    own = {"cell_type": "code", "id": name, "metadata": {}, "execution_count": None, "outputs": [], "source": source}
    nb["cells"].insert(place, copy.deepcopy(nb["cells"][place - 1]) | own)
    return nb


def shortened(notebook: Notebook, nb: NotebookNode) -> NotebookNode:
    """The notebook with the lab's ``shorten.py``, where it has one, right after the parameters."""
    file = notebook.tests / "shorten.py"
    if not file.is_file():
        return nb
    parameters = next(cell.key for cell in cells(nb) if "parameters" in cell.tags)
    return with_own_cell(nb, parameters, "shorten", file.read_text(encoding="utf-8"))


def hand_in(notebook: Notebook, nb: NotebookNode, folder: Path, limit: TimeLimit | None = None) -> Checked:
    """What ``w251lab check LAB --submission NOTEBOOK`` does."""
    path = folder / "handed in" / notebook.file
    path.parent.mkdir(parents=True)
    path.write_bytes(canonical_bytes(nb))
    course, lab = notebook.course, notebook.lab
    if limit is not None:
        course = replace(course, labs=(replace(lab, limits=dict.fromkeys(lab.limits, limit)),))
    return check(course, [lab.name], OPTIONS, submission=path)


def judged(checked: Checked) -> NotebookResult:
    """The result of the only notebook."""
    (result,) = checked.result.notebooks
    return result


def verdicts(result: NotebookResult) -> dict[str, str]:
    return {question.name: str(question.verdict) for question in result.questions if not question.manual}


def complaint(result: QuestionResult, answer: Answer) -> str:
    """What is wrong with the judgement on a planted answer; empty where it is as it should be."""
    said = "" if result.reason is None else result.reason.summary
    where = f"{answer.question}/{answer.name}: {result.verdict}, {result.earned:g} of {result.points:g}, {said!r}"
    if not answer.caught:
        right = result.verdict is Verdict.PASSED and result.earned == result.points
        return "" if right else f"a right answer is refused: {where}"
    if result.verdict is not Verdict.FAILED or result.earned or result.reason is None:
        return f"a wrong answer is not caught: {where}"
    kind, _, text = answer.caught.partition(": ")
    plain = said.removeprefix("in the solution cell: ")
    if plain.partition(":")[0] != kind or text not in f"{said}\n{result.reason.traceback}":
        return f"caught by something else than {answer.caught!r}: {where}\n{result.reason.traceback}"
    return ""


# --- one kernel for many answers --------------------------------------------------------------------------------------


def bench(notebook: Notebook, folder: Path) -> Checked:
    """Every trial followed by its question's tests, hidden ones included, in one run of our own notebook."""
    lab, trials = notebook.lab, notebook.trials
    nb = shortened(notebook, notebook.source())
    tests = {question.name: [test.index for test in question.tests] for question in questions(nb)}
    graded = {index for indices in tests.values() for index in indices}
    nodes: list[Any] = []
    for node, cell in zip(nb["cells"], cells(nb), strict=True):
        if cell.key in trials:
            for answer in trials[cell.key]:
                reset = _reset(notebook, answer, trials[cell.key][-1])
                nodes.append(_copy(node, f"reset__{cell.key}__{answer.name}", reset, solution=False, locked=True))
                nodes.append(_copy(node, f"{cell.key}__{answer.name}", answer.source))
                nodes += [
                    _copy(nb["cells"][index], f"{cells(nb)[index].key}__{answer.name}") for index in tests[cell.key]
                ]
        elif cell.cell_type == "code" and cell.index not in graded:
            nodes.append(node)
    nb["cells"] = nodes
    root = folder / "bench"
    shutil.copytree(lab.solutions, root / "solutions" / lab.name, ignore=shutil.ignore_patterns("*.ipynb"))
    (root / "solutions" / lab.name / notebook.file).write_bytes(canonical_bytes(nb))
    return check(replace(notebook.course, root=root, labs=(replace(lab, course=root),)), [lab.name], OPTIONS)


def _copy(node: Any, grade_id: str, source: str | None = None, **flags: bool) -> Any:
    fresh = copy.deepcopy(node)
    fresh["id"] = grade_id.replace(".", "-")
    fresh["metadata"]["nbgrader"] |= {"grade_id": grade_id} | flags
    if source is not None:
        fresh["source"] = source
    return fresh


def _reset(notebook: Notebook, answer: Answer, reference: Answer) -> str:
    """Forget what the try before has bound: an answer that binds nothing must not pass on its predecessor's."""
    names = set()
    for statement in ast.parse(reference.source).body:
        if isinstance(statement, ast.FunctionDef | ast.ClassDef):
            names.add(statement.name)
        elif isinstance(statement, ast.Assign | ast.AnnAssign):
            names |= {node.id for node in ast.walk(statement) if isinstance(node, ast.Name) and _bound(node)}
    assert names, f"the solution of {answer.question} binds no name"
    file = notebook.tests / "answers" / answer.question / "reset.py"
    more = file.read_text(encoding="utf-8") if file.is_file() else ""
    return f"[globals().pop(name, None) for name in {sorted(names)}]\n{more}"


def _bound(node: ast.Name) -> bool:
    return isinstance(node.ctx, ast.Store)
