"""The ``model.py`` of an ONNX model in the embedded server: runs it with onnxruntime in Triton's python backend.

It is copied beside ``model.onnx`` into the model repository and runs in the server's own environment, not in the
lab's. There ``execute`` gets every request of a batch at once and joins them into one run, as Triton's own
onnxruntime backend does.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt
    import onnxruntime

    Array = npt.NDArray[Any]

ANY_SIZE = 0  # a session that takes batches of any size


class TritonPythonModel:
    """What Triton's python backend asks of a model (Triton's "Python Backend" guide): initialize, execute, finalize."""

    def initialize(self, args: dict[str, str]) -> None:
        """Load the ONNX file on this instance's device.

        Args:
            args: Triton's description: the configuration as JSON, the folder, the version, the kind and number of
                device.
        """
        config = json.loads(args["model_config"])
        self.batched = int(config["max_batch_size"]) > 0
        self.inputs = [tensor["name"] for tensor in config["input"]]
        self.outputs = [tensor["name"] for tensor in config["output"]]
        self.nan_rows = config["parameters"].get("nan_rows", {}).get("string_value") == "true"
        instances = sum(int(group["count"]) for group in config["instance_group"])
        threads = int(config["parameters"].get("threads", {}).get("string_value", 0))
        # One pool per instance: together no more threads than cores, or the instances hinder each other.
        threads = threads or max(1, len(os.sched_getaffinity(0)) // instances)
        file = Path(args["model_repository"]) / args["model_version"] / "model.onnx"
        gpu = int(args["model_instance_device_id"]) if args["model_instance_kind"] == "GPU" else None
        sizes = () if gpu is None else padded_sizes(int(config["max_batch_size"]))
        self.sessions = {size: load_session(file, threads, gpu) for size in sizes or (ANY_SIZE,)}
        for size in sizes:
            warm_up(self.sessions[size], size)

    def execute(self, requests: Sequence[Any]) -> list[Any]:
        """Answer ``requests`` with one run of the model, each with its own rows.

        A request with a value that is not finite gets an error of its own; the others are answered. With the parameter
        ``nan_rows`` it is answered too, with NaN in the outputs of such a row.
        """
        import triton_python_backend_utils as pb  # exists only inside the server  # noqa: PLC0415

        answers: list[Any] = [None] * len(requests)
        valid: list[int] = []
        columns: list[list[Array]] = []
        failed: list[npt.NDArray[np.bool_] | None] = []
        for place, request in enumerate(requests):
            tensors = [pb.get_input_tensor_by_name(request, name).as_numpy() for name in self.inputs]
            lost = failed_rows(tensors) if self.nan_rows and self.batched else None
            if lost is not None:
                tensors = [without(tensor, lost) for tensor in tensors]
            bad = [name for name, tensor in zip(self.inputs, tensors, strict=True) if not is_finite(tensor)]
            if bad:
                error = pb.TritonError(f"input '{bad[0]}' holds NaN or infinite values", pb.TritonError.INVALID_ARG)
                answers[place] = pb.InferenceResponse(output_tensors=[], error=error)
            else:
                valid.append(place)
                columns.append(tensors)
                failed.append(lost)
        joined = run_joined(self.sessions, self.inputs, self.outputs, columns, batched=self.batched)
        for place, computed, lost in zip(valid, joined, failed, strict=True):
            results = computed if lost is None else [marked(result, lost) for result in computed]
            wanted = requests[place].requested_output_names()
            answers[place] = pb.InferenceResponse(
                output_tensors=[
                    pb.Tensor(name, result)
                    for name, result in zip(self.outputs, results, strict=True)
                    if name in wanted
                ]
            )
        return answers


def load_session(file: Path, threads: int, gpu: int | None) -> onnxruntime.InferenceSession:
    """An onnxruntime session for ``file``.

    Args:
        file: The ONNX file.
        threads: Threads of its pool on the CPU.
        gpu: Number of the GPU; None for the CPU.

    Raises:
        RuntimeError: A GPU was asked for, and onnxruntime cannot use it: it would silently take the CPU.
    """
    import onnxruntime  # the server's environment has it, the lab's need not  # noqa: PLC0415

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # A pool that spins between runs takes the cores from the server's own threads.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if gpu is None:
        return onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    onnxruntime.preload_dlls()
    cuda = {"device_id": gpu, "arena_extend_strategy": "kSameAsRequested"}
    session = onnxruntime.InferenceSession(
        file, options, providers=[("CUDAExecutionProvider", cuda), "CPUExecutionProvider"]
    )
    if "CUDAExecutionProvider" not in session.get_providers():
        raise RuntimeError(
            "this instance is to run on a GPU, but onnxruntime cannot use CUDA in the server's environment; "
            "make that with: w251lab setup --device gpu --force"
        )
    return session


def is_finite(tensor: Array) -> bool:
    """Whether ``tensor`` holds neither NaN nor infinity (always, where its type has none).

    The sum of a tensor is finite if all its values are (unless it overflows: then look at each).
    """
    if tensor.dtype.kind != "f":
        return True
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(tensor.sum())) or bool(np.isfinite(tensor).all())


def failed_rows(tensors: Sequence[Array]) -> npt.NDArray[np.bool_] | None:
    """Which rows hold NaN or infinity in any of ``tensors``; None if none does."""
    if all(is_finite(tensor) for tensor in tensors):
        return None
    finite = [[is_finite(row) for row in tensor] for tensor in tensors]
    return np.array([not all(row) for row in zip(*finite, strict=True)])


def without(tensor: Array, rows: npt.NDArray[np.bool_]) -> Array:
    """A copy of ``tensor`` with zeros in ``rows``, which the model can compute with."""
    copy = tensor.copy()
    copy[rows] = 0
    return copy


def marked(result: Array, rows: npt.NDArray[np.bool_]) -> Array:
    """A copy of a model's output with NaN in ``rows``: nobody may take what was computed of zeros for an answer."""
    copy = result.copy()
    copy[rows] = np.nan
    return copy


