"""What the tests of faces share: the bundled portraits, and a baseline that is quick."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from w251lab.faces import detect, pictures
from w251lab.faces.baseline import BaselineRestorer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@pytest.fixture(scope="session")
def collins() -> NDArray[np.uint8]:
    return _locked(pictures.portrait("collins"))


@pytest.fixture(scope="session")
def hopper() -> NDArray[np.uint8]:
    return _locked(pictures.portrait("hopper"))


@pytest.fixture(scope="session")
def collins_face(collins: NDArray[np.uint8]) -> detect.Face:
    (face,) = detect.detect(collins)
    return face


@pytest.fixture(scope="session")
def hopper_face(hopper: NDArray[np.uint8]) -> detect.Face:
    (face,) = detect.detect(hopper)
    return face


@pytest.fixture(scope="session")
def quick() -> BaselineRestorer:
    """The real network on the real faces, at a size that is only good for tests."""
    return BaselineRestorer(face_pixels=16, background="lanczos")


def _locked(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    picture.setflags(write=False)
    return picture
