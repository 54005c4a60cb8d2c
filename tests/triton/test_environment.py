"""The server's environment: what it must hold, what it passes on, and how it is made again."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from uv import find_uv_bin

from w251lab.errors import UsageError, W251Error
from w251lab.triton import environment, provision
from w251lab.triton.environment import ServerEnvironment

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Has `install` make links to the real environment in place of fetching packages; the folders it was made in."""
    real = environment.load()
    folders: list[Path] = []

    def make(root: Path, device: str, python: str | None) -> None:
        assert python is None
        folders.append(root)
        shutil.rmtree(root, ignore_errors=True)
        imitate(real, root)
        (root / environment.STAMP).write_text(json.dumps(environment._fingerprint(device)))

    monkeypatch.setattr(environment, "_make", make)
    return folders


def imitate(real: ServerEnvironment, root: Path) -> ServerEnvironment:
    """An environment of links to the real one's server, on this Python."""
    subprocess.run([real.interpreter.executable, "-m", "venv", "--without-pip", str(root)], check=True)
    packages = ServerEnvironment(root).interpreter.site_packages
    shutil.copytree(
        real.interpreter.site_packages / "pytriton" / "tritonserver",
        packages / "pytriton" / "tritonserver",
        copy_function=lambda source, target: Path(target).symlink_to(source),
    )
    return ServerEnvironment(root)


@pytest.fixture
def copy(tmp_path: Path) -> ServerEnvironment:
    return imitate(environment.load(), tmp_path / "an environment")


def test_the_real_one_is_complete() -> None:
    env = environment.load()
    assert env.binary.is_file()
    assert env.stub.is_file()
    assert environment.is_current(env.root, "cpu") or environment.is_current(env.root, "gpu")


def test_a_copy_is_complete(copy: ServerEnvironment) -> None:
    copy.check()


def test_no_environment(tmp_path: Path) -> None:
    with pytest.raises(W251Error, match=r"no Triton server environment at .*nowhere") as caught:
        environment.load(tmp_path / "nowhere")
    assert "w251lab setup" in caught.value.remedy
    assert environment.ENVIRONMENT_VARIABLE in caught.value.remedy


def test_no_server_in_it(copy: ServerEnvironment) -> None:
    copy.binary.unlink()
    with pytest.raises(W251Error, match="holds no tritonserver") as caught:
        environment.load(copy.root)
    assert "setup --force" in caught.value.remedy


def test_no_stub_for_its_python(copy: ServerEnvironment) -> None:
    shutil.rmtree(copy.stub.parent)
    with pytest.raises(W251Error, match=f"no stub for Python {copy.interpreter.version}") as caught:
        environment.load(copy.root)
    assert "3.8" in caught.value.remedy
    assert "setup --force --python" in caught.value.remedy


def test_no_libpython(copy: ServerEnvironment, monkeypatch: pytest.MonkeyPatch) -> None:
    probe = environment.Interpreter.probe

    def without(executable: Path, remedy: str) -> environment.Interpreter:
        found = probe(executable, remedy)
        return environment.Interpreter(found.executable, found.version, found.site_packages, found.libpython, None)

    monkeypatch.setattr(environment.Interpreter, "probe", without)
    with pytest.raises(W251Error, match=r"needs libpython3\.\d+\.so") as caught:
        environment.load(copy.root)
    assert f"apt-get install libpython{copy.interpreter.version}" in caught.value.remedy


def test_an_interpreter_that_does_not_run(copy: ServerEnvironment) -> None:
    python = copy.root / "bin" / "python3"
    python.unlink()
    python.write_text("#!/bin/sh\nexit 3\n")
    python.chmod(0o755)
    with pytest.raises(W251Error, match="does not run: exit status 3") as caught:
        environment.load(copy.root)
    assert "setup --force" in caught.value.remedy


def test_a_stub_that_lost_its_run_bit_is_copied(copy: ServerEnvironment, tmp_path: Path) -> None:
    real = copy.stub.resolve()
    copy.stub.unlink()
    shutil.copyfile(real, copy.stub)
    copy.stub.chmod(0o444)
    stub = copy.backend_directory(tmp_path / "backends") / "python" / "triton_python_backend_stub"
    assert not stub.is_symlink()
    assert stub.stat().st_mode & 0o111
    assert not copy.stub.stat().st_mode & 0o111, "the installed one stays as it is"


