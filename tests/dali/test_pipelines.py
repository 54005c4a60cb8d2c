from __future__ import annotations

import itertools
from collections import deque
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from w251lab import accelerator
from w251lab.dali import damage, imagenet, installed, pipelines, sources
from w251lab.dali.iterators import NumpyBatches
from w251lab.dali.recipes import Pictures, Training, Validation
from w251lab.errors import UsageError, W251Error

if TYPE_CHECKING:
    from collections.abc import Callable

    from w251lab.dali.sources import Source


def _epochs(built: pipelines.ImagePipeline, count: int) -> list[list[int]]:
    batches = NumpyBatches(built)
    return [[int(index) for batch in batches for index in batch.indices] for _ in range(count)]


@pytest.fixture(params=["memory", "files"])
def twenty(
    request: pytest.FixtureRequest, flat: Callable[[int], Source], on_disk: Callable[[Source], Source]
) -> Source:
    """Twenty pictures, in memory and as files."""
    made = flat(20)
    return made if request.param == "memory" else on_disk(made)


@pytest.mark.parametrize("batch_size", [1, 7, 20, 33])
def test_every_epoch_is_the_whole_source_in_an_order_of_its_own(twenty: Source, batch_size: int) -> None:
    built = pipelines.training(twenty, Training(crop=8), batch_size=batch_size, device="cpu", threads=2)
    found = _epochs(built, 4)
    assert all(sorted(epoch) == list(range(20)) for epoch in found)
    assert len({tuple(epoch) for epoch in found}) == 4


def test_validation_keeps_the_order(twenty: Source) -> None:
    built = pipelines.validation(twenty, Validation(resize=8, crop=8), batch_size=7, device="cpu")
    assert _epochs(built, 2) == [list(range(20))] * 2


@pytest.mark.parametrize(("fill", "least", "most"), [(4, 1, 10), (60, 12, 30)])
def test_a_small_fill_makes_epochs_alike(
    flat: Callable[[int], Source], on_disk: Callable[[Source], Source], fill: int, least: float, most: float
) -> None:
    source = on_disk(flat(60))
    built = pipelines.training(source, Training(crop=8), batch_size=10, device="cpu", initial_fill=fill)
    one, other = (np.argsort(epoch) for epoch in _epochs(built, 2))  # the turn at which each picture came
    assert least < np.abs(one - other).mean() < most  # of two orders without any relation: 20


def test_a_seed_gives_the_same_batches_whatever_the_threads(photographs: Source) -> None:
    def first(seed: int, threads: int) -> tuple[np.ndarray[Any, Any], list[int]]:
        recipe = Training(crop=32, rotation=10)
        built = pipelines.training(photographs, recipe, batch_size=10, device="cpu", seed=seed, threads=threads)
        (batch,) = NumpyBatches(built)
        return batch.images, batch.indices.tolist()

    images, order = first(5, 1)
    again, same_order = first(5, 3)
    np.testing.assert_array_equal(images, again)
    assert order == same_order
    others, other_order = first(6, 1)
    assert order != other_order
    assert not np.array_equal(images, others)


def test_files_and_bytes_give_the_same_pixels(photographs: Source) -> None:
    held = sources.encoded([photographs.read(index) for index in range(len(photographs))])
    one, other = (
        [batch.images for batch in NumpyBatches(pipelines.validation(source, batch_size=4, device="cpu"))]
        for source in (photographs, held)
    )
    np.testing.assert_array_equal(np.concatenate(one), np.concatenate(other))


def test_run_gives_dalis_own_batches_without_end(flat: Callable[[int], Source]) -> None:
    built = pipelines.pictures(flat(3), batch_size=2, device="cpu")
    assert built.batches == 2
    assert [built.run()[1] for _ in range(5)] == [[0, 1], [2, 2], [0, 1], [2, 2], [0, 1]]
    images, _ = built.run()
    assert np.asarray(images[0]).shape == (8, 8, 3)
    assert built.runs == 6


def test_a_broken_picture_is_named_at_every_call(photographs: Source, broken: bytes, tmp_path: Any) -> None:
    bad = tmp_path / "not so good.jpg"
    bad.write_bytes(broken)
    files = sources.files([*photographs.names[:4], bad, *photographs.names[4:]])
    held = sources.encoded([files.read(index) for index in range(len(files))])
    for source, name in ((files, str(bad)), (held, "picture 4")):
        for recipe in (Training(area=(1, 1)), Validation(), Pictures()):
            built = pipelines.build(recipe, source, batch_size=3, device="cpu")
            for _ in range(2):
                with pytest.raises(W251Error) as caught:
                    _epochs(built, 1)
                assert caught.value.what.startswith(f"{name} cannot be decoded: ")
                assert "damage.find" in caught.value.remedy


