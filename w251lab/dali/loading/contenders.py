"""The ways to load that are compared, each measured whole and stage by stage.

Pillow is Python all the way, so clocks stand inside it. A DALI pipeline is one call, in which nobody can look at a
clock: it is measured with its end after the first stage, after the second, and so on, and a stage is the difference.
For these pipelines nothing is prepared ahead, so that one stage comes after the other; the whole is measured with two
batches ahead, as one uses it, and there stages overlap. Two things blur the differences: the reader has a thread of its
own, which reads the next pictures meanwhile, and it maps the files, so that part of the reading is done by who decodes.
"""

from __future__ import annotations

import gc
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import PIL

from w251lab.dali import installed, pipelines
from w251lab.dali.loading import delivery
from w251lab.dali.loading.pillow import PillowLoader
from w251lab.dali.loading.result import Loader, Stage
from w251lab.dali.loading.stages import STAGES
from w251lab.dali.loading.workers import AHEAD, PillowWorkers
from w251lab.timing import Budget, Timing, measure
from w251lab.timing.timing import spread

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from w251lab.accelerator import Device
    from w251lab.dali.loading.result import Key
    from w251lab.dali.loading.stages import StageName
    from w251lab.dali.operators import Step
    from w251lab.dali.recipes import Training
    from w251lab.dali.sources import Source
    from w251lab.timing import Copies

_UNTIL: Final[dict[StageName, Step | None]] = {
    "read": "read",
    "decode": "decode",
    "augment": "augment",
    "normalise": None,
}
_TURNS: Final = 4
_SPREAD: Final = 0.05
_TICK: Final = 1e-9  # seconds: a stage that took less than the clock shows
_ENOUGH: Final = 3  # samples below which a spread says nothing


@dataclass(frozen=True)
class Plan:
    """What all loaders of a benchmark have in common.

    Attributes:
        source: Files; a whole number of batches of them.
        recipe: What is done to a picture.
        device: Where the batches are to lie.
        batch_size: Pictures in a batch.
        batches: Timed.
        warmup: Batches before those.
        threads: Of DALI.
        workers: Processes of Pillow.
        seed: Of everything random.
    """

    source: Source
    recipe: Training
    device: Device
    batch_size: int
    batches: int
    warmup: int
    threads: int
    workers: int
    seed: int = 0

    @property
    def copies(self) -> Copies:
        """Between the computer's memory and a GPU's."""
        return "included" if self.device == "gpu" else "none"

    def timing(
        self,
        work: Callable[..., object],
        name: str,
        device: Device,
        *,
        batches: int | None = None,
        warmup: int | None = None,
        **how: Any,
    ) -> Timing:
        """Measure what makes a batch, with the versions that matter here; None for as many batches as the plan has."""
        count = self.batches if batches is None else batches
        found = measure(
            work,
            device=device,
            name=name,
            copies=self.copies,
            warmup=self.warmup if warmup is None else warmup,
            budget=Budget(seconds=1.0, spread=_SPREAD, at_least=count, at_most=count),
            **how,
        )
        used = {"DALI": installed.dali().__version__} if name.startswith("DALI") else {"Pillow": PIL.__version__}
        kept = ("python", "numpy", "driver", "CUDA of the driver")
        return replace(found, versions={key: found.versions[key] for key in kept if key in found.versions} | used)


def measure_loader(key: Key, plan: Plan) -> Loader:
    """Measure one of the loaders.

    Raises:
        W251Error: A picture cannot be read or decoded; a worker process was killed; DALI or the GPU is missing.
    """
    try:
        if key == "pillow":
            return _pillow(plan)
        if key == "pillow-workers":
            return _workers(plan)
        device: Device = "gpu" if key == "dali-gpu" else "cpu"
        return _dali(key, plan, device, 1 if key == "dali-1" else plan.threads)
    finally:
        gc.collect()  # DALI's threads and memory go with its pipelines


def _pillow(plan: Plan) -> Loader:
    loader = PillowLoader(plan.source.names, plan.recipe, batch_size=plan.batch_size, seed=plan.seed)
    return _from_inside("pillow", "Pillow, 1 process", 1, loader, plan)


def _workers(plan: Plan) -> Loader:
    with PillowWorkers(
        plan.source.names, plan.recipe, batch_size=plan.batch_size, workers=plan.workers, seed=plan.seed
    ) as loader:
        name = f"Pillow, {_counted(plan.workers, 'worker process', 'worker processes')}"
        return _from_inside("pillow-workers", name, plan.workers, loader, plan)


