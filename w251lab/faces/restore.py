"""Restoring the faces of a photograph: what every restorer does, and which one to load."""

from __future__ import annotations

import inspect
import time
from abc import ABC, abstractmethod
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from w251lab import accelerator
from w251lab.errors import UsageError, W251Error
from w251lab.faces import align, arguments, detect, enlarging
from w251lab.faces.errors import FaceError, NoFaceError, PictureError
from w251lab.faces.pictures import MOST_PIXELS, check_picture

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from w251lab.accelerator import Device
    from w251lab.faces.align import Aligned
    from w251lab.faces.detect import Face

#: What :func:`load_restorer` knows.
NAMES: Final = ("auto", "baseline", "gfpgan")
#: Edge of the faces that a restorer takes and gives, in pixels.
SIZE: Final = 512
#: How many times larger a restored picture may be.
MOST_UPSCALE: Final = 4.0


@dataclass(frozen=True)
class RestoredFace:
    """One face, before and after.

    Attributes:
        face: Where it is in the picture that was given.
        aligned: The face cut out, 512 x 512.
        restored: uint8 (512, 512, 3), the same after restoring.
    """

    face: Face
    aligned: Aligned
    restored: NDArray[np.uint8]


@dataclass(frozen=True)
class Restoration:
    """A restored picture.

    Attributes:
        picture: uint8 (height, width, 3), ``upscale`` times larger than what was given, with the restored faces in
            it. Where they were not to be pasted, the picture as it was given.
        faces: Those that were restored, largest first.
        model: What restored them.
        device: Where it computed.
        seconds: What everything took.
        notes: What a reader has to know: faces that were left out, how the background was enlarged.
        stages: Seconds of each stage: detect, align, restore, enlarge, paste.
    """

    picture: NDArray[np.uint8]
    faces: tuple[RestoredFace, ...]
    model: str
    device: Device
    seconds: float
    notes: tuple[str, ...] = ()
    stages: dict[str, float] = field(default_factory=dict)


