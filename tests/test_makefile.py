"""The Makefile and the set-up behind it, in copies of the project in a folder with a space in its name.

The set-up is the real one: a real uv makes a real environment. Only what it installs is small and local, so that it
takes no network: a package with a build backend of its own, and lock files that name a wheel by its place on the disk.
"""

from __future__ import annotations

import base64
import ensurepip
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import time
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
from uv import find_uv_bin

ENVIRONMENTS = ("cpu", "cpu-gfpgan", "gpu", "dev", "dev-gpu")
PROJECT = """\
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]

[project]
name = "w251lab"
version = "0.0.1"
"""
# The least that PEP 660 asks for.
BACKEND = """\
import pathlib, zipfile

def build_editable(folder, config_settings=None, metadata_directory=None):
    name = "w251lab-0.0.1-py3-none-any.whl"
    info = "w251lab-0.0.1.dist-info/"
    with zipfile.ZipFile(pathlib.Path(folder) / name, "w") as wheel:
        wheel.writestr("w251lab.pth", str(pathlib.Path.cwd()))
        wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\\nName: w251lab\\nVersion: 0.0.1\\n")
        wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(info + "RECORD", "")
    return name
"""


def wheel(folder: Path, version: str) -> str:
    """Make a package called tiny; return its line for a lock file."""
    name, info = f"tiny-{version}-py3-none-any.whl", f"tiny-{version}.dist-info/"
    content = {
        "tiny.py": f"version = {version!r}\n",
        info + "METADATA": f"Metadata-Version: 2.1\nName: tiny\nVersion: {version}\n",
        info + "WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = ""
    for path, text in content.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        record += f"{path},sha256={digest},{len(text)}\n"
    with zipfile.ZipFile(folder / name, "w") as archive:
        for path, text in [*content.items(), (info + "RECORD", record)]:
            archive.writestr(path, text)
    digest = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    return f"tiny @ {(folder / name).as_uri()} --hash=sha256:{digest}\n"


def sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def setuptools_wheel(folder: Path) -> Path:
    """The installed setuptools, packed into a wheel again."""
    found = metadata.distribution("setuptools")
    file = folder / f"setuptools-{found.version}-py3-none-any.whl"
    with zipfile.ZipFile(file, "w") as archive:
        for path in found.files or ():
            if path.suffix != ".pyc" and path.locate().is_file() and not str(path).startswith(".."):
                archive.write(str(path.locate()), str(path))
    return file


class Checkout:
    """A small project with this project's Makefile and set-up."""

    def __init__(self, root: Path, tmp_path: Path) -> None:
        self.folder = tmp_path / "a check out"
        (self.folder / "environments").mkdir(parents=True)
        shutil.copy(root / "Makefile", self.folder)
        shutil.copy(root / "environments" / "setup.sh", self.folder / "environments")
        (self.folder / "pyproject.toml").write_text(PROJECT)
        (self.folder / "backend.py").write_text(BACKEND)
        self.tools = tmp_path / "bin"  # comes first on PATH
        self.tools.mkdir()
        (self.tools / "uv").symlink_to(find_uv_bin())
        self.environment = {
            "PATH": f"{self.tools}:{Path(sys.executable).parent}:/usr/bin:/bin",
            "HOME": str(tmp_path),
            "UV_OFFLINE": "1",
            "UV_CACHE_DIR": str(tmp_path / "cache"),
            "PYTHON": sys.executable,
        }
        self.lock(wheel(tmp_path, "1.0"))

    def lock(self, line: str, *names: str) -> None:
        for name in names or ENVIRONMENTS:
            (self.folder / "environments" / f"{name}.txt").write_text(f"# pinned\n{line}")
        (self.folder / "environments" / "build.txt").write_text("# pinned\n")

    def tool(self, name: str, script: str) -> None:
        file = self.tools / name
        file.unlink(missing_ok=True)
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(0o755)

    def run(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=self.folder, env=self.environment | environment, capture_output=True, text=True, check=False
        )

    def set_up(self, name: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return self.run("sh", "environments/setup.sh", name, **environment)

    @property
    def version(self) -> str:
        """Of the package that the environment holds; the library itself is importable beside it."""
        program = "import tiny, backend, sys; print(tiny.version)"
        # Without -B a wheel of the same size, made in the same two seconds (a zip's clock), would pass for the old one.
        return self.run(".venv/bin/python", "-I", "-B", "-c", program).stdout.strip()


@pytest.fixture
def checkout(root: Path, tmp_path: Path) -> Checkout:
    return Checkout(root, tmp_path)


def refused(done: subprocess.CompletedProcess[str], what: str, remedy: str) -> None:
    assert done.returncode != 0
    assert re.search(f"error: .*{what}", done.stderr), done.stderr
    assert re.search(f"what to do: .*{remedy}", done.stderr), done.stderr


def test_make_alone_lists_every_target(checkout: Checkout) -> None:
    done = checkout.run("make")
    assert done.returncode == 0
    listed = re.findall(r"^  make (\S+) +\S", done.stdout, re.MULTILINE)
    (phony,) = re.findall(r"^\.PHONY: (.*)$", (checkout.folder / "Makefile").read_text(), re.MULTILINE)
    assert listed == phony.split()
    assert {"run", "test", "lab", "lock", "lint", "release", "bench", "serve", "clean"} <= set(listed)
    assert not (checkout.folder / ".venv").exists()


def test_a_second_run_does_nothing_and_a_changed_lock_file_sets_up_again(checkout: Checkout, tmp_path: Path) -> None:
    first = checkout.set_up("cpu")
    assert first.returncode == 0, first.stderr
    assert checkout.version == "1.0"
    assert "warning" not in first.stderr.lower()
    second = checkout.set_up("cpu")
    assert (second.returncode, second.stdout, second.stderr) == (0, "", "")
    checkout.lock(wheel(tmp_path, "2.0"))
    third = checkout.set_up("cpu")
    assert third.returncode == 0, third.stderr
    assert checkout.version == "2.0"
    (checkout.folder / "pyproject.toml").write_text(PROJECT + "# changed\n")
    assert "installing" in checkout.set_up("cpu").stderr
    assert checkout.set_up("cpu").stderr == ""


def test_the_dev_environment_serves_the_labs_too(checkout: Checkout, tmp_path: Path) -> None:
    assert checkout.set_up("dev").returncode == 0
    assert checkout.set_up("cpu").stderr == "", "dev holds all of cpu"
    assert "installing environments/gpu.txt" in checkout.set_up("gpu").stderr
    assert "installing environments/cpu.txt" in checkout.set_up("cpu").stderr, "one at a time"
    assert "installing environments/dev.txt" in checkout.set_up("dev").stderr
    checkout.lock(wheel(tmp_path, "2.0"), "cpu")
    assert "installing environments/cpu.txt" in checkout.set_up("cpu").stderr, "its own file changed"


def test_a_wrong_hash_is_refused_and_leaves_no_stamp(checkout: Checkout, tmp_path: Path) -> None:
    good = wheel(tmp_path, "1.0")
    checkout.lock(good[:-10] + "0" * 9 + "\n")
    refused(checkout.set_up("cpu"), "could not be set up", "run the same command again")
    refused(checkout.set_up("cpu"), "could not be set up", "run the same command again")
    checkout.lock(good.split(" --hash")[0] + "\n")
    refused(checkout.set_up("cpu"), "could not be set up", "run the same command again")
    checkout.lock(good)
    assert checkout.set_up("cpu").returncode == 0
    assert checkout.version == "1.0"


def test_an_interrupted_set_up_is_done_again(checkout: Checkout) -> None:
    real = find_uv_bin()
    started = checkout.folder / "started"
    checkout.tool("uv", f'case "$2" in sync) touch started; sleep 60;; esac\nexec "{real}" "$@"')
    process = subprocess.Popen(
        ["sh", "environments/setup.sh", "cpu"], cwd=checkout.folder, env=checkout.environment, start_new_session=True
    )
    deadline = time.monotonic() + 60
    while not started.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert started.exists()
    checkout.tool("uv", f'exec "{real}" "$@"')
    again = checkout.set_up("cpu")
    assert "installing" in again.stderr
    assert again.returncode == 0
    assert checkout.version == "1.0"


def test_two_at_once_both_succeed(checkout: Checkout) -> None:
    command = ["sh", "environments/setup.sh"]
    processes = [
        subprocess.Popen([*command, name], cwd=checkout.folder, env=checkout.environment, stderr=subprocess.DEVNULL)
        for name in ("cpu", "dev")
    ]
    assert [process.wait(timeout=120) for process in processes] == [0, 0]
    assert checkout.version == "1.0"


def test_a_moved_checkout_is_set_up_again(checkout: Checkout, tmp_path: Path) -> None:
    assert checkout.set_up("cpu").returncode == 0
    checkout.folder = checkout.folder.rename(tmp_path / "moved here")
    done = checkout.set_up("cpu")
    assert done.returncode == 0, done.stderr
    assert "making .venv again" in done.stderr
    assert checkout.version == "1.0"


def test_a_broken_environment_is_made_again(checkout: Checkout) -> None:
    assert checkout.set_up("cpu").returncode == 0
    python = checkout.folder / ".venv" / "bin" / "python"
    python.unlink()
    python.symlink_to("/nowhere/python")  # as when the Python beneath was removed
    assert checkout.set_up("cpu").returncode == 0
    assert checkout.version == "1.0"


def test_a_folder_in_the_way_is_left_alone(checkout: Checkout) -> None:
    mine = checkout.folder / ".venv" / "mine"
    mine.parent.mkdir()
    mine.write_text("precious")
    refused(checkout.set_up("cpu"), "no virtual environment", "move it out of the way")
    assert mine.read_text() == "precious"


def test_copying_from_a_cache_on_another_file_system_does_not_alarm(checkout: Checkout) -> None:
    elsewhere = Path("/dev/shm")  # noqa: S108
    if not os.access(elsewhere, os.W_OK) or elsewhere.stat().st_dev == checkout.folder.stat().st_dev:
        pytest.skip("no second file system here; mount a writable /dev/shm")
    cache = elsewhere / f"w251lab-test-{os.getpid()}"
    try:
        done = checkout.set_up("cpu", UV_CACHE_DIR=str(cache))
    finally:
        shutil.rmtree(cache, ignore_errors=True)
    assert done.returncode == 0, done.stderr
    assert "warning" not in done.stderr.lower()
    assert "hardlink" not in done.stderr.lower()


@pytest.mark.parametrize(
    ("tool", "script", "what", "remedy"),
    [
        ("uname", 'case "$1" in -s) echo Darwin;; *) echo arm64;; esac', "Darwin on arm64", "Linux x86-64"),
        ("uname", 'case "$1" in -s) echo Linux;; *) echo aarch64;; esac', "Linux on aarch64", "Linux x86-64"),
        ("myython", "echo 9", "is Python 3.9", "PYTHON=python3.12"),
        ("myython", "exit 127", "no Python 3 that runs", "give a path"),
        ("myython", 'case "$3" in *minor*|*version_info*) echo 12;; *) exit 1;; esac', "glibc", "Debian 12"),
    ],
)
def test_a_machine_that_cannot_gets_a_sentence(
    checkout: Checkout, tool: str, script: str, what: str, remedy: str
) -> None:
    checkout.tool(tool, script)
    environment = {} if tool == "uname" else {"PYTHON": tool}
    refused(checkout.set_up("cpu", **environment), what, remedy)
    assert not (checkout.folder / ".venv").exists()


def bare_machine(checkout: Checkout, *, pythons: dict[str, str]) -> dict[str, str]:
    """PATH with the system's small tools, no uv, and only these Pythons (name -> script)."""
    for name in ("sh", "uname", "dirname", "sha256sum", "cut", "sed", "grep", "rm", "mv", "ln", "mkdir", "cat"):
        found = shutil.which(name)
        assert found is not None
        (checkout.tools / name).symlink_to(found)
    (checkout.tools / "uv").unlink()
    for name, script in pythons.items():
        checkout.tool(name, script)
    return {"PATH": str(checkout.tools), "PYTHON": ""}


def test_without_a_suitable_python_it_says_what_to_install(checkout: Checkout) -> None:
    environment = bare_machine(
        checkout, pythons={"python3": "echo 9", "python3.12": "echo no such version >&2; exit 127"}
    )
    done = checkout.set_up("cpu", **environment)
    refused(done, "needs Python 3.11 or newer.*python3 is 3.9", "apt-get install python3 python3-venv")


def test_without_the_venv_module_it_says_what_to_install(checkout: Checkout) -> None:
    python = f'case "$3" in *ensurepip*) exit 1;; esac\nexec "{sys.executable}" "$@"'
    environment = bare_machine(checkout, pythons={"python3": python})
    refused(checkout.set_up("cpu", **environment), "cannot make a virtual environment", "apt-get install python3-venv")


@pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="no dpkg-deb on PATH; Debian, Ubuntu have it")
@pytest.mark.parametrize("lists", [True, False], ids=["package lists", "no package lists"])
def test_without_pip_the_distributions_package_gives_it(checkout: Checkout, tmp_path: Path, lists: bool) -> None:
    """A real pip in a real Debian package installs a uv that calls the real one; apt-get alone is a stand-in."""
    tree, registry = tmp_path / "tree", tmp_path / "registry"
    (tree / "DEBIAN").mkdir(parents=True)
    fields = {"Package": "python3-pip-whl", "Version": "1", "Architecture": "all", "Maintainer": "none <n@example.org>"}
    control = "".join(f"{name}: {value}\n" for name, value in fields.items())
    (tree / "DEBIAN" / "control").write_text(control + "Description: a test\n")
    (bundled,) = (Path(ensurepip.__file__).parent / "_bundled").glob("pip-*.whl")
    (tree / "usr" / "share" / "python-wheels").mkdir(parents=True)
    shutil.copy(bundled, tree / "usr" / "share" / "python-wheels")
    deb = tmp_path / "python3-pip-whl_1_all.deb"
    subprocess.run(["dpkg-deb", "--build", tree, deb], check=True, capture_output=True)
    registry.mkdir()
    with zipfile.ZipFile(registry / "uv-0.0.1-py3-none-any.whl", "w") as archive:
        script = zipfile.ZipInfo("uv-0.0.1.data/scripts/uv")
        script.external_attr = 0o100755 << 16
        archive.writestr(script, f'#!/bin/sh\nexec "{find_uv_bin()}" "$@"\n')
        archive.writestr("uv-0.0.1.dist-info/METADATA", "Metadata-Version: 2.1\nName: uv\nVersion: 0.0.1\n")
        archive.writestr("uv-0.0.1.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr("uv-0.0.1.dist-info/RECORD", "")
    digest = hashlib.sha256((registry / "uv-0.0.1-py3-none-any.whl").read_bytes()).hexdigest()
    line = (checkout.folder / "environments" / "cpu.txt").read_text()
    (checkout.folder / "environments" / "dev.txt").write_text(f"uv==0.0.1 \\\n    --hash=sha256:{digest}\n{line}")

    python = f'case "$3" in *ensurepip*) exit 1;; esac\nexec "{sys.executable}" "$@"'
    environment = bare_machine(checkout, pythons={"python3": python})
    for name in ("tar", "cp", "touch", "dpkg-deb"):
        (checkout.tools / name).symlink_to(shutil.which(name) or name)
    plain = f'cp "{deb}" .' if lists else "exit 100"
    checkout.tool(
        "apt-get",
        f"""case "$*" in
            "-qq download "*) {plain};;
            *"-o Dir::State::Lists=$PWD/lists"*update) touch updated;;
            *"-o Dir::State::Lists=$PWD/lists"*download*) [ -e updated ] && cp "{deb}" .;;
        esac""",
    )
    done = checkout.set_up(
        "cpu", PIP_NO_INDEX="1", PIP_FIND_LINKS=str(registry), PIP_CONFIG_FILE=os.devnull, **environment
    )
    assert done.returncode == 0, done.stderr
    assert "fetching python3-pip-whl with apt-get" in done.stderr
    assert checkout.version == "1.0"
    assert checkout.set_up("cpu", **environment).stderr == ""


@pytest.mark.network
def test_without_uv_the_pinned_one_is_fetched(checkout: Checkout, root: Path) -> None:
    environment = bare_machine(checkout, pythons={"python3": f'exec "{sys.executable}" "$@"'})
    requirement = re.search(
        r"^uv==.*?[^\\]$", (root / "environments" / "dev.txt").read_text(), re.MULTILINE | re.DOTALL
    )
    assert requirement is not None
    (checkout.folder / "environments" / "dev.txt").write_text(requirement.group() + "\n")
    inherited = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_"))}
    done = checkout.set_up("cpu", **(inherited | environment))
    assert done.returncode == 0, done.stderr
    assert "fetching uv==" in done.stderr
    assert checkout.version == "1.0"


def test_an_unknown_device_or_environment_is_refused(checkout: Checkout) -> None:
    done = checkout.run("make", "run", "DEVICE=tpu")
    assert done.returncode != 0
    assert "DEVICE=tpu is unknown; use auto, cpu or gpu" in done.stderr
    refused(checkout.set_up("tpu"), "unknown environment 'tpu'", "cpu|cpu-gfpgan|gpu|dev|dev-gpu")


@pytest.mark.parametrize(
    ("smi", "device", "run_with", "run_on", "test_with"),
    [
        # Also where the library would find a GPU by itself: the CPU environment cannot compute on it.
        ("exit 9", "auto", "cpu", "cpu", "dev"),
        # What the library finds: it may be told to leave the GPU alone, by CUDA_VISIBLE_DEVICES.
        ("echo 'GPU 0: NVIDIA H200 (UUID: GPU-1)'", "auto", "gpu", "auto", "dev-gpu"),
        ("echo 'GPU 0: NVIDIA H200 (UUID: GPU-1)'", "cpu", "cpu", "cpu", "dev"),
        ("exit 9", "gpu", "gpu", "gpu", "dev-gpu"),
    ],
)
def test_the_device_chooses_the_environment(
    checkout: Checkout, smi: str, device: str, *, run_with: str, run_on: str, test_with: str
) -> None:
    asked = checkout.folder / "asked"
    checkout.tool("nvidia-smi", f"echo asked >>'{asked}'\n{smi}")
    plan = checkout.run("make", "-n", "run", f"DEVICE={device}", "ARGS=--jobs 2").stdout
    assert f"setup.sh {run_with}\n" in plan
    assert f"w251lab setup --device {run_with}\n" in plan
    assert f"w251lab check --device {run_on} --report report --jobs 2\n" in plan
    assert asked.exists() == (device == "auto")
    assert device != "auto" or asked.read_text() == "asked\n", "decided once"
    assert f"setup.sh {test_with}\n" in checkout.run("make", "-n", "test", f"DEVICE={device}").stdout


@pytest.mark.parametrize(
    ("device", "asked", "made"),
    [("cpu", "yes", "cpu-gfpgan"), ("cpu", "no", "cpu"), ("gpu", "yes", "gpu"), ("gpu", "no", "gpu")],
)
def test_gfpgan_is_set_up_on_a_cpu_where_it_is_asked_for(
    checkout: Checkout, device: str, asked: str, made: str
) -> None:
    plan = checkout.run("make", "-n", "env", f"DEVICE={device}", f"GFPGAN={asked}").stdout
    assert f"setup.sh {made}\n" in plan
    assert f"w251lab setup --device {device}\n" in plan, "the server knows nothing of it"
    refused = checkout.run("make", "-n", "env", f"DEVICE={device}", "GFPGAN=maybe")
    assert "GFPGAN=maybe is unknown; use yes or no" in refused.stderr


def test_gfpgan_on_a_newer_python_is_refused(checkout: Checkout) -> None:
    assert checkout.set_up("cpu").returncode == 0
    python = checkout.folder / ".venv" / "bin" / "python"
    real = python.resolve()
    python.unlink()
    python.write_text(f'#!/bin/sh\ncase "$3" in *version_info*) echo 13;; *) exec "{real}" "$@";; esac\n')
    python.chmod(0o755)
    refused(checkout.set_up("cpu-gfpgan", PYTHON=""), "3.11 and 3.12 only.* on 3.13", "GFPGAN=yes PYTHON=python3.12")


def test_a_package_without_a_wheel_is_built_with_the_pinned_setuptools(checkout: Checkout, tmp_path: Path) -> None:
    """Offline, so that a build in an environment of its own, which would fetch any setuptools, could only fail."""
    source = tmp_path / "old-1.0"
    source.mkdir()
    (source / "setup.py").write_text(
        "import setuptools\nopen('version.txt', 'w').write(setuptools.__version__)\n"
        "setuptools.setup(name='old', version='1.0', setup_requires=['nowhere-to-be-had'], py_modules=['old'])\n"
    )
    (source / "old.py").write_text("version = 1\n")
    with tarfile.open(tmp_path / "old-1.0.tar.gz", "w:gz") as archive:
        archive.add(source, "old-1.0")
    backend = setuptools_wheel(tmp_path)
    lines = f"{wheel(tmp_path, '1.0')}old @ {(tmp_path / 'old-1.0.tar.gz').as_uri()}"
    lines += f" --hash=sha256:{sha256(tmp_path / 'old-1.0.tar.gz')}\n"
    lines += f"setuptools=={metadata.version('setuptools')} \\\n    --hash=sha256:{sha256(backend)}\n"
    checkout.lock(lines)
    done = checkout.set_up("cpu", UV_FIND_LINKS=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert checkout.run(".venv/bin/python", "-I", "-c", "import old; print(old.version)").stdout == "1\n"


def test_the_test_target_runs_every_check_then_the_tests(checkout: Checkout) -> None:
    plan = checkout.run("make", "-n", "test", "TESTARGS=-k score").stdout
    order = ["ruff check", "ruff format --check", "mypy", "tidy --check", "release --check", "pytest -n auto"]
    places = [plan.index(word) for word in order]
    assert places == sorted(places)
    last = " -k score || .venv/bin/python tests/alone.py $?\n"
    assert plan.endswith(last), "after our own options, so that it can overrule them"
    assert "pytest -n 3 --dist" in checkout.run("make", "-n", "test", "WORKERS=3").stdout
    by_itself = checkout.run("make", "-n", "test", "WORKERS=0").stdout.partition("-m pytest")[2]
    assert by_itself.strip() == "", "in one process, nothing was beside a test that failed"


def test_clean_leaves_the_work_of_students_and_instructors(checkout: Checkout) -> None:
    kept = ["gradebook.db", "submitted/ann/01/n.ipynb", "autograded/ann/01/n.ipynb", "feedback/ann/01/n.html"]
    kept += ["labs/01/n.ipynb", "solutions/01/n.ipynb", "w251lab/cli.py", "downloaded/a.zip"]
    removed = [
        ".venv/x",
        ".venv-server/x",
        ".tools/x",
        "report/index.html",
        "w251lab/__pycache__/x.pyc",
        ".mypy_cache/x",
    ]
    for name in kept + removed:
        file = checkout.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
    done = checkout.run("make", "clean")
    assert done.returncode == 0, done.stderr
    assert [name for name in kept if not (checkout.folder / name).is_file()] == []
    assert [name for name in removed if (checkout.folder / name).exists()] == []
    assert checkout.run("make", "clean").returncode == 0, "twice"
