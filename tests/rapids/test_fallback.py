"""Where a zero-code-change run really ran: the runner against accelerators of the real interface, and what it tells."""

from __future__ import annotations

import json
import math
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import psutil
import pytest

from w251lab import accelerator
from w251lab.errors import UsageError, W251Error
from w251lab.rapids import fallback, fallback_run
from w251lab.rapids.fallback import Profile, Step

if TYPE_CHECKING:
    from collections.abc import Callable

ACCELERATORS = Path(__file__).with_name("accelerators")


@pytest.fixture
def script(tmp_path: Path) -> Callable[[str], Path]:
    folder = tmp_path / "a folder with spaces"
    folder.mkdir()

    def write(code: str) -> Path:
        (folder / "script.py").write_text(code)
        return folder / "script.py"

    return write


def run(script: Path, kind: str = "cuml.accel", *args: str, timeout: float = 60.0) -> fallback_run.Ran:
    """With stand-ins for the accelerators, whose interface is that of cuDF and cuML 26.10."""
    return fallback_run.run(script, kind, args, timeout, {"PYTHONPATH": str(ACCELERATORS)})


def ends(pid: int) -> bool:
    """Whether a process that was killed is gone within a few seconds."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.02)
    return False


@pytest.fixture
def a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """`profile` as on a machine with a GPU, its child with the stand-ins."""
    required: list[tuple[str, ...]] = []
    monkeypatch.setattr(accelerator, "require", lambda *what: required.append(what))
    monkeypatch.setattr(accelerator, "label", lambda device: {"gpu": "NVIDIA H200", "cpu": "Xeon, 16 cores"}[device])
    monkeypatch.setenv("PYTHONPATH", str(ACCELERATORS))


PANDAS = """
import sys
import pandas
print(sys.argv[1:], __name__)
frame = pandas.stand_in
frame.on_gpu("GroupBy.mean", 0.02)
frame.on_gpu("GroupBy.mean", 0.02)
frame.on_cpu("Series.apply", 0.05)
"""

SKLEARN = """
import time
from cuml.accel import stand_in
stand_in.on_gpu("KMeans.fit", 0.02)
stand_in.on_cpu("KMeans.fit", 0.03, "`init` is a function")
stand_in.on_gpu("PCA.fit", 0.02)
time.sleep(0.1)
"""


@pytest.mark.usefixtures("a_gpu")
def test_pandas(script: Callable[[str], Path]) -> None:
    found = fallback.profile(script(PANDAS), "cudf.pandas", ["one", "two words"])
    assert [(step.function, step.gpu_calls, step.cpu_calls) for step in found.steps] == [
        ("GroupBy.mean", 2, 0),
        ("Series.apply", 0, 1),
    ]
    assert found.fell_back == ("Series.apply",)
    assert found.gpu_seconds >= 0.04
    assert found.cpu_seconds >= 0.05
    assert found.cpu_share == pytest.approx(found.cpu_seconds / (found.gpu_seconds + found.cpu_seconds))
    assert found.seconds >= found.gpu_seconds + found.cpu_seconds
    assert found.output == "['one', 'two words'] __main__\n"
    assert (found.kind, found.script, found.hardware) == ("cudf.pandas", "script.py", "NVIDIA H200")
    assert found.versions["pandas"] == "stand-in"
    assert not found.recorded


@pytest.mark.usefixtures("a_gpu")
def test_what_no_step_accounts_for_is_said(script: Callable[[str], Path]) -> None:
    found = fallback.profile(script(SKLEARN), "cuml.accel")
    steps = {step.function: step for step in found.steps}
    assert steps["KMeans.fit"].reasons == ("`init` is a function",)
    assert (steps["KMeans.fit"].gpu_calls, steps["KMeans.fit"].cpu_calls) == (1, 1)
    assert found.unaccounted >= 0.1
    assert found.unaccounted == pytest.approx(found.seconds - found.gpu_seconds - found.cpu_seconds)
    assert found.gpu_share == pytest.approx(found.gpu_seconds / found.seconds)
    assert "in no step" in str(found)
    assert "fell back to the CPU: KMeans.fit" in str(found)


def test_the_accelerator_is_on_before_the_script_imports_pandas(script: Callable[[str], Path]) -> None:
    """The stand-in refuses, as cudf.pandas does, when pandas was there before it."""
    ran = run(script("import pandas\nprint(pandas.__name__)"), "cudf.pandas")
    assert ran.output == "pandas\n"


def test_modules_beside_the_script_are_found_and_those_here_are_not(
    script: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = script("import beside\nprint(beside.__file__)")
    (file.parent / "beside.py").touch()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "beside.py").write_text("raise SystemExit('the wrong one')")
    (elsewhere / "json.py").write_text("raise SystemExit('shadows the standard library')")
    monkeypatch.chdir(elsewhere)
    assert run(file).output == f"{file.parent / 'beside.py'}\n"


def test_a_script_that_leaves_by_exit_0_has_run(script: Callable[[str], Path]) -> None:
    assert run(script(SKLEARN + "\nraise SystemExit(0)")).answer["steps"]


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("def f():\n    return {}['missing']\nf()", ["with exit status 1", "in f", "KeyError: 'missing'"]),
        ("1 +", ["SyntaxError"]),
        ("raise SystemExit('not today')", ["with exit status 1", "not today"]),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", ["by SIGSEGV"]),
        ("import os; os._exit(0)", ["before its profile was written", "said nothing"]),
    ],
)
def test_a_script_that_fails(code: str, said: list[str], script: Callable[[str], Path]) -> None:
    with pytest.raises(W251Error) as caught:
        run(script(code))
    for each in said:
        assert each in caught.value.what
    assert "runpy" not in caught.value.what  # how it was started is no part of the story
    assert "fallback_child" not in caught.value.what


def test_a_script_that_does_not_end_is_killed_with_all_it_started(
    script: Callable[[str], Path], tmp_path: Path
) -> None:
    pids = tmp_path / "pids"
    code = f"""
