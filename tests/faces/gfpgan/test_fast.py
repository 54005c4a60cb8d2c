from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from w251lab.faces.gfpgan import convolution, network, precision
from w251lab.faces.gfpgan.fast import FastNetwork

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.gfpgan


@pytest.fixture(scope="module")
def made(random_network: Callable[..., Any]) -> Any:
    """A narrow network for 256 x 256 pictures: large enough for every way to compute a convolution."""
    return random_network("clean", channel_multiplier=2, size=256, narrow=0.125)


@pytest.fixture
def pictures() -> Any:
    import torch  # noqa: PLC0415

    generator = torch.Generator().manual_seed(1)
    return torch.rand((2, 3, 256, 256), generator=generator) * 2 - 1


@pytest.mark.parametrize("winograd", [True, False])
@pytest.mark.parametrize("count", [1, 2])
def test_it_computes_what_gfpgans_own_code_does(
    made: Any, pictures: Any, count: int, winograd: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch  # noqa: PLC0415

    if winograd and not convolution.winograd():
        pytest.skip("this processor or this PyTorch has no NNPACK; a processor with AVX2 has it")
    monkeypatch.setattr(convolution, "winograd", lambda: winograd)
    with torch.inference_mode():
        expected = network.stock(made, pictures[:count])
        found = FastNetwork(made)(pictures[:count])
    spread = float(expected.std())
    assert 0.05 < spread < 50, "a constant result would prove nothing"
    assert float((found - expected).abs().max()) < 1e-4 * spread


def test_a_face_does_not_depend_on_its_neighbours(made: Any, pictures: Any) -> None:
    import torch  # noqa: PLC0415

    with torch.inference_mode():
        fast = FastNetwork(made)
        together, alone = fast(pictures), torch.cat([fast(pictures[:1]), fast(pictures[1:])])
    assert float((together - alone).abs().max()) < 1e-4 * float(alone.std())


def test_the_style_reaches_the_result(made: Any, pictures: Any) -> None:
    """Were style or conditions ignored, two different faces would come out alike."""
    import torch  # noqa: PLC0415

    with torch.inference_mode():
        one, two = FastNetwork(made)(pictures)
    assert float((one - two).abs().mean()) > 0.01 * float(one.std())


@pytest.mark.parametrize("height", [5, 8, 70])
def test_enlarging_within_a_convolution_is_exact_to_the_border(height: int) -> None:
    import torch  # noqa: PLC0415
    import torch.nn.functional as F  # noqa: N812, PLC0415

    generator = torch.Generator().manual_seed(2)
    x, weight, bias = (torch.randn(shape, generator=generator) for shape in ((2, 4, height, 66), (3, 4, 3, 3), (3,)))
    expected = F.conv2d(convolution.enlarge(x), weight, bias, padding=1)
    found = convolution.enlarge_and_convolve(x, convolution.polyphase(weight), weight, bias)
    assert found.shape == expected.shape
    assert torch.allclose(found, expected, atol=1e-4)


def test_a_routine_that_is_gone_or_wrong_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch  # noqa: PLC0415

    convolution.winograd.cache_clear()
    monkeypatch.setattr(torch, "_nnpack_spatial_convolution", lambda x, *_: x[:, :12] * 0)
    assert not convolution.winograd()
    convolution.winograd.cache_clear()
    monkeypatch.delattr(torch, "_nnpack_spatial_convolution")
    assert not convolution.winograd()
    convolution.winograd.cache_clear()


def test_the_precision_is_the_shortest_that_passes(
    random_network: Callable[..., Any], pictures: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch  # noqa: PLC0415

    made = random_network("clean", channel_multiplier=2, size=32, narrow=0.0625)  # a CPU is slow in half precision
    pictures = pictures[..., :32, :32]
    monkeypatch.setattr(precision, "LEAST_PSNR", -1e9)
    assert precision.choose(made, pictures[:1], "cpu")[0] == "float16"
    monkeypatch.setattr(precision, "LEAST_PSNR", 1e9)
    name, compute = precision.choose(made, pictures[:1], "cpu")
    assert name == "float32"
    with torch.inference_mode():
        assert precision.psnr(compute(pictures), network.stock(made, pictures)) > 90


def test_the_layout_for_a_gpu_changes_nothing(random_network: Callable[..., Any], pictures: Any) -> None:
    """On a CPU, where it is only slower: what PyTorch refuses in this order it would refuse on a GPU, too."""
    import torch  # noqa: PLC0415

    made = random_network("clean", channel_multiplier=2, size=32, narrow=0.125)
    small = pictures[..., :32, :32].contiguous()
    with torch.inference_mode():
        for some in (small, small[:1]):
            found = precision.in_precision(made, "cpu", "float32", channels_last=True)(some)
            assert precision.psnr(found, network.stock(made, some)) > 90


def test_decibels() -> None:
    import torch  # noqa: PLC0415

    a = torch.zeros(1, 3, 4, 4)
    assert precision.psnr(a, a) == float("inf")
    assert precision.psnr(a, a + 0.02) == pytest.approx(40)
    assert precision.psnr(a + 1.5, a + 1) == float("inf"), "beyond the range of a picture nothing is seen"
    assert precision.psnr(a, a * float("nan")) == float("-inf")


@pytest.mark.gpu
def test_on_a_gpu_it_is_the_same_and_recorded_once(made: Any, pictures: Any) -> None:
    import torch  # noqa: PLC0415

    with torch.inference_mode():
        expected = network.stock(made, pictures)
        name, compute = precision.choose(made, pictures[:1], "cuda")
        graphed = precision.Graphed(compute)
        one = graphed(pictures[:1].cuda())
        found = graphed(pictures.cuda())
        again = graphed(pictures.cuda())
    assert name in precision.PRECISIONS
    assert precision.psnr(found.cpu(), expected) >= precision.LEAST_PSNR - 3
    assert torch.equal(found, again)
    assert precision.psnr(one, found[:1]) > 45


def test_float32_is_not_rounded_to_tf32(made: Any, pictures: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch  # noqa: PLC0415

    def rounds() -> tuple[bool, bool]:
        return torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32

    seen, before = [], rounds()
    monkeypatch.setattr(FastNetwork, "__call__", lambda _, faces: seen.append(rounds()) or faces)
    precision.in_precision(made, "cpu", "float32")(pictures)
    assert seen == [(False, False)]
    assert rounds() == before
