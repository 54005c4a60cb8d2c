"""The figures hold what they are given, and refuse what they cannot draw."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np
import pytest

from w251lab.course.kernel import OUTPUT_LIMIT
from w251lab.dali import bundled, pipelines, plots, recipes
from w251lab.dali.iterators import NumpyBatches
from w251lab.errors import UsageError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from w251lab.dali.sources import Source


def drawn(figure: Figure) -> list[Any]:
    """The axes in which there is something, once the figure was really drawn."""
    figure.canvas.draw()
    assert not plt.get_fignums(), "a figure is left open"
    return [axis for axis in figure.axes if axis.images or axis.lines or axis.patches]


def test_pictures_in_rows(photographs: Source) -> None:
    batch = next(iter(NumpyBatches(pipelines.pictures(photographs, batch_size=6, device="cpu"))))
    axes = drawn(plots.pictures(batch.images, [f"number {index}" for index in batch.indices], heading="six"))
    assert [axis.get_title() for axis in axes] == [f"number {index}" for index in range(6)]
    assert all(
        np.array_equal(axis.images[0].get_array(), image) for axis, image in zip(axes, batch.images, strict=True)
    )


def test_eight_photographs_are_within_what_a_check_keeps_of_a_cell() -> None:
    recipe = recipes.Training()
    built = pipelines.training(bundled.source(), recipe, batch_size=8, device="cpu", seed=251)
    for batch, _ in zip(NumpyBatches(built), range(4), strict=False):
        file = io.BytesIO()
        plots.pictures(plots.restored(batch.images, recipe)).savefig(file, bbox_inches="tight")  # as a notebook does
        assert len(base64.encodebytes(file.getvalue())) < OUTPUT_LIMIT


def test_one_tall_picture_without_words() -> None:
    (axis,) = drawn(plots.pictures([np.zeros((2000, 10, 3), np.uint8)]))
    assert axis.get_title() == ""
    assert axis.figure.get_size_inches()[1] < 10


@pytest.mark.parametrize(
    ("images", "titles"),
    [
        ([], None),
        ([np.zeros((4, 4), np.uint8)], None),
        ([np.zeros((4, 4, 3), np.float32)], None),
        (["a path"], None),
        ([np.zeros((4, 4, 3), np.uint8)], ["one", "two"]),
    ],
)
def test_what_is_no_picture(images: list[Any], titles: list[str] | None) -> None:
    with pytest.raises(UsageError):
        plots.pictures(images, titles)


def test_tensors_are_restored_to_the_pixels(photographs: Source) -> None:
    bare = recipes.Validation(mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))
    usual = recipes.Validation()

    def tensors(recipe: recipes.Validation) -> Any:
        return next(iter(NumpyBatches(pipelines.validation(photographs, recipe, batch_size=3, device="cpu")))).images

    expected = tensors(bare).transpose(0, 2, 3, 1).astype(np.uint8)
    assert np.array_equal(plots.restored(tensors(usual), usual), expected)


def test_the_order_of_reading() -> None:
    axes = drawn(plots.reading_order({"one": [0, 1, 2], "two": [1, 0, 2]}))
    assert [axis.get_title() for axis in axes] == ["one", "two"]
    assert axes[1].lines[-1].get_ydata().tolist() == [1, 0, 2]


def test_differences_as_bars() -> None:
    (axis,) = drawn(plots.differences({"near": [0.5, 1.5], "far": [3.0]}, than="the truth"))
    assert [bar.get_width() for bar in axis.patches] == [1.0, 3.0]
    assert [label.get_text() for label in axis.get_yticklabels()] == ["near: 1.00", "far: 3.00"]
    assert "the truth" in axis.get_xlabel()


def test_nothing_to_draw() -> None:
    for empty in ({}, {"one": []}):
        with pytest.raises(UsageError):
            plots.reading_order(empty)
        with pytest.raises(UsageError):
            plots.differences(empty, than="it")
