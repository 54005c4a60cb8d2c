from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from nvidia import dali
from nvidia.dali import fn, types

from w251lab.dali import pipelines, sources
from w251lab.dali.serving import graph, source
from w251lab.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from w251lab.dali.sources import Source


@dali.pipeline_def(batch_size=2, num_threads=1, device_id=None, prefetch_queue_depth=1)
def training(reader: dict[str, object]) -> tuple[object, ...]:
    """As in a course's notebook: its data set is on another machine."""
    encoded, label = fn.readers.file(file_root="/nowhere/at/all", name="Reader", **reader)
    images = fn.decoders.image(encoded)
    images = fn.resize(images, resize_shorter=fn.random.uniform(range=[256.0, 480.0]))
    return fn.crop_mirror_normalize(images, crop=(224, 224), mirror=fn.random.coin_flip()), label


@dali.pipeline_def(batch_size=2, num_threads=1, device_id=None, prefetch_queue_depth=1)
def fed(how: dict[str, object]) -> object:
    return fn.decoders.image(fn.external_source(**how))


GOOD = {"name": "DALI_INPUT", "ndim": 1, "dtype": types.UINT8}


def kinds(pipeline: object) -> list[str]:
    return [problem.kind for problem in graph.problems(pipeline)]


def test_the_inference_pipeline_has_no_problem() -> None:
    assert graph.problems(source.pipeline()) == []
    assert kinds(fed(GOOD)) == []


def test_what_is_in_a_training_pipeline() -> None:
    found = graph.operators(training({"random_shuffle": True, "pad_last_batch": True}))
    assert [operator.kind for operator in found] == [
        "readers.file",
        "decoders.image",
        "random.uniform",
        "resize",
        "random.coin_flip",
        "crop_mirror_normalize",
    ]
    by_kind = {operator.kind: operator for operator in found}
    assert by_kind["readers.file"].arguments["file_root"] == "/nowhere/at/all"
    assert by_kind["readers.file"].outputs == ("Reader[0]", "Reader[1]")
    assert by_kind["decoders.image"].inputs == ("Reader[0]",)
    assert by_kind["crop_mirror_normalize"].inputs[1:] == by_kind["random.coin_flip"].outputs
    assert str(by_kind["resize"]) == "resize (cpu)"
    assert [operator.kind for operator in found if operator.random] == [
        "readers.file",
        "random.uniform",
        "random.coin_flip",
    ]
    pipeline = training({})
    assert graph.outputs(pipeline) == (graph.operators(pipeline)[-1].name, "Reader[1]")
    given: set[str] = set()
    for operator in found:
        assert given.issuperset(operator.inputs)
        given.update(operator.outputs)


def test_what_must_not_be_in_an_inference_pipeline() -> None:
    found = graph.problems(training({"random_shuffle": True, "pad_last_batch": True, "num_shards": 4}))
    assert [problem.kind for problem in found] == [
        "reader",
        "shuffle",
        "padding",
        "sharding",
        "random",
        "random",
        "label",
    ]
    assert [problem.operator for problem in found] == ["readers.file"] * 4 + [
        "random.uniform",
        "random.coin_flip",
        "readers.file",
    ]
    assert "output 1" in found[-1].reason
    for problem in found:
        assert problem.reason in str(problem)
        assert problem.remedy in str(problem)
        assert problem.operator in str(problem)


def test_a_readers_harmless_arguments_are_no_problem() -> None:
    assert kinds(training({"random_shuffle": False, "pad_last_batch": False, "num_shards": 1})) == [
        "reader",
        "random",
        "random",
        "label",
    ]


@pytest.mark.parametrize(("make", "from_disk"), [(pipelines.training, True), (pipelines.validation, False)])
def test_the_librarys_own_training_pipelines_are_looked_through(
    make: Callable[..., pipelines.ImagePipeline], from_disk: bool, photographs: Source, contents: list[bytes]
) -> None:
    given = photographs if from_disk else sources.encoded(contents)
    found = kinds(make(given, batch_size=2, device="cpu"))
    assert {"label", "prefetch"} < set(found)
    assert ("reader" in found) == from_disk
    assert ("random" in found) == (make is pipelines.training)
    assert ("input" in found) != from_disk


