"""Where a submission's kernels come from: the worker's template of its lab, kept for the next one; and their set-up."""

from __future__ import annotations

import atexit
import base64
import fcntl
import itertools
import os
import shutil
import tempfile
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from w251lab.course.kernel import kernel_environment
from w251lab.grading import provisioner, sandbox
from w251lab.grading.job import THREADS_VARIABLE, SandboxError
from w251lab.grading.template import Template

if TYPE_CHECKING:
    from collections.abc import Iterator

    from w251lab.grading.job import Job
    from w251lab.grading.lab_tests import Tests
    from w251lab.grading.template import Contained

_OWNER = "owner"
_NO_FORKS = "This system refuses namespaces inside a sandbox, so the submission had a sandbox started for it alone."
_THREAD = 256 * 1024**2  # bytes of address space
_lock = threading.RLock()
_templates: dict[tuple[Any, ...], Template] = {}
_numbers = itertools.count()


@dataclass
class _Process:
    """What this process keeps: the folder of its kernels' sockets, whether any was contained, and whether they fork."""

    run: Path | None = None
    owner: int = 0
    contained: bool = False
    forks: bool = True


_process = _Process()


@dataclass
class Place:
    """Where one submission runs.

    Attributes:
        notes: For people, about the way it was contained.
    """

    job: Job
    watched: tuple[str, ...]
    chains: list[tuple[str, ...]]
    scratch: Path | None
    notes: list[str] = field(default_factory=list)

    def make_folder(self) -> Path:
        """A new folder for one kernel's sockets."""
        folder = _run_folder() / f"{next(_numbers)}"
        sandbox.make_socket_folder(folder)
        return folder

    def start(self, folder: Path, connection: dict[str, Any], key: bytes) -> Contained:
        """Start a kernel.

        Args:
            folder: From `make_folder`.
            connection: What a Jupyter kernel's connection file has.
            key: The secret of its tests.

        Raises:
            SandboxError: It did not start.
        """
        spec = self._spec(folder, connection)
        if self.job.sandbox == "none" or not _process.forks:
            return self._alone(folder, spec, key)
        try:
            contained = _template(self.job, self.watched).kernel(folder.name, spec, key)
        except SandboxError:
            forget(self.job)
            contained = self._alone(folder, spec, key)  # where this works, it is the forks that the system refuses
            _process.forks = False
        _process.contained = True
        return contained

    def _alone(self, folder: Path, spec: dict[str, Any], key: bytes) -> Contained:
        """A kernel in a sandbox that was started for it, and ends with it."""
        if self.job.sandbox != "none" and _NO_FORKS not in self.notes:
            self.notes.append(_NO_FORKS)
        template = Template(self.job.sandbox, _enclosure(self.job, forks=False, name=folder.name), ())
        try:
            contained = template.kernel(folder.name, spec, key)
        except SandboxError:
            template.close()
            raise
        contained.host = template
        _process.contained = _process.contained or self.job.sandbox != "none"
        return contained

    def _spec(self, folder: Path, connection: dict[str, Any]) -> dict[str, Any]:
        job, limits = self.job, self.job.limits
        contained, cores = job.sandbox == "bubblewrap", os.cpu_count() or 1
        sockets, home = (sandbox.KERNEL, sandbox.HOME) if contained else (str(folder), str(self.scratch))
        temporary = "/tmp" if contained else str(self.scratch)  # noqa: S108
        surroundings = {} if contained else _uncontained_environment(job, Path(home))
        return {
            "name": folder.name,
            "run": sandbox.RUN,
            "home": home,
            "shown": [str(place) for place in sandbox.visible(_enclosure(job, forks=True))] if contained else [],
            "memory": limits.memory,
            "processes": limits.processes,
            "log_limit": limits.output,
            "file_size": limits.file_size,
            # A GPU's driver maps terabytes that it does not use; the warden counts what is used. So do
            # threads, of which numerical libraries start one for each core, with a stack and an arena each.
            "address_space": limits.memory + cores * _THREAD if job.gpu is None and contained else None,
            "folder": f"{home}/{job.lab}",
            "files": {name: base64.b64encode(content).decode() for name, content in job.files.items()},
            "connection_file": f"{temporary}/kernel-{folder.name}.json",
            "connection": connection | {"ip": f"{sockets}/{provisioner.SOCKETS}"},
            "environment": surroundings,
            "watched": list(self.watched),
            "chains": self.chains,
        }


