"""A sweep over the damage: the detector, the alignment and the embedding as they are, and a restorer that sharpens."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image, ImageFilter

from w251lab.errors import UsageError
from w251lab.faces import align, degradation, detect, identity, pictures, plots, quality, sweep, vintage
from w251lab.faces.errors import FaceError, NoFaceError
from w251lab.faces.restore import Restorer
from w251lab.faces.sweep import Measures, Step, Sweep

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from w251lab.faces.arguments import Picture


class Sharpener(Restorer):
    """An unsharp mask: real, quick, and no network."""

    name = "sharpener"
    model = "Unsharp mask"
    device = "cpu"

    def restore_faces(self, faces: NDArray[np.uint8]) -> NDArray[np.uint8]:
        filtered = [Image.fromarray(face).filter(ImageFilter.UnsharpMask(4, 200, 0)) for face in faces]
        return np.stack([np.asarray(each) for each in filtered])


def coarse(face: Picture) -> NDArray[np.float64]:
    """128 numbers of a face, in milliseconds: its gray levels on a grid of 8 x 16."""
    return vintage.luma(face).reshape(16, 32, 8, 64).mean(axis=(1, 3)).ravel() / 255


@pytest.fixture(scope="module")
def face() -> detect.Face:
    return detect.detect(pictures.portrait())[0]


@pytest.fixture(scope="module")
def result(face: detect.Face) -> Sweep:
    return sweep.sweep(pictures.portrait(), Sharpener(), (0, 0.4, 1), seed=3, face=face, embed=coarse)


def test_what_each_row_says_can_be_computed_again(result: Sweep, face: detect.Face) -> None:
    original = align.align(pictures.portrait(), face).picture
    assert np.array_equal(result.original, original)
    table = result.table()
    assert list(table.index) == [0, 0.4, 1]
    damaged = degradation.degrade(original, 0.4, seed=3)
    (restored,) = Sharpener().restore_faces(damaged[None])
    row = table.loc[0.4]
    for kind, picture in (("damaged", damaged), ("restored", restored)):
        assert row[f"{kind}_psnr"] == quality.psnr(picture, original)
        assert row[f"{kind}_ssim"] == quality.ssim(picture, original)
        assert row[f"{kind}_sharpness"] == quality.sharpness(picture)
        assert row[f"{kind}_identity"] == identity.identity_distance(coarse(original), coarse(picture))
    assert row["found"] == bool(detect.detect(damaged))
    assert result.sharpness == quality.sharpness(original)
    assert (result.model, result.damage, result.seed) == ("Unsharp mask", "GFPGAN's degradation", 3)


def test_more_damage_is_further_away(result: Sweep) -> None:
    table = result.table()
    for name in ("damaged_psnr", "damaged_ssim"):
        assert all(before > after for before, after in itertools.pairwise(table[name]))
    assert table["damaged_identity"].is_monotonic_increasing
    assert (table["restored_sharpness"] > table["damaged_sharpness"]).all()


def test_the_identity_is_that_of_the_network(face: detect.Face) -> None:
    picture = pictures.portrait()
    done = sweep.sweep(picture, Sharpener(), (0.1, 1), face=face)
    near, far = (step.of_damaged.identity for step in done.steps)
    assert near < 0.2 < far
    # In a face that was aligned the landmarks are where the template has them.
    direct = identity.embedding(picture, face)
    aligned = identity.embedding(done.original, sweep.aligned_face())
    assert identity.identity_distance(direct, aligned) < 0.3  # half of what another person has


@pytest.mark.parametrize("size", [512, 128])
def test_an_aligned_face_is_where_it_was_aligned_to(face: detect.Face, size: int) -> None:
    there = sweep.aligned_face(size).landmarks
    matrix = align.align(pictures.portrait(), face, size).matrix
    assert np.abs(align.similarity(face.landmarks, there) - matrix).max() < 1e-9


def test_the_vintage_filter_and_a_function_of_ones_own(face: detect.Face) -> None:
    picture = pictures.portrait()

    def mirror(face: Picture, strength: float, seed: int) -> Picture:
        return face[:, ::-1].copy() if strength else face

    old = sweep.sweep(picture, Sharpener(), (1,), damage="vintage", seed=5, face=face, embed=coarse).steps[0].damaged
    original = align.align(picture, face).picture
    assert np.array_equal(old, vintage.vintage(original, "lucky", seed=5))
    own = sweep.sweep(picture, Sharpener(), (0, 1), damage=mirror, face=face, embed=coarse)
    assert own.damage == "mirror"
    assert own.steps[0].of_damaged == Measures(0.0, math.inf, pytest.approx(1), own.sharpness)
    plots.sweep(own, threshold=0.6).canvas.draw()  # an infinite PSNR is left out


def made(*distances: tuple[float, float]) -> Sweep:
    """A sweep of given distances, damaged and restored."""
    picture = np.full((512, 512, 3), 9, np.uint8)
    steps = tuple(
        Step(place / 10, place < 2, picture, picture, Measures(before, 20, 0.5, 10), Measures(after, 21, 0.6, 0))
        for place, (before, after) in enumerate(distances)
    )
    return Sweep(steps, picture, 30.0, "damage", "model", "cpu", 0)


@pytest.mark.parametrize(
    ("distances", "damaged", "restored"),
    [
        ([(0.1, 0.7), (0.5, 0.7), (0.6, 0.7)], 0.2, 0.0),
        ([(0.1, 0.1), (0.7, 0.5), (0.5, 0.59)], None, None),
        ([(0.7, 0.1), (0.5, 0.8), (0.9, 0.9), (0.61, 0.2)], 0.2, None),
    ],
)
def test_where_the_person_is_lost_for_good(
    distances: list[tuple[float, float]], damaged: float | None, restored: float | None
) -> None:
    assert made(*distances).lost(restored=False) == damaged
    assert made(*distances).lost() == restored


def test_the_curves(result: Sweep) -> None:
    figure = plots.sweep(result, threshold=0.6)
    figure.canvas.draw()
    assert not plt.get_fignums()
    table = result.table()
    for axis, name in zip(figure.axes, ("identity", "sharpness", "psnr", "ssim"), strict=True):
        lines = {line.get_label(): line.get_ydata() for line in axis.lines}
        for kind in ("damaged", "restored"):
            assert list(lines[f"{kind} face"]) == list(table[f"{kind}_{name}"])
    low, high = figure.axes[0].get_ylim()
    assert low == 0
    assert high > 0.6
    assert "Unsharp mask" in figure.get_suptitle()


def test_what_was_not_found_is_an_open_marker() -> None:
    figure = plots.sweep(made((0.1, 0.1), (0.2, 0.2), (0.9, 0.9)), threshold=0.6)
    figure.canvas.draw()
    (lost,) = (line for line in figure.axes[0].lines if line.get_label() == "damaged, and no face is found in it")
    assert lost.get_xdata().tolist() == [0.2]
    assert lost.get_markerfacecolor() == "white"


def test_the_faces(result: Sweep) -> None:
    figure = plots.faces(result, most=2)
    figure.canvas.draw()
    titles = [axis.get_title() for axis in figure.axes]
    assert titles[0] == "original"
    assert [title.split("\n")[0] for title in titles[1:3]] == ["strength 0", "strength 1"]
    assert np.array_equal(figure.axes[2].images[0].get_array(), result.steps[2].damaged)
    assert np.array_equal(figure.axes[-1].images[0].get_array(), result.steps[2].restored)


def test_boxes_and_rows_of_pictures(face: detect.Face) -> None:
    picture = pictures.portrait()
    axis = plots.landmarks(picture, [face], title="one face").axes[0]
    assert axis.lines[0].get_xdata().tolist() == face.landmarks[:, 0].tolist()
    assert plots.landmarks(picture, []).axes[0].lines[:] == []
    row = plots.pictures([picture, picture[:, :, 0]], ["one", "two $"], heading="both")
    row.canvas.draw()
    assert [each.get_title() for each in row.axes] == ["one", "two $"]
    for shown, titles in (([], []), ([picture], ["one", "two"])):
        with pytest.raises(UsageError):
            plots.pictures(shown, titles)


def cut(face: Picture, strength: float, seed: int) -> Picture:
    """Damage that loses the shape."""
    return face[:9]


def test_what_is_refused(face: detect.Face) -> None:
    picture = pictures.portrait()
    for strengths in ((), (0.5, 0.5), (1, 0), (0, 2)):
        with pytest.raises(UsageError):
            sweep.sweep(picture, Sharpener(), strengths, face=face, embed=coarse)
    with pytest.raises(UsageError, match="no damage"):
        sweep.sweep(picture, Sharpener(), damage="rust", face=face, embed=coarse)
    with pytest.raises(NoFaceError):
        sweep.sweep(np.full((64, 64, 3), 200, np.uint8), Sharpener(), embed=coarse)
    with pytest.raises(FaceError, match="same shape"):
        sweep.sweep(picture, Sharpener(), damage=cut, face=face, embed=coarse)
