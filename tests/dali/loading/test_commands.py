"""`w251lab bench loading`, as a person types it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
from PIL import Image

from w251lab import cli
from w251lab.dali.loading import bench, delivery
from w251lab.dali.loading.result import Loading

if TYPE_CHECKING:
    from collections.abc import Callable

    Verb = Callable[..., tuple[int, str, str]]

W251LAB = Path(sys.executable).with_name("w251lab")
PICTURES = Path(__file__).parents[3] / "solutions" / "01_triton_quickstart" / "images"
QUICK = ["--pictures", str(PICTURES), "--device", "cpu", "--batch-size", "2", "--batches", "2", "--warmup", "1"]


@pytest.fixture
def verb(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Verb:
    """Runs it in this process, in an empty folder with a space in its name; gives status, output and complaints."""
    folder = tmp_path / "my folder"
    folder.mkdir()
    monkeypatch.chdir(folder)

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["w251lab", "bench", "loading", *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert isinstance(ended.value.code, int)
        return ended.value.code, *capfd.readouterr()

    return run


def test_a_process_of_its_own(tmp_path: Path) -> None:
    command = [W251LAB, "bench", "loading", *QUICK, "--threads", "1", "--workers", "1", "--output", "a b/c"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, timeout=240)
    assert (done.returncode, done.stderr) == (0, "")
    for said in ("Pillow, 1 process", "Pillow, 1 worker process", "DALI CPU, 1 thread", "page cache"):
        assert said in done.stdout
    assert done.stdout.endswith("loading.json and loading.png are in a b/c\n")
    found = Loading.load(tmp_path / "a b" / "c" / "loading.json")
    assert found.keys == ("pillow", "pillow-workers", "dali-1", "dali")
    with Image.open(tmp_path / "a b" / "c" / "loading.png") as picture:
        assert picture.width > 1000


def test_ctrl_c_leaves_no_process(tmp_path: Path) -> None:
    words = ["--pictures", str(PICTURES), "--device", "cpu", "--only", "pillow-workers", "--workers", "2"]
    process = subprocess.Popen(
        [W251LAB, "bench", "loading", *words, "--batches", "2000"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path,
    )  # fmt: skip
    parent = psutil.Process(process.pid)
    deadline = time.monotonic() + 60
    while len(children := parent.children(recursive=True)) < 3 and time.monotonic() < deadline:
        time.sleep(0.1)  # two workers, and what counts the semaphores
    time.sleep(1)
    os.kill(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 130
    assert said == "interrupted\n", "the workers have nothing to say"
    assert not psutil.wait_procs(children, timeout=30)[1]


def test_a_second_run_moves_the_first_aside(verb: Verb) -> None:
    assert verb(*QUICK, "--only", "pillow")[0] == 0
    status, _, complaints = verb(*QUICK, "--only", "pillow")
    assert (status, complaints) == (0, "an earlier result is now bench/loading/loading.previous.json\n")
    files = {file.name for file in Path("bench/loading").iterdir()}
    assert files == {"loading.json", "loading.png", "loading.previous.json", "loading.previous.png"}


def test_the_photographs_that_come_with_it(verb: Verb) -> None:
    options = ["--device", "cpu", "--batch-size", "2", "--batches", "2", "--warmup", "1", "--only", "pillow"]
    status, said, complaints = verb(*options)
    assert (status, complaints) == (0, "")
    assert "0.79 megapixels" in said


def test_record(verb: Verb, on_gpu: Loading, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shipped = tmp_path / "recorded"
    monkeypatch.setattr(bench, "folder", lambda: shipped)
    monkeypatch.setattr(bench, "measure", lambda *_, **__: on_gpu)
    for wrong in (["--device", "cpu"], ["--batch-size", "8"], ["--only", "dali"], ["--pictures", str(PICTURES)]):
        with monkeypatch.context() as there:
            there.setattr(delivery, "require", lambda device: "cpu" if device == "cpu" else "gpu")
            status, _, said = verb("--record", *wrong)
        assert status == 2
        assert "--record takes a run with a GPU" in said
    assert not shipped.exists()
    monkeypatch.setattr(delivery, "require", lambda _: "gpu")
    monkeypatch.setattr(bench, "choose", lambda *_: bench.KEYS)
    assert verb("--record")[0] == 0
    assert bench.recorded() == on_gpu


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["--only", "pilow"], 2, "did you mean 'pillow'?"),
        (["--only", "dali-gpu"], 2, "decodes on the GPU"),
        (["--device", "tpu"], 2, "unknown device 'tpu'"),
        (["--batch-size", "0"], 2, "batch_size is 0"),
        (["--threads", "0"], 2, "threads is 0"),
        (["--pictures", "nowhere"], 1, "nowhere is not there"),
        (["--output", str(PICTURES / "cat.jpg")], 2, "is not a folder"),
        (["--surprise"], 2, "No such option"),
    ],
)
def test_wrong_usage(words: list[str], status: int, said: str, verb: Verb) -> None:
    found, _, complaints = verb(*QUICK, *words)
    assert found == status
    assert said in " ".join(complaints.split())
    assert "Traceback" not in complaints


def test_a_gpu_where_there_is_none(verb: Verb, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    status, _, complaints = verb("--device", "gpu")
    assert status == 1
    assert "device 'gpu' was asked for" in complaints
    assert not Path("bench").exists()


def test_the_other_verbs_do_not_wait_for_it() -> None:
    heavy = ("nvidia.dali", "PIL", "w251lab.timing", "w251lab.dali.loading.bench")
    code = f"import sys, w251lab.cli; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    for name in ("nvidia.dali", "w251lab.timing", "w251lab.dali.loading.bench"):
        assert name not in done.stdout
