"""From a picture to a model's input: what was done to the training pictures, said once and carried with the model.

A :class:`Preprocessing` travels as strings in the ``parameters`` of Triton's ``ModelConfig``
(:meth:`Preprocessing.to_parameters`), so that a client can prepare a picture from the model's own
description and need not know which model it speaks to.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

import numpy as np
from PIL import Image

from w251lab.errors import UsageError, W251Error
from w251lab.triton.pictures import load_image, to_eight_bit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy.typing as npt

__all__ = ["INCEPTION", "NONE", "VGG", "Preprocessing", "image_client_preprocessing", "load_image"]

Color = Literal["RGB", "BGR", "GRAY"]
Fit = Literal["crop", "stretch"]
Interpolation = Literal["nearest", "bilinear", "bicubic"]
Layout = Literal["NCHW", "NHWC"]
DType = Literal["FP32", "FP16", "UINT8"]

_PREFIX: Final = "preprocessing."
_CHOICES: Final[dict[str, tuple[str, ...]]] = {
    "color": get_args(Color),
    "fit": get_args(Fit),
    "interpolation": get_args(Interpolation),
    "layout": get_args(Layout),
    "dtype": get_args(DType),
}
_NUMPY: Final[dict[str, type[np.generic]]] = {"FP32": np.float32, "FP16": np.float16, "UINT8": np.uint8}
_RESAMPLING: Final = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
}


@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """How a picture becomes a model's input: fit to a size, choose channels, then ``(x - mean) / std``.

    Attributes:
        size: Height and width of the input in pixels.
        color: Order of the channels; ``"GRAY"`` has one (ITU-R 601 luma).
        fit: ``"crop"`` cuts the largest centred box of the input's aspect ratio, times ``crop_fraction``, and
            resizes it; this is the centre crop of the EfficientNet training code. ``"stretch"`` resizes
            the whole picture and does not keep its aspect ratio, as NVIDIA's image_client does.
        crop_fraction: Share of the box's sides that ``"crop"`` keeps, in (0, 1].
        interpolation: Resampling filter, antialiased when it makes a picture smaller.
        mean: Subtracted from values in 0..255: one number, or one for each channel in the order of ``color``.
        std: Divides the result: one number, or one for each channel.
        layout: ``"NCHW"`` or ``"NHWC"``; calling the object gives the same without the batch axis.
        dtype: Triton's name of the input's type. ``"UINT8"`` rounds and clips to 0..255.

    Raises:
        UsageError: On a value that cannot be meant (size below 1, unknown color, std of 0, ...).
    """

    size: tuple[int, int]
    color: Color = "RGB"
    fit: Fit = "stretch"
    crop_fraction: float = 1.0
    interpolation: Interpolation = "bilinear"
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    layout: Layout = "NCHW"
    dtype: DType = "FP32"

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        sides = list(self.size)
        if len(sides) != 2 or min(sides) < 1:
            raise UsageError(f"A preprocessing's size is {self.size!r}.", "Give height and width, each at least 1.")
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                raise UsageError(
                    f"A preprocessing's {name} is {getattr(self, name)!r}.", f"Use one of {', '.join(choices)}."
                )
        if not 0 < self.crop_fraction <= 1:
            raise UsageError(f"A preprocessing's crop_fraction is {self.crop_fraction}.", "It lies in (0, 1].")
        for name in ("mean", "std"):
            values = getattr(self, name)
            if len(values) not in {1, self.channels} or not all(math.isfinite(v) for v in values):
                raise UsageError(
                    f"A preprocessing's {name} is {values!r}, for {self.channels} channels.",
                    f"Give one finite number, or {self.channels}.",
                )
        if 0 in self.std:
            raise UsageError("A preprocessing's std holds 0.", "Divide by numbers other than 0.")

    @property
    def channels(self) -> int:
        """Number of channels: 1 for GRAY, else 3."""
        return 1 if self.color == "GRAY" else 3

    @property
    def dims(self) -> tuple[int, int, int]:
        """Shape of what a call returns, without the batch axis."""
        height, width = self.size
        return (self.channels, height, width) if self.layout == "NCHW" else (height, width, self.channels)

    def __call__(self, image: Image.Image) -> npt.NDArray[Any]:
        """Prepare one picture.

        Args:
            image: A picture of any PIL mode; its EXIF orientation is applied and transparency is laid on white.

        Returns:
            A contiguous array of shape :attr:`dims` (no batch axis), of the type that ``dtype`` names.

        Raises:
            W251Error: If the picture cannot be decoded or its mode cannot be converted.
        """
        picture = to_eight_bit(image).convert("L" if self.color == "GRAY" else "RGB")
        height, width = self.size
        # Cut first: Pillow's resize(box=...) mixes in pixels from beyond the box.
        resized = picture.crop(self._box(picture)).resize((width, height), _RESAMPLING[self.interpolation])
        values: npt.NDArray[np.float32] = np.asarray(resized, dtype=np.float32).reshape(height, width, self.channels)
        if self.color == "BGR":
            values = values[:, :, ::-1]
        mean, std = np.asarray(self.mean, dtype=np.float32), np.asarray(self.std, dtype=np.float32)
        values = np.divide(np.subtract(values, mean), std)
        if self.layout == "NCHW":
            values = values.transpose(2, 0, 1)
        if self.dtype == "UINT8":
            values = values.round().clip(0, 255)
        return np.ascontiguousarray(values, dtype=_NUMPY[self.dtype])

    def to_parameters(self) -> dict[str, str]:
        """The fields as strings, for ``ModelConfig.parameters``; :meth:`from_parameters` gives the same object back."""
        return {_PREFIX + name: _to_text(value) for name, value in asdict(self).items()}

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, str]) -> Preprocessing:
        """Read back what :meth:`to_parameters` wrote; other parameters are passed over.

        Args:
            parameters: A model's parameters, each a string.

        Raises:
            W251Error: If a field is missing, unknown or cannot be read.
        """
        given = {key.removeprefix(_PREFIX): value for key, value in parameters.items() if key.startswith(_PREFIX)}
        missing = sorted(_READ.keys() - given.keys())
        unknown = sorted(given.keys() - _READ.keys())
        if missing or unknown:
            problem = f"lacks {', '.join(missing)}" if missing else f"has unknown fields {', '.join(unknown)}"
            raise W251Error(
                f"The model's own description of its preprocessing {problem}.",
                f"Its ModelConfig.parameters need exactly: {', '.join(_PREFIX + name for name in _READ)}.",
            )
        fields: dict[str, Any] = {}
        for name, read in _READ.items():
            try:
                fields[name] = read(given[name])
            except ValueError as error:
                raise W251Error(
                    f"The model's parameter {_PREFIX}{name} is {given[name]!r}, which cannot be read.",
                    "Write it as Preprocessing.to_parameters() does.",
                ) from error
        return cls(**fields)

    def _box(self, picture: Image.Image) -> tuple[int, int, int, int]:
        """The part of the picture that is resized, as left, upper, right, lower in whole pixels."""
        if self.fit == "stretch":
            return (0, 0, picture.width, picture.height)
        height, width = self.size
        # Pixels of the picture for one pixel of the input. Whole pixels, cut short, and the odd one to the
        # lower right: as in the EfficientNet training code, so that a score can be compared with others'.
        scale = min(picture.height / height, picture.width / width) * self.crop_fraction
        box_height, box_width = max(1, int(height * scale)), max(1, int(width * scale))
        upper, left = (picture.height - box_height + 1) // 2, (picture.width - box_width + 1) // 2
        return (left, upper, left + box_width, upper + box_height)


def image_client_preprocessing(
    scaling: str, size: tuple[int, int], *, color: Color = "RGB", layout: Layout = "NCHW", dtype: DType = "FP32"
) -> Preprocessing:
    """The preprocessing of NVIDIA's image_client for one of its scalings.

    It stretches the picture with a bilinear filter, then: ``NONE`` leaves 0..255, ``INCEPTION`` is
    ``x / 127.5 - 1``, ``VGG`` subtracts 123, 117, 104 from red, green, blue (128 from gray).

    Args:
        scaling: ``NONE``, ``INCEPTION`` or ``VGG``, in any case.
        size: Height and width of the model's input.
        color: Order of the channels.
        layout: Order of the axes.
        dtype: Triton's name of the input's type.

    Raises:
        UsageError: On another scaling.
    """
    vgg = (128.0,) if color == "GRAY" else (123.0, 117.0, 104.0)
    scalings = {"NONE": ((0.0,), (1.0,)), "INCEPTION": ((127.5,), (127.5,)), "VGG": (vgg, (1.0,))}
    if scaling.upper() not in scalings:
        raise UsageError(f"There is no scaling {scaling!r}.", f"Use one of {', '.join(scalings)}.")
    mean, std = scalings[scaling.upper()]
    mean = mean[::-1] if color == "BGR" else mean
    return Preprocessing(size=size, color=color, mean=mean, std=std, layout=layout, dtype=dtype)


NONE: Final = image_client_preprocessing("NONE", (224, 224))
INCEPTION: Final = image_client_preprocessing("INCEPTION", (224, 224))
VGG: Final = image_client_preprocessing("VGG", (224, 224))


def _to_text(value: object) -> str:
    """One field as text; a float is written so that reading it gives the same float."""
    return ",".join(repr(item) for item in value) if isinstance(value, tuple) else str(value)


def _floats(text: str) -> tuple[float, ...]:
    """The numbers of ``"1.0,2.5"``."""
    return tuple(float(item) for item in text.split(","))


def _ints(text: str) -> tuple[int, ...]:
    """The numbers of ``"224,224"``."""
    return tuple(int(item) for item in text.split(","))


_READ: Final[dict[str, Callable[[str], object]]] = {
    "size": _ints,
    "color": str,
    "fit": str,
    "crop_fraction": float,
    "interpolation": str,
    "mean": _floats,
    "std": _floats,
    "layout": str,
    "dtype": str,
}
