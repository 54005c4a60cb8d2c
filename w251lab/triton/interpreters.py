"""Python interpreters: what one says of itself, and which one Triton's python backend can run on."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from w251lab.errors import UsageError, W251Error

if TYPE_CHECKING:
    from collections.abc import Iterator

# Minor versions that this package runs on, nvidia-pytriton has a stub for, and numpy < 2 has a wheel for: on 3.13 numpy
# would have to be compiled.
SUPPORTED = (11, 12)
# Run by the environment's interpreter: what the stub needs to know of it. `libpython` is looked for where this
# Python was installed, in the environment (where w251lab.triton.provision puts one), then where the dynamic linker
# looks by itself (Debian's python3 and its libpython3.x package).
_PROBE = """
import ctypes, json, os, sys, sysconfig
name = sysconfig.get_config_var("INSTSONAME") or ""
if ".so" not in name:
    name = f"libpython{sys.version_info[0]}.{sys.version_info[1]}.so.1.0"
folders = [sysconfig.get_config_var("LIBDIR"), os.path.join(sys.base_prefix, "lib"), os.path.join(sys.prefix, "lib")]
found = next((f for f in folders if f and os.path.exists(os.path.join(f, name))), None)
if found is None:
    try:
        ctypes.CDLL(name)
        found = ""
    except OSError:
        found = None
print(json.dumps({"version": "%d.%d" % sys.version_info[:2], "site": sysconfig.get_path("purelib"), "libpython": name,
                  "folder": found, "base": sys.base_prefix}))
"""


@dataclass(frozen=True)
class Interpreter:
    """What a Python interpreter says of itself.

    Attributes:
        executable: The interpreter.
        version: ``"3.11"``.
        site_packages: Where its packages are.
        libpython: The file name of its shared library, which the python backend's stub loads.
        libpython_folder: The folder that holds it; ``""`` where the dynamic linker finds it unaided; None where it
            is absent.
    """

    executable: Path
    version: str
    site_packages: Path
    libpython: str
    libpython_folder: str | None

    @property
    def minor(self) -> int:
        """11 for Python 3.11."""
        return int(self.version.split(".")[1])

    @property
    def of_the_system(self) -> bool:
        """Whether it is the distribution's own, to which the distribution's packages belong."""
        return self.executable.resolve().parent == Path("/usr/bin")

    @property
    def unfit(self) -> str:
        """Why Triton's python backend cannot run on it; ``""`` if it can."""
        if self.minor not in SUPPORTED:
            return f"{self.executable} is Python {self.version}"
        if self.libpython_folder is None:
            return f"{self.executable} is Python {self.version} without {self.libpython}"
        return ""

    @classmethod
    def probe(cls, executable: Path, remedy: str = "Give another: w251lab setup --python PYTHON") -> Interpreter:
        """Ask ``executable`` about itself.

        Args:
            executable: The interpreter.
            remedy: What to do if it does not start.

        Raises:
            W251Error: It does not start.
        """
        try:
            done = subprocess.run(
                [str(executable), "-I", "-c", _PROBE], capture_output=True, text=True, check=False, timeout=60
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise W251Error(f"The Python interpreter {executable} does not run: {error}.", remedy) from error
        if done.returncode:
            said = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[0]
            raise W251Error(f"The Python interpreter {executable} does not run: {said}.", remedy)
        about = json.loads(done.stdout)
        return cls(executable, about["version"], Path(about["site"]), about["libpython"], about["folder"])


def named(wanted: str) -> Interpreter:
    """The interpreter of that path, or of that name on PATH.

    Raises:
        UsageError: There is none.
        W251Error: It does not start.
    """
    found = shutil.which(wanted)
    if found is None:
        raise UsageError(
            f"There is no Python interpreter {wanted!r}.", "Give a path, or a name on PATH such as python3.11."
        )
    return Interpreter.probe(Path(found).absolute())


def survey(wanted: str | None = None) -> tuple[list[Interpreter], list[str]]:
    """The interpreters that are here, and what is wrong with those that do not fit.

    Args:
        wanted: A path or a name on PATH: that one and no other. By default the one that runs this, then those on PATH.

    Raises:
        UsageError: There is none of the name ``wanted``.
        W251Error: ``wanted`` does not start.
    """
    found: list[Interpreter] = []
    seen: list[str] = []
    if wanted is not None:
        found.append(named(wanted))
    else:
        for candidate in _candidates():
            try:
                found.append(Interpreter.probe(candidate))
            except W251Error as error:  # a shim or a broken link on PATH: say so if nothing better turns up
                seen.append(error.what)
    return found, [*seen, *(interpreter.unfit for interpreter in found if interpreter.unfit)]


def choose(wanted: str | None = None) -> Interpreter:
    """An interpreter on this machine that Triton's python backend can run on.

    Args:
        wanted: A path or a name on PATH. By default the one that runs this, or the first other one on PATH that fits.

    Raises:
        UsageError: There is none of the name ``wanted``.
        W251Error: It does not fit, or none does; with what was seen.
    """
    found, seen = survey(wanted)
    for interpreter in found:
        if not interpreter.unfit:
            return interpreter
    raise none_fits(seen, "Give another: w251lab setup --python PYTHON")


def _candidates() -> Iterator[Path]:
    yield Path(getattr(sys, "_base_executable", sys.executable))
    for name in (*(f"python3.{minor}" for minor in SUPPORTED), "python3"):
        if found := shutil.which(name):
            yield Path(found)


def none_fits(seen: list[str], remedy: str) -> W251Error:
    """The error of a machine without a Python for the server; ``seen`` are the reasons, one for each thing tried."""
    oldest, newest = SUPPORTED[0], SUPPORTED[-1]
    return W251Error(
        f"The Triton server needs Python 3.{oldest} or 3.{newest} with a shared libpython. Seen: "
        + "; ".join(dict.fromkeys(seen)),
        remedy,
    )
