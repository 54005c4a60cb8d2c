"""The clean network computed faster: the same numbers, up to rounding, from the same weights.

What GFPGAN's own code spends time on, and what is done here in its place:

- Each modulated convolution makes weights for each face and computes a grouped convolution with them. Scaling the
  input by the style and the output by the demodulation is the same (Karras et al. 2020, StyleGAN2, section 2.2) with
  one set of weights; where the picture is larger than the weights, for one face, the weights are the cheaper ones to
  scale.
- On a CPU the 3x3 convolutions, four fifths of the time, are computed by oneDNN directly. Winograd's algorithm needs a
  fraction of the multiplications (`convolution`), and takes the bilinear enlargement in.
- A 1x1 convolution after an enlargement is computed before it: the two commute.
- The two condition networks of a level begin with a convolution of the same input: it is one convolution.
- Bias, noise, activation and conditions are written into the tensor that is there, and nothing is split and joined
  again.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from w251lab.faces.gfpgan.convolution import (
    convolve,
    enlarge,
    enlarge_and_convolve,
    pointwise,
    polyphase,
    worthwhile,
)


class _Style(NamedTuple):
    """A style convolution of the decoder, prepared."""

    layer: Any
    weight: Any  # (out, in, 3, 3)
    square: Any  # (in, out): the squares of the weights, summed over the kernel
    phases: Any  # polyphase kernel, or None
    noise: Any  # (1, 1, h, w), times its strength
    bias: Any  # (out,)


class FastNetwork:
    """GFPGANv1Clean, for inference.

    Args:
        network: The stock module, on its device and in its type; it keeps the weights, and must not change afterwards.
        layout: PyTorch's memory format of the decoder's weights; None for the usual one.
    """

    def __init__(self, network: Any, layout: Any = None) -> None:
        import torch  # noqa: PLC0415

        self._network = network
        self._layout = torch.contiguous_format if layout is None else layout
        self._cpu = next(network.parameters()).device.type == "cpu"
        decoder = network.stylegan_decoder
        with torch.inference_mode():
            noises = list(decoder.noises.buffers())
            layers = [decoder.style_conv1, *decoder.style_convs]
            self._styles = [self._style(layer, noise) for layer, noise in zip(layers, noises, strict=True)]
            self._up = [self._phases(block.conv2.weight) for block in network.conv_body_up]
            self._conditions = [
                (
                    torch.cat([scale[0].weight, shift[0].weight]),
                    torch.cat([scale[0].bias, shift[0].bias]),
                    scale[2],
                    shift[2],
                )
                for scale, shift in zip(network.condition_scale, network.condition_shift, strict=True)
            ]

    def _phases(self, weight: Any) -> Any:
        return polyphase(weight) if self._cpu else None

    def _style(self, layer: Any, noise: Any) -> _Style:
        convolution = layer.modulated_conv
        weight = convolution.weight[0].contiguous(memory_format=self._layout)
        enlarges = convolution.sample_mode == "upsample"
        return _Style(
            layer=layer,
            weight=weight,
            square=weight.float().square().sum((2, 3)).T.contiguous(),
            phases=self._phases(weight) if enlarges else None,
            noise=(noise.float() * layer.weight.float()).to(weight.dtype),
            bias=layer.bias.flatten(),
        )

    def __call__(self, faces: Any) -> Any:
        """Restore faces.

        Args:
            faces: Tensor (n, 3, size, size), RGB in [-1, 1], of the network's device and type.

        Returns:
            The same shape; mostly in [-1, 1], not clipped.
        """
        network = self._network
        code, features, skips = self._encode(faces)
        decoder = network.stylegan_decoder
        out = decoder.constant_input.weight.expand(len(faces), -1, -1, -1)
        out = _modulated(self._styles[0], out, code[:, 0])
        picture = _to_rgb(decoder.to_rgb1, out, code[:, 1], None)
        for level, block in enumerate(network.conv_body_up):
            features = self._widen(level, block, features + skips.pop())
            scale, shift = _condition(self._conditions[level], features)
            out = _modulated(self._styles[2 * level + 1], out, code[:, 2 * level + 1])
            half = out.shape[1] // 2
            out[:, half:].mul_(scale).add_(shift)
            out = _modulated(self._styles[2 * level + 2], out, code[:, 2 * level + 2])
            picture = _to_rgb(decoder.to_rgbs[level], out, code[:, 2 * level + 3], picture)
        return picture

    def _encode(self, faces: Any) -> tuple[Any, Any, list[Any]]:
        """Style code (n, latents, 512), the smallest features, and those of every level, largest first."""
        import torch.nn.functional as F  # noqa: N812, PLC0415

        network = self._network
        first = network.conv_body_first
        features = F.leaky_relu_(pointwise(faces, first.weight).add_(first.bias.view(1, -1, 1, 1)), 0.2)
        skips = []
        for block in network.conv_body_down:
            # Halving a picture bilinearly is taking the mean of 2x2 pixels.
            wide = _activated(F.avg_pool2d(_activated(features, block.conv1), 2), block.conv2)
            features = wide.add_(pointwise(F.avg_pool2d(features, 2), block.skip.weight))
            skips.append(features)
        features = _activated(features, network.final_conv)
        code = network.final_linear(features.flatten(1))
        return code.view(len(code), -1, network.num_style_feat), features, skips

    def _widen(self, level: int, block: Any, features: Any) -> Any:
        """A residual block that doubles the edge."""
        import torch.nn.functional as F  # noqa: N812, PLC0415

        small = _activated(features, block.conv1)
        if worthwhile(small):
            wide = enlarge_and_convolve(small, self._up[level], block.conv2.weight, block.conv2.bias)
        else:
            wide = convolve(enlarge(small), block.conv2.weight, block.conv2.bias)
        return F.leaky_relu_(wide, 0.2).add_(enlarge(pointwise(features, block.skip.weight)))


def _activated(x: Any, layer: Any) -> Any:
    import torch.nn.functional as F  # noqa: N812, PLC0415

    return F.leaky_relu_(convolve(x, layer.weight, layer.bias), 0.2)


def _condition(prepared: tuple[Any, Any, Any, Any], features: Any) -> tuple[Any, Any]:
    """Scale and shift of a level."""
    import torch.nn.functional as F  # noqa: N812, PLC0415

    weight, bias, scale, shift = prepared
    both = F.leaky_relu_(convolve(features, weight, bias), 0.2)
    half = both.shape[1] // 2
    return convolve(both[:, :half], scale.weight, scale.bias), convolve(both[:, half:], shift.weight, shift.bias)


def _modulated(style: _Style, x: Any, latent: Any) -> Any:
    """A style convolution: modulated and demodulated, with noise, bias and activation."""
    import torch  # noqa: PLC0415
    import torch.nn.functional as F  # noqa: N812, PLC0415

    convolution = style.layer.modulated_conv
    modulation = convolution.modulation(latent)
    # Only the ratio of the styles matters after the demodulation: the largest becomes 1, lest half precision overflows.
    exact = modulation.float()
    if modulation.dtype != torch.float32:
        exact = exact / exact.abs().amax(1, keepdim=True).clamp_min(1e-12)
    demodulation = torch.rsqrt(exact.square() @ style.square + convolution.eps).mul_(2**0.5)
    before, after = exact.to(x.dtype), demodulation.to(x.dtype)
    enlarges = convolution.sample_mode == "upsample"
    if len(x) == 1 and x.numel() * (4 if enlarges else 1) > style.weight.numel():
        y = _with_scaled_weights(style, x, before[0], after[0], enlarges=enlarges)
    else:
        x = x * before[:, :, None, None]
        y = convolve(enlarge(x) if enlarges else x, style.weight, torch.zeros_like(style.bias))
        y.mul_(after[:, :, None, None]).add_(style.bias.view(1, -1, 1, 1))
    return F.leaky_relu_(y.add_(style.noise), 0.2)


def _with_scaled_weights(style: _Style, x: Any, before: Any, after: Any, *, enlarges: bool) -> Any:
    weight = style.weight * before.view(1, -1, 1, 1) * after.view(-1, 1, 1, 1)
    if not enlarges:
        return convolve(x, weight, style.bias)
    if style.phases is None or not worthwhile(x):
        return convolve(enlarge(x), weight, style.bias)
    phases = style.phases * before.view(1, -1, 1, 1) * after.repeat_interleave(4).view(-1, 1, 1, 1)
    return enlarge_and_convolve(x, phases, weight, style.bias)


def _to_rgb(layer: Any, x: Any, latent: Any, picture: Any) -> Any:
    """Add what a level contributes to the picture."""
    convolution = layer.modulated_conv
    weight = convolution.weight[0, :, :, 0, 0] * convolution.modulation(latent)[:, None]
    colours = pointwise(x, weight).add_(layer.bias)
    return colours if picture is None else colours.add_(enlarge(picture))
