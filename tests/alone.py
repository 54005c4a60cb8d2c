"""Run again, one after the other and with nothing beside them, the tests that failed in a run shared among processes.

A test that fails there and passes here found the machine busy, or is not independent of its neighbours. It is named, so
that somebody looks at it, and does not stop what has nothing to do with it; a defect fails both times. Called by
``make test`` with the exit status of the first run; ends with that of the second.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
#: Key in pytest's cache of what the last shared run saw fail; ``conftest.py`` writes it.
KEY = "w251lab/failed"
#: More than this is no busy machine.
MOST = 12


def failed_tests(cache: Path) -> list[str]:
    """The node ids that the last run shared among processes has written down; empty without such a run."""
    file = cache / "v" / KEY
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else []


def again(status: int, root: Path = ROOT) -> int:
    """The exit status of the whole: that of the first run, or of the second where it could change the outcome."""
    failed = failed_tests(root / ".pytest_cache")
    if status != pytest.ExitCode.TESTS_FAILED or not 0 < len(failed) <= MOST:
        return status
    say(f"{len(failed)} failed beside other tests; each is run once more, with nothing beside it", failed)
    second = subprocess.run([sys.executable, "-m", "pytest", "-p", "no:xdist", *failed], cwd=root, check=False)
    if second.returncode == 0:
        say(
            "unsteady: these failed beside other tests and passed alone; see to it that they need no quiet machine",
            failed,
        )
    return second.returncode


def say(headline: str, tests: list[str]) -> None:
    """Print a headline and the tests that it is about."""
    print(f"\n{headline}:", *tests, sep="\n  ", flush=True)  # noqa: T201 - a program's output


if __name__ == "__main__":
    sys.exit(again(int(sys.argv[1])))
