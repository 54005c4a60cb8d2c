"""Answers that stand in a lab's ``answers/`` folder, put into its released notebook and handed in.

``answers/QUESTION/wrong_*.py`` and ``right_*.py`` are what the solution cell of the question holds. The first line says
what the student thought; the second line of a wrong one is ``# caught: KIND: TEXT``, the kind of error that has to stop
it and words that have to stand in its message or in the end of its traceback.
"""

from __future__ import annotations

import ast
import copy
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from w251lab.course.check import Checked, Options, check
from w251lab.course.notebook import canonical_bytes, cells, questions, read_notebook
from w251lab.course.results import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nbformat import NotebookNode

    from w251lab.course.catalog import Course, Lab, TimeLimit
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


def notebook_of(lab: Lab) -> str:
    return f"{lab.notebooks[0].name}.ipynb"


def graded_questions(lab: Lab) -> list[str]:
    """The names of the automatically graded questions, in order."""
    return [q.name for q in questions(read_notebook(lab.solutions / notebook_of(lab))) if not q.manual]


def planted(lab: Lab) -> dict[str, Planted]:
    """Question -> its planted answers, in the order of the questions."""
    released, ours = (
        {cell.key: cell.source for cell in cells(read_notebook(folder / notebook_of(lab)))}
        for folder in (lab.labs, lab.solutions)
    )
    return {
        name: Planted(
            tuple(_read(path) for path in sorted((HERE / lab.name / "answers" / name).glob("wrong_*.py"))),
            tuple(_read(path) for path in sorted((HERE / lab.name / "answers" / name).glob("right_*.py"))),
            Answer(name, "stub", released[name], "NotImplementedError"),
            Answer(name, "reference", ours[name]),
        )
        for name in graded_questions(lab)
    }


def _read(path: Path) -> Answer:
    source = path.read_text(encoding="utf-8")
    second = source.splitlines()[1]
    caught = second.removeprefix(CAUGHT) if second.startswith(CAUGHT) else ""
    return Answer(path.parent.name, path.stem, source, caught)


# --- group testing --------------------------------------------------------------------------------------------------


def group_plans(answers: Mapping[str, Planted]) -> list[dict[str, Answer]]:
    """Full runs that separate every ordered pair of questions: one is answered wrongly, the other rightly.

    Every question has a number. For each bit and each of its two values, one run has a wrong answer to exactly the
    questions whose bit has that value; any two numbers differ in a bit. So 2 * ceil(log2 n) runs do for n questions,
    and every question is answered wrongly, each time in another way, in half of them.
    """
    width = max((len(answers) - 1).bit_length(), 1)
    plans = []
    for bit in range(width):
        for value in (0, 1):
            plan = {}
            for number, (name, have) in enumerate(answers.items()):
                wrongly = (number >> bit) & 1 == value
                choices = have.wrong if wrongly else have.right
                plan[name] = choices[bit % len(choices)]
            plans.append(plan)
    return plans


def remaining(answers: Mapping[str, Planted], plans: list[dict[str, Answer]]) -> dict[str, list[Answer]]:
    """The answers that no plan holds, with the stub, and the reference solution last."""
    used = {(answer.question, answer.name) for plan in plans for answer in plan.values()}
    return {
        name: [a for a in (*have.wrong, have.stub, *have.right) if (name, a.name) not in used] + [have.reference]
        for name, have in answers.items()
    }


# --- handing in -----------------------------------------------------------------------------------------------------


def released(lab: Lab) -> NotebookNode:
    """The notebook that a student gets."""
    return read_notebook(lab.labs / notebook_of(lab))


def cell_of(nb: NotebookNode, key: str) -> Any:
    return nb["cells"][next(cell.index for cell in cells(nb) if cell.key == key)]


def answered(lab: Lab, sources: Mapping[str, str]) -> NotebookNode:
    """The released notebook with these texts in its solution cells."""
    nb = released(lab)
    for name, source in sources.items():
        cell_of(nb, name)["source"] = source
    return nb


