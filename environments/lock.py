"""Pin every environment of the project with hashes: ``make lock``.

pyproject.toml is the one version table. Each file here is compiled from some of its tables by ``uv pip compile`` for
Python 3.11 and later at once, and carries a digest of what it was compiled from, so that a stale file is known without
the network (``--check``, and a test). Pins are kept where they still satisfy the tables: ``--upgrade`` lifts them.

Only the standard library is used, so that a broken lock file never stands in the way of making a new one.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).resolve().parent
OLDEST_PYTHON = "3.11"
_HEADER = "# Pinned with hashes by `make lock` from pyproject.toml: do not edit.\n# compiled from: sha256:"


@dataclass(frozen=True)
class Lock:
    """One lock file and what it is compiled from.

    Attributes:
        name: The file is ``environments/<name>.txt``.
        core: Whether the project's own dependencies are in it.
        extras: Names in ``[project.optional-dependencies]``.
        groups: Names in ``[dependency-groups]``.
        agrees_with: Lock files, made before this one, whose pins this one repeats where it has the same package.
        build: Whether it holds ``[build-system] requires`` instead.
    """

    name: str
    core: bool = True
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    agrees_with: tuple[str, ...] = ()
    build: bool = False

    def requirements(self, project: dict[str, Any]) -> list[str]:
        """The requirements of ``project`` (a parsed pyproject.toml) that this file has to satisfy."""
        if self.build:
            return list(project["build-system"]["requires"])
        found = list(project["project"]["dependencies"]) if self.core else []
        for extra in self.extras:
            found += project["project"]["optional-dependencies"][extra]
        for group in self.groups:
            found += project["dependency-groups"][group]
        return found

    def digest(self, project: dict[str, Any]) -> str:
        """SHA-256 of everything that decides what this file should hold."""
        decides = {
            "requirements": sorted(self.requirements(project)),
            "requires-python": project["project"]["requires-python"],
            "python": OLDEST_PYTHON,
            "agrees_with": self.agrees_with,
        } | ({"left out": left_out(project), "metadata": metadata(project)} if self.core else {})
        return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()


def left_out(project: dict[str, Any]) -> list[str]:
    """The packages that no environment of a lab holds, whoever asks for them: of a parsed pyproject.toml."""
    return list(project["tool"]["w251lab"]["left-out"])


def metadata(project: dict[str, Any]) -> list[dict[str, Any]]:
    """What a parsed pyproject.toml says of packages in place of their own lists of requirements."""
    return list(project["tool"].get("uv", {}).get("dependency-metadata", []))


# In the order of making. The dev files hold everything `make test` needs on top of the lab's own environment, so that
# one file describes one environment completely; onnxruntime and onnxruntime-gpu share a folder and exclude each other.
# The GPU's file comes first: RAPIDS takes one range of pandas, numpy and dask, and a lab has to find the same on a CPU.
# GFPGAN's torch brings the CUDA libraries along, which a GPU has anyway; on a CPU they are 5 GB, for those who ask.
LOCKS = (
    Lock("build", core=False, build=True),
    Lock("gpu", extras=("gpu", "gfpgan")),
    Lock("cpu", extras=("cpu",), agrees_with=("gpu",)),
    Lock("cpu-gfpgan", extras=("cpu", "gfpgan"), agrees_with=("gpu", "cpu")),
    Lock("dev", extras=("cpu", "gfpgan"), groups=("dev", "bench"), agrees_with=("cpu-gfpgan",)),
    Lock("dev-gpu", extras=("gpu", "gfpgan"), groups=("dev", "bench"), agrees_with=("gpu", "dev")),
    Lock("server", core=False, groups=("server",)),
    Lock("server-gpu", core=False, groups=("server-gpu",), agrees_with=("server",)),
)


def stale(folder: Path = HERE) -> Iterator[str]:
    """Say which lock files in ``folder`` were not compiled from the pyproject.toml above it. Needs no network."""
    project = tomllib.loads((folder.parent / "pyproject.toml").read_text(encoding="utf-8"))
    for lock in LOCKS:
        file = folder / f"{lock.name}.txt"
        if not file.is_file():
            yield f"{file.name} is missing"
        elif not file.read_text(encoding="utf-8").startswith(_HEADER + lock.digest(project) + "\n"):
            yield f"{file.name} was compiled from other requirements than pyproject.toml has now"


def compile_all(uv: str, folder: Path = HERE, *, upgrade: bool = False) -> list[str]:
    """Compile every lock file in ``folder``; return the names of those that changed.

    All are compiled before the first is replaced, so that a failure leaves a consistent set behind.

    Args:
        uv: The uv executable.
        folder: The folder of the lock files, beside pyproject.toml.
        upgrade: Take the newest versions instead of keeping the present pins.

    Raises:
        subprocess.CalledProcessError: uv found no solution, or no package registry. It has said so on stderr.
    """
    project = tomllib.loads((folder.parent / "pyproject.toml").read_text(encoding="utf-8"))
    changed = []
    with tempfile.TemporaryDirectory(dir=folder, prefix=".lock-") as scratch:
        excludes = Path(scratch) / "left-out.txt"
        excludes.write_text("\n".join(left_out(project)), encoding="utf-8")
        for lock in LOCKS:
            sys.stderr.write(f"compiling {lock.name}.txt\n")
            new = Path(scratch) / f"{lock.name}.txt"
            if (folder / new.name).is_file():  # uv keeps the pins of the output file that it finds
                shutil.copyfile(folder / new.name, new)
            options = [f"--constraints={Path(scratch) / name}.txt" for name in lock.agrees_with]
            options += [f"--excludes={excludes}"] if lock.core else []
            options += ["--upgrade"] if upgrade else []
            body = _compile(uv, folder.parent, lock.requirements(project), new, options)
            new.write_text(_HEADER + lock.digest(project) + "\n" + body, encoding="utf-8")
        for lock in LOCKS:
            new, old = Path(scratch) / f"{lock.name}.txt", folder / f"{lock.name}.txt"
            if not old.is_file() or old.read_bytes() != new.read_bytes():
                new.replace(old)
                changed.append(lock.name)
    return changed


def _compile(uv: str, project: Path, requirements: list[str], output: Path, options: list[str]) -> str:
    command = [uv, "pip", "compile", "--quiet", "--universal", "--python-version", OLDEST_PYTHON]
    command += ["--generate-hashes", "--no-annotate", "--no-header", "--output-file", str(output), *options]
    # uv would read a project's tables itself, but not `[build-system]`: giving the lines treats all files alike.
    # In the project's folder it finds `[[tool.uv.dependency-metadata]]`.
    subprocess.run([*command, "-"], input="\n".join(requirements), text=True, check=True, cwd=project)
    body = output.read_text(encoding="utf-8")
    if "://" in body:
        sys.exit(f"{output.name} would name an address, which holds on one network only: see uv's configuration here")
    return body


def main() -> int:
    """Command line; exit status 1 when ``--check`` finds a stale file or uv fails."""
    parser = argparse.ArgumentParser(description="Pin the environments with hashes.")
    parser.add_argument("--uv", default="uv", help="the uv executable")
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions, not the present pins")
    parser.add_argument("--check", action="store_true", help="only say which files are out of date; needs no network")
    options = parser.parse_args()
    if options.check:
        problems = list(stale())
        sys.stderr.writelines(f"{problem}: run `make lock`\n" for problem in problems)
        return 1 if problems else 0
    try:
        changed = compile_all(options.uv, upgrade=options.upgrade)
    except subprocess.CalledProcessError:
        sys.stderr.write("uv could not compile the lock files; nothing was changed\n")
        return 1
    sys.stderr.write(f"changed: {', '.join(changed) or 'nothing'}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