import subprocess, sys, time, os
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
open({str(pids)!r}, "w").write(f"{{os.getpid()}} {{child.pid}}")
print("said before", file=sys.stderr, flush=True)
time.sleep(60)
"""
    begin = time.monotonic()
    with pytest.raises(W251Error, match=r"did not end within 2 s(?s:.*)said before"):
        run(script(code), timeout=2)
    assert time.monotonic() - begin < 20
    assert all(ends(int(pid)) for pid in pids.read_text().split())


def test_what_a_script_leaves_behind_is_ended(script: Callable[[str], Path]) -> None:
    """It holds the output open; nobody waits for that."""
    code = "import subprocess, sys\nprint(subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']).pid)"
    begin = time.monotonic()
    pid = int(run(script(code)).output)
    assert time.monotonic() - begin < 30
    assert ends(pid)


def test_warnings_are_passed_on(script: Callable[[str], Path], capfd: pytest.CaptureFixture[str]) -> None:
    run(script("import warnings\nwarnings.warn('mind the gap')"))
    assert "mind the gap" in capfd.readouterr().err


def test_without_a_gpu(script: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with pytest.raises(W251Error, match="device 'gpu' was asked for"):
        fallback.profile(script("print()"), "cudf.pandas")


def test_wrong_arguments(script: Callable[[str], Path], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="unknown accelerator 'cudf'") as caught:
        fallback.profile(script(""), "cudf")
    assert "did you mean 'cudf.pandas'?" in caught.value.remedy
    with pytest.raises(UsageError, match="is not a file"):
        fallback.profile(tmp_path, "cudf.pandas")
    for wrong in (0, -1, math.inf, math.nan):
        with pytest.raises(UsageError, match="timeout"):
            fallback.profile(script(""), "cudf.pandas", timeout=wrong)


def example(**changed: Any) -> Profile:
    values: dict[str, Any] = {
        "kind": "cuml.accel",
        "script": "clusters.py",
        "steps": (
            Step("PCA.fit", 1, 0.2, 0, 0.0),
            Step("KMeans.fit", 1, 0.05, 2, 0.6, ("`init` is a function",)),
            Step("KMeans.predict", 0, 0.0, 1, 0.15),
        ),
        "seconds": 2.0,
        "unaccounted": 1.0,
        "hardware": "NVIDIA H200",
        "processor": "Xeon, 16 cores",
        "versions": {"cuml": "26.10.00"},
        "made": "2026-11-20",
        "output": "done\n",
    }
    return Profile(**(values | changed))


def test_what_follows_from_the_steps() -> None:
    found = example()
    assert found.fell_back == ("KMeans.fit", "KMeans.predict")
    assert found.cpu_share == pytest.approx(0.75)
    assert found.gpu_share == pytest.approx(0.125)
    table = found.frame()
    assert isinstance(table, pd.DataFrame)
    assert list(table["function"]) == ["KMeans.fit", "PCA.fit", "KMeans.predict"]
    assert list(table["ran_on"]) == ["both", "gpu", "cpu"]
    assert table.loc[0, "reasons"] == "`init` is a function"
    assert list(example(steps=()).frame().columns) == list(table.columns)
    assert math.isnan(example(steps=()).cpu_share)


def test_saved_and_read_again(tmp_path: Path) -> None:
    file = example().save(tmp_path / "profile.json")
    again = Profile.load(file)
    assert again == example()
    assert again.recorded
    assert not example().recorded
    assert "recorded on 2026-11-20" in str(again)


def test_where_it_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(W251Error, match="cannot be written"):
        example().save(tmp_path / "no folder" / "profile.json")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"format": "another"}, "is no profile"),
        ({"version": 99}, "version 99"),
        ({"steps": [{"function": "f"}]}, "damaged"),
        ({"seconds": "long"}, "damaged"),
        ({"seconds": -1}, "damaged"),
        ({"kind": "magic"}, "damaged"),
        ({"hardware": None}, "damaged"),
    ],
)
def test_a_file_that_is_none(change: dict[str, Any], said: str, tmp_path: Path) -> None:
    file = example().save(tmp_path / "profile.json")
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    with pytest.raises(W251Error, match=said):
        Profile.load(file)


def test_a_file_that_is_not_json(tmp_path: Path) -> None:
    (tmp_path / "profile.json").write_text("steps: none")
    with pytest.raises(W251Error, match="is not JSON"):
        Profile.load(tmp_path / "profile.json")
    with pytest.raises(W251Error, match="cannot be read"):
        Profile.load(tmp_path / "none.json")


def test_the_picture() -> None:
    figure = example().plot()
    (axes,) = figure.axes
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names == ["KMeans.fit", "PCA.fit", "KMeans.predict", "(everything else)"]
    words = [text.get_text() for text in axes.texts]
    assert words[0] == "50.0 ms on the GPU + 600.0 ms on the CPU"
    assert words[-1] == "1.0 s in no step"
    assert "12% of it on the GPU" in axes.get_title(loc="left")
    few = example().plot(most=1).axes[0]
    assert [label.get_text() for label in few.get_yticklabels()] == [
        "KMeans.fit",
        "2 shorter ones",
        "(everything else)",
    ]
    with pytest.raises(UsageError, match="shows nothing"):
        example().plot(most=0)
    with pytest.raises(W251Error, match="nothing in clusters"):
        example(steps=()).plot()


def test_a_recorded_picture_says_so(tmp_path: Path) -> None:
    figure = Profile.load(example().save(tmp_path / "profile.json")).plot()
    assert "recorded 2026-11-20" in figure.axes[0].get_title(loc="left")


@pytest.mark.gpu
def test_pandas_on_a_gpu(script: Callable[[str], Path]) -> None:
    code = """