class Restorer(ABC):
    """Restores faces; a subclass brings the network.

    Attributes:
        name: What :func:`load_restorer` finds it by.
        model: What it is, for a person.
        device: Where it computes.
        why: Why this one was taken, where "auto" was asked for; else empty.
        background: How the picture around the faces is enlarged, one of `w251lab.faces.enlarging.METHODS`.
    """

    name: str
    model: str
    device: Device
    why: str = ""
    background: str = "auto"

    @abstractmethod
    def restore_faces(self, faces: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Restore faces that were aligned to the template.

        Args:
            faces: uint8 (n, 512, 512, 3), RGB; n may be 0.

        Returns:
            The same shape and type.

        Raises:
            FaceError: They are of another shape or type.
        """

    def restore_aligned(self, aligned: Sequence[Aligned]) -> NDArray[np.uint8]:
        """Restore faces of which it is known how large they were in their picture.

        A subclass that has a use for that overrides this; here it is :meth:`restore_faces` of their pictures.

        Returns:
            uint8 (n, 512, 512, 3).
        """
        return self.restore_faces(np.stack([each.picture for each in aligned]))

    def enlarge(self, picture: NDArray[np.uint8], factor: float) -> NDArray[np.uint8]:
        """Enlarge a picture as ``background`` says, and as :func:`w251lab.faces.enlarging.plan` decides.

        Args:
            picture: uint8 (height, width, 3).
            factor: How many times larger, 1 to 4.

        Returns:
            uint8 (round(height * factor), round(width * factor), 3).
        """
        return enlarging.enlarge(picture, factor, self.background)

    def explain_enlarge(self, picture: NDArray[np.uint8], factor: float) -> str:
        """How :meth:`enlarge` does it, in one sentence, and why; empty where nothing is enlarged."""
        return enlarging.plan(picture.shape, factor, self.background).note

    def restore(
        self,
        picture: NDArray[np.uint8],
        *,
        upscale: float = 2,
        only_center_face: bool = False,
        paste: bool = True,
        min_eye_distance: float = 5.0,
        missing_ok: bool = False,
        faces: Sequence[Face] | None = None,
    ) -> Restoration:
        """Find the faces of a picture, restore them, enlarge the picture and lay the faces back into it.

        Args:
            picture: uint8 (height, width, 3), RGB.
            upscale: How many times larger the result is, 1 to 4.
            only_center_face: Restore only the face that is nearest to the picture's centre.
            paste: Lay them back. If not, nothing is enlarged either, and the result's picture is the given one.
            min_eye_distance: In pixels of the picture; a face whose eyes are closer is left as it is, and noted.
            missing_ok: Give the enlarged picture, with a note, where no face is found.
            faces: Where the faces are, if that is known already: nothing is detected then.

        Returns:
            The picture with what was done to it.

        Raises:
            NoFaceError: No face was found, and ``missing_ok`` is not set.
            PictureError: ``picture`` is no picture, or the result would have more than `pictures.MOST_PIXELS`.
            UsageError: ``upscale`` or ``min_eye_distance`` is out of range.
        """
        check_picture(picture)
        check_upscale(upscale)
        _check_result(picture, upscale if paste else 1)
        arguments.number(min_eye_distance, "min_eye_distance", least=0)
        watch = _Stages()
        with watch("detect"):
            found = tuple(faces) if faces is not None else detect.detect(picture)
        if not found and not missing_ok:
            raise NoFaceError(
                "no face was found in the picture",
                "take a picture of a face that looks towards the camera, or damage it less; in Python, missing_ok=True"
                " enlarges it as it is",
            )
        chosen, notes = _choose(found, picture.shape, min_eye_distance, only_center_face=only_center_face)
        with watch("align"):
            aligned = [align.align(picture, each, SIZE) for each in chosen]
        with watch("restore"):
            restored: Sequence[NDArray[np.uint8]] = list(self.restore_aligned(aligned)) if aligned else ()
        done = tuple(RestoredFace(face, cut, after) for face, cut, after in zip(chosen, aligned, restored, strict=True))
        result = picture
        if paste:
            how = self.explain_enlarge(picture, upscale)
            notes += [how] if how else []
            with watch("enlarge"):
                result = self.enlarge(picture, upscale)
            with watch("paste"):
                for each in done:
                    result = align.paste_back(result, each.restored, each.aligned, upscale=upscale)
        else:
            notes.append("the faces were not pasted back: the picture is as it was given")
        return Restoration(
            picture=result,
            faces=done,
            model=self.model,
            device=self.device,
            seconds=watch.total,
            notes=tuple(notes),
            stages=watch.seconds,
        )


def load_restorer(name: str = "auto", device: str = "auto", **options: Any) -> Restorer:
    """The restorer of a name.

    Args:
        name: "gfpgan"; "baseline", a general network that is always there; or "auto": GFPGAN where PyTorch, gfpgan and
            its weights are there, else the baseline, whose ``why`` says what is missing.
        device: "auto", "cpu" or "gpu". The baseline computes on the CPU only: "auto" is the CPU for it, "gpu" is
            refused, and with the name "auto" it means GFPGAN or an error.
        options: Of the restorer's class, passed on as they are. With the name "auto" both classes have to know them.

    Raises:
        UsageError: An unknown name, device or option.
        WeightsError: The restorer that was named lacks its weights.
        W251Error: The device or a library is missing.
    """
    if name not in NAMES:
        raise UsageError(f"there is no restorer {name!r}", f"use one of {', '.join(NAMES)}")
    if device not in accelerator.DEVICES:
        accelerator.resolve_device(device)  # says what is wrong with the word
    if name == "baseline":
        return _make("w251lab.faces.baseline", "BaselineRestorer", name, device, options)
    if name == "gfpgan":
        return _make("w251lab.faces.gfpgan", "GfpganRestorer", name, device, options)
    try:
        restorer = _make("w251lab.faces.gfpgan", "GfpganRestorer", "gfpgan", device, options)
    except UsageError:
        raise
    except W251Error as error:
        if device == "gpu":
            raise  # the baseline computes on the CPU only, and that is not what was asked for
        restorer = _make("w251lab.faces.baseline", "BaselineRestorer", "baseline", device, options)
        restorer.why = f"GFPGAN cannot be used: {error.what}" + (
            f" (to have it: {error.remedy})" if error.remedy else ""
        )
    else:
        restorer.why = "GFPGAN, its weights and PyTorch are here"
    return restorer


def check_upscale(upscale: float) -> None:
    """Refuse what is no number in 1..`MOST_UPSCALE`.

    Raises:
        UsageError: It is something else.
    """
    arguments.number(upscale, "upscale", least=1, most=MOST_UPSCALE)


def _check_result(picture: NDArray[np.uint8], upscale: float) -> None:
    height, width = round(picture.shape[0] * upscale), round(picture.shape[1] * upscale)
    if height * width > MOST_PIXELS:
        raise PictureError(
            f"the restored picture would have {width} x {height} pixels; {MOST_PIXELS:,} are the limit",
            "read it with read_picture(..., largest=4096), or restore it with a smaller upscale",
        )


def check_faces(faces: object) -> None:
    """Refuse what is not uint8 (n, 512, 512, 3).

    Raises:
        FaceError: It is something else.
    """
    right = isinstance(faces, np.ndarray) and faces.dtype == np.uint8 and faces.shape[1:] == (SIZE, SIZE, 3)
    if not right:
        said = f"{faces.dtype} of shape {faces.shape}" if isinstance(faces, np.ndarray) else type(faces).__name__
        raise FaceError(
            f"the faces are {said} in place of uint8 (n, {SIZE}, {SIZE}, 3)",
            "cut them out with w251lab.faces.align.align",
        )


def _choose(
    found: Sequence[Face], shape: tuple[int, ...], least: float, *, only_center_face: bool
) -> tuple[list[Face], list[str]]:
    """The faces to restore, and notes about those that are not."""
    notes = [] if found else ["no face was found: the picture is enlarged only"]
    chosen = [each for each in found if each.eye_distance >= least]
    if len(chosen) < len(found):
        small = len(found) - len(chosen)
        notes.append(
            f"{small} of {len(found)} faces left as {'it is' if small == 1 else 'they are'}: "
            f"the eyes are less than {least:g} pixels apart"
        )
    if only_center_face and len(chosen) > 1:
        notes.append(f"1 of {len(chosen)} faces restored: the one nearest to the centre")
        centre = np.array([shape[1] / 2, shape[0] / 2])
        chosen = [min(chosen, key=lambda each: float(np.linalg.norm(each.centre - centre)))]
    return chosen, notes


def _make(module: str, name: str, asked: str, device: str, options: dict[str, Any]) -> Restorer:
    """An object of a restorer's class, whose module is imported now."""
    try:
        made = getattr(import_module(module), name)
    except ImportError as error:
        raise W251Error(
            f"{asked} needs a library that is not here: {error}", "set up the environment with `make env`"
        ) from error
    try:
        inspect.signature(made).bind(device=device, **options)
    except TypeError as error:
        raise UsageError(f"{asked} cannot be loaded so: {error}", f"see help({module}.{name})") from error
    restorer: Restorer = made(device=device, **options)
    return restorer


class _Stages:
    """Seconds by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._begin = time.perf_counter()

    @property
    def total(self) -> float:
        return time.perf_counter() - self._begin

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        begin = time.perf_counter()
        yield
        self.seconds[stage] = time.perf_counter() - begin
