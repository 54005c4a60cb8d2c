"""One server for the tests that only ask it something, and what a stopped server must not leave behind."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from w251lab.triton import classifiers, repository, server
from w251lab.triton.description import DynamicBatching, Ensemble, PythonModel, Step, Tensor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from w251lab.triton.client import Protocol, TritonClient
    from w251lab.triton.description import Model, OnnxModel
    from w251lab.triton.embedded import EmbeddedServer

HERE = Path(__file__).parent
PICTURES = HERE.parents[1] / "solutions" / "01_triton_quickstart" / "images"
CLASSIFIER = "efficientnet_lite0"


@pytest.fixture(scope="session")
def coffee() -> Path:
    return PICTURES / "coffee.jpg"


@pytest.fixture(scope="session")
def cat() -> Path:
    return PICTURES / "cat.jpg"


@pytest.fixture(scope="session")
def double() -> PythonModel:
    """Y = 2 X on rows of any length; cheap to load and to call."""
    return PythonModel(
        name="double",
        inputs=(Tensor("X", (-1,)),),
        outputs=(Tensor("Y", (-1,)),),
        max_batch_size=4,
        versions={1: HERE / "backends" / "double.py"},
    )


@pytest.fixture(scope="session")
def sleeper() -> Callable[[Path], PythonModel]:
    """Makes a model that sleeps when it is called, and writes into a file when it is finalized."""

    def make(diary: Path) -> PythonModel:
        return PythonModel(
            name="sleeper",
            inputs=(Tensor("SECONDS", (1,)),),
            outputs=(Tensor("SLEPT", (1,)),),
            max_batch_size=1,
            parameters={"diary": str(diary)},
            versions={1: HERE / "backends" / "lifecycle.py"},
        )

    return make


@pytest.fixture(scope="session")
def pipeline(classifier: OnnxModel) -> tuple[Model, Model]:
    """An ensemble that takes pictures of any size, and its first step; the second one is the classifier."""
    raw = Tensor("RAW", (-1, -1, 3), "UINT8", layout="NHWC")
    shrink = PythonModel(
        name="shrink",
        inputs=(raw,),
        outputs=(Tensor("SMALL", (3, 224, 224)),),
        max_batch_size=classifier.max_batch_size,
        versions={1: HERE / "backends" / "shrink.py"},
    )
    whole = Ensemble(
        name="pipeline",
        inputs=(raw,),
        outputs=(replace(classifier.outputs[0], name="CLASSES"),),
        max_batch_size=classifier.max_batch_size,
        steps=(
            Step("shrink", {"RAW": "RAW"}, {"SMALL": "prepared"}),
            Step(classifier.name, {classifier.inputs[0].name: "prepared"}, {classifier.outputs[0].name: "CLASSES"}),
        ),
    )
    return shrink, whole


@pytest.fixture(scope="session")
def classifier() -> OnnxModel:
    return classifiers.describe(CLASSIFIER, max_batch_size=8)


@pytest.fixture(scope="session")
def batching() -> OnnxModel:
    """The same classifier, joining requests that arrive within a quarter of a second."""
    return classifiers.describe(
        CLASSIFIER,
        served_as="batching",
        max_batch_size=8,
        dynamic_batching=DynamicBatching(max_queue_delay_us=250_000),
    )


@pytest.fixture(scope="session")
def shared_repository(
    tmp_path_factory: pytest.TempPathFactory,
    classifier: OnnxModel,
    batching: OnnxModel,
    double: PythonModel,
    pipeline: tuple[Model, Model],
) -> Path:
    folder = tmp_path_factory.mktemp("models of the tests ü")
    return repository.write(folder, [classifier, batching, double, *pipeline, replace(double, name="resting")])


@pytest.fixture(scope="session")
def shared_server(shared_repository: Path) -> Iterator[EmbeddedServer]:
    """A server for tests that ask it something and leave it as it was; it has not loaded the model ``resting``."""
    awake = [path.name for path in shared_repository.iterdir() if path.name != "resting"]
    with server.start(shared_repository, load=awake) as running:
        yield running


@pytest.fixture(params=["http", "grpc"])
def protocol(request: pytest.FixtureRequest) -> Protocol:
    chosen: Protocol = request.param
    return chosen


@pytest.fixture
def client(shared_server: EmbeddedServer, protocol: Protocol) -> Iterator[TritonClient]:
    """A client of the shared server, for each protocol in turn."""
    with shared_server.client(protocol) as made:
        yield made
