"""Picture classifiers: put a shipped one into a model repository, and ask a server for the classes of pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from tritonclient.grpc.model_config_pb2 import DataType, ModelInput

from w251lab.errors import UsageError
from w251lab.triton.models import packaged
from w251lab.triton.pictures import load_image
from w251lab.triton.preprocessing import Preprocessing, image_client_preprocessing
from w251lab.triton.repository import DynamicBatching, OnnxModel, Tensor

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence

    from PIL import Image
    from tritonclient.grpc.model_config_pb2 import ModelConfig

    from w251lab.triton.client import TritonClient
    from w251lab.triton.requests import Array

    Picture = str | os.PathLike[str] | bytes | np.ndarray[Any, Any] | Image.Image

Mode = Literal["wait", "async", "stream"]


@dataclass(frozen=True, order=True)
class Classification:
    """One class that a picture may belong to.

    Attributes:
        score: What the model gives it; higher is more likely.
        index: Its place in the model's output.
        label: Its name, ``""`` where the model has no labels.
    """

    score: float
    index: int
    label: str

    def __str__(self) -> str:
        """In the form of NVIDIA's image_client: ``0.951000 (967) = espresso``."""
        return f"{self.score:f} ({self.index}) = {self.label}"


def describe(
    name: str = "efficientnet_lite0",
    *,
    served_as: str | None = None,
    max_batch_size: int = 16,
    instances: int = 1,
    device: Literal["cpu", "gpu"] = "cpu",
    dynamic_batching: DynamicBatching | None = None,
    threads: int = 0,
    nan_rows: bool = False,
) -> OnnxModel:
    """The description of a shipped classifier, for :func:`w251lab.triton.repository.write`.

    Its preprocessing goes into the model's parameters and its labels into its label file, so that a client needs
    nothing but the server's word to classify a picture.

    Args:
        name: One of :func:`w251lab.triton.models.names`.
        served_as: Its name on the server; ``name`` by default.
        max_batch_size: Rows that one execution may take.
        instances: Copies that run side by side.
        device: Where they run, ``cpu`` or ``gpu``.
        dynamic_batching: Join waiting requests; None leaves each request alone.
        threads: Threads of each copy on the CPU; 0 shares the cores among the copies.
        nan_rows: Answer a row of NaN with NaN, see :class:`w251lab.triton.description.OnnxModel`.

    Raises:
        UsageError: No such model is shipped.
        W251Error: Its file is not there or was changed.
    """
    model = packaged(name)
    return OnnxModel(
        name=served_as or name,
        inputs=(Tensor(model.input_name, model.input_dims, layout=model.preprocessing.layout),),
        outputs=(Tensor(model.output_name, model.output_dims, labels=model.labels()),),
        max_batch_size=max_batch_size,
        parameters=model.preprocessing.to_parameters(),
        versions={1: model.verify()},
        instances=instances,
        device=device,
        dynamic_batching=dynamic_batching,
        threads=threads,
        nan_rows=nan_rows,
    )


def preprocessing_of(config: ModelConfig, scaling: str | None = None) -> Preprocessing:
    """How a picture becomes the input of a model, from the model's own description.

    Args:
        config: The model's configuration, as the server gives it.
        scaling: One of image_client's scalings (``NONE``, ``INCEPTION``, ``VGG``), for a model that does not
            describe its own; the size, layout and type come from its input.

    Raises:
        UsageError: The model has no description and no scaling is given, or it does not take one picture.
    """
    parameters = {key: value.string_value for key, value in config.parameters.items()}
    if scaling is None and any(key.startswith("preprocessing.") for key in parameters):
        return Preprocessing.from_parameters(parameters)
    if len(config.input) != 1 or len(config.input[0].dims) != 3:
        raise UsageError(
            f"The model {config.name!r} does not take one picture: its inputs are "
            f"{', '.join(f'{t.name} {list(t.dims)}' for t in config.input)}.",
            "Use a model with one input of three axes.",
        )
    if scaling is None:
        raise UsageError(
            f"The model {config.name!r} does not say how a picture becomes its input.",
            "Say it: scaling (-s) NONE, INCEPTION or VGG.",
        )
    tensor = config.input[0]
    layout: Literal["NCHW", "NHWC"] = "NHWC" if tensor.format == ModelInput.FORMAT_NHWC else "NCHW"
    channels, height, width = tensor.dims if layout == "NCHW" else (tensor.dims[2], tensor.dims[0], tensor.dims[1])
    dtype = DataType.Name(tensor.data_type).removeprefix("TYPE_")
    return image_client_preprocessing(
        scaling, (height, width), color="GRAY" if channels == 1 else "RGB", layout=layout, dtype=dtype
    )


