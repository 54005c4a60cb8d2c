"""The wheel: an installed package finds the data that a checkout finds."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

#: Files that are made elsewhere in the checkout, by where an installed package looks for them.
FROM_ELSEWHERE = {
    f"w251lab/triton/requirements/{name}.txt": f"environments/{name}.txt" for name in ("server", "server-gpu")
}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As a build front end makes it, with the build system that the development environment holds."""
    root = Path(__file__).resolve().parents[1]
    folder = tmp_path_factory.mktemp("a wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder]
    done = subprocess.run(command, capture_output=True, text=True, cwd=root, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    (file,) = folder.iterdir()
    return file


def _of_the_package(root: Path) -> set[str]:
    """What git has or would take; in an unpacked archive without git, everything that Python did not leave there."""
    if not (root / ".git").exists():
        files = (file for file in (root / "w251lab").rglob("*") if "__pycache__" not in file.parts)
        return {str(file.relative_to(root)) for file in files if file.is_file()}
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "w251lab"]
    names = subprocess.run(command, capture_output=True, text=True, cwd=root, check=True).stdout.split("\0")
    return {name for name in names if (root / name).is_file()}


def test_the_wheel_holds_the_package_and_all_its_data(wheel: Path, root: Path) -> None:
    expected = {name: name for name in _of_the_package(root)} | FROM_ELSEWHERE
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
        assert sorted(names) == sorted(expected)
        differ = [name for name, source in expected.items() if archive.read(name) != (root / source).read_bytes()]
    assert not differ


@pytest.mark.parametrize(
    "pattern",
    [
        "w251lab/bench/files.py",
        "w251lab/course/templates/*.j2",
        "w251lab/dali/loading/recorded/*.json",
        "w251lab/dali/pictures/**/*.jpg",
        "w251lab/dali/pictures/PROVENANCE.md",
        "w251lab/py.typed",
        "w251lab/rapids/flights/*.parquet",
        "w251lab/rapids/recorded/*.json",
        "w251lab/triton/models/*.onnx",
        "w251lab/dali/serving/runner.py",
    ],
)
def test_what_is_read_at_run_time_is_tracked(pattern: str, root: Path) -> None:
    """A file that git ignores is missing from the wheel and from what it is compared with."""
    there = {str(file.relative_to(root)) for file in root.glob(pattern)}
    assert there
    assert there <= _of_the_package(root)


def test_the_verb_and_its_licence(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        about = {name.partition(".dist-info/")[2]: name for name in archive.namelist() if ".dist-info/" in name}
        assert set(about) == {"METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE"}
        assert b"w251lab = w251lab.cli:main" in archive.read(about["entry_points.txt"])
