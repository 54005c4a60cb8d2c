"""Computing on a GPU: in the shortest numbers whose result nobody could tell apart, and as one recorded graph."""

from __future__ import annotations

import copy
import math
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from w251lab.errors import UsageError
from w251lab.faces.gfpgan.fast import FastNetwork
from w251lab.faces.gfpgan.network import stock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: Shortest first; half precision has more digits than bfloat16, and overflows earlier.
PRECISIONS: Final = ("float16", "bfloat16", "float32")
#: Decibels from the stock network in 32-bit floats from which on a result passes; rounding to 8 bits alone is 59.
LEAST_PSNR: Final = 45.0


def psnr(a: Any, b: Any) -> float:
    """Peak signal-to-noise ratio of two results in decibels.

    Both are clipped to [-1, 1], the range of a picture, whose width 2 is the peak. Equal ones give infinity, and a
    value that is no number gives minus infinity.

    Args:
        a: Tensor of pictures.
        b: Of the same shape.
    """
    error = float((a.float().clamp(-1, 1) - b.float().clamp(-1, 1)).square().mean())
    if math.isnan(error):
        return -math.inf
    return 10 * math.log10(4 / error) if error else math.inf


def converted(network: Any, device: str, precision: str) -> Any:
    """A copy of a network on a device, in a precision.

    Args:
        network: As `network.build` makes it; stays as it is.
        device: PyTorch's name of it, "cpu" or "cuda".
        precision: One of `PRECISIONS`.

    Raises:
        UsageError: Another precision.
    """
    import torch  # noqa: PLC0415

    if precision not in PRECISIONS:
        raise UsageError(f"there is no precision {precision!r}", f"use one of auto, {', '.join(PRECISIONS)}")
    return copy.deepcopy(network).to(device, getattr(torch, precision))


def choose(network: Any, faces: Any, device: str) -> tuple[str, Callable[[Any], Any]]:
    """The fast path in the shortest precision that passes for these faces.

    Args:
        network: As `network.build` makes it.
        faces: Tensor (n, 3, size, size), float32, on the CPU: real ones, since it depends on them.
        device: PyTorch's name of it.

    Returns:
        The precision, and what restores a tensor on the device.
    """
    import torch  # noqa: PLC0415

    faces = faces.to(device)
    with torch.inference_mode(), exact():
        expected = stock(converted(network, device, "float32"), faces)
        for precision in PRECISIONS[:-1]:
            candidate = in_precision(network, device, precision)
            if psnr(candidate(faces), expected) >= LEAST_PSNR:
                return precision, candidate
    return "float32", in_precision(network, device, "float32")


def in_precision(
    network: Any, device: str, precision: str, *, channels_last: bool | None = None
) -> Callable[[Any], Any]:
    """The fast path: takes and gives float32, computes in ``precision``.

    Args:
        network: As `network.build` makes it; stays as it is.
        device: PyTorch's name of it.
        precision: One of `PRECISIONS`.
        channels_last: Whether the channels of a pixel lie side by side in memory, as a GPU's tensor cores take them;
            None for where it is a GPU.
    """
    import torch  # noqa: PLC0415

    if channels_last is None:
        channels_last = device != "cpu"
    layout = torch.channels_last if channels_last else torch.contiguous_format
    copied = converted(network, device, precision)
    for value in copied.parameters():
        if value.ndim == 4:  # Module.to would try it with the decoder's weights, too, which have five
            value.data = value.data.contiguous(memory_format=layout)
    fast = FastNetwork(copied, layout)
    number = getattr(torch, precision)

    def compute(faces: Any) -> Any:
        return fast(faces.to(number).contiguous(memory_format=layout)).float()

    return unrounded(compute)


def unrounded(compute: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """``compute`` in 32-bit floats where they are asked for: PyTorch's convolutions round them to TF32's 10 bits.

    That is no more than float16 has, and float32 is taken where float16 is too little.
    """

    def computed(faces: Any) -> Any:
        with exact():
            return compute(faces)

    return computed


@contextmanager
def exact() -> Iterator[None]:
    """32-bit floats that are not rounded to TF32 in convolutions and products: what a result is compared with."""
    import torch  # noqa: PLC0415

    before = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    try:
        yield
    finally:
        torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = before


class Graphed:
    """A computation on a GPU, recorded once for each number of faces and then started as a whole (a CUDA graph).

    Args:
        compute: Takes a float32 tensor (n, 3, size, size) on the GPU and gives one of the same shape.
    """

    def __init__(self, compute: Callable[[Any], Any]) -> None:
        self._compute = compute
        self._graphs: dict[tuple[int, ...], tuple[Any, Any, Any]] = {}

    def __call__(self, faces: Any) -> Any:
        """Restore faces; the result is the caller's own."""
        shape = tuple(faces.shape)
        if shape not in self._graphs:
            self._graphs[shape] = self._record(faces)
        graph, given, result = self._graphs[shape]
        given.copy_(faces)
        graph.replay()
        return result.clone()

    def _record(self, faces: Any) -> tuple[Any, Any, Any]:
        import torch  # noqa: PLC0415

        given = faces.clone()
        beside = torch.cuda.Stream()
        beside.wait_stream(torch.cuda.current_stream())
        # Before the recording everything has to have run: cuDNN chooses its routines, and memory is taken.
        with torch.cuda.stream(beside), _trying():
            for _ in range(3):
                self._compute(given)
        torch.cuda.current_stream().wait_stream(beside)
        graph = torch.cuda.CUDAGraph()
        with _trying(), torch.cuda.graph(graph):
            result = self._compute(given)
        return graph, given, result


@contextmanager
def _trying() -> Iterator[None]:
    """Have cuDNN try its routines for each new shape, and keep the fastest."""
    import torch  # noqa: PLC0415

    before = torch.backends.cudnn.benchmark
    torch.backends.cudnn.benchmark = True
    try:
        yield
    finally:
        torch.backends.cudnn.benchmark = before
