"""The command line as a whole: every verb explains itself, and wrong verbs are wrong usage."""

from __future__ import annotations

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from w251lab.cli import app, main
from w251lab.course import commands
from w251lab.dali.loading import delivery

VERBS = (
    *("release", "check", "list", "tidy", "doctor"),
    *("setup", "serve", "repository", "models", "classify", "dali-repository", "restore"),
)


def run(*args: str) -> subprocess.CompletedProcess[str]:
    program = "import sys; from w251lab.cli import main; sys.argv[0] = 'w251lab'; main()"
    command = [sys.executable, "-c", program, *args]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(verb: str) -> None:
    done = CliRunner().invoke(app, [verb, "--help"])
    assert done.exit_code == 0
    assert verb in done.stdout


def test_help_lists_the_verbs() -> None:
    done = run("--help")
    assert done.returncode == 0
    assert all(verb in done.stdout for verb in VERBS)


@pytest.mark.parametrize("args", [["no-such-verb"], ["check", "--no-such-option"]])
def test_wrong_usage_is_status_2(args: list[str]) -> None:
    done = run(*args)
    assert done.returncode == 2
    assert "No such" in done.stderr


@pytest.mark.parametrize("words", [["list"], ["bench", "loading"]])
def test_ctrl_c_is_status_130_and_is_said(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(commands, "load_course", interrupted)
    monkeypatch.setattr(delivery, "require", interrupted)
    monkeypatch.setattr(sys, "argv", ["w251lab", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 130
    assert capsys.readouterr() == ("", "interrupted\n")


def test_the_heavy_libraries_wait_until_they_are_needed() -> None:
    program = (
        "import sys; import w251lab.course.commands; "
        "print(*{'nbgrader', 'papermill', 'nbconvert', 'jinja2'} & {name.partition('.')[0] for name in sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == ""