def prepare(config: ModelConfig, pictures: Sequence[Picture], scaling: str | None = None) -> Array:
    """Turn pictures into a model's input.

    Args:
        config: The model's configuration, as the server gives it.
        pictures: Files, encoded bytes, arrays or PIL images: see :func:`w251lab.triton.pictures.load_image`.
        scaling: As in :func:`preprocessing_of`.

    Returns:
        An array with a first axis for the pictures, then the axes of the model's input.

    Raises:
        W251Error: There is no picture, one cannot be read, or the model does not take pictures.
    """
    if not pictures:
        raise UsageError("There is no picture to classify.", "Give at least one.")
    preprocessing = preprocessing_of(config, scaling)
    return np.stack([preprocessing(load_image(picture)) for picture in pictures])


def classify(
    client: TritonClient,
    pictures: Sequence[Picture],
    model: str,
    *,
    top_k: int = 1,
    batch_size: int = 1,
    scaling: str | None = None,
    version: str = "",
    mode: Mode = "wait",
) -> list[list[Classification]]:
    """Ask the server for the classes of pictures.

    The server picks the ``top_k`` highest scores and names them (Triton's classification extension); no score of
    another class is sent.

    Args:
        client: A client of the server.
        pictures: Files, encoded bytes, arrays or PIL images: see :func:`w251lab.triton.pictures.load_image`.
        model: The model's name.
        top_k: Classes for each picture, from the most likely down.
        batch_size: Pictures in a request; the last one may hold fewer.
        scaling: One of image_client's scalings in place of the model's own preprocessing.
        version: The model's version; the newest by default.
        mode: ``wait`` for each answer before the next request, send all with ``async``, or over a gRPC ``stream``.

    Returns:
        For each picture its classes.

    Raises:
        W251Error: A picture cannot be read, the model cannot be used, or the request fails; see
            :meth:`w251lab.triton.client.TritonClient.infer`.
    """
    config = client.config(model, version)
    if mode not in get_args(Mode):
        raise UsageError(f"Unknown mode {mode!r}.", f"Use one of: {', '.join(get_args(Mode))}.")
    if top_k < 1:
        raise UsageError(f"{top_k} classes were asked for.", "Ask for 1 or more.")
    if not 1 <= batch_size <= max(config.max_batch_size, 1):
        raise UsageError(
            f"The model {model!r} cannot take a batch of {batch_size}.", f"Use 1 to {max(config.max_batch_size, 1)}."
        )
    tensors = prepare(config, pictures, scaling)
    batched = config.max_batch_size > 0
    name, output = config.input[0].name, config.output[0].name
    requests = [
        {name: tensors[i : i + batch_size] if batched else tensors[i]} for i in range(0, len(tensors), batch_size)
    ]
    answers: Iterator[dict[str, Array]]
    if mode == "stream":
        answers = client.stream(model, requests, outputs=[output], top_k=top_k, version=version)
    elif mode == "async":
        under_way = [client.submit(model, r, outputs=[output], top_k=top_k, version=version) for r in requests]
        answers = (pending.result() for pending in under_way)
    else:
        answers = (client.infer(model, r, outputs=[output], top_k=top_k, version=version) for r in requests)
    return [[parse(entry) for entry in row] for answer in answers for row in answer[output].reshape(-1, top_k)]


def parse(entry: bytes) -> Classification:
    """Read one ``score:index:label`` of the classification extension.

    Args:
        entry: As the server sends it, in UTF-8; the label may hold colons, and is absent for a model without labels.
    """
    score, index, *label = entry.decode("utf-8").split(":", 2)
    return Classification(float(score), int(index), label[0] if label else "")
