"""Is it still the same person: a face as 128 numbers, and the distance between two faces."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from w251lab.errors import W251Error
from w251lab.faces import packaged
from w251lab.faces.align import similarity
from w251lab.faces.errors import FaceError, WeightsError
from w251lab.faces.pictures import check_picture
from w251lab.faces.warping import inverse, warp

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from w251lab.faces.detect import Face

WEIGHTS: Final = packaged.PackagedFile(
    distribution="face-recognition-models",
    version="0.1.3",
    member="face_recognition_models/models/dlib_face_recognition_resnet_model_v1.dat",
    sha256="55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
    what="dlib's face recognition network",
    licence="CC0-1.0",
    source="davisking/dlib-models",
)
#: Faces closer than this are taken for one person. It is the threshold that the network was trained for; dlib's
#: author states 99.38 % correct pairs with it on Labeled Faces in the Wild (dlib, ``dnn_face_recognition_ex.cpp``).
THRESHOLD: Final = 0.6
#: How many numbers a face becomes.
LENGTH: Final = 128
# The network's input: a square face, and where our landmarks are in it. dlib cuts it out by the outlines of eyes,
# nose and mouth (``get_face_chip_details``, padding 0.25); these are the centres of those outlines, in pixels.
_SIZE: Final = 150
_TEMPLATE: Final = np.array([[47.55, 46.60], [100.48, 46.60], [74.01, 76.56], [50.41, 103.02], [97.61, 103.02]])
# A dlib network keeps what it computes in itself.
_one_at_a_time = threading.Lock()


def embedding(picture: NDArray[np.uint8], face: Face) -> NDArray[np.float64]:
    """A face as a point, near to other pictures of the same person.

    Source: dlib's ResNet with 29 layers (He, Zhang, Ren, Sun, "Deep Residual Learning", 2016, with half the filters),
    trained
    with a metric loss on about 3 million faces.

    Args:
        picture: uint8 (height, width, 3), RGB.
        face: Where it is in the picture, as :func:`w251lab.faces.detect.detect` gives it.

    Returns:
        float64 (128,), about of length 1.

    Raises:
        PictureError: ``picture`` is no picture.
        FaceError: The face's landmarks are all in one place.
        WeightsError: The network's weights are not here.
        W251Error: dlib is not here.
    """
    check_picture(picture)
    matrix = similarity(face.landmarks, _TEMPLATE)
    cut = np.ascontiguousarray(warp(picture, inverse(matrix), (_SIZE, _SIZE)))
    network = _network()
    with _one_at_a_time:
        return np.array(network.compute_face_descriptor(cut), dtype=np.float64)


def identity_distance(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    """Euclidean distance between two embeddings: 0 for the same picture, above `THRESHOLD` for somebody else.

    Args:
        a: Shape (128,).
        b: Shape (128,).

    Raises:
        FaceError: One of them is no embedding.
    """
    for each in (a, b):
        if np.shape(each) != (LENGTH,) or not np.isfinite(each).all():
            raise FaceError(
                f"an array of shape {np.shape(each)} is no embedding of a face",
                f"give two arrays of {LENGTH} finite numbers, as embedding() returns them",
            )
    return float(np.linalg.norm(np.asarray(a, np.float64) - np.asarray(b, np.float64)))


@packaged.once
def _network() -> Any:
    try:
        import dlib  # noqa: PLC0415  # needed here only
    except ImportError as error:
        raise W251Error(
            f"dlib, which compares faces, cannot be imported: {error}", "run `make env` (the package is dlib-bin)"
        ) from error
    path = WEIGHTS.path()
    try:
        return dlib.face_recognition_model_v1(str(path))
    except RuntimeError as error:
        raise WeightsError(f"dlib cannot load {path}: {error}", "set up the environment again: make env") from error
