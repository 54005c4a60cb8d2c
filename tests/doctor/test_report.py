"""What a person and a program read."""

from __future__ import annotations

import io
import json
from pathlib import Path

from rich.console import Console

from w251lab.accelerator import Gpu, Machine
from w251lab.course.catalog import Lab
from w251lab.doctor.examination import Examination, Finding, Verdict
from w251lab.doctor.facts import Facts
from w251lab.doctor.report import as_json, remedies, tables

MACHINE = Machine("Linux [x]", "A processor", 1, 8 << 30, (Gpu("NVIDIA [H]", 2 << 30, "1.2", "9.0"),), "", "")
FACTS = Facts(MACHINE, "glibc 2.36", "CPython 3.11", 1 << 30, {"numpy": "2.4"}, Path("server"), {"numpy": ""})
PASSED = Finding("plots", "cpu", "passed", "a line", "", 1.0, required=True)
BROKEN = Finding("triton-server", "gpu", "failed", "It failed:\n  [why]\n  more", "w251lab setup", 2.0, required=True)
NOTED = Finding("docker", "cpu", "timed_out", "It did not end.", "restart [it]", 15.0, required=False)
LAB = Lab("01_lab", "A lab", "It computes.", ("triton-server",), (), {}, Path())


def text(found: Examination, width: int = 100) -> str:
    file = io.StringIO()
    console = Console(file=file, width=width, highlight=False)
    console.print(tables(FACTS, found))
    for remedy in remedies(found):
        console.print(remedy, soft_wrap=True)
    return file.getvalue()


def test_everything_missing_comes_with_its_remedy() -> None:
    shown = text(Examination("gpu", (PASSED, NOTED, BROKEN), (Verdict(LAB, "gpu", (BROKEN,)),)))
    assert "1 core " in shown
    assert "NVIDIA [H], 2 GiB, driver 1.2" in shown
    assert "no environment at server" in shown
    assert "no, it lacks: triton-server" in shown
    needed, optional = shown.index("needed triton-server on the GPU"), shown.index("optional docker")
    assert needed < optional
    assert "[why]" in shown[needed:optional]
    assert "what to do: w251lab setup" in shown[needed:optional]
    assert "restart [it]" in shown[optional:]
    assert "timed out" in shown


def test_a_sound_machine_has_no_remedies() -> None:
    shown = text(Examination("cpu", (PASSED,), (Verdict(LAB, "cpu", ()),)))
    assert "yes" in shown
    assert "what to do" not in shown


def test_it_fits_a_narrow_terminal() -> None:
    shown = text(Examination("gpu", (PASSED, NOTED, BROKEN), (Verdict(LAB, "gpu", (BROKEN,)),)), width=60)
    table, _, remedy = shown.partition("needed triton-server")
    assert max(map(len, table.splitlines())) <= 60
    assert "optional docker (the container route): It did not end.\n  what to do: restart [it]\n" in remedy


def test_json_says_the_same() -> None:
    said = json.loads(as_json(FACTS, Examination("gpu", (PASSED, NOTED, BROKEN), (Verdict(LAB, "gpu", (BROKEN,)),))))
    assert said["ok"] is False
    assert said["device"] == "gpu"
    assert said["labs"] == [
        {"name": "01_lab", "title": "A lab", "needs": ["triton-server"], "runs": False, "lacks": ["triton-server"]}
    ]
    assert [each["check"] for each in said["checks"]] == ["plots", "docker", "triton-server"]
    assert said["checks"][2]["said"] == BROKEN.said
    assert said["machine"]["gpus"][0]["name"] == "NVIDIA [H]"
    assert said["machine"]["packages"] == {"numpy": "2.4"}
