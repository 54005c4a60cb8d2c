"""A recipe and a source made into a DALI pipeline that runs on the chosen devices.

``training``, ``validation`` and ``pictures`` make one each. Take batches from it with :mod:`w251lab.dali.iterators`, or
run DALI's own pipeline (:attr:`ImagePipeline.pipeline`): its two outputs are the images and, int32 [1] each, their
indices in the source.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from w251lab.dali import checks, damage, installed, operators
from w251lab.dali.recipes import Pictures, Training, Validation
from w251lab.errors import UsageError, W251Error

if TYPE_CHECKING:
    from collections.abc import Iterator

    from w251lab.accelerator import Device
    from w251lab.dali.operators import Step
    from w251lab.dali.recipes import Recipe
    from w251lab.dali.sources import Source

# Encoded pictures that wait in memory to be drawn at random; a source of no more is shuffled completely.
_SHUFFLED: Final = 4096
_INT32: Final = 2**31 - 1


@dataclass(eq=False)
class ImagePipeline:
    """A built pipeline, and what it was built from.

    Attributes:
        pipeline: The ``nvidia.dali.Pipeline``.
        recipe: What is done to each picture.
        source: The pictures.
        batch_size: Pictures in a batch.
        device: Where the work after decoding is done, and the images lie.
        decode: Where pictures are decoded.
        shuffle: Whether each epoch has an order of its own.
        runs: Batches taken so far, by whichever iterator.
    """

    pipeline: Any = field(repr=False)
    recipe: Recipe
    source: Source
    batch_size: int
    device: Device
    decode: Device
    shuffle: bool
    runs: int = 0
    _failure: W251Error | None = field(default=None, repr=False)

    @property
    def batches(self) -> int:
        """Batches in an epoch, the last one perhaps not full."""
        return math.ceil(len(self.source) / self.batch_size)

    def run(self) -> tuple[Any, list[int]]:
        """The next batch; epoch follows epoch without end.

        The last batch of an epoch is filled up with its last picture.

        Returns:
            DALI's list of images, on :attr:`device`, and the index of each in the source.

        Raises:
            W251Error: A picture cannot be decoded (it is named), or the batch does not fit into memory. The pipeline is
                then of no more use, and says the same at every further call.
        """
        if self._failure is not None:
            raise self._failure
        try:
            images, indices = self.pipeline.run()
        # DALI says everything in this way, a full memory included.
        except (RuntimeError, MemoryError) as error:
            self._failure = damage.explain(error, self.source)
            raise self._failure from error
        self.runs += 1
        return images, np.asarray(indices.as_array()).ravel().tolist()


def training(source: Source, recipe: Training | None = None, *, batch_size: int, **how: Any) -> ImagePipeline:
    """A pipeline that shuffles, and takes a random window of each picture; see :func:`build` for the arguments.

    Of a JPEG file only the window is decoded, and what lies above it. A picture that was cut short can therefore pass
    many times before a window reaches the damage, and a GPU's decoder lets the half of a JPEG pass without a word.
    :func:`w251lab.dali.damage.find` looks at whole pictures, on the CPU.
    """
    return build(_kind(recipe, Training), source, batch_size=batch_size, **({"shuffle": True} | how))


def validation(source: Source, recipe: Validation | None = None, *, batch_size: int, **how: Any) -> ImagePipeline:
    """A pipeline that takes the centre of each picture, in the source's order; see :func:`build` for the arguments."""
    return build(_kind(recipe, Validation), source, batch_size=batch_size, **how)


def pictures(source: Source, recipe: Pictures | None = None, *, batch_size: int, **how: Any) -> ImagePipeline:
    """A pipeline of decoded pictures in their own sizes, to look at; see :func:`build` for the arguments."""
    return build(_kind(recipe, Pictures), source, batch_size=batch_size, **how)


