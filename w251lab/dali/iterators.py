"""Epochs of batches from a pipeline, as NumPy arrays or as PyTorch tensors.

batches = NumpyBatches(pipelines.validation(source, batch_size=64))
for images, labels, indices in batches:  # one epoch; a second loop is the next one
    ...
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, get_args

import numpy as np

from w251lab.dali import checks, installed
from w251lab.dali.recipes import Pictures
from w251lab.errors import UsageError, W251Error

if TYPE_CHECKING:
    from collections.abc import Iterator

    from w251lab.dali.pipelines import ImagePipeline

LastBatch = Literal["partial", "drop", "fill"]
LAST_BATCH: Final = get_args(LastBatch)


class Batch(NamedTuple):
    """Some pictures, their classes, and which ones they are.

    Attributes:
        images: float32 [n, 3, height, width]; of a pipeline of pictures in their own sizes, a list of
            uint8 [height, width, 3].
        labels: int64 [n].
        indices: int64 [n], the place of each in the source: ``source.names[index]`` is its file.
    """

    images: Any
    labels: Any
    indices: Any


class Batches(ABC):
    """An iterable over a pipeline; each loop over it is one epoch.

    A loop that was left early is run to the end of its epoch before the next one starts, so that an epoch is always the
    whole source. Only one loop at a time goes over a pipeline.

    Args:
        pipeline: Of :mod:`w251lab.dali.pipelines`.
        last: What becomes of the pictures that do not fill the last batch: ``partial`` gives a smaller batch, ``drop``
            leaves them out, ``fill`` repeats the last one.

    Raises:
        UsageError: Another word; or ``drop`` with a batch size that leaves no batch at all.
    """

    def __init__(self, pipeline: ImagePipeline, *, last: LastBatch = "partial") -> None:
        checks.one_of(last, "last", LAST_BATCH)
        if last == "drop" and pipeline.batch_size > len(pipeline.source):
            raise UsageError(
                f"a batch_size of {pipeline.batch_size:,} leaves no full batch of {len(pipeline.source):,} pictures",
                "use a smaller batch_size, or last='partial'",
            )
        self.pipeline = pipeline
        self.last = last
        self._labels = np.asarray(pipeline.source.labels, dtype=np.int64)

    def __len__(self) -> int:
        """Batches in an epoch."""
        whole, rest = divmod(len(self.pipeline.source), self.pipeline.batch_size)
        return whole + (rest > 0 and self.last != "drop")

    def __iter__(self) -> Iterator[Batch]:
        """One epoch.

        Raises:
            W251Error: A picture cannot be decoded (it is named), or another loop over the pipeline has begun.
        """
        pipeline = self.pipeline
        while pipeline.runs % pipeline.batches:
            pipeline.run()
        expected = pipeline.runs
        rest = len(pipeline.source) % pipeline.batch_size
        for number in range(pipeline.batches):
            if pipeline.runs != expected:
                raise W251Error(
                    "another loop over the same pipeline has begun", "build a pipeline for each loop of its own"
                )
            images, indices = pipeline.run()
            expected += 1
            partial = rest > 0 and number == pipeline.batches - 1
            if partial and self.last == "drop":
                return
            kept = rest if partial and self.last == "partial" else len(indices)
            which = np.asarray(indices[:kept], dtype=np.int64)
            yield self._batch(images, self._labels[which], which)

    @property
    def _own_sizes(self) -> bool:
        return isinstance(self.pipeline.recipe, Pictures)

    @abstractmethod
    def _batch(self, images: Any, labels: np.ndarray[Any, Any], indices: np.ndarray[Any, Any]) -> Batch:
        """The first ``len(indices)`` of DALI's images, not copied: DALI leaves memory alone that is referred to."""


class NumpyBatches(Batches):
    """Epochs of NumPy arrays; what was made on the GPU is copied to the computer's memory. See :class:`Batches`."""

    def _batch(self, images: Any, labels: np.ndarray[Any, Any], indices: np.ndarray[Any, Any]) -> Batch:
        here = images.as_cpu()
        if self._own_sizes:
            return Batch([np.asarray(here[place]) for place in range(len(indices))], labels, indices)
        return Batch(np.asarray(here.as_tensor())[: len(indices)], labels, indices)


class TorchBatches(Batches):
    """Epochs of PyTorch tensors on the pipeline's device. See :class:`Batches`.

    Raises:
        W251Error: PyTorch is not installed; or the pipeline runs on the GPU, and this PyTorch has no CUDA.
    """

    def __init__(self, pipeline: ImagePipeline, *, last: LastBatch = "partial") -> None:
        super().__init__(pipeline, last=last)
        self._torch: Any = installed.torch()
        if pipeline.device == "gpu" and not self._torch.cuda.is_available():
            raise W251Error(
                f"the pipeline's images are on the GPU, and PyTorch {self._torch.__version__} cannot use it",
                "install a PyTorch with CUDA, use NumpyBatches, or build the pipeline with device='cpu'",
            )

    def _batch(self, images: Any, labels: np.ndarray[Any, Any], indices: np.ndarray[Any, Any]) -> Batch:
        torch = self._torch
        tensors = (
            [torch.from_dlpack(images[place]) for place in range(len(indices))]
            if self._own_sizes
            else torch.from_dlpack(images.as_tensor())[: len(indices)]
        )
        device = "cuda:0" if self.pipeline.device == "gpu" else "cpu"
        return Batch(tensors, torch.from_numpy(labels).to(device), torch.from_numpy(indices).to(device))