import numpy, pandas
frame = pandas.DataFrame({"k": numpy.arange(10_000) % 7, "v": numpy.arange(10_000.0)})
print(frame.groupby("k").v.mean().sum())
frame.v.apply(lambda value: f"{value}")
"""
    found = fallback.profile(script(code), "cudf.pandas")
    steps = {step.function: step for step in found.steps}
    assert steps["GroupBy.mean"].gpu_calls == 1
    assert steps["GroupBy.mean"].cpu_calls == 0
    assert "Series.apply" in found.fell_back
    assert float(found.output) == pytest.approx(34996.5, rel=1e-3)
    assert {"cudf", "pandas", "driver"} <= found.versions.keys()


@pytest.mark.gpu
def test_sklearn_on_a_gpu(script: Callable[[str], Path]) -> None:
    code = """
import numpy
from sklearn.cluster import KMeans, MiniBatchKMeans
points = numpy.random.default_rng(0).normal(size=(2_000, 4)).astype("float32")
KMeans(3, n_init=1).fit(points)
KMeans(3, n_init=1, init=lambda x, k, random_state: x[:k]).fit(points)
MiniBatchKMeans(3, n_init=1).fit(points)
"""
    found = fallback.profile(script(code), "cuml.accel")
    (kmeans,) = (step for step in found.steps if step.function == "KMeans.fit")
    assert (kmeans.gpu_calls, kmeans.cpu_calls) == (1, 1)
    assert kmeans.reasons
    # It is not known to the accelerator: no step says that it ran on the CPU. Its time is in what is unaccounted for.
    assert not [step for step in found.steps if "MiniBatch" in step.function]
    assert found.unaccounted > 0
