"""A Python for the Triton server where this machine has none that fits, without root.

Two things may be missing, and each has its source. A Debian or Ubuntu ``python3.12`` comes without its shared
library: that is one signed package of 2 MB, which ``apt-get download`` fetches and ``dpkg-deb`` unpacks for any user.
And a machine may have no Python of a supported version at all: uv fetches one, whose builds carry their library.
"""

from __future__ import annotations

import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from w251lab.errors import W251Error
from w251lab.triton.interpreters import SUPPORTED, Interpreter, none_fits, survey

if TYPE_CHECKING:
    from collections.abc import Mapping

# Seconds: a Python of uv is 30 MB, and the package lists of a distribution are 10 to 40 MB.
_PATIENCE = 600


def find_uv() -> str | None:
    """The ``uv`` executable: of this environment, on PATH, in the checkout's ``.tools``, or of the ``uv`` package."""
    checkout = Path(__file__).parents[2] / ".tools" / "bin"
    places = [str(Path(sys.prefix) / "bin"), os.environ.get("PATH", ""), str(checkout)]
    found = next(filter(None, (shutil.which("uv", path=place) for place in places)), None)
    if found is None and importlib.util.find_spec("uv"):
        from uv import find_uv_bin  # noqa: PLC0415 - not among the dependencies: there or not

        try:
            found = str(find_uv_bin())
        except FileNotFoundError:  # the package without its executable
            return None
    return found


def obtain(wanted: str | None, scratch: Path) -> Interpreter:
    """An interpreter that Triton's python backend can run on: one that is here, else one that this fetches.

    Args:
        wanted: A path or a name on PATH: that one and no other. By default the first that fits.
        scratch: A folder for a shared library that had to be fetched; the result's ``libpython_folder`` is this
            folder then, and what is in it has to be kept with the environment.

    Raises:
        UsageError: There is none of the name ``wanted``.
        W251Error: None fits and none could be fetched; with what was seen, and what was tried.
    """
    found, seen = survey(wanted)
    for interpreter in found:
        if not interpreter.unfit:
            return interpreter
    for interpreter in found:
        if not (interpreter.minor in SUPPORTED and interpreter.of_the_system):
            continue
        failure = fetch_libpython(interpreter, scratch)
        if not failure:
            return replace(interpreter, libpython_folder=str(scratch))
        seen.append(failure)
    uv = find_uv() if wanted is None else None
    if uv:
        managed = _managed(uv)
        if isinstance(managed, Interpreter) and not managed.unfit:
            return managed
        seen.append(managed.unfit if isinstance(managed, Interpreter) else managed)
    raise none_fits(seen, _remedy(found, uv, wanted))


def fetch_libpython(interpreter: Interpreter, folder: Path) -> str:
    """Put the shared library of the system's ``interpreter`` into ``folder``, out of the distribution's package.

    Returns:
        ``""``, or why it could not be had.
    """
    package = f"libpython{interpreter.version}"
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        return f"no apt-get here that could fetch {package}"
    with tempfile.TemporaryDirectory(prefix="w251lab-") as temporary:
        here = Path(temporary)
        failure = _try(["apt-get", "download", "-qq", package], cwd=here)
        if failure:  # no package lists, as in a fresh container, or old ones: lists of this run's own need no root
            for name in ("lists/partial", "cache/archives/partial"):
                (here / name).mkdir(parents=True)
            own = ["-o", f"Dir::State::Lists={here}/lists", "-o", f"Dir::Cache={here}/cache", "-qq"]
            own += ["-o", "APT::Sandbox::User="]
            failure = _try(["apt-get", *own, "update"], cwd=here)
            failure = failure or _try(["apt-get", *own, "download", package], cwd=here)
        archives = list(here.glob("*.deb"))
        if failure or not archives:
            return f"apt-get could not fetch {package} ({failure or 'it wrote nothing'})"
        failure = _try(["dpkg-deb", "-x", str(archives[0]), str(here / "unpacked")], cwd=here)
        libraries = [file for file in (here / "unpacked").rglob(interpreter.libpython) if file.is_file()]
        if failure or not libraries:
            return f"{archives[0].name} holds no {interpreter.libpython} {failure}".rstrip()
        shutil.copy(libraries[0], folder / interpreter.libpython)
    return ""


def _managed(uv: str) -> Interpreter | str:
    """The newest supported Python of uv's own, fetched if it must be; or why not."""
    version = f"3.{SUPPORTED[-1]}"
    environment = {k: v for k, v in os.environ.items() if k not in {"VIRTUAL_ENV", "PYTHONHOME", "PYTHONPATH"}}
    environment["UV_PYTHON_INSTALL_BIN"] = "0"  # no command in the user's own ~/.local/bin
    find = [uv, "python", "find", "--no-project", "--managed-python", version]
    there = _ask(find, environment)
    if there.returncode:
        failure = _try([uv, "python", "install", version], environment=environment)
        if failure:
            return f"uv could not fetch Python {version} ({failure})"
        there = _ask(find, environment)
    path = there.stdout.strip()
    if there.returncode or not path:
        return f"uv fetched Python {version} and does not find it"
    try:
        return Interpreter.probe(Path(path))
    except W251Error as error:
        return error.what


def _remedy(found: list[Interpreter], uv: str | None, wanted: str | None) -> str:
    lacking = [interpreter for interpreter in found if interpreter.minor in SUPPORTED]
    newest = f"3.{SUPPORTED[-1]}"
    packages = f"libpython{lacking[0].version}" if lacking else f"python{newest} libpython{newest}"
    again = f"w251lab setup --python {shlex.quote(wanted)}" if wanted else "make run (or: w251lab setup)"
    return (
        f"Either, on a Debian or Ubuntu that has it: apt-get install {packages}. Or, with a way to the network: "
        f"{shlex.quote(uv or 'uv')} python install {newest}. Then again: {again}. Any other Python that fits: "
        "w251lab setup --python PYTHON"
    )


def _ask(
    command: list[str], environment: Mapping[str, str] | None = None, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command; one that does not start, or takes too long, has failed as well."""
    try:
        return subprocess.run(
            command, env=environment, cwd=cwd, capture_output=True, text=True, check=False, timeout=_PATIENCE
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return subprocess.CompletedProcess(command, 1, "", str(error))


def _try(command: list[str], environment: Mapping[str, str] | None = None, cwd: Path | None = None) -> str:
    """Run a command; ``""``, or its last word."""
    done = _ask(command, environment, cwd)
    if not done.returncode:
        return ""
    return ((done.stderr or done.stdout).strip().splitlines() or [f"exit status {done.returncode}"])[-1].strip()
