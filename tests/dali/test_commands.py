from __future__ import annotations

import shlex
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from w251lab.triton import repository

if TYPE_CHECKING:
    from pathlib import Path


def w251lab(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = "import sys; from w251lab.cli import main; sys.argv[0] = 'w251lab'; main()"
    return subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, timeout=120, check=False
    )


def test_a_repository_for_this_machines_server(tmp_path: Path) -> None:
    folder = tmp_path / "my models"
    done = w251lab("dali-repository", str(folder), "-m", "efficientnet_lite0_int8")
    assert done.returncode == 0, done.stderr
    assert f"w251lab serve {shlex.quote(str(folder))}" in done.stdout
    assert repository.read(folder / "preprocessing").backend == "python"
    assert [step.model_name for step in repository.read(folder / "efficientnet_ensemble").ensemble_scheduling.step] == [
        "preprocessing",
        "efficientnet_lite0_int8",
    ]


def test_a_repository_for_the_image_on_a_gpu(tmp_path: Path) -> None:
    done = w251lab("dali-repository", str(tmp_path), "--flavour", "ngc", "--device", "gpu")
    assert done.returncode == 0, done.stderr
    assert "w251lab serve" not in done.stdout
    config = repository.read(tmp_path / "preprocessing")
    assert (config.backend, config.instance_group[0].kind) == ("dali", config.instance_group[0].KIND_GPU)
    assert "decoder='mixed'" in (tmp_path / "preprocessing" / "1" / "dali.py").read_text()


@pytest.mark.parametrize(
    ("arguments", "word"),
    [(["--flavour", "docker"], "docker"), (["--device", "tpu"], "tpu"), (["-m", "resnet"], "resnet")],
)
def test_wrong_usage_is_one_sentence(arguments: list[str], word: str, tmp_path: Path) -> None:
    done = w251lab("dali-repository", str(tmp_path / "models"), *arguments)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert word in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "models").exists()