def build(
    recipe: Recipe,
    source: Source,
    *,
    batch_size: int,
    device: str = "auto",
    decode: str | None = None,
    shuffle: bool = False,
    initial_fill: int = _SHUFFLED,
    threads: int = 4,
    seed: int = 0,
    prefetch: int = 2,
    until: Step | None = None,
) -> ImagePipeline:
    """Make a pipeline.

    The same arguments give the same batches at every run, whatever the number of threads; the other device draws the
    same order, windows and angles.

    Args:
        recipe: What is done to each picture.
        source: The pictures.
        batch_size: Pictures in a batch.
        device: Where the work after decoding is done: ``cpu``, ``gpu``, or ``auto`` for the GPU where there is one.
        decode: Where pictures are decoded: ``cpu``, or ``gpu`` for DALI's "mixed"; None for the same as ``device``.
        shuffle: Give each epoch an order of its own.
        initial_fill: Encoded pictures of files that wait in memory to be drawn at random. Fewer than the source has
            take less memory, and make the order of one epoch like that of another.
        threads: Threads of the CPU for the work.
        seed: Of the order and of everything random, from 0.
        prefetch: Batches that are prepared ahead of time; with 1, none is begun before it is asked for.
        until: Of a :class:`~w251lab.dali.recipes.Training` alone: end after the step ``read`` (the images are encoded
            bytes in the computer's memory), ``decode`` (windows of their own sizes) or ``augment`` (uint8
            [crop, crop, 3], not mirrored yet). For :meth:`ImagePipeline.run`, not for the iterators.

    Raises:
        UsageError: A count below 1, a seed below 0, another word for a device or a step; a step of a recipe that has
            none; or decoding on the GPU with the rest of the work on the CPU.
        W251Error: There is no DALI here; or ``gpu``, and there is no GPU that it can use.
    """
    batch_size = checks.whole(batch_size, "batch_size")
    threads, prefetch = checks.whole(threads, "threads"), checks.whole(prefetch, "prefetch")
    seed = checks.whole(seed, "seed", least=0, most=_INT32)
    fill = min(checks.whole(initial_fill, "initial_fill"), len(source))
    if until is not None:
        checks.one_of(until, "until", operators.STEPS)
        _kind(recipe, Training)
    chosen = installed.require(device)
    decoder = chosen if decode is None else installed.require(decode)
    if decoder == "gpu" and chosen == "cpu":
        raise UsageError(
            "pictures decoded on the GPU cannot be worked on by the CPU", "use device='gpu', or decode='cpu'"
        )
    pipeline = installed.dali().Pipeline(
        batch_size=batch_size,
        num_threads=threads,
        device_id=0 if chosen == "gpu" else None,
        seed=seed,
        prefetch_queue_depth=prefetch,
    )
    with pipeline:
        encoded, index = _input(source, batch_size, seed, fill if shuffle else 0)
        images = operators.apply(recipe, encoded, device=chosen, decode=decoder, seed=seed, until=until)
        pipeline.set_outputs(images, index)
    _start(pipeline, chosen)
    return ImagePipeline(pipeline, recipe, source, batch_size, chosen, decoder, shuffle)


def _start(pipeline: Any, device: Device) -> None:
    """Have DALI build the pipeline; nothing is read or decoded yet."""
    try:
        pipeline.build()
    except RuntimeError as error:
        words = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
        # There is a GPU with its driver and CUDA does not start: a container without that part of the driver.
        remedy = "start a container with its GPU (docker run --gpus all), or use device='cpu'"
        raise W251Error(
            f"DALI cannot start the pipeline on the {device.upper()}: {words[0]}",
            remedy if device == "gpu" else "use fewer threads, a smaller batch_size or a smaller prefetch",
        ) from error


def _kind(recipe: Any, kind: type[Any]) -> Any:
    """``recipe``, or the one of that kind with the usual values."""
    if recipe is None:
        return kind()
    if not isinstance(recipe, kind):
        raise UsageError(
            f"{recipe!r} is no recipe for this", f"give a w251lab.dali.recipes.{kind.__name__}, or use build()"
        )
    return recipe


def _input(source: Source, batch_size: int, seed: int, fill: int) -> tuple[Any, Any]:
    """Nodes of the encoded pictures and of their indices; ``fill`` is 0 for the source's order."""
    dali = installed.dali()
    if source.contents is None:
        # The label of a file is its index here: a batch can then be told by file and not only by class.
        encoded, index = dali.fn.readers.file(
            files=list(source.names),
            labels=list(range(len(source))),
            random_shuffle=fill > 0,
            initial_fill=max(fill, 1),
            pad_last_batch=True,
            seed=seed,
            name="Reader",
        )
        return encoded, index
    types = dali.types
    encoded, index = dali.fn.external_source(
        source=_from_memory(source, batch_size, seed if fill else None),
        num_outputs=2,
        dtype=[types.UINT8, types.INT32],
        ndim=[1, 1],
    )
    return encoded, index


def _from_memory(
    source: Source, batch_size: int, seed: int | None
) -> Iterator[tuple[list[np.ndarray[Any, Any]], list[np.ndarray[Any, Any]]]]:
    """Batches of encoded pictures, epoch after epoch; the last of an epoch is filled up as the reader of files does."""
    contents = source.contents or ()
    arrays = [np.frombuffer(content, dtype=np.uint8) for content in contents]
    order = np.arange(len(arrays), dtype=np.int32)
    for epoch in count():
        if seed is not None:
            order = np.random.default_rng([seed, epoch]).permutation(len(arrays)).astype(np.int32)
        for start in range(0, len(arrays), batch_size):
            chosen = order[start : start + batch_size]
            filled = np.append(chosen, np.repeat(chosen[-1], batch_size - len(chosen)))
            yield [arrays[index] for index in filled], list(filled[:, np.newaxis])