def test_training_does_not_read_what_lies_outside_its_window(photographs: Source) -> None:
    whole = photographs.read(0)
    source = sources.encoded([whole[: len(whole) * 3 // 4]])
    built = pipelines.training(source, Training(area=(0.08, 0.08)), batch_size=1, device="cpu", prefetch=1)
    batches = NumpyBatches(built)
    with pytest.raises(W251Error, match="picture 0 cannot be decoded"):
        deque(itertools.chain.from_iterable(itertools.repeat(batches, 100)), maxlen=0)
    assert built.runs > 0


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"batch_size": 0}, "batch_size is 0"),
        ({"batch_size": 2.5}, "batch_size is 2.5"),
        ({"batch_size": "8"}, "batch_size is '8'"),
        ({"threads": 0}, "threads is 0"),
        ({"prefetch": 0}, "prefetch is 0"),
        ({"initial_fill": 0}, "initial_fill is 0"),
        ({"seed": -1}, "seed is -1"),
        ({"device": "mixed"}, "unknown device 'mixed'"),
        ({"decode": "mixed"}, "unknown device 'mixed'"),
        ({"recipe": Training()}, "is no recipe for this"),
    ],
)
def test_arguments_that_cannot_be_meant(flat: Callable[[int], Source], change: dict[str, Any], what: str) -> None:
    with pytest.raises(UsageError, match=what) as caught:
        pipelines.validation(flat(2), **({"batch_size": 2, "device": "cpu"} | change))
    assert caught.value.remedy


def test_a_gpu_whose_cuda_does_not_start_has_a_remedy(
    flat: Callable[[int], Source], monkeypatch: pytest.MonkeyPatch
) -> None:
    if accelerator.describe().gpus:
        assert pipelines.validation(flat(2), batch_size=2, device="gpu").device == "gpu"
        return
    # As in a container that has the driver's management library and not CUDA's.
    monkeypatch.setattr(installed, "require", lambda device: device)
    with pytest.raises(
        W251Error, match=r"DALI cannot start the pipeline on the GPU: .* CUDA is not available"
    ) as caught:
        pipelines.validation(flat(2), batch_size=2, device="gpu")
    assert "--gpus all" in caught.value.remedy


def test_build_takes_any_recipe(flat: Callable[[int], Source]) -> None:
    built = pipelines.build(Pictures(), flat(2), batch_size=2, device="cpu", shuffle=True)
    assert (built.device, built.decode, built.shuffle) == ("cpu", "cpu", True)


@pytest.mark.gpu
def test_a_gpus_pictures_are_not_brought_back(flat: Callable[[int], Source]) -> None:
    with pytest.raises(UsageError, match="cannot be worked on by the CPU"):
        pipelines.validation(flat(2), batch_size=2, device="cpu", decode="gpu")


@pytest.mark.gpu
@pytest.mark.parametrize("broken", ["text", "zeros"], indirect=True)
def test_auto_is_the_gpu_and_a_broken_picture_is_named_there_too(photographs: Source, broken: bytes) -> None:
    source = sources.encoded([photographs.read(0), broken, photographs.read(1)])
    built = pipelines.training(source, Training(area=(1, 1)), batch_size=3)
    assert (built.device, built.decode) == ("gpu", "gpu")
    with pytest.raises(W251Error, match=r"^picture 1 cannot be decoded"):
        built.run()


@pytest.mark.gpu
@pytest.mark.parametrize("broken", ["half"], indirect=True)
def test_a_gpu_passes_half_a_jpeg_that_a_look_at_the_pictures_finds(photographs: Source, broken: bytes) -> None:
    source = sources.encoded([photographs.read(0), broken])
    images, indices = pipelines.training(source, Training(area=(1, 1)), batch_size=2, device="gpu").run()
    assert (len(images), sorted(indices)) == (2, [0, 1])
    assert [item.place for item in damage.find(source)] == [1]


def test_a_pipeline_that_ends_early(photographs: Source) -> None:
    def first(until: Any) -> np.ndarray[Any, Any]:
        built = pipelines.training(
            photographs, Training(crop=32), batch_size=2, device="cpu", shuffle=False, seed=5, until=until
        )
        return np.array(built.run()[0][0])

    assert first("read").tobytes() == photographs.read(0)
    window, resized, whole = first("decode"), first("augment"), first(None)
    assert window.ndim == 3
    assert window.shape != (32, 32, 3)
    assert (resized.shape, resized.dtype) == ((32, 32, 3), np.uint8)
    # What comes after is the mean and the deviation, and perhaps a mirror.
    undone = whole.transpose(1, 2, 0) * imagenet.STD_255 + imagenet.MEAN_255
    assert min(np.abs(undone - resized).max(), np.abs(undone[:, ::-1] - resized).max()) < 0.01


def test_where_a_pipeline_cannot_end(photographs: Source) -> None:
    with pytest.raises(UsageError, match="until is 'flip'"):
        pipelines.training(photographs, batch_size=2, device="cpu", until="flip")
    with pytest.raises(UsageError, match="no recipe for this"):
        pipelines.validation(photographs, batch_size=2, device="cpu", until="decode")


@pytest.mark.gpu
@pytest.mark.parametrize(("until", "device"), [("read", "cpu"), ("decode", "gpu"), ("augment", "gpu")])
def test_a_gpus_pipeline_that_ends_early(photographs: Source, until: Any, device: str) -> None:
    images, _ = pipelines.training(photographs, batch_size=2, device="gpu", until=until).run()
    assert hasattr(images[0], "__cuda_array_interface__") is (device == "gpu")
