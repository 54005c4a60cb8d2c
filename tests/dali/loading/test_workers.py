"""Worker processes: the same pictures, and nothing left of them however they end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from concurrent.futures import Future
from typing import TYPE_CHECKING

import nbformat
import numpy as np
import psutil
import pytest

from w251lab.dali.loading.pillow import PillowLoader
from w251lab.dali.loading.workers import PillowWorkers
from w251lab.dali.recipes import Training
from w251lab.errors import W251Error

if TYPE_CHECKING:
    from pathlib import Path

    from w251lab.dali.sources import Source

SMALL = Training(crop=32)


def _workers() -> list[psutil.Process]:
    return [child for child in psutil.Process().children(recursive=True) if "spawn_main" in " ".join(child.cmdline())]


@pytest.mark.parametrize("batch_size", [5, 1])
def test_the_pictures_of_one_process_and_no_process_left(photographs: Source, batch_size: int) -> None:
    one = PillowLoader(photographs.names, SMALL, batch_size=batch_size, seed=3)
    with PillowWorkers(photographs.names, SMALL, batch_size=batch_size, workers=2, seed=3) as loader:
        assert len(_workers()) == 2
        found = [loader.run() for _ in range(4)]
    for batch, laps in found:
        np.testing.assert_array_equal(batch, one.run()[0])  # a batch that was handed out is not written over
        assert min(laps.seconds.values()) > 0
    assert not _workers()


def test_a_worker_that_is_killed(photographs: Source) -> None:
    with PillowWorkers(photographs.names, Training(), batch_size=20, workers=2) as loader:
        loader.run()
        victim = _workers()[0]
        os.kill(victim.pid, signal.SIGKILL)
        with pytest.raises(W251Error, match="a worker process ended before its work was done") as caught:
            _ = [loader.run() for _ in range(50)]
        assert "fewer workers" in caught.value.remedy
        with pytest.raises(W251Error, match="a worker process ended"):
            loader.run()
    assert not _workers()


def test_after_its_end(photographs: Source) -> None:
    with PillowWorkers(photographs.names, SMALL, batch_size=2, workers=1) as loader:
        pass
    loader.close()
    with pytest.raises(W251Error, match="the worker processes have ended"):
        loader.run()


def test_an_interrupt_and_then_another_try(photographs: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a notebook: the cell is interrupted while it waits, and run again."""

    def interrupted(_self: Future[object], timeout: float | None = None) -> object:
        raise KeyboardInterrupt

    with PillowWorkers(photographs.names, SMALL, batch_size=2, workers=1) as loader:
        loader.run()
        with monkeypatch.context() as meanwhile:
            meanwhile.setattr(Future, "result", interrupted)
            with pytest.raises(KeyboardInterrupt):
                loader.run()
        for _ in range(3):  # more often than there are slots
            with pytest.raises(W251Error, match="was interrupted in the middle of a batch") as caught:
                loader.run()
            assert caught.value.remedy == "make a new loader"
    assert not _workers()


def test_a_picture_that_cannot_be_decoded(photographs: Source, tmp_path: Path) -> None:
    damaged = tmp_path / "a damaged one.jpg"
    damaged.write_bytes(b"no picture")
    with PillowWorkers([*photographs.names[:3], str(damaged)], SMALL, batch_size=2, workers=2) as loader:
        loader.run()
        for _ in range(2):
            with pytest.raises(W251Error, match=r"a damaged one\.jpg cannot be decoded"):
                loader.run()
    assert not _workers()


SCRIPT = """
    import sys
    from w251lab.dali.loading.workers import PillowWorkers
    from w251lab.dali.recipes import Training
    {guard}
    with PillowWorkers(sys.argv[1:], Training(crop=32), batch_size=4, workers=2) as loader:
        print(loader.run()[0].shape, flush=True)
        {then}
"""


def _script(folder: Path, guard: str, then: str = "pass") -> Path:
    lines = textwrap.dedent(SCRIPT).format(guard=guard, then=then).splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("with "))
    if guard:
        lines[at:] = [f"    {line}" for line in lines[at:]]
    file = folder / "a script.py"
    file.write_text("\n".join(lines))
    return file


def test_a_script_without_a_guard_gets_the_remedy(photographs: Source, tmp_path: Path) -> None:
    command = [sys.executable, _script(tmp_path, ""), *photographs.names]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 1
    assert "call this below `if __name__ == '__main__':`" in done.stderr
    command[1] = _script(tmp_path, "if __name__ == '__main__':")
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (0, "(4, 3, 32, 32)\n", "")


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_no_worker_outlives_its_program(photographs: Source, tmp_path: Path, how: signal.Signals) -> None:
    script = _script(tmp_path, "if __name__ == '__main__':", "while True: loader.run()")
    process = subprocess.Popen(
        [sys.executable, script, *photographs.names], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "(4, 3, 32, 32)\n"
    children = psutil.Process(process.pid).children(recursive=True)
    assert len(children) >= 2
    process.send_signal(how)
    _, said = process.communicate(timeout=60)
    assert process.returncode != 0
    assert said.count("Traceback") == (how == signal.SIGINT), "the workers have nothing to say"
    _, alive = psutil.wait_procs(children, timeout=30)
    assert not alive


def test_in_a_notebook(photographs: Source, tmp_path: Path) -> None:
    code = f"""
from w251lab.dali.loading.workers import PillowWorkers
from w251lab.dali.recipes import Training
with PillowWorkers({photographs.names!r}, Training(crop=32), batch_size=4, workers=2) as loader:
    shape = loader.run()[0].shape
print(shape)
"""
    file = tmp_path / "a notebook.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)]), file)
    done = subprocess.run(
        [sys.executable, "-m", "nbconvert", "--execute", "--to", "notebook", "--inplace", file],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "leaked" not in done.stderr
    (cell,) = nbformat.read(file, as_version=4).cells
    assert [output.text for output in cell.outputs] == ["(4, 3, 32, 32)\n"]
