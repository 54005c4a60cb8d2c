"""The bubblewrap command line around a student's kernel, and whether this machine can do it at all."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import w251lab
from w251lab.grading.job import SandboxError

#: Where things are inside.
RUN = "/run/w251lab"
KERNEL = "/run/kernel"
HOME = "/home/learner"
#: The user inside, and the unprivileged one outside that a grader running as root becomes for it.
USER = 1000
NOBODY = 65534
_ETC = ("alternatives", "fonts", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime", "mime.types", "timezone")
_GPU_DEVICES = ("nvidiactl", "nvidia-uvm", "nvidia-uvm-tools", "nvidia-modeset", "nvidia-caps", "dxg")
_PATIENCE = 120.0
_INSTALL = "Install it: apt-get install bubblewrap (Debian, Ubuntu) or dnf install bubblewrap (Fedora)"
_NONE = "or grade without containment, at your own risk: --sandbox none"
_REFUSED = (
    "Allow user namespaces, as root: on Ubuntu 24.04 and newer sysctl -w "
    "kernel.apparmor_restrict_unprivileged_userns=0, on an older Debian sysctl -w kernel.unprivileged_userns_clone=1, "
    "elsewhere sysctl -w user.max_user_namespaces=10000; "
    "in Docker start the container with --security-opt seccomp=unconfined --security-opt apparmor=unconfined "
    "--security-opt systempaths=unconfined"
)


@dataclass(frozen=True)
class Enclosure:
    """What is in sight inside a sandbox.

    Attributes:
        run: The folder of the kernels' sockets outside.
        size: Bytes of each private file system.
        server: Whether the Triton server's environment is in it.
        gpu: The GPU, as in ``CUDA_VISIBLE_DEVICES``; None for none.
        threads: How many threads numerical libraries use; None for as many as there are cores.
        forks: Whether kernels are forked in it, into namespaces of their own; else it is one kernel's.
        name: The one kernel's folder below ``run``, where ``forks`` is false.
    """

    run: Path
    size: int
    server: bool = False
    gpu: str | None = None
    threads: int | None = None
    forks: bool = True
    name: str = ""


def command(enclosure: Enclosure, program: list[str]) -> list[str]:
    """The command line that runs ``program`` inside.

    A grader that is root wraps a second bubblewrap around the first: it shows what only root can reach (a Python in
    /root) at its own path, and then root is given up for good.
    """
    binds = visible(enclosure)
    inner = ["bwrap", *_namespaces(enclosure), *_files(enclosure, binds), *_environment(enclosure), "--", *program]
    return inner if os.geteuid() else [*_as_nobody(binds, enclosure), *inner]


def visible(enclosure: Enclosure) -> list[Path]:
    """The folders that are shown read-only at their own paths, outermost first: Python's, and the system's."""
    places = [Path("/usr"), Path(sys.prefix), Path(sys.base_prefix), Path(w251lab.__file__).parent]
    # A virtual environment's python is a chain of links; each has to lead somewhere inside, too.
    link = Path(sys.prefix, "bin", "python")
    places += _behind(link)
    if enclosure.server:
        places += _server()
    found: list[Path] = []
    for place in sorted({Path(os.path.realpath(place)) for place in places} | set(places)):
        if place.exists() and not any(place.is_relative_to(other) for other in found):
            found.append(place)
    return found


def refuse_course_in_sight(course: Path) -> None:
    """See that no sandbox shows the course itself: its solutions, its gradebook, everybody's submissions.

    Raises:
        SandboxError: It lies below a folder that every sandbox shows, such as /usr or Python's own.
    """
    for place in visible(Enclosure(Path("/"), 0)):
        if course.resolve().is_relative_to(place):
            raise SandboxError(
                f"The course is in {course}, and submissions see all of {place}.", f"Move the course out of {place}."
            )


def _behind(link: Path) -> list[Path]:
    """What an interpreter's chain of links goes through: whole installations, else (a link in ~/bin) the link alone."""
    found = []
    while link.is_symlink():
        link = Path(os.path.normpath(link.parent / link.readlink()))
        whole = link.parent.parent
        is_python = any(whole.glob("lib/python3*/os.py"))
        found.append(whole if is_python and whole != Path("/") else link)
    return found


