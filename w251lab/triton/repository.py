"""Describe models once, and write a Triton model repository for the embedded server or for the NGC image.

The configuration is built as the real ``ModelConfig`` protobuf that Triton's client library carries, and written with
protobuf's own text format: a misspelt field cannot be written, and what is written can be read back.

The layout is Triton's: ``<repository>/<model>/config.pbtxt``, label files beside it,
``<repository>/<model>/<version>/model.*``. Model configuration reference: "Model Configuration" and "Model
Repository" in the Triton Inference Server user guide.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from google.protobuf import text_format
from tritonclient.grpc.model_config_pb2 import DataType, ModelConfig, ModelInput, ModelInstanceGroup, ModelOutput

from w251lab.errors import UsageError, W251Error
from w251lab.triton import onnx_runner
from w251lab.triton.description import (
    DaliModel,
    DynamicBatching,
    Ensemble,
    ExecutedModel,
    Model,
    OnnxModel,
    PythonModel,
    Step,
    Tensor,
    validate,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "FLAVOURS",
    "DaliModel",
    "DynamicBatching",
    "Ensemble",
    "Flavour",
    "Model",
    "OnnxModel",
    "PythonModel",
    "Step",
    "Tensor",
    "config",
    "read",
    "write",
]

Flavour = Literal["embedded", "ngc"]
FLAVOURS: tuple[Flavour, ...] = ("embedded", "ngc")
CONFIG_FILE = "config.pbtxt"
DALI_FILE = "dali.py"


def config(model: Model, flavour: Flavour = "embedded") -> ModelConfig:
    """The model's configuration, in the form in which the server reports it back.

    Args:
        model: The description.
        flavour: ``embedded`` runs ONNX in the python backend, ``ngc`` in the onnxruntime backend.

    Raises:
        UsageError: The description contradicts itself, the flavour is unknown or has no such backend.
    """
    if flavour not in FLAVOURS:
        raise UsageError(f"Unknown flavour {flavour!r}.", f"Use one of: {', '.join(FLAVOURS)}.")
    validate(model)
    message = ModelConfig(name=model.name, max_batch_size=model.max_batch_size)
    message.input.extend(_input(tensor) for tensor in model.inputs)
    message.output.extend(_output(tensor) for tensor in model.outputs)
    for key, value in sorted(model.parameters.items()):
        message.parameters[key].string_value = value
    message.version_policy.latest.num_versions = getattr(model, "serve", 1)
    if isinstance(model, Ensemble):
        message.platform = "ensemble"
        for step in model.steps:
            target = message.ensemble_scheduling.step.add(model_name=step.model, model_version=step.version)
            target.input_map.update(step.inputs)
            target.output_map.update(step.outputs)
        message.model_transaction_policy.SetInParent()  # the server fills it in, empty
        return message
    assert isinstance(model, ExecutedModel)
    message.optimization.input_pinned_memory.enable = True
    message.optimization.output_pinned_memory.enable = True
    _set_backend(message, model, flavour)
    _set_instances(message, model)
    if model.dynamic_batching is not None:
        # Left out, the server fills in its maximum: written here, what is read back is what was written.
        preferred = model.dynamic_batching.preferred or (model.max_batch_size,)
        message.dynamic_batching.preferred_batch_size.extend(preferred)
        message.dynamic_batching.max_queue_delay_microseconds = model.dynamic_batching.max_queue_delay_us
    return message


def write(repository: str | Path, models: Sequence[Model], flavour: Flavour = "embedded") -> Path:
    """Write ``models`` into the model repository, each replacing what was there under its name.

    A model's folder is made aside and then moved into place, so that a server never sees half of one. Other models
    in the repository stay.

    Args:
        repository: The repository's folder; made if absent.
        models: The descriptions. An ensemble's models come with it, or are in the repository already.
        flavour: For the embedded server or for the NGC image.

    Returns:
        The repository's folder.

    Raises:
        UsageError: A description contradicts itself, or two have one name.
        W251Error: A model's file does not exist.
    """
    folder = Path(repository)
    configs = [config(model, flavour) for model in models]
    names = [model.name for model in models]
    if len(set(names)) < len(names):
        raise UsageError(f"Two models have one name: {', '.join(sorted(names))}.", "Give each model a name of its own.")
    folder.mkdir(parents=True, exist_ok=True)
    _require_steps(folder, models)
    for model, message in zip(models, configs, strict=True):
        with tempfile.TemporaryDirectory(dir=folder, prefix=".") as aside:
            made = Path(aside) / model.name
            _fill(made, model, message, flavour)
            target = folder / model.name
            if target.exists():
                target.rename(Path(aside) / "replaced")
            made.rename(target)
    return folder


def read(file: str | Path) -> ModelConfig:
    """The configuration in a ``config.pbtxt``, or in the one of a model's folder.

    Raises:
        W251Error: There is none, or it is not a model configuration; with the line that is wrong.
    """
    path = Path(file)
    path = path / CONFIG_FILE if path.is_dir() else path
    try:
        return text_format.Parse(path.read_text(encoding="utf-8"), ModelConfig())
    except FileNotFoundError as error:
        raise W251Error(
            f"There is no model configuration at {path}.", "Give the folder of a model, or its config.pbtxt."
        ) from error
    except (text_format.ParseError, UnicodeDecodeError) as error:
        raise W251Error(
            f"{path} is not a model configuration: {error}.", "Mend that line, or write the model again."
        ) from error


def _input(tensor: Tensor) -> ModelInput:
    layout = getattr(ModelInput, f"FORMAT_{tensor.layout}") if tensor.layout else ModelInput.FORMAT_NONE
    return ModelInput(
        name=tensor.name,
        data_type=_data_type(tensor),
        dims=tensor.dims,
        format=layout,
        optional=tensor.optional,
        allow_ragged_batch=tensor.ragged,
    )


def _output(tensor: Tensor) -> ModelOutput:
    return ModelOutput(
        name=tensor.name, data_type=_data_type(tensor), dims=tensor.dims, label_filename=tensor.label_file
    )


def _data_type(tensor: Tensor) -> int:
    # A tensor of text is BYTES in requests and STRING in configurations.
    name = f"TYPE_{'STRING' if tensor.dtype == 'BYTES' else tensor.dtype}"
    if name not in DataType.keys() or tensor.dtype == "INVALID":  # noqa: SIM118 - a protobuf enum, not a dict
        known = ", ".join(key.removeprefix("TYPE_") for key in DataType.keys() if key != "TYPE_INVALID")  # noqa: SIM118
        raise UsageError(f"Tensor {tensor.name!r} has the unknown type {tensor.dtype!r}.", f"Use one of: {known}.")
    return int(DataType.Value(name))


def _set_backend(message: ModelConfig, model: ExecutedModel, flavour: Flavour) -> None:
    if isinstance(model, OnnxModel) and flavour == "ngc":
        message.backend = "onnxruntime"
        message.default_model_filename = "model.onnx"
        if model.threads:
            message.parameters["intra_op_thread_count"].string_value = str(model.threads)
        return
    if isinstance(model, DaliModel):
        if flavour == "embedded":
            raise UsageError(
                f"The embedded server has no DALI backend for the model {model.name!r}.",
                "Write it for the NGC image (flavour='ngc'), or use w251lab.dali.serving, which knows both.",
            )
        message.backend = "dali"
        message.default_model_filename = DALI_FILE
        return
    message.backend = "python"
    message.default_model_filename = "model.py"
    if isinstance(model, OnnxModel):
        message.parameters["threads"].string_value = str(model.threads)
        if model.nan_rows:
            message.parameters["nan_rows"].string_value = "true"


def _set_instances(message: ModelConfig, model: ExecutedModel) -> None:
    on_gpu = model.device == "gpu"
    kind = ModelInstanceGroup.KIND_GPU if on_gpu else ModelInstanceGroup.KIND_CPU
    # The server names an unnamed group so: naming it here makes what is read back the same as what was written.
    message.instance_group.add(
        name=f"{model.name}_0", count=model.instances, kind=kind, gpus=model.gpus if on_gpu else ()
    )


def _fill(folder: Path, model: Model, message: ModelConfig, flavour: Flavour) -> None:
    folder.mkdir()
    (folder / CONFIG_FILE).write_text(text_format.MessageToString(message), encoding="utf-8")
    for tensor in model.outputs:
        if tensor.labels:
            (folder / tensor.label_file).write_text("".join(f"{label}\n" for label in tensor.labels), encoding="utf-8")
    if not isinstance(model, ExecutedModel):
        (folder / "1").mkdir()  # an ensemble has nothing to put there, and Triton wants the folder
        return
    for version, source in model.versions.items():
        target = folder / str(version)
        target.mkdir()
        if isinstance(model, OnnxModel):
            _copy(source, target / "model.onnx")
            if flavour == "embedded":
                _copy(Path(onnx_runner.__file__), target / "model.py")
        else:
            _copy(source, target / (DALI_FILE if isinstance(model, DaliModel) else "model.py"))
            for name, extra in getattr(model, "files", {}).items():
                _copy(extra, target / name)


def _copy(source: Path, target: Path) -> None:
    try:
        shutil.copyfile(source, target)
    except OSError as error:
        raise W251Error(
            f"The model file {source} cannot be read: {error.strerror}.", "Give the path of an existing file."
        ) from error


def _require_steps(folder: Path, models: Sequence[Model]) -> None:
    known = {model.name for model in models} | {path.parent.name for path in folder.glob(f"*/{CONFIG_FILE}")}
    for model in models:
        for step in model.steps if isinstance(model, Ensemble) else ():
            if step.model not in known:
                raise UsageError(
                    f"Ensemble {model.name!r} calls the model {step.model!r}, which is not in the repository.",
                    "Write that model with it, or before it.",
                )
