"""The check of what the DALI labs need: a photograph decoded and resized on a device, held against Pillow's pixels."""
# It runs in a process of its own; what only this check needs is imported there.
# ruff: noqa: PLC0415

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from w251lab.errors import W251Error

if TYPE_CHECKING:
    from w251lab.accelerator import Device

# Mean absolute difference in levels of 0..255: about 0.2 where all is well, a GPU's decoder included; a picture that
# is shifted, in another order of colours or from another filter is several levels away.
_TOLERANCE: Final = 1.0


def dali(device: Device) -> str:
    """Decode, resize and crop a photograph that comes with the labs on ``device``, and compare it with Pillow's."""
    from PIL import Image

    from w251lab.dali import bundled, installed, parity, sources

    installed.require(device)
    photograph = bundled.source().names[0]
    with Image.open(photograph) as picture:
        expected = parity.reference(picture)
    found: Any = parity.pixels(sources.files([photograph]), device=device)
    wanted = (1, *expected.shape)
    if found.shape != wanted:
        raise W251Error(f"DALI gives pixels of shape {found.shape} in place of {wanted}.", _repair(device))
    away = parity.difference(found[0], expected)
    if not away < _TOLERANCE:
        raise W251Error(
            f"DALI computes wrong pixels on the {device.upper()}: {away:.1f} of 255 levels from Pillow's on average.",
            _repair(device),
        )
    return (
        f"DALI {installed.dali().__version__} on the {device.upper()}: a photograph decoded and resized, "
        f"{away:.2f} of 255 levels from Pillow's"
    )


def _repair(device: Device) -> str:
    """How to have the right library again."""
    return f"in a checkout: make env DEVICE={device}; elsewhere: pip install 'w251lab[{device}]'"
