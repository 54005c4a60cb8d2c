"""The check of what the GFP-GAN lab needs: a portrait's face is found, damaged, restored, and still the same person."""
# It runs in a process of its own; what only this check needs is imported there.
# ruff: noqa: PLC0415

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from w251lab.errors import W251Error

if TYPE_CHECKING:
    from w251lab.accelerator import Device

# Where the eyes of the bundled portrait are, in pixels, and how far off a detector may be that works.
_EYES: Final = ((203.0, 102.0), (247.0, 105.0))
_AWAY: Final = 8.0
_REPAIR: Final = "in a checkout: make env; elsewhere: pip install 'w251lab[cpu]'"


def faces(_device: Device) -> str:
    """Find the face in a bundled portrait, restore it with the baseline on the CPU, and compare who it is."""
    import numpy as np

    from w251lab.faces import detect, identity, pictures
    from w251lab.faces.baseline import BaselineRestorer
    from w251lab.faces.sweep import aligned_face

    portrait = pictures.portrait()
    found = detect.detect(portrait)
    if len(found) != 1 or not np.abs(found[0].landmarks[:2] - np.array(_EYES)).max() < _AWAY:
        seen = ", ".join(f"eyes at {face.landmarks[:2].round().tolist()}" for face in found) or "no face"
        raise W251Error(f"The detector finds {seen} in a portrait whose eyes are at {_EYES}.", _REPAIR)
    restorer = BaselineRestorer(face_pixels=64)
    result = restorer.restore(portrait, faces=found, paste=False)
    who = identity.embedding(portrait, found[0])
    near = identity.identity_distance(who, identity.embedding(result.faces[0].restored, aligned_face()))
    other = pictures.portrait("hopper")
    far = identity.identity_distance(who, identity.embedding(other, detect.detect(other)[0]))
    if not near < identity.THRESHOLD < far:
        raise W251Error(
            f"The restored face is {near:.2f} from the portrait and somebody else's {far:.2f}; "
            f"the first has to be below {identity.THRESHOLD}, the second above it.",
            _REPAIR,
        )
    return (
        f"a face found and restored on the CPU by {restorer.model}, identity distance {near:.2f}; "
        f"somebody else's {far:.2f}"
    )
