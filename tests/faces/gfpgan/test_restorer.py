from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from w251lab.errors import UsageError, W251Error
from w251lab.faces.errors import FaceError, WeightsError
from w251lab.faces.gfpgan import GfpganRestorer, precision, restorer
from w251lab.faces.restore import load_restorer

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

pytestmark = pytest.mark.gfpgan


def test_the_same_picture_twice_is_the_same(narrow: dict[str, Path], faces: NDArray[np.uint8]) -> None:
    made = GfpganRestorer(device="cpu", weights_file=narrow["1.3"])
    assert (made.name, made.model, made.device, made.path) == (
        "gfpgan",
        "GFPGAN v1.3 (GFPGANv1.3.pth)",
        "cpu",
        "fast",
    )
    one = made.restore_faces(faces[:2])
    assert (one.shape, one.dtype) == ((2, 512, 512, 3), np.uint8)
    assert one[0].std() > 1
    assert np.array_equal(one, made.restore_faces(faces[:2]))
    assert np.array_equal(one[1:], made.restore_faces(faces[1:2])), "alone or beside another"
    same = GfpganRestorer(device="cpu", weights_file=narrow["1.3"]).restore_faces(faces[:1])
    assert np.array_equal(one[:1], same)
    other = GfpganRestorer(device="cpu", weights_file=narrow["1.3"], seed=1).restore_faces(faces[:1])
    assert not np.array_equal(one[:1], other)
    assert made.restore_faces(faces[:0]).shape == (0, 512, 512, 3)


def test_the_fast_path_gives_the_stock_pictures(narrow: dict[str, Path], faces: NDArray[np.uint8]) -> None:
    fast = GfpganRestorer(device="cpu", weights_file=narrow["1.3"], seed=None).restore_faces(faces[:1])
    stock = GfpganRestorer(device="cpu", weights_file=narrow["1.3"], seed=None, path="stock").restore_faces(faces[:1])
    assert np.abs(fast.astype(int) - stock).max() <= 1


def test_version_1_runs_without_compiled_extensions(narrow: dict[str, Path], faces: NDArray[np.uint8]) -> None:
    made = GfpganRestorer(device="cpu", version="1", weights_file=narrow["1"])
    assert made.path == "stock"
    one = made.restore_faces(faces[:1])
    assert one.std() > 1
    assert np.array_equal(one, made.restore_faces(faces[:1]))
    with pytest.raises(UsageError, match="GFPGAN v1 has no path 'fast'"):
        GfpganRestorer(device="cpu", version="1", path="fast")


def test_files_and_versions_are_not_mixed_up(narrow: dict[str, Path]) -> None:
    with pytest.raises(WeightsError, match=r"is not of GFPGAN v1\.4"):
        GfpganRestorer(device="cpu", version="1.4", weights_file=narrow["1"])
    with pytest.raises(WeightsError, match="is not of GFPGAN v1: "):
        GfpganRestorer(device="cpu", version="1", weights_file=narrow["1.3"])


