"""The Triton server's own environment: where it is, what it must hold, and how it is made.

nvidia-pytriton carries the real ``tritonserver`` with its python backend. That backend needs numpy < 2 while the
labs need numpy >= 2, so the server never shares an environment with a lab: as in production, the two
speak over HTTP and gRPC only, and a lab's Python says nothing of the server's.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from w251lab.errors import UsageError, W251Error
from w251lab.triton import provision
from w251lab.triton.interpreters import Interpreter, named

if TYPE_CHECKING:
    from collections.abc import Iterator

ENVIRONMENT_VARIABLE = "W251LAB_SERVER_ENV"
STAMP = "w251lab-server.json"


@dataclass(frozen=True)
class ServerEnvironment:
    """A virtual environment that can run ``tritonserver``.

    Attributes:
        root: The environment's folder.
    """

    root: Path

    @cached_property
    def interpreter(self) -> Interpreter:
        """The environment's Python."""
        return Interpreter.probe(self.root / "bin" / "python3", "Make it again: w251lab setup --force")

    @property
    def triton(self) -> Path:
        """The folder of the server inside nvidia-pytriton."""
        return self.interpreter.site_packages / "pytriton" / "tritonserver"

    @property
    def binary(self) -> Path:
        """The ``tritonserver`` executable."""
        return self.triton / "bin" / "tritonserver"

    @property
    def stub(self) -> Path:
        """The python backend's stub process, built for this environment's Python."""
        return self.triton / "python_backend_stubs" / self.interpreter.version / "triton_python_backend_stub"

    def check(self) -> None:
        """Make sure that a server can start from here.

        Raises:
            W251Error: The environment, the server, the stub for its Python or ``libpython`` is missing.
        """
        again = "make it again: w251lab setup --force"
        if not (self.root / "bin" / "python3").exists():
            raise W251Error(
                f"There is no Triton server environment at {self.root}.",
                f"Make it with: w251lab setup   (or point {ENVIRONMENT_VARIABLE} at one).",
            )
        if not self.binary.is_file():
            raise W251Error(f"The environment {self.root} holds no tritonserver ({self.binary} is missing).", again)
        if not self.stub.is_file():
            built_for = ", ".join(
                sorted((p.name for p in self.stub.parents[1].glob("3.*")), key=lambda v: int(v.split(".")[1]))
            )
            raise W251Error(
                f"Triton's python backend has no stub for Python {self.interpreter.version}: {self.stub} is missing.",
                f"Use one of Python {built_for or '(none)'}: w251lab setup --force --python PYTHON",
            )
        if self.interpreter.libpython_folder is None:
            raise W251Error(
                f"Triton's python backend needs {self.interpreter.libpython}, which this Python does not have.",
                f"On Debian or Ubuntu: apt-get install libpython{self.interpreter.version}. Elsewhere use a Python "
                "built with --enable-shared: w251lab setup --force --python PYTHON",
            )

    def process_environment(self) -> dict[str, str]:
        """The environment variables for ``tritonserver``.

        The stub takes its packages from the first ``python3`` on PATH, and finds libpython through LD_LIBRARY_PATH.
        Variables that would point it at the lab's packages (PYTHONPATH, PYTHONHOME) are left out, and so are the
        user's own packages.
        """
        env = {
            k: v for k, v in os.environ.items() if k not in {"PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "LD_PRELOAD"}
        }
        env["PATH"] = os.pathsep.join([str(self.root / "bin"), env.get("PATH", "/usr/bin:/bin")])
        env["VIRTUAL_ENV"] = str(self.root)
        env["PYTHONNOUSERSITE"] = "1"
        folders = [self.interpreter.libpython_folder, env.get("LD_LIBRARY_PATH")]
        env["LD_LIBRARY_PATH"] = os.pathsep.join(folder for folder in folders if folder)
        return env

    def backend_directory(self, folder: Path) -> Path:
        """Lay out the python backend with its stub in ``folder``, by symbolic links.

        The wheel keeps the stubs apart from the backend, and the backend looks for its stub beside itself. Linking
        both into a folder of the run's own leaves the installed packages as they are, so that a read-only
        environment works too.
        """
        python = folder / "python"
        python.mkdir(parents=True)
        for source in (self.triton / "backends" / "python").iterdir():
            (python / source.name).symlink_to(source)
        stub = python / "triton_python_backend_stub"
        if os.access(self.stub, os.X_OK):
            stub.symlink_to(self.stub)
        else:  # an installer that drops the run bit, in an environment that may be read-only
            shutil.copy(self.stub, stub)
            stub.chmod(0o755)
        return folder


def default_root() -> Path:
    """Where the server's environment is: ``$W251LAB_SERVER_ENV``, else ``.venv-server`` beside the lab's ``.venv``."""
    configured = os.environ.get(ENVIRONMENT_VARIABLE)
    if configured:
        return Path(configured).expanduser().absolute()
    prefix = Path(sys.prefix)
    if sys.prefix != sys.base_prefix:
        return prefix.with_name(prefix.name + "-server")
    return Path(os.environ.get("XDG_DATA_HOME", Path.home() / ".local" / "share")) / "w251lab" / "server"


def load(root: Path | None = None) -> ServerEnvironment:
    """The server's environment, checked.

    Raises:
        W251Error: It is missing or cannot run a server; the message says what to do.
    """
    environment = ServerEnvironment(root or default_root())
    environment.check()
    return environment


def requirements(device: str) -> Path:
    """The pinned, hashed requirement file of the server's environment for ``device`` (``cpu`` or ``gpu``).

    Raises:
        UsageError: Another device.
        W251Error: The file did not come with this installation.
    """
    if device not in {"cpu", "gpu"}:
        raise UsageError(f"Unknown device {device!r}.", "Use cpu or gpu.")
    name = "server.txt" if device == "cpu" else "server-gpu.txt"
    packaged = Path(__file__).with_name("requirements") / name
    checkout = Path(__file__).parents[2] / "environments" / name
    for candidate in (packaged, checkout):
        if candidate.is_file():
            return candidate
    raise W251Error(f"The requirement file {name} is not part of this installation.", "Reinstall w251lab.")


def is_current(root: Path, device: str, python: str | None = None) -> bool:
    """Whether ``root`` was made, to the end, from today's requirement file for ``device``, and can run a server.

    Args:
        root: The folder of the environment.
        device: ``cpu`` or ``gpu``.
        python: An interpreter; the environment must be of its version. Any version by default.

    Raises:
        UsageError: Another device, or no such interpreter.
    """
    fingerprint = _fingerprint(device)
    try:
        if json.loads((root / STAMP).read_text()) != fingerprint:
            return False
        version = load(root).interpreter.version
    except (OSError, ValueError, W251Error):  # no stamp, an unreadable one, or a folder that is damaged: make it anew
        return False
    return python is None or named(python).version == version


def install(
    device: str = "cpu", root: Path | None = None, python: str | None = None, *, force: bool = False
) -> ServerEnvironment:
    """Make the server's environment, unless it is there and current.

    Args:
        device: ``cpu``, or ``gpu`` for an onnxruntime that computes with CUDA.
        root: The folder of the environment; :func:`default_root` by default.
        python: An interpreter to build on. By default the one that runs this, the first other one on PATH that
            Triton's python backend can use, or one that uv fetches.
        force: Build it again even if it is current.

    Raises:
        W251Error: No suitable Python, or the installation failed (with what the installer said).
    """
    root = root or default_root()
    if root.is_dir() and any(root.iterdir()) and not (root / "pyvenv.cfg").is_file():
        raise W251Error(
            f"{root} is there and is not a virtual environment.",
            f"Move it out of the way, or name another folder in {ENVIRONMENT_VARIABLE}.",
        )
    with _alone(root):
        if force or not is_current(root, device, python):
            _make(root, device, python)
        return load(root)


def _make(root: Path, device: str, python: str | None) -> None:
    """Make the environment from nothing."""
    file = str(requirements(device))
    stamp = root / STAMP
    stamp.unlink(missing_ok=True)  # an interrupted installation must not pass for a finished one
    uv = provision.find_uv()
    own = str(root / "bin" / "python3")
    with tempfile.TemporaryDirectory(prefix="w251lab-") as scratch:
        base = provision.obtain(python, Path(scratch))
        if uv:
            _run([uv, "venv", "-q", "--clear", "--python", str(base.executable), str(root)])
        else:
            _run([str(base.executable), "-m", "venv", "--clear", str(root)])
        if base.libpython_folder == scratch:
            shutil.copy(Path(scratch) / base.libpython, root / "lib")
    # pip compiles to bytecode by itself. Without it each Python of a server does, where it may not write.
    installer = [uv, "pip", "install", "--compile-bytecode", "--python", own] if uv else [own, "-m", "pip", "install"]
    pinned = ["--only-binary", ":all:", "--require-hashes", "-r", file]
    if sys.stderr.isatty():  # it draws its own progress, on standard error
        _run([*installer, *pinned], shown=True)
    else:
        _run([*installer, "-q", *pinned])
    load(root)
    stamp.write_text(json.dumps(_fingerprint(device)))


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    """One set-up at a time beside ``root``: a second one waits, and then finds the work done."""
    try:
        root.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(root.parent, os.O_RDONLY)
    except OSError as error:
        raise W251Error(
            f"The folder {root.parent} for the server's environment cannot be used: {error.strerror}.",
            f"Name another one in {ENVIRONMENT_VARIABLE}.",
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _fingerprint(device: str) -> dict[str, str]:
    return {"device": device, "requirements": hashlib.sha256(requirements(device).read_bytes()).hexdigest()}


def _run(command: list[str], *, shown: bool = False) -> None:
    """Run a step of the installation; ``shown`` leaves it the terminal, also for what it complains of."""
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=None if shown else subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        said = "\n".join((done.stdout + (done.stderr or "")).strip().splitlines()[-15:])
        raise W251Error(
            f"Setting up the Triton server's environment failed in: {' '.join(command[:3])}\n{said}".rstrip(),
            "Mend what the message above names, then run the same command again.",
        )
