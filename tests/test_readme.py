"""The documents say what is there: every command, option, path, link and error message in them exists."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import typer.main

from w251lab.cli import app
from w251lab.course import listing
from w251lab.course.catalog import load_course
from w251lab.triton.interpreters import SUPPORTED

if TYPE_CHECKING:
    from collections.abc import Iterator

    import click

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
# Written with a name that stands for others, or made by the commands around them.
MADE = {
    "report",
    "gradebook.db",
    "submitted",
    "autograded",
    "feedback",
    "grades.csv",
    "course.tar.gz",
    "dali.py",
    "timestamp.txt",
    "student_notebook.ipynb",
    ".grading",
}
STANDS_FOR_OTHERS = re.compile(r"02_name|NN_lab|NAME|STUDENT|QUESTION|/path/|\*|\.\.\.|/dev/|^/")
NBGRADER = {
    "generate_assignment",
    "autograde",
    "generate_feedback",
    "export",
    "validate",
    "collect",
    "release_feedback",
}
TYPE = re.compile(r"^(?!.*://)[\w./-]+/[\w./-]*$|^[\w-]+\.(?:md|py|toml|yml|ipynb|txt)$")


def documents(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def code(text: str) -> Iterator[str]:
    """Every line of a block of shell, and every inline code."""
    for language, block in re.findall(r"^ *```(\w*)\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL):
        if language == "sh":
            yield from (line.strip() for line in block.splitlines() if line.strip())
    for block in re.findall(r"^\n((?: {4}\S.*\n)+)", text, re.MULTILINE):
        yield from (line.strip() for line in block.splitlines())
    prose = re.sub(r"^ *```.*?^ *```", "", text, flags=re.MULTILINE | re.DOTALL)
    yield from re.findall(r"`([^`\n]+)`", prose)


def commands(program: str) -> list[tuple[str, list[str]]]:
    """(document, words after the program's name) of every use of a program; assignments before it are left out."""
    call = re.compile(rf"(?:[A-Z_]+=\S+ )*(?:\S*/)?{program}(?: (.*))?")
    return [
        (path.name, shlex.split(match[1] or "", comments=True))
        for path in DOCUMENTS
        for line in code(documents(path))
        if (match := call.fullmatch(line))
    ]


@pytest.fixture(scope="module")
def makefile() -> str:
    return (ROOT / "Makefile").read_text()


def test_every_make_target_and_variable_exists(makefile: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE))
    variables = set(re.findall(r"\$\(([A-Z]+)\)|^([A-Z]+) \?=", makefile, re.MULTILINE))
    known = {name for pair in variables for name in pair} | {"BENCH"}
    used = commands("make")
    assert len(used) > 10
    for document, words in used:
        for word in words:
            if word == "&&":
                break
            name, is_variable, _ = word.partition("=")
            assert (name in known) if is_variable else (name in targets), f"{document}: make {shlex.join(words)}"


def test_every_verb_and_option_exists() -> None:
    verbs: dict[str, click.Command] = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    used = commands("w251lab")
    assert len(used) > 15
    for document, words in used:
        if not words or words == ["--help"]:
            continue
        assert words[0] in verbs, f"{document}: w251lab {shlex.join(words)}"
        verb, rest = verbs[words[0]], words[1:]
        inner: dict[str, click.Command] = getattr(verb, "commands", {})  # of a group of verbs
        if inner:
            assert rest, f"{document}: w251lab {shlex.join(words)}"
            assert rest[0] in inner, f"{document}: w251lab {shlex.join(words)}"
            verb, rest = inner[rest[0]], rest[1:]
        options = {option for parameter in verb.params for option in parameter.opts} | {"--help"}
        for word in rest:
            if word.startswith("-"):
                assert word.partition("=")[0] in options, f"{document}: w251lab {shlex.join(words)}"


def test_every_lab_that_a_command_names_exists() -> None:
    known = {lab.name for lab in load_course(ROOT).labs} | {"02_name"}
    named = {word for _, words in commands("w251lab") for word in words[1:] if re.fullmatch(r"\d\d_\w+", word)}
    named |= {word for _, words in commands("nbgrader") for word in words[1:] if re.fullmatch(r"\d\d_\w+", word)}
    assert "01_triton_quickstart" in named
    assert named <= known


def test_every_nbgrader_command_exists() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", "--help"], capture_output=True, text=True, check=True, timeout=60
    )
    used = {words[0] for _, words in commands("nbgrader")}
    assert used == NBGRADER
    for verb in used:
        assert re.search(rf"^{verb}$", done.stdout, re.MULTILINE), verb


