from __future__ import annotations

import platform
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from w251lab import accelerator
from w251lab.dali import installed
from w251lab.errors import UsageError, W251Error

if TYPE_CHECKING:
    from pathlib import Path


def test_dali_is_loaded_with_its_operators() -> None:
    dali = installed.dali()
    assert callable(dali.fn.decoders.image)
    assert callable(dali.math.max)


def test_importing_the_package_does_not_load_dali() -> None:
    code = "import sys, w251lab.dali.parity; print([m for m in sys.modules if m.startswith(('nvidia.', 'torch'))])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


@pytest.mark.parametrize(
    ("system", "what", "remedy"),
    [
        ("Darwin", "exists for Linux only, and this is Darwin", "docker compose up jupyterlab"),
        ("Windows", "exists for Linux only, and this is Windows", "WSL 2"),
        ("Linux", "is not installed", "make env"),
    ],
)
def test_without_dali_the_reason_and_the_remedy(
    system: str, what: str, remedy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "nvidia.dali", None)  # an import then fails as if it were not installed
    monkeypatch.setattr(platform, "system", lambda: system)
    with pytest.raises(W251Error, match=what) as caught:
        installed.require("cpu")
    assert remedy in caught.value.remedy


def test_a_dali_that_cannot_be_loaded_is_told_from_one_that_is_missing(
    tmp_path: Path,
) -> None:
    fake = tmp_path / "nvidia" / "dali"
    fake.mkdir(parents=True)
    (fake.parent / "__init__.py").touch()  # a whole package goes before the parts of one that are installed
    (fake / "__init__.py").write_text("raise OSError('libdali.so: cannot open shared object file')")
    code = (
        "from w251lab.dali import installed\ntry: installed.dali()\nexcept Exception as e: print(type(e).__name__, e)"
    )
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n{code}"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert said.startswith("W251Error NVIDIA DALI is installed, but it cannot be loaded")
    assert "cannot open shared object file" in said


def test_without_torch_numpy_is_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(W251Error, match="NumpyBatches"):
        installed.torch()


def test_a_gpu_that_is_not_there() -> None:
    if accelerator.describe().gpus:
        assert installed.require("gpu") == "gpu"
    else:
        with pytest.raises(W251Error, match="device 'gpu' was asked for, but"):
            installed.require("gpu")


def test_another_word_is_refused() -> None:
    with pytest.raises(UsageError, match="unknown device 'mixed'"):
        installed.require("mixed")
