"""GFPGAN as a restorer: `load_restorer("gfpgan")`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from w251lab import accelerator
from w251lab.errors import UsageError, W251Error
from w251lab.faces.gfpgan import network, precision, weights
from w251lab.faces.gfpgan.fast import FastNetwork
from w251lab.faces.restore import Restorer, check_faces

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from w251lab.accelerator import Device

#: How it is computed: "fast" as in `fast` (v1 has none: there it is "stock"), "stock" as GFPGAN's own code does it.
PATHS: Final = ("auto", "fast", "stock")


class GfpganRestorer(Restorer):
    """Restores faces with GFPGAN and its published weights. The same picture and seed give the same result.

    Args:
        device: "auto", "cpu" or "gpu". "auto" is the GPU where there is one that PyTorch can use.
        version: "1.3", "1.4", or "1", which gives gray faces colours.
        weights_file: A file of weights in GFPGAN's format, in place of the published one.
        seed: Of the noise that StyleGAN2 adds; None takes the noise that lies in the file of weights.
        path: One of `PATHS`.
        numbers: On a GPU: "float32", "bfloat16", "float16", or "auto" for the shortest that stays within 45 dB of
            float32 on the first face. On a CPU it is float32.
        batch: At most this many faces at once on a GPU. A CPU takes one after another.
        background: How the picture around the faces is enlarged; see `w251lab.faces.enlarging`.

    Raises:
        UsageError: An unknown version, path or device.
        WeightsError: The weights are not here, or are not of this network.
        W251Error: GFPGAN's packages or the GPU are missing.
    """

    name = "gfpgan"

    def __init__(
        self,
        *,
        device: str = "auto",
        version: str = "1.3",
        weights_file: str | Path | None = None,
        seed: int | None = 0,
        path: str = "auto",
        numbers: str = "auto",
        batch: int = 8,
        background: str = "auto",
    ) -> None:
        chosen = weights.version(version)
        if path not in PATHS or (path == "fast" and chosen.arch != "clean"):
            raise UsageError(
                f"GFPGAN v{chosen.name} has no path {path!r}", "use auto or stock; versions 1.3 and 1.4 have fast, too"
            )
        if numbers not in ("auto", *precision.PRECISIONS):
            raise UsageError(f"there are no numbers {numbers!r}", f"use auto, {', '.join(precision.PRECISIONS)}")
        if batch < 1:
            raise UsageError(f"batch is {batch!r}", "give a number of faces, at least 1")
        wanted = accelerator.resolve_device(device)
        self.model = f"GFPGAN v{chosen.name}" + (f" ({Path(weights_file).name})" if weights_file else "")
        self.background = background
        self.path = "stock" if path == "stock" or chosen.arch != "clean" else "fast"
        self._network = network.load(chosen, Path(weights_file) if weights_file else None)
        network.fix_noise(self._network, seed)
        self.device = _usable(wanted, asked=device)
        self.numbers = numbers if self.device == "gpu" and self.path == "fast" else "float32"
        self._batch = batch if self.device == "gpu" else 1
        self._compute: Callable[[Any], Any] | None = None

    def restore_faces(self, faces: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Restore faces that were aligned to the template.

        Args:
            faces: uint8 (n, 512, 512, 3), RGB; n may be 0.

        Returns:
            The same shape and type.

        Raises:
            FaceError: They are of another shape or type.
            W251Error: The GPU's memory does not hold one face.
        """
        import torch  # noqa: PLC0415

        check_faces(faces)
        result = np.empty_like(faces)
        done = 0
        with torch.inference_mode():
            while done < len(faces):
                some = faces[done : done + self._batch]
                try:
                    result[done : done + len(some)] = self._restored(some)
                except torch.OutOfMemoryError as error:
                    self._shrink(error)
                else:
                    done += len(some)
        return result

    def _restored(self, faces: NDArray[np.uint8]) -> NDArray[np.uint8]:
        given = to_tensor(faces)
        if self._compute is None:
            self._compute = self._prepare(given)
        target = "cuda" if self.device == "gpu" else "cpu"
        result = self._compute(given.to(target))
        if self.numbers != "float32" and not bool(result.isfinite().all()):
            # Another face than the one that the precision was chosen by has overflowed it: 32-bit floats from here on.
            self.numbers = "float32"
            self._compute = self._prepare(given)
            result = self._compute(given.to(target))
        return to_faces(result)

    def _prepare(self, faces: Any) -> Callable[[Any], Any]:
        """What restores a tensor on the device."""
        if self.path == "stock":
            there = precision.converted(self._network, "cuda" if self.device == "gpu" else "cpu", "float32")
            return precision.unrounded(lambda given: network.stock(there, given))
        if self.device == "cpu":
            return FastNetwork(self._network)
        if self.numbers == "auto":
            self.numbers, compute = precision.choose(self._network, faces[:1], "cuda")
        else:
            compute = precision.in_precision(self._network, "cuda", self.numbers)
        return precision.Graphed(compute)

    def _shrink(self, error: Exception) -> None:
        """Fewer faces at once from here on.

        Raises:
            W251Error: It was one face.
        """
        import torch  # noqa: PLC0415

        if self._batch == 1:
            raise W251Error(
                f"the GPU's memory does not hold one face: {str(error).splitlines()[0]}",
                "end what else uses the GPU, or use device='cpu'",
            ) from error
        self._batch //= 2
        self._compute = None
        torch.cuda.empty_cache()


def to_tensor(faces: NDArray[np.uint8]) -> Any:
    """uint8 (n, h, w, 3) as float32 tensor (n, 3, h, w) in [-1, 1]."""
    import torch  # noqa: PLC0415

    return torch.from_numpy(np.ascontiguousarray(faces)).permute(0, 3, 1, 2).float().div_(127.5).sub_(1).contiguous()


def to_faces(result: Any) -> NDArray[np.uint8]:
    """Tensor (n, 3, h, w) as uint8 (n, h, w, 3): clipped to [-1, 1], rounded to the nearest level."""
    levels = result.float().clamp(-1, 1).add(1).mul(127.5).round()
    found: NDArray[np.uint8] = levels.byte().permute(0, 2, 3, 1).contiguous().cpu().numpy()
    return found


def _usable(wanted: Device, *, asked: str) -> Device:
    """``wanted``, or the CPU in place of a GPU that PyTorch cannot use and that nobody named.

    Raises:
        W251Error: PyTorch cannot use the GPU that was asked for.
    """
    import torch  # noqa: PLC0415

    if wanted == "cpu" or torch.cuda.is_available():
        return wanted
    if asked == "auto":
        return "cpu"
    raise W251Error(
        "there is an NVIDIA GPU, but PyTorch cannot use it",
        "its driver has to be for CUDA 13 (580 or newer); or use device='cpu'",
    )
