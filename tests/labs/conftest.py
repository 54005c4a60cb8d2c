"""Makes ``planting`` importable, and has the runs of all test modules here under way at the same time."""

from __future__ import annotations

import importlib.util
import sys
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from w251lab.course.check import Checked

_spec = importlib.util.spec_from_file_location("planting", Path(__file__).with_name("planting.py"))
planting = importlib.util.module_from_spec(_spec)
sys.modules["planting"] = planting
_spec.loader.exec_module(planting)


class Runs:
    """Runs of notebooks, three at a time: a run waits half of its time."""

    def __init__(self, folders: pytest.TempPathFactory) -> None:
        self._folders = folders
        self._pool = ThreadPoolExecutor(3, thread_name_prefix="labs")
        self._under_way: dict[str, Future[Checked]] = {}
        self._made: dict[str, Path] = {}

    def start(self, key: str, work: Callable[[Path], Checked]) -> None:
        """Have a run under way; ``work`` gets a folder of its own."""
        assert key not in self._under_way
        self._made[key] = self._folders.mktemp(f"{key.rpartition('/')[2]} ")
        self._under_way[key] = self._pool.submit(work, self._made[key])

    def __getitem__(self, key: str) -> Checked:
        """What a run gave, once it has ended."""
        assert key in self._under_way, f"{key} was not started; see `begin` of the test module"
        return self._under_way[key].result()

    def folder(self, key: str) -> Path:
        """The run's own folder."""
        return self._made[key]

    def wait_for_all(self) -> None:
        wait(self._under_way.values())

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)


@pytest.fixture(scope="session")
def runs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    """All runs that the chosen tests read.

    The function ``begin`` of a test module starts those of its tests that are given to it. All are started before the
    first is waited for: a module's last run, alone on the machine, would have the other modules wait.
    """
    made = Runs(tmp_path_factory)
    by_module: dict[Any, list[pytest.Item]] = {}
    for item in request.session.items:
        if "runs" in getattr(item, "fixturenames", ()) and hasattr(
            module := item.getparent(pytest.Module).obj, "begin"
        ):
            by_module.setdefault(module, []).append(item)
    try:
        for module, items in by_module.items():
            module.begin(made, items)
        yield made
    finally:
        made.close()