def _server() -> list[Path]:
    from w251lab.triton.environment import default_root  # noqa: PLC0415 - only labs with a server need it

    root = default_root()
    found = [root, *_behind(root / "bin" / "python"), *_behind(root / "bin" / "python3")]
    config = root / "pyvenv.cfg"
    if config.is_file():
        for line in config.read_text(encoding="utf-8").splitlines():
            key, _, value = line.partition("=")
            if key.strip() == "home":
                found.append(Path(value.strip()).parent)
    return found


def _namespaces(enclosure: Enclosure) -> list[str]:
    words = ["--unshare-all", "--unshare-user", "--die-with-parent", "--new-session", "--cap-drop", "ALL"]
    words += ["--uid", str(USER), "--gid", str(USER), "--hostname", "grading"]
    # Below a template kernels get user namespaces of their own, and are the last that can.
    return words if enclosure.forks else [*words, "--disable-userns"]


def _files(enclosure: Enclosure, binds: list[Path]) -> list[str]:
    size = ["--size", str(enclosure.size)]
    # First what covers, then what is shown: an environment may be below /tmp.
    words = ["--proc", "/proc", "--dev", "/dev", *size, "--tmpfs", "/dev/shm"]  # noqa: S108
    words += [*size, "--tmpfs", "/tmp", "--dir", KERNEL, *size, "--tmpfs", HOME]  # noqa: S108
    for place in binds:
        words += ["--ro-bind", str(place), str(place)]
    for name in ("bin", "lib", "lib32", "lib64", "sbin"):
        place = Path("/", name)
        if place.is_symlink():
            words += ["--symlink", str(place.readlink()), str(place)]
        elif place.is_dir():
            words += ["--ro-bind", str(place), str(place)]
    for name in _ETC:
        words += ["--ro-bind-try", f"/etc/{name}", f"/etc/{name}"]
    for name in ("passwd", "group", "hosts", "nsswitch.conf"):
        words += ["--ro-bind", str(enclosure.run / "etc" / name), f"/etc/{name}"]
    words += ["--ro-bind-try", "/sys/devices/system", "/sys/devices/system"]
    if enclosure.gpu is not None:
        words += _gpu()
    if enclosure.forks:
        words += ["--bind", str(enclosure.run), RUN]
    else:
        words += ["--bind", str(enclosure.run / enclosure.name), KERNEL]
    return [*words, "--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/"]


def _gpu() -> list[str]:
    words = []
    devices = [*(Path("/dev", name) for name in _GPU_DEVICES), *sorted(Path("/dev").glob("nvidia[0-9]*"))]
    for device in devices:
        words += ["--dev-bind-try", str(device), str(device)]
    return [
        *words,
        "--ro-bind-try",
        "/sys/module/nvidia",
        "/sys/module/nvidia",
        "--ro-bind-try",
        "/sys/bus",
        "/sys/bus",
    ]


def environment(gpu: str | None, threads: int | None = None) -> dict[str, str]:
    """The whole environment of a contained kernel: nothing of the grader's own is in it."""
    values = {
        "PATH": os.pathsep.join([str(Path(sys.prefix, "bin")), "/usr/local/bin", "/usr/bin", "/bin"]),
        "HOME": HOME,
        "USER": "student",
        "LOGNAME": "student",
        "LANG": "C.UTF-8",
        "TMPDIR": "/tmp",  # noqa: S108
        "IPYTHONDIR": "/tmp/.ipython",  # noqa: S108
        "MPLCONFIGDIR": "/tmp/.matplotlib",  # noqa: S108
        "PYTHONNOUSERSITE": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        # OpenMP's threads spin while they wait, at the cost of the other submissions on these cores.
        "OMP_WAIT_POLICY": "passive",
        "CUDA_VISIBLE_DEVICES": gpu or "",
    }
    if threads is not None:
        values["OMP_NUM_THREADS"] = str(threads)  # OpenBLAS and MKL heed it, too
    if sys.prefix != sys.base_prefix:
        values["VIRTUAL_ENV"] = sys.prefix
    return values


def _environment(enclosure: Enclosure) -> list[str]:
    words = ["--clearenv"]
    for name, value in environment(enclosure.gpu, enclosure.threads).items():
        words += ["--setenv", name, value]
    if enclosure.server:
        words += ["--setenv", "W251LAB_SERVER_ENV", str(_server()[0])]
    return words


