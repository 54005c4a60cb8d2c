"""GFPGAN's own network: made, filled with weights, and made repeatable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from w251lab.faces.gfpgan import compat, weights

if TYPE_CHECKING:
    from pathlib import Path

#: Edge of the pictures that the published weights are for.
SIZE: Final = 512


def build(arch: str, *, channel_multiplier: int, size: int = SIZE, narrow: float = 1.0) -> Any:
    """An untrained network as GFPGAN 1.3.8 configures it.

    Args:
        arch: "clean" or "original".
        channel_multiplier: Width above 32 pixels: 2 for the clean weights, 1 for those of v1.
        size: Edge of the pictures in pixels, a power of two from 8 on.
        narrow: Factor on the number of channels everywhere; below 1 for tests.

    Returns:
        A torch module on the CPU, in evaluation mode.

    Raises:
        W251Error: GFPGAN's packages are missing.
    """
    network = compat.architecture(arch)(
        out_size=size,
        num_style_feat=512,
        channel_multiplier=channel_multiplier,
        decoder_load_path=None,
        fix_decoder=arch == "original",
        num_mlp=8,
        input_is_latent=True,
        different_w=True,
        narrow=narrow,
        sft_half=True,
    ).eval()
    return network.requires_grad_(requires_grad=False)


def load(version: weights.Version, file: Path | None = None) -> Any:
    """The network of a version with its weights.

    Args:
        version: One of `weights.VERSIONS`.
        file: Another file of weights for it.

    Raises:
        WeightsError: They are not here, or are not of this network.
        W251Error: GFPGAN's packages are missing.
    """
    compat.require()
    path = weights.find(version, file)  # before anything that takes seconds
    network = build(version.arch, channel_multiplier=version.channel_multiplier, narrow=version.narrow)
    shapes = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    network.load_state_dict(weights.read(path, shapes, version.asset.what))
    return network


def fix_noise(network: Any, seed: int | None) -> None:
    """Draw the noise that the decoder adds at every layer once, and keep it.

    StyleGAN2 draws it anew for each picture, so that the same face would come out different each time. It is one map
    (1, 1, h, w) for each layer, the same for all faces of a batch: what becomes of a face does not depend on its
    neighbours.

    Args:
        network: As :func:`build` makes it; its buffers change.
        seed: Of the noise; None keeps the maps that the file of weights has.
    """
    import torch  # noqa: PLC0415

    if seed is None:
        return
    generator = torch.Generator().manual_seed(seed)
    for noise in network.stylegan_decoder.noises.buffers():
        noise.copy_(torch.randn(noise.shape, generator=generator))


def stock(network: Any, faces: Any) -> Any:
    """GFPGAN's own computation, with the kept noise.

    Args:
        network: As :func:`build` makes it.
        faces: Tensor (n, 3, size, size), RGB in [-1, 1].

    Returns:
        The same shape; mostly in [-1, 1], not clipped.
    """
    return network(faces, return_rgb=False, randomize_noise=False)[0]
