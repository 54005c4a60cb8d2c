from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

import pytest

from w251lab.assets import AssetError
from w251lab.errors import UsageError
from w251lab.faces.errors import WeightsError
from w251lab.faces.gfpgan import weights

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_the_published_versions() -> None:
    assert list(weights.VERSIONS) == ["1.3", "1.4", "1"]
    assert weights.version("v1.4") is weights.version("1.4") is weights.VERSIONS["1.4"]
    for version in weights.VERSIONS.values():
        asset = version.asset
        assert asset.url.startswith("https://github.com/TencentARC/GFPGAN/releases/download/v")
        assert asset.url.endswith(f"/GFPGANv{version.name}.pth")
        assert bool(asset.sha256) == bool(asset.size) == (version.name != "1")
    with pytest.raises(UsageError, match=r"no GFPGAN version '1\.2'"):
        weights.version("1.2")


def test_what_is_not_here_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("W251LAB_CACHE", str(tmp_path))
    monkeypatch.delenv("W251LAB_WEIGHTS", raising=False)
    with pytest.raises(WeightsError, match=r"GFPGAN v1\.3 is not here") as caught:
        weights.find(weights.version("1.3"))
    assert "`w251lab weights gfpgan-1.3`, 349 MB" in caught.value.remedy
    (tmp_path / "GFPGANv1.3.pth").write_bytes(b"PK")
    with pytest.raises(WeightsError, match="its SHA-256 is"):
        weights.find(weights.version("1.3"))
    assert not issubclass(WeightsError, AssetError)
    with pytest.raises(WeightsError, match="there is no file"):
        weights.find(weights.version("1.3"), tmp_path / "none.pth")


SHAPES = {"first.weight": (2, 3), "first.bias": (2,)}


@pytest.fixture
def good() -> dict[str, Any]:
    import torch  # noqa: PLC0415

    return {name: torch.ones(shape) for name, shape in SHAPES.items()}


@pytest.mark.torch
def test_both_keys_are_read_and_the_averaged_values_win(good: dict[str, Any], tmp_path: Path) -> None:
    import torch  # noqa: PLC0415

    file = tmp_path / "w.pth"
    torch.save({"params": good}, file)
    assert set(weights.read(file, SHAPES, "X")) == set(SHAPES)
    torch.save({"params": good, "params_ema": {name: value * 2 for name, value in good.items()}}, file)
    assert weights.read(file, SHAPES, "X")["first.bias"].tolist() == [2, 2]


def _without(values: dict[str, Any]) -> object:
    return {"params_ema": {"first.weight": values["first.weight"]}}


def _renamed(values: dict[str, Any]) -> object:
    return {"params": {name.replace("first", "module.first"): value for name, value in values.items()}}


def _transposed(values: dict[str, Any]) -> object:
    return {"params": values | {"first.weight": values["first.weight"].T}}


def _no_numbers(values: dict[str, Any]) -> object:
    return {"params": values | {"first.bias": values["first.bias"] * float("nan")}}


@pytest.mark.torch
@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda values: values, r"holds no GFPGAN weights: its keys are first\.bias, first\.weight"),
        (lambda values: list(values.values()), "holds no GFPGAN weights: it holds a list"),
        (_without, r"is not of GFPGAN v1: 1 of 2 values are missing \(first\.bias\)"),
        (_renamed, r"2 of 2 values are missing .*; 2 are not of this network \(module\.first"),
        (_transposed, r"first\.weight has the shape \(3, 2\) in place of \(2, 3\)"),
        (_no_numbers, r"values that are no numbers: in first\.bias"),
        (lambda _values: {"params": [1, 2]}, "something else than a network's values"),
    ],
)
def test_another_networks_file_is_known(
    good: dict[str, Any], tmp_path: Path, make: Callable[[dict[str, Any]], object], said: str
) -> None:
    import torch  # noqa: PLC0415

    torch.save(make(good), tmp_path / "w.pth")
    with pytest.raises(WeightsError, match=said):
        weights.read(tmp_path / "w.pth", SHAPES, "GFPGAN v1")


@pytest.mark.torch
def test_a_broken_file_is_known(good: dict[str, Any], tmp_path: Path) -> None:
    import torch  # noqa: PLC0415

    whole = tmp_path / "w.pth"
    torch.save({"params": good}, whole)
    content = whole.read_bytes()
    for length in (len(content) - 1, len(content) // 2, 100):
        (tmp_path / "cut.pth").write_bytes(content[:length])
        with pytest.raises(WeightsError, match=rf"broken off or damaged \({length:,} bytes\)"):
            weights.read(tmp_path / "cut.pth", SHAPES, "X")


@pytest.mark.torch
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (bytes(1000), "is empty"),
        (b"<!DOCTYPE html><html>sign in</html>", "is no file of weights"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "is no file of weights"),
        ("ein Text über Gesichter\n".encode(), "is no file of weights"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "is no file of weights"),
    ],
)
def test_what_is_no_file_of_weights(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "w.pth").write_bytes(content)
    with pytest.raises(WeightsError, match=said):
        weights.read(tmp_path / "w.pth", SHAPES, "X")


class _Evil:
    def __init__(self, mark: str) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, tuple[str]]:
        import os  # noqa: PLC0415

        return os.mkdir, (self.mark,)


@pytest.mark.torch
@pytest.mark.parametrize("zipped", [True, False])
def test_code_in_a_file_is_not_run(tmp_path: Path, zipped: bool) -> None:
    import torch  # noqa: PLC0415

    file, mark = tmp_path / "w.pth", tmp_path / "ran"
    if zipped:
        torch.save({"params": _Evil(str(mark))}, file)
    else:
        file.write_bytes(pickle.dumps({"params": _Evil(str(mark))}))
    with pytest.raises(WeightsError, match=r"would run code|is no file of weights"):
        weights.read(file, SHAPES, "X")
    assert not mark.exists()