def _as_nobody(binds: list[Path], enclosure: Enclosure) -> list[str]:
    """What goes before the command line as root: the same files with ways opened to ``binds``, and then no root."""
    words = ["bwrap", "--die-with-parent", "--dev-bind", "/", "/"]
    closed = sorted({closed for place in [*binds, enclosure.run] if (closed := _closed_ancestor(place))})
    outermost = [one for one in closed if not any(one != other and one.is_relative_to(other) for other in closed)]
    for folder in outermost:
        words += ["--tmpfs", str(folder)]
        for place in [*binds, enclosure.run]:
            if place.is_relative_to(folder):
                for way in reversed(place.parents):
                    if way != folder and way.is_relative_to(folder):
                        words += ["--perms", "0755", "--dir", str(way)]
                words += ["--bind" if place == enclosure.run else "--ro-bind", str(place), str(place)]
    user = str(NOBODY)
    return [*words, "--", "setpriv", "--reuid", user, "--regid", user, "--clear-groups", "--no-new-privs"]


def _closed_ancestor(place: Path) -> Path | None:
    """The first folder on the way to ``place`` that others than its owner may not pass."""
    for folder in reversed(place.parents):
        if not folder.stat().st_mode & 0o001:
            return folder
    return None


def make_run_folder(folder: Path) -> None:
    """Lay out the folder of the kernels' sockets, with the few files of /etc that are shown inside."""
    folder.chmod(0o711)
    etc = folder / "etc"
    etc.mkdir(exist_ok=True)
    (etc / "passwd").write_text(f"student:x:{USER}:{USER}:student:{HOME}:/bin/sh\n", encoding="utf-8")
    (etc / "group").write_text(f"student:x:{USER}:\n", encoding="utf-8")
    (etc / "hosts").write_text("127.0.0.1 localhost grading\n::1 localhost\n", encoding="utf-8")
    (etc / "nsswitch.conf").write_text("passwd: files\ngroup: files\nhosts: files\n", encoding="utf-8")
    etc.chmod(0o755)
    for file in etc.iterdir():
        file.chmod(0o644)


def make_socket_folder(folder: Path) -> None:
    """Make one kernel's folder for its sockets, writable for the user that the sandbox runs as."""
    folder.mkdir(mode=0o700)
    if not os.geteuid():
        os.chown(folder, NOBODY, NOBODY)


def require_tools() -> None:
    """See that the programs are there that a sandbox is made with.

    Raises:
        SandboxError: One is not, with how to get it.
    """
    needed = ("bwrap",) if os.geteuid() else ("bwrap", "setpriv")
    for tool in needed:
        if shutil.which(tool) is None:
            raise SandboxError(
                f"Submissions are graded in a sandbox, and {tool} is not installed.", f"{_INSTALL}; {_NONE}."
            )


@functools.cache
def check() -> None:
    """Try to contain something here, once per process: whether it is the machine that refuses.

    Raises:
        SandboxError: It cannot be done, with what to do about it.
    """
    require_tools()
    # Python itself has to start inside: a path that is not shown, or that its user may not read, is found here.
    program = [sys.executable, "-I", "-c", "import w251lab.grading"]
    try:
        with tempfile.TemporaryDirectory(prefix="w2-") as folder:
            make_run_folder(Path(folder))
            make_socket_folder(Path(folder, "probe"))
            tried = subprocess.run(
                command(Enclosure(Path(folder), 1 << 20, forks=False, name="probe"), program),
                capture_output=True,
                text=True,
                timeout=_PATIENCE,
                check=False,
                env=_PLAIN,
            )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SandboxError(f"A sandbox could not be tried on this machine: {error}.", f"Try again; {_NONE}.") from error
    if tried.returncode:
        raise SandboxError(
            f"Submissions are graded in a sandbox, and this system refuses it: {explain(tried.stderr)}",
            f"{_REFUSED}; {_NONE}.",
        )


_PLAIN = {"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8"}


def explain(stderr: str) -> str:
    """The last words of bubblewrap or of Python, on one line."""
    return " ".join(stderr.split())[-500:] or "it gave no reason."


def plain_environment() -> dict[str, str]:
    """What bubblewrap itself runs with."""
    return dict(_PLAIN)


def remedy() -> str:
    """What to do where a sandbox did not start."""
    return f"{_INSTALL}. {_REFUSED}; {_NONE}."
