"""Which Python the server can run on, with stand-ins for interpreters that this machine lacks."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from w251lab.errors import UsageError, W251Error
from w251lab.triton import interpreters
from w251lab.triton.interpreters import Interpreter, choose

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Puts a stand-in for a Python on PATH, which then holds nothing else; and this Python does not fit either."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "_base_executable", str(tmp_path / "absent"))

    def make(name: str, version: str, folder: str | None = "/lib", status: int = 0) -> Path:
        says = {"version": version, "site": "/site", "libpython": f"libpython{version}.so.1.0", "folder": folder}
        file = tmp_path / name
        file.write_text(f"#!/bin/sh\necho '{json.dumps(says)}'\necho 'not on my watch' >&2\nexit {status}\n")
        file.chmod(0o755)
        return file

    return make


def test_this_python_says_what_it_is() -> None:
    this = Interpreter.probe(Path(sys.executable))
    assert this.version == f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert this.minor == sys.version_info[1]
    assert this.site_packages.is_dir()
    assert "libpython" in this.libpython


def test_the_first_that_fits_is_chosen(fake: Callable[..., Path]) -> None:
    fake("python3.11", "3.11", folder=None)
    fits = fake("python3.12", "3.12", folder="")
    fake("python3", "3.13")
    assert choose().executable == fits


@pytest.mark.parametrize(
    ("version", "folder", "reason"),
    [("3.10", "/lib", "is Python 3.10"), ("3.13", "/lib", "is Python 3.13"), ("3.11", None, "without libpython3.11")],
)
def test_what_does_not_fit_is_named(fake: Callable[..., Path], version: str, folder: str | None, reason: str) -> None:
    wanted = fake("python3", version, folder=folder)
    for asked in (None, "python3", str(wanted)):
        with pytest.raises(W251Error, match=f"needs Python 3.11 or 3.12(.|\n)*{wanted} .*{reason}") as caught:
            choose(asked)
        assert "setup --python" in caught.value.remedy


def test_one_that_does_not_run_is_passed_over(fake: Callable[..., Path]) -> None:
    fake("python3.11", "3.11", status=1)
    fits = fake("python3.12", "3.12")
    assert choose().executable == fits
    with pytest.raises(W251Error, match=r"python3\.11 does not run: not on my watch"):
        choose("python3.11")


def test_no_python_at_all(fake: Callable[..., Path]) -> None:
    assert fake
    with pytest.raises(W251Error, match=r"absent does not run: .*No such file"):
        choose()


def test_one_that_is_not_there() -> None:
    with pytest.raises(UsageError, match=r"no Python interpreter 'python3\.1'"):
        choose("python3.1")


def test_versions_agree_with_the_servers_lock_file() -> None:
    assert interpreters.SUPPORTED == (11, 12)
    lock = (Path(__file__).parents[2] / "environments" / "server.txt").read_text()
    assert "numpy==1." in lock, "with numpy 2 the server's Python could be newer"
