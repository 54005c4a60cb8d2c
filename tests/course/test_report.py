from __future__ import annotations

import json
import shutil
import subprocess
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import nbformat
import pytest
from junitparser import JUnitXml
from rich.console import Console

from w251lab.course.environment import Environment
from w251lab.course.report import device_words, html, junit, shortcomings, table, write_report
from w251lab.course.results import (
    CellProblem,
    NotebookResult,
    Outcome,
    QuestionResult,
    Reason,
    RunResult,
    TestResult,
    Verdict,
)
from w251lab.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

REASON = Reason("AssertionError: <b>3</b> & not 2", "Traceback\n  assert x < 2\nAssertionError: <b>3</b>")


def result() -> RunResult:
    """A run with one of everything."""
    good = NotebookResult(
        "lab1",
        "good",
        "A good notebook",
        (QuestionResult("a", "Question a", Verdict.PASSED, 2, 2, seconds=0.5),),
        1.25,
        "cpu",
        3,
        3,
    )
    tests = (
        TestResult("b-one", Verdict.PASSED, 1, 1, 0.1),
        TestResult("b-two", Verdict.FAILED, 0, 2, 0.1, REASON),
    )
    questions = [
        QuestionResult("b", "Question b", Verdict.FAILED, 1, 3, seconds=0.2, reason=REASON, tests=tests),
        QuestionResult("words", "In words", Verdict.AWAITING_REVIEW, 0, 4, manual=True),
    ] + [
        QuestionResult(str(verdict), f"It is {verdict}", verdict, 0, 1, reason=Reason(f"because {verdict}"))
        for verdict in (
            Verdict.TIMED_OUT,
            Verdict.KERNEL_DIED,
            Verdict.NOT_RUN,
            Verdict.TAMPERED,
            Verdict.UNGRADABLE,
        )
    ]
    bad = NotebookResult(
        "lab2",
        "bad",
        "A bad notebook",
        tuple(questions),
        62.5,
        None,
        9,
        7,
        (CellProblem("demo", Outcome.ERROR, Reason("ZeroDivisionError: division by zero", "1 / 0")),),
        ("The locked cell setup was changed and was put back.",),
    )
    environment = Environment(
        "CPython 3.11.7", "Linux", "A processor", 2, 24.0, (), {"numpy": "2.4.6", "w251lab": "0.1.0"}
    )
    return RunResult(
        "A <course>",
        "solutions",
        "2026-01-01T00:00:00+00:00",
        70.0,
        "auto",
        "small",
        {"n": 3},
        True,
        environment,
        (good, bad),
    )


