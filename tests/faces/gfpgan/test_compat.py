from __future__ import annotations

import subprocess
import sys

import pytest

from w251lab.errors import W251Error
from w251lab.faces.gfpgan import compat

PROGRAM = """
import sys, warnings
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    try:
        import gfpgan
    except ModuleNotFoundError as error:
        print(error.name)  # once it prints nothing, the shim is not needed any more
for name in [name for name in sys.modules if name.partition(".")[0] in ("gfpgan", "basicsr", "facexlib")]:
    del sys.modules[name]
from w251lab.faces.gfpgan import compat
print(compat.architecture("clean").__name__, compat.architecture("original").__name__)
import gfpgan
print(gfpgan.GFPGANer.__module__)
"""


@pytest.mark.gfpgan
def test_gfpgan_can_be_imported_beside_todays_torchvision() -> None:
    """In a process of its own, with warnings as errors: a torchvision or SciPy that breaks it is noticed here."""
    done = subprocess.run([sys.executable, "-W", "error", "-c", PROGRAM], capture_output=True, text=True, check=False)
    said = ["torchvision.transforms.functional_tensor", "GFPGANv1Clean GFPGANv1", "gfpgan.utils"]
    assert done.stdout.splitlines() == said, done.stderr


def test_importing_the_room_takes_no_torch() -> None:
    program = "import sys, w251lab.faces.gfpgan; assert not {'torch', 'gfpgan', 'pooch', 'requests'} & {*sys.modules}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    find = compat.util.find_spec
    monkeypatch.setattr(compat.util, "find_spec", lambda name: None if name == "basicsr" else find(name) or object())
    with pytest.raises(W251Error, match="needs the package basicsr") as caught:
        compat.architecture("clean")
    assert "make env GFPGAN=yes" in caught.value.remedy


@pytest.mark.torch
def test_the_fused_activation_is_its_formula() -> None:
    import torch  # noqa: PLC0415

    x, bias = torch.tensor([[[1.0, -3.0]], [[0.5, 2.0]]]), torch.tensor([1.0])
    found = compat.fused_leaky_relu(x, bias)
    expected = [[[2 * 2**0.5, -2 * 0.2 * 2**0.5]], [[1.5 * 2**0.5, 3 * 2**0.5]]]
    assert torch.allclose(found, torch.tensor(expected))
    assert compat.fused_leaky_relu(torch.ones(2, 4), torch.ones(4)).shape == (2, 4)


def test_a_library_that_cannot_be_loaded_is_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_name: str) -> None:
        raise OSError("libcudart.so.13: cannot open shared object file")

    monkeypatch.setattr(compat, "import_module", broken)
    monkeypatch.setattr(compat.util, "find_spec", lambda _: object())
    with pytest.raises(W251Error, match=r"does not go together .* libcudart"):
        compat.prepare()
