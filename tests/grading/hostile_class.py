"""A class of hostile, broken and honest students for one run of the grader.

``hostile/KIND.txt`` is what a student writes into a cell. Its first lines say what it tries, where it stands and what
it has to come to; ``@COURSE@``, ``@CANARY@``, ``@PORT@`` and ``@MARK@`` are filled in.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import little_course as little

from w251lab.course.notebook import cells, to_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

FOLDER = Path(__file__).with_name("hostile")
CODED = tuple(little.POINTS)
UNGRADABLE = dict.fromkeys((*CODED, little.ESSAY), frozenset({"ungradable"}))


@dataclass(frozen=True)
class Student:
    """One submission and what has to come of it.

    Attributes:
        content: The notebook as it is handed in; None for none.
        verdicts: Question -> the verdicts that are right.
        earned: Question -> exact points, where they are certain.
        files: Other files beside the notebook.
    """

    content: bytes | None
    verdicts: dict[str, frozenset[str]] = field(default_factory=dict)
    earned: dict[str, float] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)


def hostile(fill: dict[str, str]) -> dict[str, Student]:
    """Kind -> student, of the cells in `FOLDER`; ``fill`` replaces the words between ``@``."""
    return {path.stem: _cell(path.read_text(encoding="utf-8"), fill) for path in sorted(FOLDER.glob("*.txt"))}


def _cell(text: str, fill: dict[str, str]) -> Student:
    head = re.findall(r"^# ([\w ]+): (.+)$", text, re.MULTILINE)
    places = dict(head)
    for word, value in fill.items():
        text = text.replace(f"@{word}@", value)
    wrong = places.get("answers") == "wrong"
    answers = dict(little.WRONG) if wrong else {}
    # Of wrong answers one question has a visible test that they pass.
    verdicts = {name: frozenset({"failed"} if wrong else {"passed"}) for name in CODED}
    for key, said in head:
        if key == "expect":
            name, _, words = said.partition(" = ")
            right = frozenset(words.split(" | "))
            verdicts |= dict.fromkeys(CODED, right) if name == "rest" else {name: right}
    if "answer" in places:
        nb = little.answered(answers | {places["answer"]: text})
    else:
        nb = little.add_cell(little.answered(answers), text, before=places["own cell before"])
    return Student(to_bytes(nb), verdicts)


def _passed(content: bytes) -> Student:
    return Student(content, dict.fromkeys(CODED, frozenset({"passed"})), dict(little.POINTS))


def _changed(change: Callable[[Any], None]) -> bytes:
    nb = little.answered()
    change(nb)
    return json.dumps(nb).encode()


def _at(nb: Any, name: str) -> Any:
    return nb["cells"][little.place(nb, name)]


def _without(*names: str) -> bytes:
    nb = little.answered()
    nb["cells"] = [node for node, cell in zip(nb["cells"], cells(nb), strict=True) if cell.key not in names]
    return json.dumps(nb).encode()


def _edited(nb: Any) -> None:
    _at(nb, "total-test")["source"] = "pass"
    _at(nb, "normalise-test")["source"] = "assert True"


def _forged(nb: Any) -> None:
    for node in nb["cells"]:
        grader = node["metadata"].get("nbgrader")
        if grader and grader["grade"]:
            grader["points"] = 100
        if node["cell_type"] == "code":
            node["execution_count"] = 7
            node["outputs"] = [
                {"output_type": "execute_result", "data": {"text/plain": "99"}, "metadata": {}, "execution_count": 7}
            ]
            node["metadata"]["w251lab"] = {"outcome": "completed", "seconds": 0.1}


def _unlocked(nb: Any) -> None:
    for node in nb["cells"]:
        node["metadata"].pop("nbgrader", None)


def _doubled(nb: Any) -> None:
    nb["cells"].append(dict(_at(nb, "total-test"), source="pass"))


def _old_format() -> bytes:
    """The same notebook in format 3, as it was written before 2015."""
    sheet = []
    for node in little.answered()["cells"]:
        cell = {"cell_type": node["cell_type"], "metadata": dict(node["metadata"])}
        if node["cell_type"] == "code":
            cell |= {"input": node["source"], "language": "python", "outputs": [], "collapsed": False}
        else:
            cell["source"] = node["source"]
        sheet.append(cell)
    return json.dumps(
        {"metadata": {"name": ""}, "nbformat": 3, "nbformat_minor": 0, "worksheets": [{"cells": sheet}]}
    ).encode()


def broken() -> dict[str, Student]:
    """Kind -> student, of notebooks that are broken as files, or whose cells are not what was handed out."""
    perfect = little.submission()
    wrong = little.answered(little.WRONG)
    _forged(wrong)
    return {
        "empty_file": Student(b"", UNGRADABLE),
        "corrupt_json": Student(perfect[: len(perfect) // 2], UNGRADABLE),
        "json_of_something_else": Student(b"[1, 2, 3]", UNGRADABLE),
        "not_utf_8": Student(b"\xff\xfe\x00" + perfect, UNGRADABLE),
        "deeply_nested": Student(b"[" * 200_000, UNGRADABLE),
        "nothing_handed_in": Student(None, UNGRADABLE),
        "deleted_tests": _passed(_without("total-test", "normalise-test")),
        "edited_tests": _passed(_changed(_edited)),
        "cells_in_reverse": Student(_changed(lambda nb: nb["cells"].reverse()), {"row_means": frozenset({"passed"})}),
        "forged_results": Student(
            json.dumps(wrong).encode(),
            dict.fromkeys(CODED, frozenset({"failed"})),
            dict.fromkeys(CODED, 0.0) | {"normalise": 1.0},
        ),
        "unlocked_cells": _passed(_changed(_unlocked)),
        "old_format": _passed(_old_format()),
        "new_format": _passed(_changed(lambda nb: nb.update(nbformat_minor=99))),
        "kernel_of_another_language": _passed(
            _changed(lambda nb: nb["metadata"].update(kernelspec={"name": "ir", "display_name": "R", "language": "R"}))
        ),
        "shadows_numpy": Student(
            perfect, {}, {}, {"numpy.py": b"raise SystemExit(0)", "json.py": b"raise SystemExit(0)"}
        ),
        "doubled_test": Student(
            _changed(_doubled), {"total": frozenset({"passed", "tampered"}), "row_means": frozenset({"passed"})}
        ),
        "missing_answer": Student(
            _without("count_primes"),
            dict.fromkeys(CODED, frozenset({"passed"})) | {"count_primes": frozenset({"failed", "not_run"})},
            little.POINTS | {"count_primes": 0.0},
        ),
    }


def honest() -> dict[str, Student]:
    """Twenty students who did what they could, with the points that each question earns, exactly."""
    kinds = list(little.honest().values())
    found = {}
    for number in range(20):
        content, points = kinds[number % len(kinds)]
        found[f"honest_{number:02}"] = Student(content, {}, points)
    return found
