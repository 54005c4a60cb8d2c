"""GFPGAN's published weights: which files there are, and reading one so that a wrong one is known for what it is."""

from __future__ import annotations

import pickle
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from w251lab import assets
from w251lab.assets import Asset, AssetError
from w251lab.errors import UsageError
from w251lab.faces.errors import WeightsError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Arch = Literal["clean", "original"]
_RELEASES: Final = "https://github.com/TencentARC/GFPGAN/releases/download"
#: Under which of these the file has the network's values; the first that is there.
_KEYS: Final = ("params_ema", "params")


@dataclass(frozen=True, kw_only=True)
class Version:
    """One published network.

    Attributes:
        name: As in the file's name.
        arch: "clean" runs everywhere; "original" was written around CUDA extensions, in whose place `compat` puts
            PyTorch.
        channel_multiplier: Width of the network above 32 pixels.
        asset: Its file.
        about: What sets it apart.
        narrow: Factor on the number of channels; 1 in everything that was published.
    """

    name: str
    arch: Arch
    channel_multiplier: int
    asset: Asset
    about: str
    narrow: float = 1.0


def _asset(name: str, release: str, sha256: str = "", size: int = 0) -> Asset:
    file = f"GFPGANv{name}.pth"
    asset = Asset(
        name=f"gfpgan-{name}",
        what=f"GFPGAN v{name}",
        file=file,
        url=f"{_RELEASES}/{release}/{file}",
        sha256=sha256,
        size=size,
        licence="Apache-2.0",
        used_by=f'load_restorer("gfpgan", version="{name}")',
    )
    return assets.register(asset)


# The publisher gives no digests. Those of 1.3 and 1.4 are what independent projects that pin the files have recorded,
# all alike: the README of clibdev/GFPGAN-onnxruntime-demo has both, and distributions' build files, container images
# and model registries repeat them. Nobody is known to have recorded v1's: the first download decides.
_V1_3: Final = _asset("1.3", "v1.3.0", "c953a88f2727c85c3d9ae72e2bd4846bbaf59fe6972ad94130e23e7017524a70", 348_632_874)
_V1_4: Final = _asset("1.4", "v1.3.0", "e2cd4703ab14f4d01fd1383a8a8b266f9a5833dacee8e6a79d3bf21a1b6be5ad", 348_632_874)
_V1: Final = _asset("1", "v0.1.0")

VERSIONS: Final[dict[str, Version]] = {
    each.name: each
    for each in (
        Version(
            name="1.3",
            arch="clean",
            channel_multiplier=2,
            asset=_V1_3,
            about="natural results also from very low quality; may change the identity a little",
        ),
        Version(
            name="1.4",
            arch="clean",
            channel_multiplier=2,
            asset=_V1_4,
            about="a little more detail, and a better identity than 1.3",
        ),
        Version(
            name="1",
            arch="original",
            channel_multiplier=1,
            asset=_V1,
            about="the paper's; the only one that gives a gray face colours",
        ),
    )
}


def version(name: str) -> Version:
    """The version of a name, also where it is written with a v.

    Raises:
        UsageError: There is none.
    """
    try:
        return VERSIONS[str(name).lower().removeprefix("v")]
    except KeyError:
        raise UsageError(f"there is no GFPGAN version {name!r} here", f"use one of {', '.join(VERSIONS)}") from None


def find(wanted: Version, file: Path | None = None) -> Path:
    """The file of a version, checked; or ``file``, if there is one, whose digest is not asked for.

    Raises:
        WeightsError: It is not here, or is another file.
    """
    if file is not None:
        if not file.is_file():
            raise WeightsError(
                f"there is no file {file}", "give the path of weights in GFPGAN's format, such as GFPGANv1.3.pth"
            )
        return file
    try:
        return assets.find(wanted.asset)
    except AssetError as error:
        raise WeightsError(error.what, error.remedy) from error


def read(path: Path, shapes: Mapping[str, tuple[int, ...]], what: str) -> dict[str, Any]:
    """Read a file of weights, without running any code in it.

    Args:
        path: A file as PyTorch writes it, with a dict under "params_ema" or "params".
        shapes: Of each of the network's values, by its name.
        what: The network that they are for.

    Returns:
        Tensors by name, on the CPU.

    Raises:
        WeightsError: It is no such file, is broken, or belongs to another network.
    """
    content = _unpacked(path)
    key = next((each for each in _KEYS if isinstance(content, dict) and each in content), None)
    if key is None:
        keys = f"its keys are {_some(content)}" if isinstance(content, dict) else f"it holds a {type(content).__name__}"
        raise WeightsError(
            f"{path} holds no GFPGAN weights: {keys}", f"take a file with {' or '.join(_KEYS)}, such as GFPGANv1.3.pth"
        )
    values = content[key]
    _compare(path, values, shapes, what)
    return dict(values)


def _unpacked(path: Path) -> Any:
    import torch  # noqa: PLC0415

    again = "fetch it again, or take another file"
    try:
        with path.open("rb") as file:
            begin = file.read(64)
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error.strerror or error}", again) from error
    if not begin.strip(b"\0"):
        raise WeightsError(f"{path} is empty", again)
    try:
        # weights_only: a pickle can run any code when it is read, and this refuses every one that would.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # about the form of a file that it then refuses
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if begin[:1] == b"\x80" or begin[:2] == b"PK":
            raise WeightsError(
                f"{path} holds more than numbers, and would run code if it were read: it was not", again
            ) from error
        raise WeightsError(f"{path} is no file of weights: it begins with {begin[:24]!r}", again) from error
    except Exception as error:
        broken = "is broken off or damaged" if begin[:2] == b"PK" else "is no file of weights, or is broken off"
        raise WeightsError(f"{path} {broken} ({path.stat().st_size:,} bytes)", again) from error


def _compare(path: Path, values: Any, shapes: Mapping[str, tuple[int, ...]], what: str) -> None:
    """Refuse values that are not the network's.

    Raises:
        WeightsError: Names, shapes or numbers are not right.
    """
    import torch  # noqa: PLC0415

    right = "take the file of that version, or name the version it is of"
    if not isinstance(values, dict) or not all(isinstance(value, torch.Tensor) for value in values.values()):
        raise WeightsError(f"{path} holds something else than a network's values", right)
    missing, unknown = shapes.keys() - values.keys(), values.keys() - shapes.keys()
    if missing or unknown:
        said = [f"{len(missing)} of {len(shapes)} values are missing ({_some(missing)})"] if missing else []
        said += [f"{len(unknown)} are not of this network ({_some(unknown)})"] if unknown else []
        raise WeightsError(f"{path} is not of {what}: {'; '.join(said)}", right)
    for name, shape in shapes.items():
        if tuple(values[name].shape) != shape:
            found = tuple(values[name].shape)
            raise WeightsError(f"{path} is not of {what}: {name} has the shape {found} in place of {shape}", right)
    wrong = [name for name, value in values.items() if not bool(torch.isfinite(value).all())]
    if wrong:
        raise WeightsError(f"{path} holds values that are no numbers: in {_some(wrong)}", "fetch it again")


def _some(names: Any) -> str:
    """The first names, in order."""
    listed = sorted(map(str, names))
    return ", ".join(listed[:3]) + (", ..." if len(listed) > 3 else "") if listed else "none"
