"""Faces are found, restored and laid back; who is left out is said; and the right restorer is loaded."""

from __future__ import annotations

import sys
import types
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from w251lab.errors import UsageError, W251Error
from w251lab.faces import restore
from w251lab.faces.baseline import BaselineRestorer
from w251lab.faces.errors import NoFaceError, PictureError, WeightsError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from w251lab.faces.detect import Face


def test_a_picture_comes_back_larger_with_its_face_restored(
    collins: NDArray[np.uint8], collins_face: Face, quick: BaselineRestorer
) -> None:
    result = quick.restore(collins, upscale=2)
    assert result.picture.shape == (1024, 1024, 3)
    assert (result.model, result.device) == (quick.model, "cpu")
    assert result.notes == (quick.explain_enlarge(collins, 2),)
    assert "Lanczos" in result.notes[0]
    assert set(result.stages) == {"detect", "align", "restore", "enlarge", "paste"}
    assert 0 < sum(result.stages.values()) <= result.seconds
    (one,) = result.faces
    np.testing.assert_array_equal(one.face.landmarks, collins_face.landmarks)
    np.testing.assert_array_equal(quick.restore_faces(one.aligned.picture[None])[0], one.restored)
    # The face is the restored one, and far from it nothing but the enlarging was done.
    plain = quick.enlarge(collins, 2)
    x, y = np.rint(collins_face.landmarks[2] * 2).astype(int)
    there = restore.align.paste_back(plain, one.restored, one.aligned, upscale=2)
    np.testing.assert_array_equal(result.picture, there)
    assert (result.picture[y - 20 : y + 20, x - 20 : x + 20] != plain[y - 20 : y + 20, x - 20 : x + 20]).any()
    np.testing.assert_array_equal(result.picture[700:], plain[700:])


def test_faces_that_are_known_are_not_looked_for(
    collins: NDArray[np.uint8], collins_face: Face, quick: BaselineRestorer
) -> None:
    blank = np.full_like(collins, 128)
    result = quick.restore(blank, faces=[collins_face], paste=False)
    assert len(result.faces) == 1
    assert result.picture is blank
    assert any("not pasted" in note for note in result.notes)


def test_only_the_face_in_the_middle(collins: NDArray[np.uint8], quick: BaselineRestorer) -> None:
    window = collins[30:210, 135:315]
    large = np.asarray(Image.fromarray(window).resize((320, 320)))
    scene = np.full((320, 900, 3), 90, np.uint8)
    scene[:, :320], scene[70:250, 400:580] = large, window
    result = quick.restore(scene, only_center_face=True, upscale=1)
    (one,) = result.faces
    assert 400 < one.face.centre[0] < 580
    assert "1 of 2 faces restored: the one nearest to the centre" in result.notes
    np.testing.assert_array_equal(result.picture[:, :320], scene[:, :320])


def test_without_a_face_it_is_an_error_or_a_note(quick: BaselineRestorer) -> None:
    gray = np.full((40, 50, 3), 128, np.uint8)
    with pytest.raises(NoFaceError, match="no face was found") as caught:
        quick.restore(gray)
    assert "missing_ok=True" in caught.value.remedy
    result = quick.restore(gray, missing_ok=True, upscale=3)
    assert result.picture.shape == (120, 150, 3)
    assert result.faces == ()
    assert "no face was found: the picture is enlarged only" in result.notes


def test_what_cannot_be_meant_is_refused(collins: NDArray[np.uint8], quick: BaselineRestorer) -> None:
    for upscale in (0.5, 5, float("nan"), True, "2"):
        with pytest.raises(UsageError, match="upscale"):
            quick.restore(collins, upscale=upscale)
    with pytest.raises(UsageError, match="min_eye_distance"):
        quick.restore(collins, min_eye_distance=-1)
    with pytest.raises(UsageError, match="min_eye_distance"):
        quick.restore(collins, min_eye_distance="5")
    with pytest.raises(PictureError, match="uint8"):
        quick.restore(collins / 255)
    huge = np.broadcast_to(np.zeros(3, np.uint8), (9000, 12_000, 3))
    with pytest.raises(PictureError, match="24000 x 18000 pixels") as caught:
        quick.restore(huge)
    assert "largest=4096" in caught.value.remedy


def test_names_that_nobody_knows_are_refused_with_the_choices() -> None:
    with pytest.raises(UsageError, match="no restorer 'codeformer'") as caught:
        restore.load_restorer("codeformer")
    assert caught.value.remedy == "use one of auto, baseline, gfpgan"
    with pytest.raises(UsageError, match="unknown device"):
        restore.load_restorer("auto", "tpu")
    with pytest.raises(UsageError, match="on the CPU only"):
        restore.load_restorer("baseline", "gpu")
    with pytest.raises(UsageError, match="unexpected keyword argument 'colour'"):
        restore.load_restorer("baseline", colour=True)


class _Planted(BaselineRestorer):
    """Stands in for GFPGAN, which is not everywhere; what it does is somebody else's test."""

    name = "gfpgan"


def _plant(monkeypatch: pytest.MonkeyPatch, made: object) -> None:
    module = types.ModuleType("w251lab.faces.gfpgan")
    module.__dict__["GfpganRestorer"] = made
    monkeypatch.setitem(sys.modules, "w251lab.faces.gfpgan", module)


def test_auto_takes_gfpgan_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    _plant(monkeypatch, _Planted)
    restorer = restore.load_restorer(background="lanczos")
    assert restorer.name == "gfpgan"
    assert restorer.background == "lanczos"
    assert "are here" in restorer.why
    assert restore.load_restorer("gfpgan").why == ""


def test_auto_falls_back_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def without(device: str) -> restore.Restorer:
        raise WeightsError("its weights are not here", "download them")

    _plant(monkeypatch, without)
    restorer = restore.load_restorer()
    assert restorer.name == "baseline"
    assert restorer.why == "GFPGAN cannot be used: its weights are not here (to have it: download them)"
    with pytest.raises(WeightsError, match="its weights are not here"):
        restore.load_restorer("gfpgan")
    # On a GPU there is no other: the CPU is not what was asked for.
    with pytest.raises(WeightsError, match="its weights are not here"):
        restore.load_restorer("auto", "gpu")


def test_a_missing_library_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "w251lab.faces.gfpgan", None)
    with pytest.raises(W251Error, match="gfpgan needs a library that is not here"):
        restore.load_restorer("gfpgan")
    assert restore.load_restorer().why.startswith("GFPGAN cannot be used")
