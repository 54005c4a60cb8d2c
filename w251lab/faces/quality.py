"""How near a picture is to another, and how sharp it is.

Nearness is measured against the original: `psnr` and `ssim` pixel by pixel and window by window, `lpips` by a network's
features. `sharpness` knows no original. None of them knows whether a face is still that of the same person:
`w251lab.faces.identity` asks that.
"""

from __future__ import annotations

import importlib
import importlib.util
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from PIL import Image

from w251lab.errors import UsageError
from w251lab.faces import arguments, vintage
from w251lab.faces.errors import WeightsError

if TYPE_CHECKING:
    from w251lab.faces.arguments import Picture

_WINDOW: Final = 7  # pixels: scikit-image's for SSIM
#: The backbone of LPIPS, as torchvision names the file.
_ALEXNET: Final = "alexnet-owt-7be5be79.pth"


def psnr(picture: Picture, original: Picture) -> float:
    """Peak signal-to-noise ratio in dB: ``10 log10(255^2 / mean squared error)``, over all channels.

    Args:
        picture: uint8, (height, width, 3) or (height, width).
        original: Of the same shape.

    Returns:
        Infinity where all pixels are equal.

    Raises:
        PictureError: One is no picture.
        UsageError: The shapes differ.
    """
    from skimage import metrics  # noqa: PLC0415 - it takes a while

    ours, theirs = _alike(picture, original)
    if np.array_equal(ours, theirs):
        return math.inf  # scikit-image divides by 0, and warns
    return float(metrics.peak_signal_noise_ratio(theirs, ours, data_range=255))  # type: ignore[no-untyped-call]


def ssim(picture: Picture, original: Picture) -> float:
    """Structural similarity, at most 1: means, variances and covariance in windows of 7 x 7, over all channels.

    Wang, Bovik, Sheikh and Simoncelli, "Image quality assessment: from error visibility to structural similarity",
    IEEE Transactions on Image Processing 13 (2004), in scikit-image's form with even windows.

    Args:
        picture: uint8, (height, width, 3) or (height, width), at least 7 x 7.
        original: Of the same shape.

    Raises:
        PictureError: One is no picture.
        UsageError: The shapes differ, or a side has fewer than 7 pixels.
    """
    from skimage import metrics  # noqa: PLC0415 - it takes a while

    ours, theirs = _alike(picture, original)
    if min(ours.shape[:2]) < _WINDOW:
        raise UsageError(
            f"SSIM looks at windows of {_WINDOW} x {_WINDOW} pixels, and the picture has {_size(ours)}",
            "give a larger picture",
        )
    channel = 2 if ours.ndim == 3 else None
    value = metrics.structural_similarity(  # type: ignore[no-untyped-call]
        theirs, ours, data_range=255, channel_axis=channel
    )
    return float(value)


def sharpness(picture: Picture) -> float:
    """Variance of the Laplacian of the gray levels, in levels squared: 0 for one even colour.

    Pech-Pacheco, Cristobal, Chamorro-Martinez and Fernandez-Valdivia, "Diatom autofocusing in brightfield microscopy: a
    comparative study", ICPR 2000. The Laplacian is that of the four neighbours. Noise counts as sharpness here: specks
    have edges, too.

    Args:
        picture: uint8, (height, width, 3) or (height, width).

    Raises:
        PictureError: It is no picture.
    """
    from scipy import ndimage  # noqa: PLC0415 - it takes a while

    levels = vintage.luma(arguments.pixels(picture)).astype(np.float64)
    return float(np.var(ndimage.laplace(levels, mode="mirror")))


def lpips(picture: Picture, original: Picture) -> float:
    """Learned perceptual distance, from 0 for equal pictures; AlexNet's features, linear weights of version 0.1.

    Zhang, Isola, Efros, Shechtman and Wang, "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric",
    CVPR 2018, by their package `lpips`. Nothing is downloaded here: see :func:`lpips_lacks`.

    Args:
        picture: uint8 (height, width, 3), at least 64 x 64.
        original: Of the same shape.

    Raises:
        PictureError: One is no picture in colour.
        UsageError: The shapes differ, or a side has fewer than 64 pixels.
        WeightsError: torch, the package `lpips` or AlexNet's weights are not here; it says which.
    """
    ours, theirs = _alike(picture, original)
    for each in (ours, theirs):
        arguments.pixels(each, gray=False)
    if min(ours.shape[:2]) < 64:
        raise UsageError(f"LPIPS needs 64 x 64 pixels, and the picture has {_size(ours)}", "give a larger picture")
    if missing := lpips_lacks():
        raise WeightsError(*missing)
    import torch  # noqa: PLC0415 - it is large, and optional

    def tensor(pixels: Picture) -> Any:
        return torch.from_numpy(pixels.astype(np.float32)).permute(2, 0, 1)[None] / 127.5 - 1

    with torch.no_grad():
        return float(_lpips_network()(tensor(ours), tensor(theirs)))


def lpips_lacks() -> tuple[str, str] | None:
    """What LPIPS needs and this machine lacks, with the remedy; None where it can be computed."""
    for package in ("torch", "torchvision", "lpips"):
        if importlib.util.find_spec(package) is None:
            return f"LPIPS needs the package {package}, which is not installed", f"uv pip install {package}"
    import torch  # noqa: PLC0415 - it is large, and optional

    file = Path(torch.hub.get_dir()) / "checkpoints" / _ALEXNET
    if not file.is_file():
        return (
            f"LPIPS needs AlexNet's weights, and {file} is not there",
            "download it (233 MB): torchvision.models.alexnet(weights='IMAGENET1K_V1') puts it there",
        )
    return None


def fitted(picture: Picture, original: Picture) -> Picture:
    """``picture`` in the size of ``original``, so that the two can be compared; Pillow's Lanczos filter.

    Raises:
        PictureError: One is no picture.
    """
    levels, target = arguments.pixels(picture), arguments.pixels(original, "the original")
    if levels.shape[:2] == target.shape[:2]:
        return levels
    height, width = target.shape[:2]
    return np.array(Image.fromarray(levels).resize((width, height), Image.Resampling.LANCZOS))


def _alike(picture: Picture, original: Picture) -> tuple[Picture, Picture]:
    ours, theirs = arguments.pixels(picture), arguments.pixels(original, "the original")
    if ours.shape != theirs.shape:
        raise UsageError(
            f"the picture is {ours.shape} and the original {theirs.shape}: pixels cannot be compared",
            "w251lab.faces.quality.fitted(picture, original) brings it to the original's size",
        )
    return ours, theirs


def _size(picture: Picture) -> str:
    return f"{picture.shape[1]} x {picture.shape[0]}"


def _lpips_network() -> Any:
    """LPIPS with its own linear weights and the backbone from torch's folder."""
    import warnings  # noqa: PLC0415

    package: Any = importlib.import_module("lpips")  # it is optional, and has no types
    with warnings.catch_warnings():
        # It still speaks torchvision's old spelling (pretrained=True), which only warns.
        warnings.filterwarnings("ignore", category=UserWarning, module=r"torchvision\.models\._utils")
        return package.LPIPS(net="alex", version="0.1", verbose=False).eval()