def test_load_restorer_knows_it(narrow: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = load_restorer("gfpgan", "cpu", weights_file=narrow["1.3"])
    assert isinstance(made, GfpganRestorer)
    monkeypatch.setenv("W251LAB_CACHE", str(tmp_path))
    monkeypatch.delenv("W251LAB_WEIGHTS", raising=False)
    with pytest.raises(WeightsError, match=r"GFPGAN v1\.4 is not here"):
        load_restorer("gfpgan", "cpu", version="1.4")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"version": "2"}, "no GFPGAN version '2'"),
        ({"path": "slow"}, "no path 'slow'"),
        ({"numbers": "int8"}, "no numbers 'int8'"),
        ({"batch": 0}, "batch is 0"),
        ({"device": "tpu"}, "unknown device"),
    ],
)
def test_options_that_cannot_be_meant(options: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        GfpganRestorer(**({"device": "cpu"} | options))


def test_what_are_no_faces(narrow: dict[str, Path]) -> None:
    made = GfpganRestorer(device="cpu", weights_file=narrow["1.3"])
    with pytest.raises(FaceError, match="uint8 of shape"):
        made.restore_faces(np.zeros((1, 256, 256, 3), np.uint8))


def test_pictures_and_tensors() -> None:
    import torch  # noqa: PLC0415

    levels = np.arange(256, dtype=np.uint8).repeat(3).reshape(1, 16, 16, 3)
    tensor = restorer.to_tensor(levels)
    assert tensor.shape == (1, 3, 16, 16)
    assert (float(tensor.min()), float(tensor.max())) == (-1, 1)
    assert np.array_equal(restorer.to_faces(tensor), levels)
    assert restorer.to_faces(torch.tensor([-9.0, 9.0, 0.0]).view(1, 3, 1, 1)).tolist() == [[[[0, 255, 128]]]]


def test_numbers_that_overflow_are_computed_again(
    narrow: dict[str, Path], faces: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a GPU does when a later face overflows half precision; here the short path gives no numbers."""
    made = GfpganRestorer(device="cpu", weights_file=narrow["1.3"])
    expected = made.restore_faces(faces[:1])
    made.numbers = "float16"
    made._compute = lambda given: given * float("nan")
    assert np.array_equal(made.restore_faces(faces[:1]), expected)
    assert made.numbers == "float32"


def test_too_little_memory_takes_fewer_faces_at_once(narrow: dict[str, Path], faces: NDArray[np.uint8]) -> None:
    import torch  # noqa: PLC0415

    made = GfpganRestorer(device="cpu", weights_file=narrow["1.3"])
    made._batch, sizes = 4, []

    def small_memory(given: Any) -> Any:
        sizes.append(len(given))
        if len(given) > 1:
            raise torch.OutOfMemoryError("CUDA out of memory.\nMore words.")
        return given

    made._prepare = lambda _given: small_memory  # type: ignore[method-assign]
    assert np.array_equal(made.restore_faces(faces), faces)
    assert sizes == [3, 2, 1, 1, 1]

    def no_memory(given: Any) -> Any:
        raise torch.OutOfMemoryError("CUDA out of memory.\nMore words.")

    made._compute = no_memory
    with pytest.raises(W251Error, match=r"does not hold one face: CUDA out of memory\.\n"):
        made.restore_faces(faces)


def test_the_network_of_the_published_size(faces: NDArray[np.uint8], random_network: Any, tmp_path: Path) -> None:
    """Once in full: 86 million numbers, in a file as it is published, through the restorer."""
    import torch  # noqa: PLC0415

    whole = random_network("clean", channel_multiplier=2)
    assert sum(value.numel() for value in whole.parameters()) == 86_444_252
    torch.save({"params_ema": whole.state_dict()}, tmp_path / "whole.pth")
    assert abs((tmp_path / "whole.pth").stat().st_size - 348_632_874) < 1_000_000
    made = GfpganRestorer(device="cpu", weights_file=tmp_path / "whole.pth", seed=None)
    (tmp_path / "whole.pth").unlink()
    found = made.restore_faces(faces[:1])
    assert (found.shape, found.dtype) == ((1, 512, 512, 3), np.uint8)
    assert found.std() > 10


@pytest.mark.weights
@pytest.mark.parametrize("version", ["1.3", "1.4", "1"])
def test_the_published_weights(version: str, faces: NDArray[np.uint8]) -> None:
    made = load_restorer("gfpgan", "cpu", version=version)
    found = made.restore_faces(faces[:1])
    assert found.std() > 1


@pytest.mark.gpu
def test_on_a_gpu_it_restores_what_the_cpu_does(narrow: dict[str, Path], faces: NDArray[np.uint8]) -> None:
    cpu = GfpganRestorer(device="cpu", weights_file=narrow["1.3"]).restore_faces(faces)
    made = GfpganRestorer(device="gpu", weights_file=narrow["1.3"], batch=2)
    gpu = made.restore_faces(faces)
    assert made.numbers in precision.PRECISIONS
    assert np.sqrt(np.mean((cpu.astype(float) - gpu) ** 2)) < 2
    assert np.array_equal(gpu, made.restore_faces(faces))


def test_a_gpu_that_pytorch_cannot_use(narrow: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """An old driver: whoever named the GPU is told, for "auto" there is the CPU."""
    import torch  # noqa: PLC0415

    monkeypatch.setattr(restorer.accelerator, "resolve_device", lambda device: "cpu" if device == "cpu" else "gpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    made = GfpganRestorer(device="auto", weights_file=narrow["1.3"])
    assert (made.device, made.numbers) == ("cpu", "float32")
    with pytest.raises(W251Error, match="PyTorch cannot use it"):
        GfpganRestorer(device="gpu", weights_file=narrow["1.3"])
