"""Restoring one face from less and more damage, and what is left of it each time.

The face is cut out of the original once, upright at 512 x 512 pixels, and all the damage is done to that cut-out: so a
strength means the same for a face that was small in its picture as for one that was large, nothing depends on whether
the detector still finds the damaged face (that is asked separately), and all is compared with the same pixels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from w251lab.errors import UsageError
from w251lab.faces import align, arguments, degradation, detect, identity, quality, vintage
from w251lab.faces.errors import FaceError, NoFaceError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from w251lab.faces.arguments import Picture
    from w251lab.faces.restore import Restorer

    #: (picture, strength, seed) -> damaged picture
    Damage = Callable[[Picture, float, int], Picture]
    #: aligned face -> a vector; the distance of two is small for one person
    Embed = Callable[[Picture], NDArray[np.float64]]

STRENGTHS: Final = (0.0, 0.25, 0.5, 0.75, 1.0)
#: The kinds of damage that have a name: GFPGAN's training, and the vintage filter.
DAMAGES: Final = ("degradation", "vintage")


@dataclass(frozen=True)
class Measures:
    """A face against the original.

    Attributes:
        identity: Distance of the embeddings; :data:`w251lab.faces.identity.THRESHOLD` and above is another person.
        psnr: In dB.
        ssim: At most 1.
        sharpness: Variance of the Laplacian; against nothing.
    """

    identity: float
    psnr: float
    ssim: float
    sharpness: float


@dataclass(frozen=True)
class Step:
    """One strength.

    Attributes:
        strength: Of the damage, 0..1.
        found: Whether the detector still finds a face in the damaged picture.
        damaged: uint8 (512, 512, 3).
        restored: Likewise.
        of_damaged: Measures of the damaged face.
        of_restored: Measures of the restored one.
    """

    strength: float
    found: bool
    damaged: Picture
    restored: Picture
    of_damaged: Measures
    of_restored: Measures


@dataclass(frozen=True)
class Sweep:
    """All strengths, mild ones first.

    Attributes:
        steps: One for each strength.
        original: The face as it was, uint8 (512, 512, 3).
        sharpness: Of the original.
        damage: What was done to it.
        model: What restored it.
        device: Where that computed: "cpu" or "gpu".
        seed: Of the damage: the same at every strength.
    """

    steps: tuple[Step, ...]
    original: Picture
    sharpness: float
    damage: str
    model: str
    device: str
    seed: int

    def table(self) -> pd.DataFrame:
        """One row for each strength, indexed by it.

        Columns are "found", and for each of identity, psnr, ssim and sharpness "damaged_..." and "restored_...".
        """
        import pandas as pd  # noqa: PLC0415 - it takes a while

        rows = [
            {"strength": step.strength, "found": step.found}
            | {f"damaged_{name}": value for name, value in vars(step.of_damaged).items()}
            | {f"restored_{name}": value for name, value in vars(step.of_restored).items()}
            for step in self.steps
        ]
        return pd.DataFrame(rows).set_index("strength")

    def lost(self, *, restored: bool = True, threshold: float = identity.THRESHOLD) -> float | None:
        """The first strength from which on the face is no more that of the same person; None where it always is.

        Args:
            restored: Of the restored face, or of the damaged one.
            threshold: Distances below it are the same person.
        """
        first = None
        for step in reversed(self.steps):
            measures = step.of_restored if restored else step.of_damaged
            if measures.identity < threshold:
                break
            first = step.strength
        return first


def sweep(
    picture: Picture,
    restorer: Restorer,
    strengths: Sequence[float] = STRENGTHS,
    *,
    seed: int = 0,
    damage: str | Damage = "degradation",
    embed: Embed | None = None,
    face: detect.Face | None = None,
) -> Sweep:
    """Damage a face at each strength, restore it, and measure both against the original.

    Args:
        picture: uint8 (height, width, 3), with a face.
        restorer: As :func:`w251lab.faces.restore.load_restorer` gives it.
        strengths: In 0..1, each larger than the one before.
        seed: Of the damage, the same at all strengths: what differs between them is the strength alone.
        damage: "degradation", "vintage" (on the way to the preset "lucky"), or a function of a picture, a strength and
            a seed.
        embed: Takes an aligned face, uint8 (512, 512, 3), and gives the vector whose distance is the identity's; None
            for :func:`w251lab.faces.identity.embedding`.
        face: Which one; None for the largest that is found.

    Raises:
        NoFaceError: There is none in the picture.
        UsageError: The strengths are not rising in 0..1, or there is no such damage.
        FaceError: The damage gave a picture of another shape.
    """
    rising = _rising(strengths)
    name, do = _damage(damage)
    measure = embed or _embedding
    aligned = align.align(picture, _face(picture, face))
    original = aligned.picture
    vector = measure(original)
    damaged = [_checked(do(original, strength, seed), original) for strength in rising]
    restored = restorer.restore_aligned([replace(aligned, picture=each) for each in damaged])

    def measures(other: Picture) -> Measures:
        distance = identity.identity_distance(vector, measure(other))
        return Measures(
            distance, quality.psnr(other, original), quality.ssim(other, original), quality.sharpness(other)
        )

    steps = tuple(
        Step(strength, bool(detect.detect(before)), before, after, measures(before), measures(after))
        for strength, before, after in zip(rising, damaged, restored, strict=True)
    )
    return Sweep(steps, original, quality.sharpness(original), name, restorer.model, restorer.device, seed)


def _face(picture: Picture, face: detect.Face | None) -> detect.Face:
    if face is not None:
        return face
    found = detect.detect(picture)
    if not found:
        raise NoFaceError("no face was found in the picture", "take a picture with a face that is upright")
    return found[0]


def _embedding(cut_out: Picture) -> NDArray[np.float64]:
    """The identity of an aligned face: its landmarks are where the template has them."""
    return identity.embedding(cut_out, aligned_face())


def aligned_face(size: int = 512) -> detect.Face:
    """The face in a picture that was aligned: its landmarks are the template's, its box is around them.

    Args:
        size: Edge of the picture in pixels.
    """
    landmarks = (align.TEMPLATE + 0.5) * (size / align.TEMPLATE_SIZE) - 0.5  # edges of pixels scale, centres do not
    (left, top), (right, bottom) = landmarks.min(axis=0), landmarks.max(axis=0)
    margin = 0.75 * (right - left)
    box = (left - margin, top - margin, right + margin, bottom + 0.5 * margin)
    return detect.Face(tuple(float(edge) for edge in box), 1.0, landmarks)  # type: ignore[arg-type]  # four of them


def _rising(strengths: Sequence[float]) -> list[float]:
    numbers = [arguments.number(strength, "a strength", least=0, most=1) for strength in strengths]
    if not numbers or any(not math.isfinite(n) for n in numbers) or sorted(set(numbers)) != numbers:
        raise UsageError(f"the strengths are {list(strengths)!r}", "give at least one, each larger than the one before")
    return numbers


def _damage(damage: str | Damage) -> tuple[str, Damage]:
    """What to call a damage, and the function that does it."""
    if callable(damage):
        return getattr(damage, "__name__", "own damage"), damage
    if damage == "degradation":
        return "GFPGAN's degradation", lambda face, strength, seed: degradation.degrade(face, strength, seed=seed)
    if damage == "vintage":
        return "the vintage filter", lambda face, strength, seed: vintage.vintage(face, vintage.at(strength), seed=seed)
    raise UsageError(f"there is no damage {damage!r}", f"use one of {', '.join(DAMAGES)}, or a function")


def _checked(damaged: Picture, original: Picture) -> Picture:
    if getattr(damaged, "shape", None) != original.shape or damaged.dtype != np.uint8:
        raise FaceError(
            f"the damage made {getattr(damaged, 'dtype', type(damaged).__name__)} of {original.shape} pixels into "
            f"{getattr(damaged, 'shape', 'no picture')}",
            "return uint8 of the same shape",
        )
    return damaged
