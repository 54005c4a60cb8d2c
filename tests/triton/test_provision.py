"""A Python for the server where none fits: real packages of dpkg, and stand-ins for uv, apt-get and interpreters."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from uv import find_uv_bin

from w251lab.errors import W251Error
from w251lab.triton import environment, interpreters, provision
from w251lab.triton.interpreters import Interpreter

DPKG = shutil.which("dpkg-deb")
needs_dpkg = pytest.mark.skipif(DPKG is None, reason="no dpkg-deb on PATH; Debian, Ubuntu have it")


class Machine:
    """A machine whose PATH holds what a test puts there, and nothing else."""

    def __init__(self, folder: Path) -> None:
        self.bin = folder / "the tools"
        self.bin.mkdir()
        self.calls = folder / "calls.txt"
        self.calls.touch()

    def tool(self, name: str, script: str) -> Path:
        file = self.bin / name
        file.write_text(f'#!/bin/sh\nexport PATH=/usr/bin:/bin\necho "{name} $*" >>"{self.calls}"\n{script}\n')
        file.chmod(0o755)
        return file

    def python(self, name: str, version: str, folder: str | None = "/lib") -> Path:
        says = {"version": version, "site": "/site", "libpython": f"libpython{version}.so.1.0", "folder": folder}
        return self.tool(name, f"echo '{json.dumps(says)}'")

    def called(self, word: str) -> list[str]:
        return [line for line in self.calls.read_text().splitlines() if word in line]


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine(tmp_path)
    monkeypatch.setenv("PATH", str(made.bin))
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "no environment"))
    monkeypatch.setattr(sys, "_base_executable", str(tmp_path / "absent"))
    return made


@pytest.fixture
def of_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the stand-ins for the distribution's own Pythons."""
    monkeypatch.setattr(Interpreter, "of_the_system", True)


def package(folder: Path, library: str) -> Path:
    """A real Debian package with that file in the place of libraries."""
    tree = folder / "tree"
    lib = tree / "usr" / "lib" / "x86_64-linux-gnu"
    lib.mkdir(parents=True)
    (lib / library).write_bytes(b"the library")
    (lib / library.replace(".1.0", ".1")).symlink_to(library)
    (tree / "DEBIAN").mkdir()
    control = "Package: libpython3.11\nVersion: 1\nArchitecture: all\nMaintainer: none <none@example.org>\n"
    (tree / "DEBIAN" / "control").write_text(control + "Description: a test\n")
    made = folder / "libpython3.11.deb"
    assert DPKG is not None
    subprocess.run([DPKG, "--build", tree, made], env={"PATH": "/usr/bin:/bin"}, check=True, capture_output=True)
    return made


