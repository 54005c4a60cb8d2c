from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from w251lab.timing.others import Others

if TYPE_CHECKING:
    from pathlib import Path


def _stat(file: Path, busy: int) -> Path:
    file.write_text(f"cpu  {busy} 0 0 500 70 0 0 0 0 0\ncpu0 1 2 3 4\n", encoding="ascii")
    return file


def test_cores_of_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now, own = [100.0], [1.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(os, "times", lambda: (own[0], 0.0, 0.0, 0.0, 0.0))
    stat = _stat(tmp_path / "stat", 1000)
    others = Others(stat)
    now[0], own[0] = 110.0, 6.0
    _stat(stat, 1000 + 20 * os.sysconf("SC_CLK_TCK"))  # 20 s of work in 10 s, of which 5 s are this process's
    assert others.cores() == pytest.approx(1.5)


def test_where_the_kernel_does_not_say(tmp_path: Path) -> None:
    assert Others(tmp_path / "missing").cores() is None


def test_a_real_process_beside_this_one() -> None:
    code = "import time; end = time.perf_counter() + 1.5\nwhile time.perf_counter() < end: pass"
    with subprocess.Popen([sys.executable, "-c", code]) as stranger:  # not waited for yet: as if it were a stranger's
        others = Others()
        time.sleep(1.0)
        busy = others.cores()
        stranger.wait()
    assert busy is not None
    assert busy > 0.2