class _Text(HTMLParser):
    """Collects the text of a page, and checks that every tag that opens closes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.text, self.open, self.links = [], [], []
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.links += [value for name, value in attrs if name in {"src", "href"}]
        if tag not in {"meta", "br", "link", "col"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def test_html_says_everything_and_needs_nothing_else() -> None:
    page = _Text(html(result()))
    text = " ".join(" ".join(page.text).split())
    for words in (
        "A <course>",
        "3 / 10",
        "4 points await review",
        "AssertionError: <b>3</b> & not 2",
        "assert x < 2",
        "62.5 s",
        "auto → unknown",
        "auto → cpu",
        "kernel died",
        "tampered",
        "because ungradable",
        "A processor",
        "numpy 2.4.6",
        "The locked cell setup was changed",
        "ZeroDivisionError",
        "b-two",
    ):
        assert words in text
    assert page.links == []


def test_results_read_back(tmp_path: Path) -> None:
    nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("é \ud83d".encode("utf-8", "ignore").decode())])
    index = write_report(result(), {"lab1/good": nb}, tmp_path / "a report")
    assert index == tmp_path / "a report" / "index.html"
    data = json.loads((tmp_path / "a report" / "results.json").read_text())
    assert (data["schema_version"], data["ok"]) == (1, False)
    assert data["totals"] == {"earned": 3, "points": 10, "review_points": 4}
    assert data["notebooks"][1]["questions"][0]["tests"][1]["verdict"] == "failed"
    assert data["notebooks"][1]["device"] is None
    assert data["environment"]["packages"]["numpy"] == "2.4.6"
    assert nbformat.read(tmp_path / "a report" / "notebooks" / "lab1" / "good.ipynb", 4).cells[0].source == "é "
    write_report(result(), {"lab2/bad": nb}, tmp_path / "a report")
    assert [path.name for path in (tmp_path / "a report").rglob("*.ipynb")] == ["bad.ipynb"]


def test_only_what_an_earlier_report_left_is_removed(tmp_path: Path) -> None:
    nb = nbformat.v4.new_notebook()
    write_report(result(), {"lab1/good": nb}, tmp_path)
    mine = tmp_path / "notebooks" / "week1" / "mine.ipynb"
    mine.parent.mkdir()
    mine.write_text("mine")
    outside = tmp_path / "outside.ipynb"
    outside.write_text("mine")
    data = json.loads((tmp_path / "results.json").read_text())
    data["notebooks"] += [{"lab": "..", "notebook": "outside"}, "no entry", {"lab": 1}]
    (tmp_path / "results.json").write_text(json.dumps(data))
    write_report(result(), {"lab2/bad": nb}, tmp_path)
    assert {path.name for path in tmp_path.rglob("*.ipynb")} == {"mine.ipynb", "outside.ipynb", "bad.ipynb"}


@pytest.mark.parametrize("name", ["index.html", "junit.xml", "results.json", "notebooks/lab1/good.ipynb"])
@pytest.mark.parametrize("content", ["mine", "[]", '{"schema_version": 1}'])
def test_what_is_not_ours_is_not_overwritten(tmp_path: Path, name: str, content: str) -> None:
    mine = tmp_path / name
    mine.parent.mkdir(parents=True, exist_ok=True)
    mine.write_text(content)
    (tmp_path / "unrelated.txt").write_text("")
    with pytest.raises(UsageError, match="not from an earlier report"):
        write_report(result(), {"lab1/good": nbformat.v4.new_notebook()}, tmp_path)
    assert mine.read_text() == content
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 2


def test_junit_has_a_case_per_question(tmp_path: Path) -> None:
    path = tmp_path / "junit.xml"
    junit(result()).write(str(path))
    good, bad = JUnitXml.fromfile(str(path))
    assert (good.name, good.tests, good.failures, good.errors) == ("lab1/good", 2, 0, 0)
    assert (bad.tests, bad.failures, bad.errors, bad.skipped) == (8, 2, 5, 1)
    case = next(case for case in bad if case.name == "b")
    assert "AssertionError: <b>3</b> & not 2" in case.result[0].message
    assert "assert x < 2" in case.result[0].text
    assert {prop.name: prop.value for prop in bad.properties()}["device.used"] == "unknown"


def test_table_and_shortcomings() -> None:
    console = Console(width=160)
    with console.capture() as capture:
        console.print(table(result()))
    text = capture.get()
    for words in ("2 / 2", "1 / 8", "62.5", "auto → unknown", "7 / 9", "3 / 10"):
        assert words in text
    found = dict(shortcomings(result()))
    assert found["lab2/bad: b (1 / 3)"] == "failed. AssertionError: <b>3</b> & not 2."
    assert found["lab2/bad: cell demo"] == "error. ZeroDivisionError: division by zero."
    assert len(found) == 7


def test_unknown_is_shown_as_unknown() -> None:
    assert device_words("cpu", "cpu") == "cpu"
    assert device_words("auto", "gpu: X") == "auto → gpu: X"
    assert device_words("gpu", None) == "gpu → unknown"


def test_nothing_is_full_marks_by_being_empty() -> None:
    full = result()
    assert not RunResult(**(vars(full) | {"notebooks": ()})).ok
    assert RunResult(**(vars(full) | {"notebooks": full.notebooks[:1]})).ok


@pytest.mark.browser
def test_the_page_draws_in_a_browser(tmp_path: Path) -> None:
    index = write_report(result(), {}, tmp_path / "report")
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    picture = tmp_path / "page.png"
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--hide-scrollbars"]
    command = [browser, *flags, f"--user-data-dir={tmp_path}", f"--screenshot={picture}", "--window-size=1000,1800"]
    subprocess.run([*command, index.as_uri()], check=True, capture_output=True, timeout=120)
    assert picture.stat().st_size > 20_000