def test_uv_is_found_wherever_it_is(machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkout = tmp_path / "a check out"
    monkeypatch.setattr(provision, "__file__", str(checkout / "w251lab" / "triton" / "provision.py"))
    assert provision.find_uv() == find_uv_bin(), "of the package"
    (checkout / ".tools" / "bin").mkdir(parents=True)
    tools = shutil.copy(machine.tool("uv", ""), checkout / ".tools" / "bin")
    (machine.bin / "uv").unlink()
    assert provision.find_uv() == str(tools)
    on_path = machine.tool("uv", "")
    assert provision.find_uv() == str(on_path)


def test_one_that_fits_is_taken_as_it_is(machine: Machine, tmp_path: Path) -> None:
    fits = machine.python("python3.12", "3.12")
    machine.python("python3", "3.13")
    machine.tool("uv", "exit 1")
    assert provision.obtain(None, tmp_path).executable == fits
    assert machine.called("uv") == []


def test_uv_fetches_one_where_only_a_newer_python_is(machine: Machine, tmp_path: Path) -> None:
    machine.python("python3", "3.13")
    fetched = tmp_path / "uv's own" / "python3.12"
    fetched.parent.mkdir()
    ready = machine.python("managed", "3.12", folder="/uv/lib")
    machine.tool(
        "uv",
        f'case "$2" in install) cp "{ready}" "{fetched}";; find) [ -e "{fetched}" ] && echo "{fetched}";; esac',
    )
    assert provision.obtain(None, tmp_path).executable == fetched
    assert [call.split()[2] for call in machine.called("uv ")] == ["find", "install", "find"]
    provision.obtain(None, tmp_path)
    assert len(machine.called("uv python install")) == 1, "it is there the second time"


def test_without_the_network_both_remedies_are_named(machine: Machine, tmp_path: Path) -> None:
    machine.python("python3.11", "3.11", folder=None)
    uv = machine.tool("uv", "echo 'error: no such host' >&2; exit 2")
    with pytest.raises(W251Error, match=r"without libpython3\.11(.|\n)*uv could not fetch .*no such host") as caught:
        provision.obtain(None, tmp_path)
    assert "apt-get install libpython3.11." in caught.value.remedy
    assert f"'{uv}' python install 3.12" in caught.value.remedy
    assert "make run" in caught.value.remedy


def test_a_python_that_uv_has_and_that_does_not_fit(machine: Machine, tmp_path: Path) -> None:
    machine.python("python3", "3.13")
    static = machine.python("static", "3.12", folder=None)
    machine.tool("uv", f'echo "{static}"')
    with pytest.raises(W251Error, match=r"static is Python 3\.12 without") as caught:
        provision.obtain(None, tmp_path)
    assert "apt-get install python3.12 libpython3.12." in caught.value.remedy


def test_one_that_was_asked_for_is_never_replaced(machine: Machine, tmp_path: Path) -> None:
    machine.python("python3.13", "3.13")
    machine.tool("uv", "exit 1")
    with pytest.raises(W251Error, match=r"python3\.13 is Python 3\.13") as caught:
        provision.obtain("python3.13", tmp_path)
    assert machine.called("uv") == []
    assert "w251lab setup --python PYTHON" in caught.value.remedy


@needs_dpkg
@pytest.mark.usefixtures("of_the_system")
def test_the_systems_python_gets_its_library_from_its_package(machine: Machine, tmp_path: Path) -> None:
    deb = package(tmp_path, "libpython3.11.so.1.0")
    # As in a fresh container: no package lists, until this run has fetched its own.
    machine.tool(
        "apt-get",
        f"""case "$*" in
            "download "*) echo "E: Unable to locate package" >&2; exit 100;;
            *Dir::State::Lists=*update) touch updated;;
            *Dir::State::Lists=*download*) [ -e updated ] && cp "{deb}" .;;
        esac""",
    )
    machine.tool("dpkg-deb", f'exec "{DPKG}" "$@"')
    python = machine.python("python3.11", "3.11", folder=None)
    scratch = tmp_path / "a scratch"
    scratch.mkdir()
    got = provision.obtain(None, scratch)
    assert (got.executable, got.libpython_folder) == (python, str(scratch))
    assert not got.unfit
    assert (scratch / "libpython3.11.so.1.0").read_bytes() == b"the library"
    assert len(machine.called("apt-get")) == 3


@needs_dpkg
@pytest.mark.usefixtures("of_the_system")
@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo 'E: no network' >&2; exit 100", r"apt-get could not fetch libpython3\.11 \(E: no network\)"),
        ("exit 0", "it wrote nothing"),
        ("echo junk >libpython3.11.deb", r"holds no libpython3\.11\.so\.1\.0 "),
    ],
)
def test_a_package_that_cannot_be_had_is_told(machine: Machine, tmp_path: Path, script: str, said: str) -> None:
    machine.tool("apt-get", script)
    machine.tool("dpkg-deb", f'exec "{DPKG}" "$@"')
    machine.python("python3.11", "3.11", folder=None)
    with pytest.raises(W251Error, match=said):
        provision.obtain("python3.11", tmp_path)
    assert list(tmp_path.glob("libpython*")) == []


def test_a_python_that_is_not_the_systems_gets_no_package_of_the_system(machine: Machine, tmp_path: Path) -> None:
    machine.tool("apt-get", "exit 1")
    machine.tool("dpkg-deb", "exit 1")
    machine.tool("uv", "exit 1")
    machine.python("python3.11", "3.11", folder=None)
    with pytest.raises(W251Error, match="without libpython"):
        provision.obtain(None, tmp_path)
    assert machine.called("apt-get") == []


def test_the_library_is_kept_in_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A real environment of a real interpreter, whose library is taken from elsewhere: the server would find it."""
    real = Interpreter.probe(Path(sys._base_executable))  # type: ignore[attr-defined]

    def obtain(_wanted: str | None, scratch: Path) -> Interpreter:
        (scratch / real.libpython).write_bytes(b"the library")
        return Interpreter(real.executable, real.version, real.site_packages, real.libpython, str(scratch))

    nothing = tmp_path / "server.txt"
    nothing.write_text("")
    monkeypatch.setattr(provision, "obtain", obtain)
    monkeypatch.setattr(environment, "requirements", lambda _device: nothing)
    root = tmp_path / "an environment"
    with pytest.raises(W251Error, match="holds no tritonserver"):
        environment.install(root=root)
    assert (root / "lib" / real.libpython).read_bytes() == b"the library"
    # An interpreter without a library of its own looks there.
    hidden = "import sysconfig, sys; sysconfig.get_config_var = lambda name: None; sys.base_prefix = '/nowhere'\n"
    program = hidden + interpreters._PROBE
    done = subprocess.run([root / "bin" / "python3", "-I", "-c", program], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["folder"] == str(root / "lib")


@needs_dpkg
@pytest.mark.network
def test_a_real_package_of_the_distribution(tmp_path: Path) -> None:
    system = shutil.which("python3", path="/usr/bin")
    if system is None or Interpreter.probe(Path(system)).version not in {"3.11", "3.12"}:
        pytest.skip("the system's python3 is none of 3.11 and 3.12; Debian 12 and Ubuntu 24.04 have one")
    interpreter = Interpreter.probe(Path(system))
    assert provision.fetch_libpython(interpreter, tmp_path) == ""
    assert (tmp_path / interpreter.libpython).read_bytes()[:4] == b"\x7fELF"