def padded_sizes(max_batch_size: int) -> tuple[int, ...]:
    """The batch sizes that a GPU runs: powers of two up to ``max_batch_size``, and that itself.

    onnxruntime plans its CUDA convolutions anew whenever the shape of the input is not that of the run before, which
    takes longer than the run: with batches of every size coming from the dynamic batcher, an H200 fell from 600
    pictures a second to 4. So a GPU has a session for each of a few sizes, and a batch is filled up to the next one.
    """
    powers = {1 << exponent for exponent in range(max(max_batch_size, 1).bit_length())}
    return tuple(sorted(powers | {max_batch_size})) if max_batch_size else ()


def warm_up(session: onnxruntime.InferenceSession, size: int) -> None:
    """Run zeros through ``session``, so that no request pays for its plans; not where a shape is open."""
    zeros = {}
    for tensor in session.get_inputs():
        if tensor.type != "tensor(float)" or not all(isinstance(length, int) for length in tensor.shape[1:]):
            return
        zeros[tensor.name] = np.zeros((size, *tensor.shape[1:]), np.float32)
    session.run(None, zeros)


def run_joined(
    sessions: Mapping[int, onnxruntime.InferenceSession],
    inputs: Sequence[str],
    outputs: Sequence[str],
    columns: Sequence[Sequence[Array]],
    *,
    batched: bool,
) -> list[list[Array]]:
    """Run the model once on the rows of all requests, and give each request its own rows back.

    Args:
        sessions: The model, for each batch size that it runs; under :data:`ANY_SIZE` for a batch of any size.
        inputs: Names of its inputs.
        outputs: Names of the outputs to compute.
        columns: For each request one array for each input; with a first axis for the batch where ``batched``.
        batched: Whether there is such an axis. Without it each request is a run of its own.

    Returns:
        For each request one array for each output.
    """
    if not columns:
        return []
    if not batched:
        session = sessions[ANY_SIZE]
        return [session.run(list(outputs), dict(zip(inputs, tensors, strict=True))) for tensors in columns]
    ends = np.cumsum([len(tensors[0]) for tensors in columns])
    rows = int(ends[-1])
    size = next((size for size in sorted(sessions) if size >= rows), ANY_SIZE)
    joined = {name: _join([tensors[i] for tensors in columns], size) for i, name in enumerate(inputs)}
    results = sessions[size].run(list(outputs), joined)
    split = [np.split(result[:rows], ends[:-1]) for result in results]
    return [list(parts) for parts in zip(*split, strict=True)]


def _join(tensors: Sequence[Array], size: int) -> Array:
    """The rows of ``tensors`` in one array, filled up with zeros to ``size`` rows."""
    missing = size - sum(len(tensor) for tensor in tensors)
    if missing > 0:
        tensors = [*tensors, np.zeros((missing, *tensors[0].shape[1:]), tensors[0].dtype)]
    return tensors[0] if len(tensors) == 1 else np.concatenate(tensors)