def test_every_compose_service_exists() -> None:
    compose = (ROOT / "docker-compose.yml").read_text()
    services = {words[-1] for _, words in commands("docker") if words[:1] == ["compose"] and words[-1] != "down"}
    assert services == {"jupyterlab", "triton-cpu", "triton-gpu", "worker"}
    for service in services:
        assert re.search(rf"^  {service}:", compose, re.MULTILINE)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_and_picture_resolves(path: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", documents(path)):
        if re.match(r"https?://", target):
            continue
        file, _, anchor = target.partition("#")
        there = (path.parent / file).resolve() if file else path
        assert there.exists(), f"{path.name} links {target}"
        assert there.is_relative_to(ROOT)
        if anchor:
            headings = re.findall(r"^#+ (.*)$", documents(there), re.MULTILINE)
            slugs = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
            assert anchor in slugs, f"{path.name} links {target}"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_path_exists(path: Path) -> None:
    text = re.sub(r"^ *```.*?^ *```", "", documents(path), flags=re.MULTILINE | re.DOTALL)
    for word in re.findall(r"`([^`\s]+)`", text):
        if not TYPE.match(word) or STANDS_FOR_OTHERS.search(word) or word.split("/")[0] in MADE | {"source", "release"}:
            continue
        bases = [
            ROOT,
            path.parent,
            ROOT / "w251lab",
            ROOT / "w251lab" / "course",
            ROOT / "w251lab" / "grading",
            ROOT / "w251lab" / "triton",
        ]
        bases += [ROOT / "environments", ROOT / ".github" / "workflows", *(ROOT / "solutions").iterdir()]
        assert any((base / word).exists() for base in bases), f"{path.name} names {word}"


def test_the_layout_in_the_readme_is_the_layout() -> None:
    block = documents(ROOT / "README.md").split("## Layout")[1].split("```")[1]
    names = [*re.findall(r"^(\S+)  ", block, re.MULTILINE), "docker-compose.yml"]
    assert len(names) >= 10
    for name in names:
        assert (ROOT / name).exists(), name


def test_the_table_of_labs_is_up_to_date() -> None:
    assert not listing.update(load_course(ROOT), ROOT / "README.md", check=True)


def test_the_needs_are_those_of_the_code() -> None:
    text = documents(ROOT / "README.md")
    oldest = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"].removeprefix(">=")
    assert f"Python {oldest} or newer" in text
    assert f"Python {' or '.join(f'3.{minor}' for minor in SUPPORTED)} with its shared library" in text
    (glibc,) = re.findall(r"< \(2, (\d+)\)", (ROOT / "environments" / "setup.sh").read_text())
    assert f"glibc 2.{glibc} or newer" in text


def test_the_errors_in_the_troubleshooting_are_those_of_the_code() -> None:
    sources = [*(ROOT / "w251lab").rglob("*.py"), ROOT / "environments" / "setup.sh"]
    # A message may go over several string literals, and holds values in braces or shell variables.
    everything = " ".join(re.sub(r'"\s*\n\s*f?"', "", file.read_text(encoding="utf-8")) for file in sources)
    everything = re.sub(r"\{[^{}\n]*\}|\$\{?\w+\}?", "#", everything).replace('"', "")
    others = {"Failed to initialize NVML", "DCGM unable to start", "No space left on device", "CUDA driver version"}
    messages = re.findall(r"^\| (.*?) \| ", documents(ROOT / "docs" / "troubleshooting.md"), re.MULTILINE)
    looked_at = 0
    for message in (each for row in messages for each in re.findall(r"`([^`]+)`", row)):
        if any(message.startswith(other) for other in others):
            continue
        # The longest piece of it without a number, an address or an omission stands in the code.
        pieces = re.split(r"\.\.\.|(?<![\w-])\d[\d.:]*(?![\w-])|'[^']*'|\bor newer\b|, but ", message)
        piece = max((each.strip(" ,;()") for each in pieces), key=len)
        assert len(piece) > 5, message
        assert piece in everything, f"{message!r}: nothing says {piece!r}"
        looked_at += 1
    assert looked_at > 20


def test_pictures_are_small() -> None:
    pictures = list((ROOT / "docs" / "pictures").iterdir())
    assert pictures
    for picture in pictures:
        assert picture.stat().st_size < 300_000, picture.name
        assert any(picture.name in documents(path) for path in DOCUMENTS), f"nothing shows {picture.name}"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_no_document_names_a_place_of_one_machine(path: Path) -> None:
    assert not re.search(r"(?<!\w)/(?:work|root|home/\w|tmp/\w)|localhost", documents(path))


@pytest.mark.parametrize("command", ["make", "w251lab --help", "w251lab list", "w251lab tidy --check"])
def test_cheap_commands_run(command: str, root: Path) -> None:
    words = shlex.split(command)
    words[0] = str(Path(sys.executable).with_name("w251lab")) if words[0] == "w251lab" else words[0]
    done = subprocess.run(words, cwd=root, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.strip()
