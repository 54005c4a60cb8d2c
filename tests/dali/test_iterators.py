from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from w251lab.dali import installed, pipelines
from w251lab.dali.iterators import NumpyBatches, TorchBatches
from w251lab.dali.recipes import Validation
from w251lab.errors import UsageError, W251Error

if TYPE_CHECKING:
    from collections.abc import Callable

    from w251lab.dali.sources import Source

# Pixels as they are: the value of an image is its index in the source.
BARE = Validation(resize=8, crop=8, mean=(0, 0, 0), std=(1, 1, 1))


@pytest.fixture(params=["memory", "files"])
def seven(request: pytest.FixtureRequest, flat: Callable[[int], Source], on_disk: Callable[[Source], Source]) -> Source:
    """Seven pictures, in memory and as files."""
    made = flat(7)
    return made if request.param == "memory" else on_disk(made)


def _built(source: Source, **how: Any) -> pipelines.ImagePipeline:
    return pipelines.validation(source, BARE, **({"batch_size": 3, "device": "cpu", "threads": 1} | how))


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        ("partial", [[0, 1, 2], [3, 4, 5], [6]]),
        ("drop", [[0, 1, 2], [3, 4, 5]]),
        ("fill", [[0, 1, 2], [3, 4, 5], [6, 6, 6]]),
    ],
)
def test_the_last_batch_of_three_epochs(seven: Source, last: Any, expected: list[list[int]]) -> None:
    batches = NumpyBatches(_built(seven), last=last)
    assert len(batches) == len(expected)
    for _ in range(3):
        found = list(batches)
        assert [batch.indices.tolist() for batch in found] == expected
        for images, labels, indices in found:
            assert images.shape == (len(indices), 3, 8, 8)
            assert (images.dtype, labels.dtype, indices.dtype) == (np.float32, np.int64, np.int64)
            np.testing.assert_array_equal(images[:, 1, 4, 4], indices)
            np.testing.assert_array_equal(labels, 10 * indices)


def test_full_batches_only_are_no_partial_ones(flat: Callable[[int], Source]) -> None:
    for last in ("partial", "drop", "fill"):
        batches = NumpyBatches(_built(flat(6)), last=last)  # type: ignore[arg-type]
        assert [len(batch.labels) for batch in batches] == [3, 3]
        assert len(batches) == 2


def test_a_loop_that_was_left_does_not_shorten_the_next(seven: Source) -> None:
    batches = NumpyBatches(_built(seven))
    for left_after in (1, 2):
        for number, _ in enumerate(batches, 1):
            if number == left_after:
                break
        assert [index for batch in batches for index in batch.indices] == list(range(7))


def test_two_loops_over_one_pipeline_are_refused(seven: Source) -> None:
    built = _built(seven)
    first, second = iter(NumpyBatches(built)), iter(NumpyBatches(built))
    next(first)
    next(second)
    with pytest.raises(W251Error, match="another loop"):
        next(first)
    assert [batch.indices.tolist() for batch in second] == [[3, 4, 5], [6]]


def test_batches_stay_as_they_were(seven: Source) -> None:
    built = _built(seven, batch_size=1)
    found = [batch for _ in range(3) for batch in NumpyBatches(built)]
    found[0].images[:] = -1  # they are the caller's own
    del built
    gc.collect()
    assert [int(batch.images[0, 0, 0, 0]) for batch in found] == [-1, *range(1, 7), *range(7), *range(7)]


def test_pictures_in_their_own_sizes_are_a_list(photographs: Source) -> None:
    batches = NumpyBatches(pipelines.pictures(photographs, batch_size=4, device="cpu"))
    found = list(batches)
    assert [len(batch.images) for batch in found] == [4, 4, 2]
    assert len({image.shape for batch in found for image in batch.images}) > 3


def test_a_policy_that_cannot_be_meant(flat: Callable[[int], Source]) -> None:
    with pytest.raises(UsageError, match="last is 'keep'"):
        NumpyBatches(_built(flat(7)), last="keep")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="a batch_size of 8 leaves no full batch of 7 pictures"):
        NumpyBatches(_built(flat(7), batch_size=8), last="drop")
    assert len(NumpyBatches(_built(flat(7), batch_size=7), last="drop")) == 1


@pytest.mark.torch
def test_tensors_hold_what_the_arrays_hold(seven: Source) -> None:
    torch: Any = installed.torch()
    built = _built(seven)
    found = list(TorchBatches(built))
    del built
    gc.collect()
    for one, other in zip(found, NumpyBatches(_built(seven)), strict=True):
        assert (one.images.dtype, one.labels.dtype, one.indices.dtype) == (torch.float32, torch.int64, torch.int64)
        for tensor, array in zip(one, other, strict=True):
            np.testing.assert_array_equal(tensor.numpy(), array)


@pytest.mark.torch
def test_tensors_in_their_own_sizes_are_a_list(photographs: Source) -> None:
    found = next(iter(TorchBatches(pipelines.pictures(photographs, batch_size=4, device="cpu"))))
    assert tuple(found.images[0].shape) == (600, 463, 3)


@pytest.mark.gpu
def test_a_gpus_batches_as_arrays(seven: Source) -> None:
    found = list(NumpyBatches(_built(seven, device="gpu")))
    assert [batch.images[:, 0, 0, 0].tolist() for batch in found] == [[0, 1, 2], [3, 4, 5], [6]]


@pytest.mark.gpu
@pytest.mark.torch
def test_a_gpus_batches_as_tensors_stay_there(seven: Source) -> None:
    found = list(TorchBatches(_built(seven, device="gpu")))
    assert all(tensor.is_cuda for batch in found for tensor in batch)
    assert [batch.images[:, 0, 0, 0].tolist() for batch in found] == [[0, 1, 2], [3, 4, 5], [6]]
