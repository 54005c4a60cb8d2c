"""What cells put out: a test's answer as outputs, what a notebook can hold, and what a student may be told of it."""

from __future__ import annotations

import builtins
import copy
import json
import re
from typing import TYPE_CHECKING, Any

import nbformat
from nbformat.validator import iter_validate

from w251lab.course.notebook import cells, view
from w251lab.grading.lab_tests import is_hidden

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from w251lab.grading.proctor import Answer

#: The error of a cell that asks for input.
NO_INPUT = "StdinNotImplementedError"


def say_why_no_input(node: NotebookNode) -> None:
    """Have a cell that asked for input say so, in place of jupyter's own words for it."""
    for output in node["outputs"]:
        if output["output_type"] == "error" and output["ename"] == NO_INPUT:
            output["evalue"] = "it waits for input, and nobody is there to give it"


def outputs_of(answer: Answer) -> list[Any]:
    """What a test put out, as the notebook's outputs."""
    outputs = [
        nbformat.v4.new_output("stream", name=name, text=text)  # type: ignore[no-untyped-call]
        for name, text in (("stdout", answer.out), ("stderr", answer.err))
        if text
    ]
    if answer.value:
        outputs.append(nbformat.v4.new_output("execute_result", {"text/plain": answer.value}))  # type: ignore[no-untyped-call]
    if answer.outcome == "error":
        trace = [*answer.traceback, f"{answer.ename}: {answer.evalue}"]
        outputs.append(nbformat.v4.new_output("error", ename=answer.ename, evalue=answer.evalue, traceback=trace))  # type: ignore[no-untyped-call]
    return outputs


def storable(executed: NotebookNode) -> NotebookNode:
    """Leave out, in place, what a kernel said that no notebook can hold: whoever reads it next must be able to."""
    for index, node in enumerate(executed["cells"]):
        if node["cell_type"] != "code":
            continue
        if node["execution_count"] is not None and type(node["execution_count"]) is not int:
            node["execution_count"] = index + 1
        kept = [output for output in node["outputs"] if _is_output(output)]
        if len(kept) < len(node["outputs"]):
            note = "[an output that no notebook can hold was left out]\n"
            kept.append(nbformat.v4.new_output("stream", name="stderr", text=note))  # type: ignore[no-untyped-call]
        node["outputs"] = kept
    return executed


def _is_output(output: object) -> bool:
    try:
        json.dumps(output, ensure_ascii=False).encode()
        return not list(iter_validate(output, ref="output", version=4, version_minor=5, relax_add_props=True))  # type: ignore[no-untyped-call]
    except (ValueError, TypeError, RecursionError):
        return False


def without_hidden(executed: NotebookNode, answers: dict[str, Answer]) -> NotebookNode:
    """A copy in which no error of a hidden test says what it compares: neither its message nor its lines.

    What stays is the error's class and the student's own lines on the way to it: only what stands in the notebook. The
    name of a class, a function or a file can be made while the test runs, of what the test says.
    """
    judged = copy.deepcopy(executed)
    own = {line.strip() for cell in cells(executed) if not cell.is_locked for line in cell.source.splitlines()}
    words = set(re.findall(r"\w+", "\n".join(own))) | set(vars(builtins))
    for index, node in enumerate(judged["cells"]):
        cell = view(node, index)
        answer = answers.get(cell.grade_id)
        if answer is None or answer.outcome != "error" or not is_hidden(cell.source, answer.line):
            continue
        name = answer.ename if answer.ename in words else "an error"
        shown = [line for line in answer.traceback if line.strip() and line.strip() in own]
        for output in node["outputs"]:
            if output["output_type"] == "error":
                output["ename"], output["evalue"] = name, "in a hidden test"
                output["traceback"] = ["Traceback (most recent call last):", *shown] if shown else []
        node["metadata"]["w251lab"]["reason"] = f"{name} in a hidden test"
    return judged