def _from_inside(key: Key, name: str, parallel: int, loader: PillowLoader | PillowWorkers, plan: Plan) -> Loader:
    taken: list[dict[StageName, float]] = []

    def work() -> object:
        batch, laps = loader.run()
        if plan.device == "gpu":
            with laps.lap("copy"):
                delivery.to_gpu(batch)
        taken.append(laps.seconds)
        return batch  # the CPU's work, wherever it was copied to

    whole = plan.timing(work, name, "cpu")
    stages = tuple(Stage(stage, "inside", _lapped(whole, [laps[stage] for laps in taken], stage)) for stage in STAGES)
    return Loader(key, name, parallel, whole, stages)


def _lapped(whole: Timing, seconds: list[float], stage: StageName) -> Timing:
    """The timing of a stage, from its seconds in every call and the timing of those calls."""
    calls = whole.calls_per_sample
    timed = np.asarray(seconds[-calls * len(whole.samples) :]).reshape(-1, calls).mean(axis=1)
    samples = tuple(max(float(value), _TICK) for value in timed)
    return replace(whole, name=f"{whole.name}: {stage}", samples=samples, cold=seconds[0], settled=_settled(samples))


def _settled(samples: Sequence[float]) -> bool:
    return len(samples) >= _ENOUGH and spread(samples) <= _SPREAD


def _dali(key: Key, plan: Plan, device: Device, threads: int) -> Loader:
    name = f"DALI {device.upper()}, {_counted(threads, 'thread', 'threads')}"
    whole = _dali_whole(name, plan, device, threads)
    gc.collect()
    stages: list[Stage] = []
    for stage, timing in _dali_in_turns(name, plan, device, threads).items():
        stages.append(Stage(stage, "difference", timing, stages[-1].timing if stages else None))
    gc.collect()
    stages.append(_dali_copy(f"{name}: copy", plan, device, threads))
    return Loader(key, name, threads, whole, tuple(stages))


def _dali_whole(name: str, plan: Plan, device: Device, threads: int) -> Timing:
    """With batches ahead, and delivered."""
    pipeline = _pipeline(plan, device, threads, AHEAD)

    def work() -> object:
        images, _ = pipeline.run()
        if device == "gpu":
            return images.as_tensor()
        batch = np.asarray(images.as_tensor())
        if plan.device == "gpu":
            delivery.to_gpu(batch)
        return batch

    return plan.timing(work, name, device)


def _dali_in_turns(name: str, plan: Plan, device: Device, threads: int) -> dict[StageName, Timing]:
    """Pipelines with their end after each step, nothing ahead, and not delivered.

    They take turns, so that a machine that slows down slows all of them, and their differences stay what they are.
    """
    pipelines_until = {stage: _pipeline(plan, device, threads, 1, until) for stage, until in _UNTIL.items()}
    rounds: dict[StageName, list[Timing]] = {stage: [] for stage in _UNTIL}
    turns = min(_TURNS, plan.batches)
    for turn in range(turns):
        batches = plan.batches * (turn + 1) // turns - plan.batches * turn // turns
        for stage, pipeline in pipelines_until.items():
            here: Device = "cpu" if stage == "read" else device  # encoded pictures are in the computer's memory
            work = partial(_run, pipeline, here)
            warmup = 1 if turn else plan.warmup
            rounds[stage].append(plan.timing(work, f"{name}: {stage}", here, batches=batches, warmup=warmup))
    return {stage: _joined(timings) for stage, timings in rounds.items()}


def _run(pipeline: pipelines.ImagePipeline, device: Device) -> object:
    """A batch; one of its pictures, since those of their own sizes are no tensor."""
    first = pipeline.run()[0][0]
    return [np.asarray(first) if device == "cpu" else first]


def _joined(timings: Sequence[Timing]) -> Timing:
    """The samples of several timings of the same work."""
    samples = tuple(sample for timing in timings for sample in timing.samples)
    calls = min(timing.calls_per_sample for timing in timings)
    return replace(timings[0], samples=samples, calls_per_sample=calls, settled=_settled(samples))


def _dali_copy(name: str, plan: Plan, device: Device, threads: int) -> Stage:
    """DALI's batch is one array already; from the CPU's pipeline to a GPU it is copied."""
    if device == plan.device:
        return Stage("copy", "none")
    pipeline = _pipeline(plan, device, threads, 1)

    def prepare() -> Any:
        return np.asarray(pipeline.run()[0].as_tensor())

    def work(batch: Any) -> object:
        delivery.to_gpu(batch)
        return batch

    return Stage("copy", "inside", plan.timing(work, name, "cpu", prepare=prepare))


def _pipeline(
    plan: Plan, device: Device, threads: int, ahead: int, until: Step | None = None
) -> pipelines.ImagePipeline:
    return pipelines.training(
        plan.source,
        plan.recipe,
        batch_size=plan.batch_size,
        device=device,
        shuffle=False,  # every loader gets the same pictures in the same order
        threads=threads,
        seed=plan.seed,
        prefetch=ahead,
        until=until,
    )


def _counted(number: int, one: str, more: str) -> str:
    return f"{number} {one if number == 1 else more}"