@pytest.mark.parametrize(
    ("how", "words"),
    [
        (GOOD | {"name": None}, ["no name"]),
        ({"name": "DALI_INPUT"}, ["ndim and dtype"]),
        (GOOD | {"ndim": None}, ["does not say ndim:"]),
        (GOOD | {"source": iter([])}, ["calls a Python function"]),
        ({}, ["no name", "ndim and dtype"]),
    ],
)
def test_an_input_that_a_request_could_not_feed(how: dict[str, object], words: list[str]) -> None:
    found = graph.problems(fed(how))
    assert [problem.kind for problem in found] == ["input"] * len(words)
    assert all(word in problem.reason for word, problem in zip(words, found, strict=True))


def test_more_than_one_batch_at_a_time() -> None:
    (problem,) = graph.problems(fed(GOOD, prefetch_queue_depth=2))
    assert (problem.kind, problem.operator) == ("prefetch", "")
    assert "2 batches ahead" in problem.reason
    assert str(problem).startswith("the pipeline: ")
    assert kinds(fed(GOOD, prefetch_queue_depth={"cpu_size": 1, "gpu_size": 4}, exec_dynamic=False)) == ["prefetch"]


def test_a_pipeline_without_any_input() -> None:
    @dali.pipeline_def(batch_size=2, num_threads=1, device_id=None, prefetch_queue_depth=1)
    def constant() -> object:
        return fn.constant(fdata=1.0)

    assert kinds(constant()) == ["label", "input"]


def test_python_code_in_the_graph() -> None:
    @dali.pipeline_def(batch_size=2, num_threads=1, device_id=None, prefetch_queue_depth=1)
    def calling() -> object:
        return fn.python_function(fn.decoders.image(fn.external_source(**GOOD)), function=lambda image: image)

    assert kinds(calling()) == ["python"]


def test_random_operators_are_known_by_dalis_own_word() -> None:
    @dali.pipeline_def(batch_size=2, num_threads=1, device_id=None, prefetch_queue_depth=1)
    def noisy() -> object:
        images = fn.decoders.image_random_crop(fn.external_source(**GOOD))
        images = fn.random_resized_crop(images, size=[20, 20])
        return fn.noise.gaussian(images) * 2

    found = graph.problems(noisy())
    assert [problem.operator for problem in found] == [
        "decoders.image_random_crop",
        "random_resized_crop",
        "noise.gaussian",
    ]
    assert "fn.decoders.image" in found[0].remedy


@pytest.mark.parametrize("thing", [None, "dali.py", training, 3])
def test_what_is_no_pipeline_is_refused(thing: object) -> None:
    with pytest.raises(UsageError, match="no DALI pipeline"):
        graph.problems(thing)


def test_looking_leaves_the_pipeline_as_it_was(contents: list[bytes]) -> None:
    pipeline = fed(GOOD)
    assert kinds(pipeline) == []
    assert kinds(pipeline) == []
    pipeline.build()
    assert len(graph.operators(pipeline)) == 2


def test_a_graph_for_a_gpu_is_looked_at_without_one() -> None:
    @dali.pipeline_def(batch_size=2, num_threads=1, device_id=0, prefetch_queue_depth=1)
    def on_gpu() -> object:
        encoded = fn.external_source(**GOOD)
        images = fn.decoders.image(encoded, device="mixed")
        return fn.resize(images, size=[20, 20]), fn.rotate(fn.decoders.image(encoded).gpu(), angle=10.0)

    pipeline = on_gpu()
    assert kinds(pipeline) == []
    assert [(operator.kind, operator.device) for operator in graph.operators(pipeline)][1:3] == [
        ("decoders.image", "mixed"),
        ("resize", "gpu"),
    ]