def _uncontained_environment(job: Job, scratch: Path) -> dict[str, str]:
    """Without a sandbox: the grader's own environment, with a temporary folder of the run's."""
    values = {name: value for name, value in kernel_environment(scratch).items() if os.environ.get(name) != value}
    if (threads := _threads()) is not None:
        values.setdefault("OMP_NUM_THREADS", str(threads))
    return values | ({} if job.gpu is None else {"CUDA_VISIBLE_DEVICES": job.gpu})


@contextmanager
def place(job: Job, tests: Tests) -> Iterator[Place]:
    """Where a submission's kernels are started; without a sandbox with a folder that goes with it."""
    if job.sandbox == "bubblewrap":
        yield Place(job, tests.watched, tests.chains(), None)
        return
    with tempfile.TemporaryDirectory(prefix="w251lab-lab-", ignore_cleanup_errors=True) as scratch:
        yield Place(job, tests.watched, tests.chains(), Path(scratch))


def warm(job: Job, tests: Tests) -> None:
    """Have a template for a job's kernels, where they are forked from one.

    Raises:
        SandboxError: It does not start.
    """
    if job.sandbox != "none" and _process.forks:
        _template(job, tests.watched)


def _enclosure(job: Job, *, forks: bool, name: str = "") -> sandbox.Enclosure:
    server = "triton-server" in job.needs
    return sandbox.Enclosure(
        _run_folder(), job.limits.file_size, server=server, gpu=job.gpu, threads=_threads(), forks=forks, name=name
    )


def _threads() -> int | None:
    """How many threads of a numerical library this worker was given: the others on its machine have their share."""
    given = os.environ.get(THREADS_VARIABLE, "")
    return int(given) if given.isdecimal() and int(given) else None


def _key(job: Job) -> tuple[Any, ...]:
    return (job.lab, job.imports, job.gpu, "triton-server" in job.needs, job.limits.file_size)


def _template(job: Job, watched: tuple[str, ...]) -> Template:
    """This process's template of the job's lab, started if there is none that lives."""
    with _lock:
        key = (*_key(job), watched)
        found = _templates.get(key)
        if found is None or not found.alive():
            if found is not None:
                found.close()
            imports = tuple(dict.fromkeys([*job.imports, *watched]))
            found = _templates[key] = Template("bubblewrap", _enclosure(job, forks=True), imports)
        return found


def has_contained() -> bool:
    """Whether a kernel was ever contained by this process: then it is not the machine that refuses."""
    return _process.contained


def forget(job: Job) -> None:
    """End the templates of a job's lab: something was wrong with one."""
    with _lock:
        for key in [key for key in _templates if key[:5] == _key(job)]:
            _templates.pop(key).close()


def close() -> None:
    """End every template of this process, and remove the folder of its kernels' sockets."""
    with _lock:
        while _templates:
            _templates.popitem()[1].close()
        if _process.run is not None and _process.owner == os.getpid():
            shutil.rmtree(_process.run, ignore_errors=True)
            _process.run = None


def _run_folder() -> Path:
    """This process's folder of sockets. What killed graders have left behind is removed on the way."""
    with _lock:
        if _process.run is not None and _process.owner == os.getpid() and not _process.run.exists():
            close()  # somebody has tidied the temporary folder: the templates cannot show what is not there
        if _process.run is None or _process.owner != os.getpid():
            _process.run = _make_own_folder()
            _process.owner = os.getpid()
            _remove_left(_process.run.parent)
            atexit.register(close)
        return _process.run


def _make_own_folder() -> Path:
    """A new folder that is locked until this process ends, however it does."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix="w2-", dir=short_temporary()))
        sandbox.make_run_folder(folder)
        lock = os.open(folder / _OWNER, os.O_CREAT | os.O_RDWR, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(lock), (folder / _OWNER).stat()):
                return folder
        os.close(lock)  # before it was locked, another process took it for a dead one's and removed it


def _remove_left(parent: Path) -> None:
    for folder in parent.glob(f"w2-*/{_OWNER}"):
        with suppress(OSError):
            lock = os.open(folder, os.O_RDWR)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder.parent, ignore_errors=True)
            finally:
                os.close(lock)


def short_temporary() -> Path:
    """The temporary folder, or /tmp where its path leaves no room for a socket's."""
    place = tempfile.gettempdir()
    return Path(place if len(place) < 50 else "/tmp")  # noqa: S108