def with_own_cell(nb: NotebookNode, after: str, name: str, source: str) -> NotebookNode:
    """The notebook with a cell of the student's own, which has no say in the score."""
    place = next(cell.index for cell in cells(nb) if cell.key == after) + 1
    own = {"cell_type": "code", "id": name, "metadata": {}, "execution_count": None, "outputs": [], "source": source}
    nb["cells"].insert(place, copy.deepcopy(nb["cells"][place - 1]) | own)
    return nb


def hand_in(course: Course, lab: Lab, nb: NotebookNode, folder: Path, limit: TimeLimit | None = None) -> Checked:
    """What ``w251lab check LAB --submission NOTEBOOK`` does."""
    path = folder / "handed in" / notebook_of(lab)
    path.parent.mkdir(parents=True)
    path.write_bytes(canonical_bytes(nb))
    if limit is not None:
        lab = replace(lab, limits=dict.fromkeys(lab.limits, limit))
        course = replace(course, labs=(lab,))
    return check(course, [lab.name], OPTIONS, submission=path)


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


def bench(
    course: Course, lab: Lab, trials: Mapping[str, list[Answer]], resets: Mapping[str, str], leave_out: set[str]
) -> Callable[[Path], Checked]:
    """Every answer followed by its question's tests, hidden ones included, in one run of the lab.

    Args:
        course: The course.
        lab: The lab.
        trials: Question -> the answers to try, in order.
        resets: Question -> what to run before each try, beside forgetting the names of the try before.
        leave_out: Ungraded cells that no test needs and that take long.
    """
    source = read_notebook(lab.solutions / notebook_of(lab))
    tests = {question.name: [test.index for test in question.tests] for question in questions(source)}
    graded = {index for indices in tests.values() for index in indices}
    nodes: list[Any] = []
    for node, cell in zip(source["cells"], cells(source), strict=True):
        if cell.key in trials:
            for answer in trials[cell.key]:
                reset = _reset(answer, trials[cell.key][-1], resets.get(cell.key, ""))
                nodes.append(_copy(node, f"reset__{cell.key}__{answer.name}", reset, solution=False, locked=True))
                nodes.append(_copy(node, f"{cell.key}__{answer.name}", answer.source))
                nodes += [
                    _copy(source["cells"][index], f"{cells(source)[index].key}__{answer.name}")
                    for index in tests[cell.key]
                ]
        elif cell.cell_type == "code" and cell.index not in graded and cell.key not in leave_out:
            nodes.append(node)

    def run(folder: Path) -> Checked:
        nb = copy.deepcopy(source)
        nb["cells"] = nodes
        root = folder / "bench"
        shutil.copytree(lab.solutions, root / "solutions" / lab.name, ignore=shutil.ignore_patterns("*.ipynb"))
        (root / "solutions" / lab.name / notebook_of(lab)).write_bytes(canonical_bytes(nb))
        return check(replace(course, root=root, labs=(replace(lab, course=root),)), [lab.name], OPTIONS)

    return run


def _copy(node: Any, grade_id: str, source: str | None = None, **flags: bool) -> Any:
    fresh = copy.deepcopy(node)
    fresh["id"] = grade_id.replace(".", "-")
    fresh["metadata"]["nbgrader"] |= {"grade_id": grade_id} | flags
    if source is not None:
        fresh["source"] = source
    return fresh


def _reset(answer: Answer, reference: Answer, more: str) -> str:
    """Forget what the try before has bound: an answer that binds nothing must not pass on its predecessor's."""
    names = set()
    for statement in ast.parse(reference.source).body:
        if isinstance(statement, ast.FunctionDef | ast.ClassDef):
            names.add(statement.name)
        elif isinstance(statement, ast.Assign):
            names |= {target.id for target in statement.targets if isinstance(target, ast.Name)}
    assert names, f"the solution of {answer.question} binds no name"
    return f"for name in {sorted(names)}:\n    globals().pop(name, None)\n{more}"
