from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING, Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

    from packaging.markers import Marker

PYTHONS = ("3.11", "3.12", "3.13")
LABS = {"cpu", "cpu-gfpgan", "gpu", "dev", "dev-gpu"}
NAMES = ("build", "gpu", "cpu", "cpu-gfpgan", "dev", "dev-gpu", "server", "server-gpu")


@pytest.fixture
def lock(root: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("lock", root / "environments" / "lock.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["lock"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def project(root: Path) -> dict[str, Any]:
    return tomllib.loads((root / "pyproject.toml").read_text())


@pytest.fixture
def copy(root: Path, tmp_path: Path) -> Path:
    """pyproject.toml and the lock files, in a folder with a space in its name."""
    folder = tmp_path / "a copy"
    shutil.copytree(root / "environments", folder / "environments", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(root / "pyproject.toml", folder)
    return folder


def entries(file: Path) -> list[str]:
    """The pins of a lock file, each with its hashes, on one line."""
    text = file.read_text().replace("\\\n", " ")
    return [line for line in text.splitlines() if line.strip() and not line.startswith("#")]


def pins(file: Path, python: str | None = None) -> dict[str, str]:
    """Name -> version, of all pins or of those that hold on Linux x86-64 with ``python``."""
    found = {}
    for entry in entries(file):
        requirement = Requirement(entry.split(" --hash")[0])
        if python is not None and not holds(requirement.marker, python):
            continue
        (specifier,) = requirement.specifier
        assert specifier.operator == "=="
        found[canonicalize_name(requirement.name)] = specifier.version
    return found


def holds(marker: Marker | None, python: str) -> bool:
    environment = {"python_version": python, "python_full_version": f"{python}.1", "sys_platform": "linux"}
    environment |= {"platform_machine": "x86_64", "platform_system": "Linux", "os_name": "posix", "extra": ""}
    environment |= {"implementation_name": "cpython", "platform_python_implementation": "CPython"}
    return marker is None or marker.evaluate(environment)


def test_the_lock_files_were_compiled_from_todays_tables(lock: ModuleType) -> None:
    assert list(lock.stale()) == []
    assert tuple(entry.name for entry in lock.LOCKS) == NAMES


def test_every_table_that_is_installed_from_is_locked(lock: ModuleType, project: dict[str, Any]) -> None:
    groups = {group for entry in lock.LOCKS for group in entry.groups}
    assert groups == set(project["dependency-groups"])
    extras = {extra for entry in lock.LOCKS for extra in entry.extras}
    assert extras == set(project["project"]["optional-dependencies"]) - {"torch"}, "torch is for one script only"


@pytest.mark.parametrize(
    ("before", "after", "named"),
    [
        ('"typer>=', '"typer>=0.0.1,>=', LABS),
        ('"xgboost-cpu==', '"xgboost-cpu>=', {"cpu", "cpu-gfpgan", "dev"}),
        ('"torchvision==', '"torchvision>=', {"cpu-gfpgan", "gpu", "dev", "dev-gpu"}),
        (
            '"1.3.8"\nrequires-dist = []',
            '"1.3.8"\nrequires-dist = ["lmdb"]',
            {"cpu", "cpu-gfpgan", "gpu", "dev", "dev-gpu"},
        ),
        ('"ruff>=', '"ruff>=0.0.1,>=', {"dev", "dev-gpu"}),
        ('server = ["nvidia-pytriton==', 'server = ["nvidia-pytriton>=', {"server"}),
        ('requires = ["hatchling>=', 'requires = ["hatchling>=1.0,>=', {"build"}),
        ('"rfc3987-syntax",', "", LABS),
        ('requires-python = ">=3.11"', 'requires-python = ">=3.12"', set(NAMES)),
        ('description = "', 'description = "Other words. ', set()),
    ],
)
def test_a_changed_table_makes_exactly_its_files_stale(
    lock: ModuleType, copy: Path, before: str, after: str, named: set[str]
) -> None:
    text = (copy / "pyproject.toml").read_text()
    assert text.count(before) == 1
    (copy / "pyproject.toml").write_text(text.replace(before, after))
    said = list(lock.stale(copy / "environments"))
    assert {line.split(".txt ")[0] for line in said} == named
    program = copy / "environments" / "lock.py"
    done = subprocess.run([sys.executable, str(program), "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == (1 if named else 0)
    assert ("run `make lock`" in done.stderr) == bool(named)


def test_a_missing_lock_file_is_stale(lock: ModuleType, copy: Path) -> None:
    (copy / "environments" / "gpu.txt").unlink()
    assert list(lock.stale(copy / "environments")) == ["gpu.txt is missing"]


@pytest.mark.parametrize("name", NAMES)
def test_every_requirement_is_satisfied_by_its_pin(
    lock: ModuleType, project: dict[str, Any], root: Path, name: str
) -> None:
    (entry,) = (entry for entry in lock.LOCKS if entry.name == name)
    requirements = [Requirement(text) for text in entry.requirements(project)]
    assert requirements
    for python in PYTHONS:
        pinned = pins(root / "environments" / f"{name}.txt", python)
        for requirement in requirements:
            if holds(requirement.marker, python):
                version = pinned[canonicalize_name(requirement.name)]
                assert requirement.specifier.contains(version, prereleases=True), f"{requirement} on Python {python}"


def test_what_is_left_out_is_in_no_environment_of_a_lab_and_the_rest_does_without(
    lock: ModuleType, project: dict[str, Any], root: Path
) -> None:
    left_out = set(lock.left_out(project))
    assert left_out
    for entry in lock.LOCKS:
        assert not left_out & set(pins(root / "environments" / f"{entry.name}.txt")), entry.name
    program = "import sys, nbformat; assert not {*sys.modules} & {'lark', 'rfc3987_syntax'}"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


@pytest.mark.parametrize("name", NAMES)
def test_every_pin_has_a_hash_and_no_index_is_named(root: Path, name: str) -> None:
    file = root / "environments" / f"{name}.txt"
    for entry in entries(file):
        assert re.fullmatch(r"[\w.-]+==[\w.!+]+( ; [^#]+?)?( +--hash=sha256:[0-9a-f]{64})+ *", entry), entry
    assert "://" not in file.read_text()
    assert not re.search(r"^\s*--(?!hash)", file.read_text(), re.MULTILINE), "an option such as --index-url"


@pytest.mark.parametrize(
    ("small", "large"), [("cpu", "cpu-gfpgan"), ("cpu-gfpgan", "dev"), ("cpu", "dev"), ("gpu", "dev-gpu")]
)
@pytest.mark.parametrize("python", PYTHONS)
def test_a_larger_environment_holds_the_smaller_one(root: Path, small: str, large: str, python: str) -> None:
    folder = root / "environments"
    assert pins(folder / f"{small}.txt", python).items() <= pins(folder / f"{large}.txt", python).items()


@pytest.mark.parametrize("python", PYTHONS)
def test_torch_is_only_where_it_was_asked_for(root: Path, python: str) -> None:
    held = {name: pins(root / "environments" / f"{name}.txt", python).keys() for name in NAMES}
    assert not {"torch", "nvidia-cublas"} & held["cpu"], "5 GB on every laptop"
    for name in ("cpu-gfpgan", "gpu", "dev", "dev-gpu"):
        assert len({"torch", "torchvision", "gfpgan", "basicsr"} & held[name]) == (0 if python == "3.13" else 4), name


def test_what_carries_weights_brings_nothing_along(root: Path) -> None:
    for name in NAMES:
        unwanted = {"opencv-python", "tb-nightly", "lmdb", "filterpy", "imageio-ffmpeg", "dlib"}
        assert not unwanted & pins(root / "environments" / f"{name}.txt").keys(), name


BUILDS = {"onnxruntime": "onnxruntime-gpu", "xgboost-cpu": "xgboost-cu13"}  # the same library for a CPU and for a GPU


@pytest.mark.parametrize(
    ("one", "other", "differ"),
    [
        ("cpu", "gpu", {"onnxruntime", "xgboost-cpu"}),
        ("cpu-gfpgan", "gpu", {"onnxruntime", "xgboost-cpu"}),
        ("dev", "dev-gpu", {"onnxruntime", "xgboost-cpu"}),
        ("server", "server-gpu", {"onnxruntime"}),
    ],
)
@pytest.mark.parametrize("python", PYTHONS)
def test_the_cpu_and_the_gpu_environment_share_their_pins(
    root: Path, one: str, other: str, differ: set[str], python: str
) -> None:
    a, b = (pins(root / "environments" / f"{name}.txt", python) for name in (one, other))
    assert {name: a[name] for name in a.keys() & b.keys()} == {name: b[name] for name in a.keys() & b.keys()}
    assert a.keys() - b.keys() == differ
    assert {name: a[name] for name in differ} == {name: b[BUILDS[name]] for name in differ}


def test_the_client_and_the_server_speak_the_same_release(root: Path) -> None:
    folder = root / "environments"
    for name in ("tritonclient", "protobuf", "grpcio", "nvidia-dali-cuda130", "nvidia-nvimgcodec-cu13"):
        assert pins(folder / "cpu.txt")[name] == pins(folder / "server.txt")[name]


def test_a_registry_that_cannot_be_reached_changes_nothing(lock: ModuleType, copy: Path) -> None:
    folder = copy / "environments"
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    command = [sys.executable, str(folder / "lock.py"), "--upgrade", "--uv", uv()]
    environment = {"PATH": "/usr/bin:/bin", "UV_OFFLINE": "1", "UV_NO_CACHE": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 1
    assert "nothing was changed" in done.stderr
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before


@pytest.mark.network
def test_compiling_again_changes_nothing(lock: ModuleType, copy: Path) -> None:
    assert lock.compile_all(uv(), copy / "environments") == []


def uv() -> str:
    from uv import find_uv_bin  # noqa: PLC0415

    return find_uv_bin()
