"""What is in a DALI pipeline, and what of it must not be in one that serves requests."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from w251lab.dali.pipelines import ImagePipeline
from w251lab.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Kind = Literal["reader", "shuffle", "padding", "sharding", "random", "label", "input", "python", "prefetch"]

_CALLS_PYTHON: Final = ("python_function", "numba_function", "jax_function")
#: Arguments of readers that belong to training: what they do, the largest value that does nothing, and why a request
#: has no use for it.
_READING: Final = (
    ("shuffle", "random_shuffle", 0, "an answer belongs to its request, so the order must stay"),
    ("shuffle", "shuffle_after_epoch", 0, "there are no epochs"),
    ("padding", "pad_last_batch", 0, "a batch has as many pictures as were asked about, and none is repeated"),
    ("sharding", "num_shards", 1, "there is no data set to be divided among processes"),
)


@dataclass(frozen=True)
class Operator:
    """One operator in a pipeline's graph.

    Attributes:
        name: Its name in the graph.
        kind: What it is in ``nvidia.dali.fn``, such as ``readers.file``, ``decoders.image`` or ``resize``.
        device: ``cpu``, ``gpu`` or ``mixed``.
        arguments: What it was given, without its inputs.
        inputs: Names of the tensors that it takes, those that take the place of an argument among them.
        outputs: Names of the tensors that it gives: its own name, or ``Reader[0]`` and so on where there are several.
        random: Whether DALI's schema of it has a seed: it draws random numbers, or may.
    """

    name: str
    kind: str
    device: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    random: bool = False

    def __str__(self) -> str:
        """As ``readers.file (cpu)``."""
        return f"{self.kind} ({self.device})"


@dataclass(frozen=True)
class Problem:
    """Something that must not be in an inference pipeline.

    Attributes:
        kind: ``reader``, ``shuffle``, ``padding``, ``sharding``, ``random``, ``label``, ``input``, ``python`` or
            ``prefetch``.
        operator: What it is in ``nvidia.dali.fn``; ``""`` for the pipeline as a whole.
        name: Its name in the graph.
        reason: Why it must go.
        remedy: What to put in its place.
    """

    kind: Kind
    operator: str
    name: str
    reason: str
    remedy: str

    def __str__(self) -> str:
        """In one line."""
        return f"{self.operator or 'the pipeline'}: {self.reason}; {self.remedy}"


def operators(pipeline: Any) -> list[Operator]:
    """The operators of a pipeline's graph, each after those that it takes its inputs from.

    Args:
        pipeline: A ``nvidia.dali.Pipeline``, built or not: neither its device nor its data set has to be there. Or one
            of :mod:`w251lab.dali.pipelines`.

    Raises:
        UsageError: It is something else.
    """
    return [_operator(one) for one in _graph(pipeline)._ops]  # noqa: SLF001 - see _graph


def outputs(pipeline: Any) -> tuple[str, ...]:
    """Names of the tensors that a pipeline gives, in their order.

    Args:
        pipeline: As in :func:`operators`.

    Raises:
        UsageError: It is no pipeline.
    """
    return tuple(node.name for node in _graph(pipeline)._graph_outputs)  # noqa: SLF001 - see _graph


def problems(pipeline: Any) -> list[Problem]:
    """What must not be in a pipeline that serves requests.

    Args:
        pipeline: As in :func:`operators`.

    Returns:
        In the order of the graph; nothing for a pipeline that can serve.

    Raises:
        UsageError: It is no pipeline.
    """
    found = operators(pipeline)
    listed = [problem for operator in found for problem in _of_operator(operator)]
    listed += _labels(found, outputs(pipeline))
    if not any(operator.kind == "external_source" or _reads(operator) for operator in found):
        listed.append(
            Problem(
                "input",
                "",
                "",
                "nothing in it takes the bytes of a request",
                "begin with fn.external_source(name='DALI_INPUT')",
            )
        )
    depth = _dali_pipeline(pipeline).prefetch_queue_depth
    deepest = max(depth.values()) if isinstance(depth, dict) else depth
    if deepest > 1:
        listed.append(
            Problem(
                "prefetch",
                "",
                "",
                f"it prepares {deepest} batches ahead (prefetch_queue_depth), and waits for requests that nobody sent",
                "use prefetch_queue_depth=1",
            )
        )
    return listed


def _of_operator(operator: Operator) -> Iterator[Problem]:
    """What is wrong with one operator."""
    if _reads(operator):
        yield _problem(
            "reader",
            operator,
            "it reads a data set from a disk, and a request brings its pictures along",
            "put fn.external_source(name='DALI_INPUT', ndim=1, dtype=types.UINT8) in its place",
        )
        for kind, name, harmless, reason in _READING:
            given = operator.arguments.get(name, 0)
            if given > harmless:
                yield _problem(kind, operator, f"{name}={given}: {reason}", "leave it out")
    elif operator.random:
        yield _problem(
            "random",
            operator,
            "it draws random numbers: the same picture would get another answer each time",
            _instead_of_random(operator),
        )
    if operator.kind == "external_source":
        yield from _of_input(operator)
    if operator.kind.endswith(_CALLS_PYTHON):
        yield _problem(
            "python",
            operator,
            "a Python function cannot be serialised, and the DALI backend runs what was serialised",
            "use DALI's own operators",
        )


def _of_input(operator: Operator) -> Iterator[Problem]:
    if operator.arguments["source"]:
        yield _problem(
            "input",
            operator,
            "it calls a Python function for its data: a request could not feed it",
            "give it a name and no source",
        )
    elif not operator.arguments["named"]:
        yield _problem(
            "input", operator, "it has no name, by which a request's input finds it", "use name='DALI_INPUT'"
        )
    missing = [name for name in ("ndim", "dtype") if operator.arguments[name] is None]
    if missing:
        yield _problem(
            "input",
            operator,
            f"it does not say {' and '.join(missing)}: Triton could not fill in the model's configuration",
            "use ndim=1, dtype=types.UINT8",
        )


def _labels(found: list[Operator], ends: tuple[str, ...]) -> Iterator[Problem]:
    """Outputs that no picture goes into."""
    pictures: set[str] = set()
    for operator in found:  # in the order of the graph: what it takes was decided on before
        decodes = "decoders." in operator.kind
        if decodes or pictures.intersection(operator.inputs):
            pictures.update(operator.outputs)
    for place, end in enumerate(ends):
        if end not in pictures:
            (operator,) = (one for one in found if end in one.outputs)
            yield _problem(
                "label",
                operator,
                f"output {place} is made of no picture: a label is what the request asks for",
                "return the images only",
            )


def _instead_of_random(operator: Operator) -> str:
    if operator.kind.endswith("image_random_crop"):
        return "use fn.decoders.image, then a resize and a crop of the centre"
    return "leave it out, and give what it went into a fixed value"


def _problem(kind: Any, operator: Operator, reason: str, remedy: str) -> Problem:
    return Problem(kind, operator.kind, operator.name, reason, remedy)


def _reads(operator: Operator) -> bool:
    return operator.kind.startswith(("readers.", "experimental.readers."))


def _dali_pipeline(pipeline: Any) -> Any:
    found = pipeline.pipeline if isinstance(pipeline, ImagePipeline) else pipeline
    if not all(hasattr(found, name) for name in ("build", "serialize", "prefetch_queue_depth")):
        raise UsageError(
            f"{type(found).__name__} is no DALI pipeline",
            "give a nvidia.dali.Pipeline: call the function that @pipeline_def makes",
        )
    return found


def _graph(pipeline: Any) -> Any:
    """The pipeline with its graph made: ``_ops``, each after those whose tensors it takes, and ``_graph_outputs``."""
    found = _dali_pipeline(pipeline)
    # DALI has no public view of a graph but its serialised form, whose description it does not ship. Its version is
    # pinned, and a test looks at what these are. The graph alone needs no device, and no data set to be there.
    if not found._py_graph_built:  # noqa: SLF001
        found._build_graph()  # noqa: SLF001
    return found


def _operator(instance: Any) -> Operator:
    made = instance._op  # noqa: SLF001 - see above
    schema = made._schema  # noqa: SLF001
    arguments = {key: value for key, value in made._init_args.items() if not key.startswith("_")}  # noqa: SLF001
    if schema.Name() == "ExternalSource":
        arguments |= {
            "named": not instance._autoname,  # noqa: SLF001
            "source": instance._callback is not None,  # noqa: SLF001
            "ndim": made._ndim,  # noqa: SLF001
            "dtype": made._dtype,  # noqa: SLF001
        }
    return Operator(
        name=instance.name,
        kind=_kind(made._init_args, schema),  # noqa: SLF001
        device=getattr(made, "device", None) or made._device,  # noqa: SLF001
        arguments=arguments,
        inputs=tuple(node.name for node in instance.inputs),
        outputs=tuple(node.name for node in instance.outputs),
        random=bool(schema.HasRandomSeedArg() or schema.HasRandomStateArg()),
    )


def _kind(arguments: Mapping[str, Any], schema: Any) -> str:
    """The operator as a function of ``nvidia.dali.fn``; of ``nvidia.dali.math`` where it was written as arithmetic."""
    module = arguments.get("_module") or ".".join(["nvidia.dali.fn", *schema.ModulePath()])
    path = re.sub(r"^nvidia\.dali\.((fn|ops)\.?)?", "", module)
    return ".".join(filter(None, [path, _snake(arguments.get("_display_name") or schema.OperatorName())]))


def _snake(name: str) -> str:
    """``CropMirrorNormalize`` as ``crop_mirror_normalize``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower().strip("_")
