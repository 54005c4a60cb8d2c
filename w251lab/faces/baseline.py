"""The restorer that is always there: Real-ESRGAN x4plus on a CPU. It cleans and sharpens, and knows no faces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image

from w251lab import accelerator
from w251lab.errors import UsageError
from w251lab.faces import enlarging, esrgan
from w251lab.faces.restore import SIZE, Restorer, check_faces

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from w251lab.accelerator import Device
    from w251lab.faces.align import Aligned

# A face goes through the network at this share of the size that it had in its picture, in steps, and within limits.
# Damage leaves no more detail than that, so that shrinking takes out grain first; and time grows with the area.
# Measured: docs/faces.md.
_SHARE: Final = 0.6
_STEP: Final = 16
SMALLEST: Final = 32
LARGEST: Final = 128


class BaselineRestorer(Restorer):
    """Real-ESRGAN x4plus on every face: shrunk to a size that suits it, enlarged four times, brought to 512 pixels.

    The same face gives the same result.

    Args:
        device: "auto" or "cpu": it computes on the CPU.
        face_pixels: Edge at which every face goes through the network, 16 to 512. None: as large as its detail is
            worth, 32 to 128. More is not better, and takes longer in proportion to the area.
        background: How the picture around the faces is enlarged, one of `w251lab.faces.enlarging.METHODS`.

    Raises:
        UsageError: ``device`` is "gpu" or no device; another argument is out of range.
        WeightsError: The weights are not here.
        W251Error: ncnn is not here.
    """

    name = "baseline"
    model = "Real-ESRGAN x4plus (baseline)"
    device: Device = "cpu"

    def __init__(self, device: str = "auto", *, face_pixels: int | None = None, background: str = "auto") -> None:
        if device == "gpu":
            raise UsageError(
                "the baseline computes on the CPU only, and device 'gpu' was asked for",
                'use device "cpu" or "auto"; on a GPU there is load_restorer("gfpgan", device="gpu")',
            )
        if device not in {"auto", "cpu"}:
            accelerator.resolve_device(device)  # says what is wrong with the word
        if face_pixels is not None and not 16 <= face_pixels <= SIZE:
            raise UsageError(f"face_pixels is {face_pixels!r}", f"give a number in 16..{SIZE}, or None")
        enlarging.check_method(background)
        esrgan.load()
        self.face_pixels = face_pixels
        self.background = background

    def restore_faces(self, faces: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Restore faces whose size in a picture is not known: each goes through at `LARGEST` or ``face_pixels``.

        Args:
            faces: uint8 (n, 512, 512, 3), RGB.

        Returns:
            The same shape and type.

        Raises:
            FaceError: They are of another shape or type.
        """
        check_faces(faces)
        edge = self.face_pixels or LARGEST
        return _stacked([_restored(face, edge) for face in faces])

    def restore_aligned(self, aligned: Sequence[Aligned]) -> NDArray[np.uint8]:
        """Restore faces, each at the size that suits it; see :func:`suitable`."""
        check_faces(_stacked([each.picture for each in aligned]))
        return _stacked([_restored(each.picture, self.face_pixels or suitable(each.scale)) for each in aligned])


def suitable(scale: float) -> int:
    """The edge, in pixels, at which a face goes through the network.

    Args:
        scale: `Aligned.scale`: 512 / scale is how large the cut-out was in its picture.
    """
    wanted = _SHARE * SIZE / scale / _STEP
    return min(max(round(wanted) * _STEP, SMALLEST), LARGEST)


def _restored(face: NDArray[np.uint8], edge: int) -> NDArray[np.uint8]:
    small = Image.fromarray(face).resize((edge, edge), Image.Resampling.LANCZOS)
    made = Image.fromarray(esrgan.enlarge_four_times(np.asarray(small)))
    return np.asarray(made.resize((SIZE, SIZE), Image.Resampling.LANCZOS))


def _stacked(faces: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    return np.stack(faces) if faces else np.empty((0, SIZE, SIZE, 3), np.uint8)
