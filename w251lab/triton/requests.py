"""Hold a request against the model's configuration before it is sent, and say what the model takes instead."""

from __future__ import annotations

import difflib
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from tritonclient.grpc.model_config_pb2 import DataType, ModelConfig, ModelInput
from tritonclient.utils import np_to_triton_dtype, triton_to_np_dtype

from w251lab.triton.errors import InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Array = npt.NDArray[Any]


def triton_dtype(array: Array) -> str:
    """Triton's name of an array's type, such as ``FP32``; text and bytes are ``BYTES``.

    Raises:
        InvalidRequestError: Triton has no such type.
    """
    name = np_to_triton_dtype(array.dtype)
    if name is None:
        raise InvalidRequestError(
            f"Triton has no type for arrays of {array.dtype}.", "Convert it, for example with .astype(np.float32)."
        )
    return str(name)


def check(
    config: ModelConfig, inputs: Mapping[str, Array], outputs: Sequence[str] = (), top_k: int = 0
) -> dict[str, Array]:
    """Make sure that the model takes ``inputs`` and can give ``outputs``.

    Args:
        config: The model's configuration.
        inputs: For each input an array (or what numpy makes one of).
        outputs: Names of outputs.
        top_k: How many classes are asked for; 0 asks for the values themselves.

    Returns:
        The inputs as contiguous arrays, in the model's order.

    Raises:
        InvalidRequestError: An unknown, missing or superfluous name; another type or shape; an empty batch or one
            that is too large; values that are not finite; more classes than there are.
    """
    expected = {tensor.name: tensor for tensor in config.input}
    _check_names(config, "input", inputs, expected)
    _check_names(config, "output", outputs, {tensor.name: tensor for tensor in config.output})
    missing = [name for name, tensor in expected.items() if name not in inputs and not tensor.optional]
    if missing:
        raise InvalidRequestError(
            f"The request to {config.name!r} lacks the input {missing[0]!r}.",
            f"The model takes: {describe_inputs(config)}.",
        )
    checked = {name: _check_tensor(config, tensor, inputs[name]) for name, tensor in expected.items() if name in inputs}
    batches = {name: len(array) for name, array in checked.items()} if config.max_batch_size else {}
    if len(set(batches.values())) > 1:
        raise InvalidRequestError(
            f"The inputs of one request differ in their batch: {batches}.", "Give each input the same first axis."
        )
    _check_classes(config, outputs, top_k)
    return checked


def describe_inputs(config: ModelConfig) -> str:
    """What a model takes, in one line: name, type, shape and the batch rule of each input."""
    return "; ".join(f"{tensor.name!r} {_dtype(tensor)} {_shape(config, tensor)}" for tensor in config.input)


def _check_names(
    config: ModelConfig, kind: str, given: Mapping[str, Array] | Sequence[str], expected: Mapping[str, Any]
) -> None:
    for name in given:
        if name not in expected:
            near = difflib.get_close_matches(name, expected, n=1)
            hint = f"Did you mean {near[0]!r}? " if near else ""
            raise InvalidRequestError(
                f"The model {config.name!r} has no {kind} {name!r}.",
                f"{hint}Its {kind}s: {', '.join(map(repr, expected))}.",
            )


def _check_tensor(config: ModelConfig, tensor: ModelInput, value: Array) -> Array:
    array = np.ascontiguousarray(value)
    if array.dtype.kind == "U":
        array = array.astype(object)  # the client library encodes each text in UTF-8
    if np.ndim(value) == 0:
        array = array.reshape(())  # ascontiguousarray makes a vector of a scalar, which would hide the wrong rank
    rule = f"The model takes {tensor.name!r} as {_dtype(tensor)} {_shape(config, tensor)}"
    what = f"Input {tensor.name!r} of {config.name!r}"
    if triton_dtype(array) != _dtype(tensor):
        wanted = triton_to_np_dtype(_dtype(tensor))
        convert = (
            f": convert it with .astype(np.{np.dtype(wanted).name})"
            if wanted is not None and _dtype(tensor) != "BYTES"
            else ""
        )
        raise InvalidRequestError(f"{what} is {triton_dtype(array)} ({array.dtype}).", f"{rule}{convert}.")
    batched = config.max_batch_size > 0
    dims = array.shape[1:] if batched else array.shape
    if array.ndim != len(tensor.dims) + batched or any(
        want not in {-1, have} for want, have in zip(tensor.dims, dims, strict=True)
    ):
        add = " Add the batch axis with array[np.newaxis]." if batched and array.shape == tuple(tensor.dims) else ""
        raise InvalidRequestError(f"{what} has the shape {list(array.shape)}.", f"{rule}.{add}")
    if batched and not 1 <= len(array) <= config.max_batch_size:
        problem = "is an empty batch" if len(array) == 0 else f"is a batch of {len(array)}"
        raise InvalidRequestError(
            f"{what} {problem}.",
            f"Send 1 to {config.max_batch_size} rows in a request, and the rest in further requests.",
        )
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise InvalidRequestError(
            f"{what} holds {'NaN' if np.isnan(array).any() else 'infinite values'}.",
            "Look at what made it: no picture or measurement has such a value.",
        )
    return array


def _check_classes(config: ModelConfig, outputs: Sequence[str], top_k: int) -> None:
    for tensor in config.output if top_k else ():
        if (outputs and tensor.name not in outputs) or tensor.data_type == DataType.TYPE_STRING:
            continue
        # With an axis of any length only the server knows how many there are.
        count = math.prod(tensor.dims) if min(tensor.dims) > 0 else None
        if top_k < 0 or (count is not None and top_k > count):
            has = f"the output {tensor.name!r} of {config.name!r} has {'any number' if count is None else count}"
            raise InvalidRequestError(
                f"{top_k} classes were asked for; {has}.",
                "Ask for 1 or more." if count is None else f"Ask for 1 to {count}.",
            )


def _dtype(tensor: ModelInput) -> str:
    name = str(DataType.Name(tensor.data_type)).removeprefix("TYPE_")
    return "BYTES" if name == "STRING" else name


def _shape(config: ModelConfig, tensor: ModelInput) -> str:
    dims = ", ".join("any" if length < 0 else str(length) for length in tensor.dims)
    if not config.max_batch_size:
        return f"[{dims}] (no batch axis)"
    return f"[batch, {dims}] with a batch of 1 to {config.max_batch_size}"
