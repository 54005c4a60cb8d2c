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

HERE = Path(__file__).parent

_spec = importlib.util.spec_from_file_location("planting", HERE / "planting.py")
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
        self._planned: list[tuple[bool, str, Callable[[Path], Checked]]] = []

    def plan(self, key: str, work: Callable[[Path], Checked], *, early: bool = False) -> None:
        """Have a run to start; ``work`` gets a folder of its own. One that takes long is best started early."""
        assert key not in self._made
        self._made[key] = self._folders.mktemp(f"{key.rpartition('/')[2]} ")
        self._planned.append((not early, key, work))

    def start(self) -> None:
        """Have all that is planned under way."""
        for _, key, work in sorted(self._planned, key=lambda planned: planned[0]):
            self._under_way[key] = self._pool.submit(work, self._made[key])

    def __getitem__(self, key: str) -> Checked:
        """What a run gave, once it has ended."""
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

    The function ``plan_runs`` of a test module plans the runs of its tests that are given to it. All are started before
    the first is waited for: a module's last run, alone on the machine, would have the other modules wait.
    """
    made = Runs(tmp_path_factory)
    by_module: dict[Any, list[pytest.Item]] = {}
    for item in request.session.items:
        if item.path.parent == HERE and "runs" in getattr(item, "fixturenames", ()):
            by_module.setdefault(item.getparent(pytest.Module).obj, []).append(item)
    try:
        for module, items in by_module.items():
            module.plan_runs(made, items)
        made.start()
        yield made
    finally:
        made.close()
