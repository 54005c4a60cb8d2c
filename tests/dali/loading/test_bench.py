"""The benchmark at its smallest, on real pictures, real processes and real pipelines."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
from PIL import Image

from w251lab.dali import installed, sources
from w251lab.dali.loading import bench, contenders
from w251lab.dali.loading.stages import STAGES
from w251lab.dali.recipes import Training, Validation
from w251lab.errors import UsageError, W251Error

if TYPE_CHECKING:
    from w251lab.dali.loading.result import Loading
    from w251lab.dali.sources import Source

SMALL = {"batch_size": 4, "batches": 4, "warmup": 1, "progress": False}


@pytest.fixture(scope="module")
def measured(photographs: Source) -> Loading:
    """All loaders of a CPU."""
    return bench.measure(photographs, Training(crop=64), device="cpu", threads=2, workers=2, **SMALL)


def test_every_loader_and_every_stage(measured: Loading) -> None:
    assert measured.keys == ("pillow", "pillow-workers", "dali-1", "dali")
    names = ["Pillow, 1 process", "Pillow, 2 worker processes", "DALI CPU, 1 thread", "DALI CPU, 2 threads"]
    assert [loader.name for loader in measured.loaders] == names
    assert [loader.parallel for loader in measured.loaders] == [1, 2, 1, 2]
    for loader in measured.loaders:
        assert loader.whole.device == "cpu"
        assert loader.whole.copies == "none"
        assert len(loader.whole.samples) == 4
        assert tuple(stage.name for stage in loader.stages) == STAGES
        for stage in loader.stages:
            assert stage.timing is None or len(stage.timing.samples) == 4
    assert measured.others is not None


def test_how_each_stage_was_found(measured: Loading) -> None:
    for key in ("pillow", "pillow-workers"):
        assert {stage.how for stage in measured.of(key).stages} == {"inside"}
        assert all(stage.seconds > 0 for stage in measured.of(key).stages)
    for key in ("dali-1", "dali"):
        read, decode, augment, normalise, copy = measured.of(key).stages
        assert [stage.how for stage in (read, decode, augment, normalise, copy)] == ["difference"] * 4 + ["none"]
        assert read.before is None
        assert decode.before == read.timing
        assert augment.before == decode.timing
        assert normalise.before == augment.timing


def test_the_stages_inside_one_process_are_its_whole(measured: Loading) -> None:
    pillow = measured.of("pillow")
    stages = [stage.timing.samples for stage in pillow.stages if stage.timing]
    for whole, *parts in zip(pillow.whole.samples, *stages, strict=True):
        assert sum(parts) < whole, "the clocks inside are within the one outside"


def test_versions_are_of_what_was_used(measured: Loading) -> None:
    assert set(measured.of("pillow").whole.versions) == {"python", "numpy", "Pillow"}
    assert set(measured.of("dali").whole.versions) == {"python", "numpy", "DALI"}
    assert measured.of("dali").whole.versions["DALI"] == installed.dali().__version__


def test_what_is_said_of_the_pictures(measured: Loading, photographs: Source) -> None:
    sizes = [Path(name).stat().st_size for name in photographs.names[:8]]
    assert measured.pictures == 8, "ten, of which two do not fill a batch"
    assert measured.bytes_per_picture == pytest.approx(sum(sizes) / 8)
    assert 0.1e6 < measured.pixels_per_picture < 0.3e6
    assert (measured.batch_size, measured.crop, measured.device) == (4, 64, "cpu")


def test_pictures_in_memory_become_files_that_go_again(
    photographs: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    seen = []

    def progress(_done: int, _total: int, what: str) -> None:
        seen.append((what, len(list(tmp_path.glob("w251lab-loading-*/*")))))

    held = sources.encoded([photographs.read(index) for index in range(3)])
    found = bench.measure(held, Training(crop=16), device="cpu", only=["dali-1"], **SMALL | {"progress": progress})
    assert seen == [("dali-1", 3), ("done", 3)]
    assert found.pictures == 3
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("count", "batch_size", "entries"), [(10, 4, 8), (4, 4, 4), (3, 4, 12), (1, 7, 7), (60, 64, 960)]
)
def test_whole_batches(count: int, batch_size: int, entries: int, tmp_path: Path) -> None:
    (tmp_path / "p").write_bytes(b"x")
    filled = bench._whole_batches(sources.files([tmp_path / "p"] * count), batch_size)
    assert len(filled) == len(filled.labels) == entries
    assert entries % batch_size == 0


def test_a_measurement_in_turns_is_one_timing(photographs: Source) -> None:
    source = sources.files(photographs.names[:4])
    plan = contenders.Plan(source, Training(crop=16), "cpu", 4, 7, 1, 1, 1)
    found = contenders._dali_in_turns("DALI CPU, 1 thread", plan, "cpu", 1)
    assert list(found) == ["read", "decode", "augment", "normalise"]
    assert all(len(timing.samples) == 7 for timing in found.values())
    assert found["read"].median < found["decode"].median


@pytest.mark.parametrize(
    ("wrong", "what"),
    [
        ({"batch_size": 0}, "batch_size is 0"),
        ({"batches": 0}, "batches is 0"),
        ({"warmup": -1}, "warmup is -1"),
        ({"threads": 0}, "threads is 0"),
        ({"workers": 1.5}, "workers is 1.5"),
        ({"device": "tpu"}, "unknown device 'tpu'"),
        ({"only": ["pilow"]}, "unknown loader 'pilow'"),
        ({"only": "pillow"}, "'pillow' is one loader"),
        ({"only": []}, "no loader is to be measured"),
        ({"only": ["dali-gpu"]}, "'dali-gpu' decodes on the GPU"),
        ({"recipe": Validation()}, "no recipe for training"),
        ({"recipe": Training(rotation=5)}, "do not turn pictures"),
    ],
)
def test_what_cannot_be_meant(photographs: Source, wrong: dict[str, object], what: str) -> None:
    with pytest.raises(UsageError, match=what):
        bench.measure(photographs, **{"device": "cpu", **SMALL} | wrong)  # type: ignore[arg-type]


def test_a_picture_that_is_none(photographs: Source, tmp_path: Path) -> None:
    file = tmp_path / "not one.jpg"
    file.write_bytes(b"no picture")
    with pytest.raises(W251Error, match=r"not one\.jpg is no picture"):
        bench.measure(sources.files([photographs.names[0], file]), device="cpu", **SMALL)


def test_a_picture_that_is_a_bomb(photographs: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    with Image.open(photographs.names[0]) as picture:
        pixels = picture.width * picture.height
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", pixels - 1)  # Pillow warns: an error here
    with pytest.raises(W251Error, match="is no picture that Pillow can read: Image size"):
        bench.measure(sources.files(photographs.names[:1]), device="cpu", **SMALL)


@pytest.mark.parametrize("key", ["pillow", "pillow-workers", "dali-1"])
def test_a_picture_that_was_cut_short(photographs: Source, tmp_path: Path, key: str) -> None:
    file = tmp_path / "cut short.jpg"
    file.write_bytes(photographs.read(0)[:20_000])
    source = sources.files([photographs.names[0], file])
    with pytest.raises(W251Error, match=r"cut short\.jpg cannot be decoded"):
        bench.measure(source, Training(area=(1, 1)), device="cpu", workers=1, only=[key], **SMALL)
    assert not [child for child in psutil.Process().children() if "spawn_main" in " ".join(child.cmdline())]


def test_without_dali_pillow_alone_can_be_measured(photographs: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise W251Error("NVIDIA DALI exists for Linux only")

    monkeypatch.setattr(installed, "dali", missing)
    with pytest.raises(W251Error, match="Linux only"):
        bench.measure(photographs, device="cpu", **SMALL)
    found = bench.measure(photographs, Training(crop=16), device="cpu", only=["pillow"], **SMALL)
    assert found.keys == ("pillow",)


def test_what_was_recorded(on_gpu: Loading, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(bench, "folder", lambda: tmp_path)
    assert bench.recorded() is None
    on_gpu.save(tmp_path / bench.RECORDED)
    found = bench.recorded()
    assert found == on_gpu
    assert found is not None
    assert found.recorded


def test_what_is_shipped_is_of_a_gpu() -> None:
    found = bench.recorded()
    assert found is not None
    assert found.keys == bench.KEYS
    assert found.device == "gpu"
    assert (found.batch_size, len(found.of("dali-gpu").whole.samples)) == (64, 20)


@pytest.mark.gpu
def test_on_a_gpu(photographs: Source) -> None:
    found = bench.measure(photographs, Training(crop=64), device="gpu", threads=2, workers=2, **SMALL)
    assert found.keys == bench.KEYS
    assert found.device == "gpu"
    devices = {loader.key: loader.whole.device for loader in found.loaders}
    assert devices == dict.fromkeys(bench.KEYS, "cpu") | {"dali-gpu": "gpu"}
    assert {loader.whole.copies for loader in found.loaders} == {"included"}
    gpu = found.of("dali-gpu")
    assert [stage.timing and stage.timing.device for stage in gpu.stages] == ["cpu", "gpu", "gpu", "gpu", None]
    assert "driver" in gpu.whole.versions
    for key in ("pillow", "pillow-workers", "dali-1", "dali"):
        copy = found.of(key).stages[-1]
        assert copy.how == "inside"
        assert copy.seconds > 0
