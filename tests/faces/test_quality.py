"""The measures against their formulas, and what they do with pictures that cannot be compared."""

from __future__ import annotations

import importlib.util
import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

from w251lab.errors import UsageError
from w251lab.faces import pictures, quality, vintage
from w251lab.faces.errors import PictureError, WeightsError

if TYPE_CHECKING:
    from pathlib import Path


def test_psnr_by_its_formula() -> None:
    original = np.full((10, 10, 3), 250, np.uint8)
    other = np.full((10, 10, 3), 4, np.uint8)  # unsigned bytes would wrap around
    assert quality.psnr(other, original) == pytest.approx(20 * math.log10(255 / 246))
    assert quality.psnr(original, original) == math.inf


def test_ssim_is_1_of_itself_and_falls() -> None:
    picture = pictures.portrait()[:200, :200]
    assert quality.ssim(picture, picture) == pytest.approx(1)
    values = [quality.ssim(vintage.box_blur(picture, size), picture) for size in (3, 9, 21)]
    assert values == sorted(values, reverse=True)
    assert quality.ssim(picture[:, :, 0], picture[:, :, 0]) == pytest.approx(1)


def test_sharpness_is_the_variance_of_the_laplacian() -> None:
    point = np.zeros((9, 9), np.uint8)
    point[4, 4] = 10
    laplacian = np.zeros(81)
    laplacian[:5] = (-40, 10, 10, 10, 10)
    assert quality.sharpness(point) == pytest.approx(laplacian.var())
    assert quality.sharpness(np.full((5, 5, 3), 77, np.uint8)) == 0


def test_blur_is_less_sharp_and_noise_is_sharper() -> None:
    picture = pictures.portrait()
    sharp = quality.sharpness(picture)
    assert quality.sharpness(vintage.box_blur(picture, 5)) < sharp / 4
    assert quality.sharpness(vintage.salt_and_pepper(picture, 0.02)) > 2 * sharp


def test_another_size_is_refused_and_can_be_fitted() -> None:
    picture = pictures.portrait()[:100, :80]
    small = picture[::2, ::2]
    for measure in (quality.psnr, quality.ssim, quality.lpips):
        with pytest.raises(UsageError, match="fitted"):
            measure(small, picture)
    fitted = quality.fitted(small, picture)
    assert fitted.shape == picture.shape
    assert quality.psnr(fitted, picture) > 15
    assert np.array_equal(quality.fitted(picture, picture), picture)


def test_too_small_for_a_window() -> None:
    tiny = np.zeros((6, 20, 3), np.uint8)
    with pytest.raises(UsageError, match="7 x 7"):
        quality.ssim(tiny, tiny)
    with pytest.raises(PictureError):
        quality.sharpness(tiny / 255)  # type: ignore[arg-type]


@pytest.mark.skipif(
    all(map(importlib.util.find_spec, ("torch", "torchvision", "lpips"))), reason="the packages of LPIPS are here"
)
def test_lpips_says_which_package_is_missing() -> None:
    picture = pictures.portrait()
    with pytest.raises(WeightsError, match=r"needs the package (torch|torchvision|lpips)"):
        quality.lpips(picture, picture)


@pytest.mark.torch
def test_lpips_says_which_file_is_missing_and_computes_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("lpips", reason="needs torch: the package lpips is not installed; uv pip install lpips")
    import torch  # noqa: PLC0415
    import torchvision  # noqa: PLC0415

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(torch.hub, "_hub_dir", None)
    picture = pictures.portrait()[:128, :128]
    with pytest.raises(WeightsError, match="AlexNet"):
        quality.lpips(picture, picture)
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    torch.manual_seed(0)  # weights of the network's form: the real ones are on no package registry
    torch.save(torchvision.models.alexnet(weights=None).state_dict(), folder / quality._ALEXNET)
    assert quality.lpips(picture, picture) == pytest.approx(0, abs=1e-6)
    assert quality.lpips(vintage.box_blur(picture, 7), picture) > 1e-4