def test_what_the_server_gets_of_the_labs_variables(copy: ServerEnvironment, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "LD_PRELOAD", "LD_LIBRARY_PATH", "COFFEE"):
        monkeypatch.setenv(name, "/lab")
    env = copy.process_environment()
    assert not {"PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "LD_PRELOAD"} & set(env)
    assert env["COFFEE"] == "/lab"
    assert env["PATH"].startswith(str(copy.root / "bin") + ":")
    assert env["LD_LIBRARY_PATH"].endswith("/lab")
    assert env["VIRTUAL_ENV"] == str(copy.root)


def test_default_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(environment.ENVIRONMENT_VARIABLE, str(tmp_path / "there"))
    assert environment.default_root() == tmp_path / "there"
    monkeypatch.delenv(environment.ENVIRONMENT_VARIABLE)
    assert environment.default_root() == Path(sys.prefix).with_name(Path(sys.prefix).name + "-server")
    monkeypatch.setattr(sys, "prefix", sys.base_prefix)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert environment.default_root() == tmp_path / "w251lab" / "server"


def test_it_is_made_once(tmp_path: Path, made: list[Path]) -> None:
    root = tmp_path / "env"
    assert environment.install(root=root).root == root
    environment.install(root=root)
    assert made == [root]
    environment.install(root=root, force=True)
    assert made == [root, root]


@pytest.mark.parametrize(
    "damage",
    [
        lambda root: (root / environment.STAMP).unlink(),  # an interrupted set-up
        lambda root: (root / environment.STAMP).write_text("{"),
        lambda root: (root / environment.STAMP).write_text('{"device": "cpu", "requirements": "of last year"}'),
        lambda root: ServerEnvironment(root).binary.unlink(),
        lambda root: (root / "bin" / "python3").unlink(),
    ],
)
def test_what_is_not_whole_is_made_again(tmp_path: Path, made: list[Path], damage: Callable[[Path], None]) -> None:
    root = tmp_path / "env"
    environment.install(root=root)
    damage(root)
    environment.install(root=root)
    assert made == [root, root]
    environment.load(root)


def test_another_device_makes_it_again(tmp_path: Path, made: list[Path]) -> None:
    root = tmp_path / "env"
    environment.install("cpu", root)
    assert environment.is_current(root, "cpu")
    assert not environment.is_current(root, "gpu")
    environment.install("gpu", root)
    assert made == [root, root]


def test_a_folder_of_other_things_is_never_cleared(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(W251Error, match="is not a virtual environment"):
        environment.install(root=tmp_path, force=True)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_an_installation_that_fails_is_told_and_not_taken_for_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    impossible = tmp_path / "server.txt"
    impossible.write_text("w251lab-no-such-package==1.0 --hash=sha256:" + "0" * 64)
    monkeypatch.setattr(environment, "requirements", lambda _device: impossible)
    monkeypatch.setenv("UV_OFFLINE", "1")
    root = tmp_path / "env"
    with pytest.raises(W251Error, match=r"failed in: (.|\n)*w251lab-no-such-package") as caught:
        environment.install(root=root)
    assert "same command again" in caught.value.remedy
    assert not environment.is_current(root, "cpu")


@pytest.mark.parametrize("terminal", [True, False])
def test_the_installer_draws_its_progress_on_a_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], terminal: bool
) -> None:
    uv = tmp_path / "uv"
    uv.write_text(f"""#!/bin/sh
[ "$1" = pip ] || exec "{find_uv_bin()}" "$@"
case "$*" in *" -q "*) ;; *) echo "10 of 100 MB" >&2;; esac
echo "no such host" >&2
exit 1
""")
    uv.chmod(0o755)
    monkeypatch.setattr(provision, "find_uv", lambda: str(uv))
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    with pytest.raises(W251Error, match=r"failed in: .*uv pip install") as caught:
        environment.install(root=tmp_path / "env")
    shown = capfd.readouterr().err
    assert shown == ("10 of 100 MB\nno such host\n" if terminal else "")
    assert ("no such host" in caught.value.what) is not terminal, "said once"


def test_a_place_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(W251Error, match="cannot be used"):
        environment.install(root=tmp_path / "file" / "env")


def test_requirements_are_pinned_with_hashes() -> None:
    for device in ("cpu", "gpu"):
        assert "--hash=sha256:" in environment.requirements(device).read_text()
    with pytest.raises(UsageError, match="Unknown device 'tpu'"):
        environment.requirements("tpu")
