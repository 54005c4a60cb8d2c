"""Describe models: tensors, batching, instances, versions, ensembles. The repository module writes them down."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from w251lab.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True)
class Tensor:
    """An input or an output of a model.

    Attributes:
        name: Its name in the model.
        dims: Its shape without the batch axis; -1 for an axis of any length.
        dtype: Triton's name of its type without the prefix, such as ``FP32``, ``INT64``, ``BYTES``.
        layout: ``NCHW`` or ``NHWC`` for a picture, None otherwise. Inputs only.
        labels: One name per index of the output, for the classification extension. Outputs only.
        optional: Whether a request may leave it out. Inputs only.
        ragged: Whether dynamic batching may join requests whose axes of any length differ; without it, only requests
            of one shape are joined. The backend has to cope: the python and DALI backends do. Inputs only.
    """

    name: str
    dims: tuple[int, ...]
    dtype: str = "FP32"
    layout: Literal["NCHW", "NHWC"] | None = None
    labels: tuple[str, ...] = ()
    optional: bool = False
    ragged: bool = False

    @property
    def label_file(self) -> str:
        """The name of its label file, ``""`` where it has no labels."""
        return f"{re.sub(r'[^A-Za-z0-9_]', '_', self.name)}_labels.txt" if self.labels else ""


@dataclass(frozen=True)
class DynamicBatching:
    """Let the server join requests that wait into one batch.

    Attributes:
        max_queue_delay_us: Microseconds that the oldest request waits for others to join it.
        preferred: Batch sizes to aim at; by default as large as there are requests, up to the model's maximum.
    """

    max_queue_delay_us: int = 0
    preferred: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Model:
    """What every kind of model has.

    Attributes:
        name: Its name, which is also its folder's.
        inputs: Its inputs.
        outputs: Its outputs.
        max_batch_size: Rows that one execution may take; 0 for a model without a batch axis.
        parameters: Free text for clients and backends, such as how to preprocess a picture.
    """

    name: str
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    max_batch_size: int = 0
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ExecutedModel(Model):
    """A model that runs in instances: all but ensembles.

    Attributes:
        versions: For each version the file that is its model.
        serve: How many versions the server offers, counted from the newest.
        instances: How many copies run side by side (on each GPU, where it runs on GPUs).
        device: ``cpu`` or ``gpu``.
        gpus: Which GPUs; all of them by default.
        dynamic_batching: Join waiting requests; None leaves each request alone.
    """

    versions: Mapping[int, Path]
    serve: int = 1
    instances: int = 1
    device: Literal["cpu", "gpu"] = "cpu"
    gpus: tuple[int, ...] = ()
    dynamic_batching: DynamicBatching | None = None


@dataclass(frozen=True, kw_only=True)
class OnnxModel(ExecutedModel):
    """A model in ONNX files. Its tensors have a first axis for the batch if ``max_batch_size`` is above 0.

    Attributes:
        threads: Threads of each instance on the CPU; 0 shares the machine's cores among the instances.
        nan_rows: What becomes of a row that holds NaN or infinity. By default its request fails. With True its outputs
            are NaN and the other rows are answered: for the later steps of an ensemble, whose first step marks so what
            it could not prepare. The embedded server does this; in the NGC image such a row goes through the model.
    """

    threads: int = 0
    nan_rows: bool = False


@dataclass(frozen=True, kw_only=True)
class PythonModel(ExecutedModel):
    """A model in Triton's python backend: each version's file is its ``model.py``, the same in both flavours.

    Attributes:
        files: Further files for every version's folder, by name.
    """

    files: Mapping[str, Path] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class DaliModel(ExecutedModel):
    """A pipeline in Triton's DALI backend, which the NGC image has and the embedded server has not.

    Each version's file is its ``dali.py``: one function with ``@autoserialize`` and ``@pipeline_def``, whose
    ``external_source`` has the name of the input.
    """


@dataclass(frozen=True)
class Step:
    """One step of an ensemble.

    Attributes:
        model: The model it calls.
        inputs: For each input of that model, the ensemble's tensor that goes in.
        outputs: For each output of that model, the ensemble's tensor that comes out.
        version: The model's version; -1 for the newest.
    """

    model: str
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]
    version: int = -1


@dataclass(frozen=True, kw_only=True)
class Ensemble(Model):
    """Models in a row, wired by the names of tensors; the server passes the tensors on.

    Attributes:
        steps: Its steps.
    """

    steps: tuple[Step, ...]


def validate(model: Model) -> None:
    """Refuse what the server would refuse later, or would take and do something else with.

    Raises:
        UsageError: The description contradicts itself.
    """
    where = f"The model {model.name!r}"
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", model.name):
        raise UsageError(
            f"{model.name!r} is not the name of a model.",
            "Use letters, digits, '_', '.' and '-', and begin with a letter, a digit or '_'.",
        )
    if not model.inputs or not model.outputs:
        raise UsageError(
            f"{where} needs at least one input and one output.", "Describe them as Tensor(name, dims, dtype)."
        )
    _validate_tensors(model, where)
    if model.max_batch_size < 0:
        raise UsageError(
            f"{where} has max_batch_size {model.max_batch_size}.", "Use 0 for no batch axis, or the largest batch."
        )
    if isinstance(model, Ensemble) and not model.steps:
        raise UsageError(f"Ensemble {model.name!r} has no steps.", "Describe them as Step(model, inputs, outputs).")
    if not isinstance(model, ExecutedModel):
        return
    if not model.versions or min(model.versions) < 1:
        raise UsageError(f"{where} needs at least one version, counted from 1.", "Give versions={1: path}.")
    if model.instances < 1 or model.serve < 1:
        raise UsageError(f"{where} has instances={model.instances} and serve={model.serve}.", "Both are at least 1.")
    if isinstance(model, OnnxModel) and model.nan_rows:
        without = [tensor.name for tensor in model.outputs if tensor.dtype not in {"FP16", "FP32", "FP64"}]
        if without or model.max_batch_size == 0:
            raise UsageError(
                f"{where} cannot mark a row with NaN: "
                + (f"its output {without[0]!r} has none." if without else "it has no batch axis."),
                "Leave out nan_rows.",
            )
    _validate_batching(model, where)


def _validate_tensors(model: Model, where: str) -> None:
    for tensors in (model.inputs, model.outputs):
        names = [tensor.name for tensor in tensors]
        if "" in names or len(set(names)) < len(names):
            raise UsageError(f"{where} has tensors named {names}.", "Give each one a name of its own.")
        for tensor in tensors:
            _validate_tensor(tensor, where)


def _validate_tensor(tensor: Tensor, where: str) -> None:
    if not tensor.dims or any(length == 0 or length < -1 for length in tensor.dims):
        raise UsageError(
            f"{where} has the tensor {tensor.name!r} with the shape {list(tensor.dims)}.",
            "Give the length of each axis but the batch's: 1 or more, or -1 for any.",
        )
    if tensor.layout and len(tensor.dims) != 3:
        raise UsageError(
            f"{where} has the picture {tensor.name!r} with {len(tensor.dims)} axes.",
            "A picture has three, of any length.",
        )
    size = math.prod(tensor.dims)
    if tensor.labels and min(tensor.dims) > 0 and len(tensor.labels) != size:
        raise UsageError(
            f"{where} has {len(tensor.labels)} labels for the {size} values of {tensor.name!r}.",
            "Give one label for each value, in their order.",
        )
    if any(not label.strip() or "\n" in label for label in tensor.labels):
        raise UsageError(f"{where} has an empty label or one of several lines.", "A label is one line of text.")


def _validate_batching(model: ExecutedModel, where: str) -> None:
    batching = model.dynamic_batching
    if batching is None:
        return
    if model.max_batch_size == 0:
        raise UsageError(
            f"{where} has dynamic batching but no batch axis (max_batch_size is 0).",
            "Set max_batch_size to 1 or more.",
        )
    if not all(isinstance(number, int) for number in (batching.max_queue_delay_us, *batching.preferred)):
        raise UsageError(
            f"{where} has preferred batch sizes {batching.preferred} and a delay of {batching.max_queue_delay_us} us.",
            "Give whole numbers; the delay is in microseconds, 1000 to the millisecond.",
        )
    too_large = [size for size in batching.preferred if not 0 < size <= model.max_batch_size]
    if too_large or batching.max_queue_delay_us < 0:
        raise UsageError(
            f"{where} has preferred batch sizes {batching.preferred} and a delay of {batching.max_queue_delay_us} us.",
            f"Sizes are 1 to max_batch_size ({model.max_batch_size}), the delay is 0 or more.",
        )
