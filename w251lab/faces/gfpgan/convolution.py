"""Convolutions for the fast path: which routine computes one, and one that takes in the enlargement before it."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

#: Below this edge (in pixels) a Winograd tile is mostly padding.
_LEAST: Final = 16
#: From this edge on an enlargement is worth taking into the convolution.
_LEAST_POLYPHASE: Final = 64


@cache
def winograd() -> bool:
    """Whether PyTorch has a Winograd convolution for this processor (NNPACK), and it computes what it should.

    oneDNN, which PyTorch takes by itself, has none for AVX2. The operator is not part of PyTorch's public interface:
    so it is tried here, once, and where it is gone or wrong nothing but time is lost.
    """
    import torch  # noqa: PLC0415
    import torch.nn.functional as F  # noqa: N812, PLC0415

    if not torch.backends.nnpack.is_available() or not hasattr(torch, "_nnpack_spatial_convolution"):
        return False
    generator = torch.Generator().manual_seed(0)
    x, weight = (torch.randn(shape, generator=generator) for shape in ((1, 24, 40, 33), (12, 24, 3, 3)))
    bias = torch.randn(12, generator=generator)
    try:
        found = torch._nnpack_spatial_convolution(x, weight, bias, [1, 1])  # noqa: SLF001
    except RuntimeError:
        return False
    expected = F.conv2d(x, weight, bias, padding=1)
    return bool((found - expected).abs().max() < 1e-4 * expected.abs().max())


def convolve(x: Any, weight: Any, bias: Any, *, padding: int = 1) -> Any:
    """A 3x3 convolution by the fastest routine that PyTorch has here.

    Args:
        x: Tensor (n, channels in, h, w).
        weight: Tensor (channels out, channels in, 3, 3).
        bias: Tensor (channels out,).
        padding: Zeros around ``x``.

    Returns:
        Tensor (n, channels out, h + 2 padding - 2, w + 2 padding - 2).
    """
    import torch  # noqa: PLC0415
    import torch.nn.functional as F  # noqa: N812, PLC0415

    if x.device.type == "cpu" and x.dtype == torch.float32 and min(x.shape[2:]) >= _LEAST and winograd():
        return torch._nnpack_spatial_convolution(x, weight, bias, [padding, padding])  # noqa: SLF001
    return F.conv2d(x, weight, bias, padding=padding)


def pointwise(x: Any, weight: Any) -> Any:
    """A 1x1 convolution without bias: a matrix product.

    Args:
        x: Tensor (n, channels in, h, w).
        weight: Tensor (channels out, channels in, 1, 1), or one of each face, (n, channels out, channels in).
    """
    import torch.nn.functional as F  # noqa: N812, PLC0415

    if x.device.type != "cpu" and weight.ndim == 4:
        return F.conv2d(x, weight)
    n, channels, height, width = x.shape
    matrix = weight.flatten(1) if weight.ndim == 4 else weight
    return (matrix @ x.reshape(n, channels, height * width)).view(n, -1, height, width)


def enlarge(x: Any) -> Any:
    """Twice as large, bilinear, as GFPGAN does it."""
    import torch.nn.functional as F  # noqa: N812, PLC0415

    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


def polyphase(weight: Any) -> Any:
    """The kernel that does at once what a bilinear enlargement by two and then ``weight`` do.

    Every second row of the enlarged picture is 1/4 of one row and 3/4 of the next. So each of the four kinds of
    result pixels (even or odd row, even or odd column) is a 3x3 convolution of the small picture.

    Args:
        weight: Tensor (channels out, channels in, 3, 3).

    Returns:
        Tensor (4 channels out, channels in, 3, 3), in the order that ``pixel_shuffle`` takes.
    """
    import torch  # noqa: PLC0415

    # [kind][tap on the small picture][tap on the enlarged one]
    mix = torch.tensor(
        [[[0.75, 0.25, 0], [0.25, 0.75, 0.75], [0, 0, 0.25]], [[0.25, 0, 0], [0.75, 0.75, 0.25], [0, 0.25, 0.75]]],
        dtype=weight.dtype,
        device=weight.device,
    )
    mixed = torch.einsum("akj,blm,ocjm->oabckl", mix, mix, weight)
    return mixed.reshape(-1, *weight.shape[1:]).contiguous()


def worthwhile(x: Any) -> bool:
    """Whether :func:`enlarge_and_convolve` is faster than its two steps for this tensor."""
    return x.device.type == "cpu" and x.shape[0] == 1 and min(x.shape[2:]) >= _LEAST_POLYPHASE and winograd()


def enlarge_and_convolve(x: Any, phases: Any, weight: Any, bias: Any) -> Any:
    """``convolve(enlarge(x), weight, bias)``, computed on the small picture.

    Args:
        x: Tensor (n, channels in, h, w).
        phases: ``polyphase(weight)``.
        weight: Tensor (channels out, channels in, 3, 3).
        bias: Tensor (channels out,).

    Returns:
        Tensor (n, channels out, 2 h, 2 w).
    """
    import torch.nn.functional as F  # noqa: N812, PLC0415

    padded = F.pad(x, (1, 1, 1, 1), mode="replicate")
    y = F.pixel_shuffle(convolve(padded, phases, bias.repeat_interleave(4), padding=0), 2)
    # This continued the enlarged picture beyond its border, where the convolution is to find zeros: take that off
    # again.
    for edge, tap in ((0, 0), (-1, 2)):
        row = F.pad(
            F.interpolate(x[:, :, edge], scale_factor=2, mode="linear", align_corners=False), (1, 1), mode="replicate"
        )
        y[:, :, edge] -= F.conv1d(row, weight[:, :, tap])
        column = F.interpolate(x[:, :, :, edge], scale_factor=2, mode="linear", align_corners=False)
        y[:, :, :, edge] -= F.conv1d(column, weight[:, :, :, tap], padding=1)
    return y
