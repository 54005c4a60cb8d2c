"""The check of the GFP-GAN lab's needs: it restores, and it sees what is wrong."""

from __future__ import annotations

import numpy as np
import pytest

from w251lab.doctor import faces_check
from w251lab.doctor.checks import CHECKS
from w251lab.errors import W251Error
from w251lab.faces import detect, identity
from w251lab.faces.baseline import BaselineRestorer


def test_it_is_in_the_registry_and_passes() -> None:
    assert CHECKS["faces"].run is faces_check.faces
    said = faces_check.faces("cpu")
    assert "on the CPU by Real-ESRGAN x4plus (baseline), identity distance 0." in said


@pytest.mark.parametrize("found", [(), (detect.Face((0, 0, 9, 9), 0.9, np.arange(10.0).reshape(5, 2)),)])
def test_a_detector_that_finds_something_else_fails(
    found: tuple[detect.Face, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(detect, "detect", lambda _: found)
    with pytest.raises(W251Error, match="The detector finds") as caught:
        faces_check.faces("cpu")
    assert "make env" in caught.value.remedy


def test_a_face_that_is_somebody_else_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BaselineRestorer, "restore_aligned", lambda _, cut: np.zeros((len(cut), 512, 512, 3), np.uint8))
    with pytest.raises(W251Error, match="from the portrait and somebody else's"):
        faces_check.faces("cpu")
    monkeypatch.undo()
    monkeypatch.setattr(identity, "embedding", lambda *_: np.zeros(128))
    with pytest.raises(W251Error, match=r"restored face is 0\.00 from the portrait and somebody else's 0\.00"):
        faces_check.faces("cpu")
