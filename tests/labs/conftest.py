"""Makes ``planting`` importable, and has the runs that tests read under way at the same time.

Without pytest-xdist these are the runs of all chosen tests. With it they are those of a group: the tests of one notebook
are a group, and stay in one worker.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from concurrent.futures import Future, ThreadPoolExecutor
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


def group_of(item: pytest.Item) -> str | None:
    """The group that the item is in; None where pytest-xdist does not distribute."""
    marker = item.get_closest_marker("xdist_group")
    return marker.args[0] if marker else None


class Runs:
    """Runs of notebooks, several at a time: a run waits half of its time."""

    def __init__(self, folders: pytest.TempPathFactory, at_a_time: int) -> None:
        self._folders = folders
        self._pool = ThreadPoolExecutor(at_a_time, thread_name_prefix="labs")
        self._started: set[str | None] = set()
        self._under_way: dict[str, Future[Checked]] = {}
        self._made: dict[str, Path] = {}
        self._planned: list[tuple[bool, str, Callable[[Path], Checked]]] = []

    def plan(self, key: str, work: Callable[[Path], Checked], *, early: bool = False) -> None:
        """Have a run to start; ``work`` gets a folder of its own. One that takes long is best started early."""
        assert key not in self._made
        self._made[key] = self._folders.mktemp(f"{key.rpartition('/')[2]} ")
        self._planned.append((not early, key, work))

    def start(self, item: pytest.Item) -> None:
        """Have all runs under way that the tests of the item's group read.

        The function ``plan_runs`` of a test module plans the runs of its tests that are given to it. All are started
        before the first is waited for: a module's last run, alone on the machine, would have the other modules wait.
        """
        group = group_of(item)
        if group in self._started:
            return
        self._started.add(group)
        by_module: dict[Any, list[pytest.Item]] = {}
        for each in item.session.items:
            wanted = each.path.parent == HERE and each.get_closest_marker("skip") is None
            if wanted and "runs" in getattr(each, "fixturenames", ()) and group_of(each) == group:
                by_module.setdefault(each.getparent(pytest.Module).obj, []).append(each)
        for module, items in by_module.items():
            module.plan_runs(self, items)
        for _, key, work in sorted(self._planned, key=lambda planned: planned[0]):
            self._under_way[key] = self._pool.submit(work, self._made[key])
        self._planned.clear()

    def __getitem__(self, key: str) -> Checked:
        """What a run gave, once it has ended."""
        return self._under_way[key].result()

    def folder(self, key: str) -> Path:
        """The run's own folder."""
        return self._made[key]

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)


@pytest.fixture(scope="session")
def every_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    """The runs of this process."""
    # Beside another worker two at a time are enough to have the machine busy.
    made = Runs(tmp_path_factory, at_a_time=2 if "PYTEST_XDIST_WORKER" in os.environ else 3)
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def runs(request: pytest.FixtureRequest, every_run: Runs) -> Runs:
    """The runs that this test and those of its group read."""
    every_run.start(request.node)
    return every_run
