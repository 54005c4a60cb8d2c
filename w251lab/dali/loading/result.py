"""What a benchmark of loading found: each loader measured whole, and stage by stage."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, Self, get_args

from w251lab.dali.loading.stages import STAGES, StageName
from w251lab.errors import UsageError, W251Error
from w251lab.timing import ratios

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd
    from matplotlib.figure import Figure
    from rich.table import Table

    from w251lab.accelerator import Device
    from w251lab.timing import Timing

Key = Literal["pillow", "pillow-workers", "dali-1", "dali", "dali-gpu"]
#: The loaders, in the order of tables and figures.
KEYS: Final[tuple[Key, ...]] = get_args(Key)
#: How a stage's time was found: a clock inside the loader; the difference of two pipelines; there is nothing to do.
How = Literal["inside", "difference", "none"]
HOW: Final[tuple[How, ...]] = get_args(How)


@dataclass(frozen=True)
class Stage:
    """One stage of one loader.

    Attributes:
        name: One of :data:`w251lab.dali.loading.stages.STAGES`.
        how: ``inside``: a clock inside the loader. ``difference``: a pipeline that ends after this stage, less one that
            ends before it. ``none``: the loader has nothing to do here.
        timing: Of a batch: of the stage, or of the pipeline up to its end; None for ``none``.
        before: Of the pipeline up to its beginning; None where there is nothing before it, and for the others.

    Raises:
        W251Error: The parts do not fit together.
    """

    name: StageName
    how: How
    timing: Timing | None = None
    before: Timing | None = None

    def __post_init__(self) -> None:
        """Refuse what does not fit together."""
        if self.name not in STAGES or self.how not in HOW:
            raise W251Error(f"there is no stage {self.name!r} measured by {self.how!r}", _REMEDY)
        if (self.timing is None) != (self.how == "none") or (self.before is not None and self.how != "difference"):
            raise W251Error(f"the stage {self.name} does not have the timings of {self.how!r}", _REMEDY)

    @property
    def seconds(self) -> float:
        """For a batch, by the medians; a difference may come out below 0 where it is smaller than the noise."""
        if self.timing is None:
            return 0.0
        return self.timing.median - (self.before.median if self.before is not None else 0.0)

    @property
    def low(self) -> float:
        """Seconds for a batch: the lower end of the middle half.

        Of a difference: as far below it as the middle halves of the two reach together (their halves, added as
        independent errors are).
        """
        return self._range()[0]

    @property
    def high(self) -> float:
        """Seconds for a batch: the upper end; see :attr:`low`."""
        return self._range()[1]

    @property
    def is_noise(self) -> bool:
        """Whether it is a difference that cannot be told from 0."""
        return self.how == "difference" and self.low <= 0 <= self.high

    def _range(self) -> tuple[float, float]:
        if self.timing is None:
            return 0.0, 0.0
        if self.before is None:
            return self.timing.quartiles
        half = math.hypot(self.timing.iqr, self.before.iqr) / 2
        return self.seconds - half, self.seconds + half


@dataclass(frozen=True)
class Loader:
    """One way to load, measured.

    Attributes:
        key: One of :data:`KEYS`.
        name: As tables and figures show it.
        parallel: Its threads, or its processes.
        whole: Seconds for a batch of the loader as one uses it: what can be prepared ahead is.
        stages: All five, in their order.

    Raises:
        W251Error: A stage is missing; or a time of the CPU stands where one of the GPU should, or the other way round.
    """

    key: Key
    name: str
    parallel: int
    whole: Timing
    stages: tuple[Stage, ...]

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        if self.key not in KEYS:
            raise W251Error(f"there is no loader {self.key!r}", _REMEDY)
        if tuple(stage.name for stage in self.stages) != STAGES:
            raise W251Error(f"the stages of {self.name} are not {', '.join(STAGES)}", _REMEDY)
        device: Device = "gpu" if self.key == "dali-gpu" else "cpu"
        if self.whole.device != device:
            raise W251Error(
                f"{self.name} computes on the {device}, and its time is of the {self.whole.device}", _REMEDY
            )
        if device == "cpu" and any(
            timing.device == "gpu" for stage in self.stages for timing in (stage.timing, stage.before) if timing
        ):
            raise W251Error(f"{self.name} computes on the cpu, and a stage's time is of the gpu", _REMEDY)

    @property
    def sum(self) -> float:
        """Seconds for a batch, the stages one after the other."""
        return sum(stage.seconds for stage in self.stages)

    @property
    def settled(self) -> bool:
        """Whether every timing of it settled."""
        timings = [timing for stage in self.stages for timing in (stage.timing, stage.before) if timing]
        return all(timing.settled for timing in (self.whole, *timings))


@dataclass(frozen=True)
class Loading:
    """Loaders measured on the same pictures, on one machine.

    Attributes:
        loaders: In the order of :data:`KEYS`.
        batch_size: Pictures in a batch.
        pictures: How many different files.
        bytes_per_picture: Mean size of a file.
        pixels_per_picture: Mean of height times width.
        crop: Height and width of what comes out, in pixels.
        device: Where the batches lay in the end.
        made: The day, as ``YYYY-MM-DD``.
        others: Cores that other processes of the machine kept busy meanwhile; None where that is not known.
        recorded: Whether it was read from a file, and so may be of another machine.

    Raises:
        W251Error: There is no loader, or one twice.
    """

    loaders: tuple[Loader, ...]
    batch_size: int
    pictures: int
    bytes_per_picture: float
    pixels_per_picture: float
    crop: int
    device: Device
    made: str
    others: float | None = None
    recorded: bool = field(default=False, compare=False)

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        if not self.loaders or len(set(self.keys)) != len(self.loaders):
            raise W251Error("it needs loaders, each once", _REMEDY)
        if self.device == "cpu" and "dali-gpu" in self.keys:
            raise W251Error("a loader on the gpu cannot have left its batches with the cpu", _REMEDY)

    @property
    def keys(self) -> tuple[Key, ...]:
        """Of the loaders, in order."""
        return tuple(loader.key for loader in self.loaders)

    @property
    def hardware(self) -> str:
        """The devices that took part, the GPU first."""
        names = dict.fromkeys(loader.whole.hardware for loader in reversed(self.loaders))
        return "; ".join(names)

    def of(self, key: str) -> Loader:
        """The loader of a key.

        Raises:
            UsageError: It was not measured.
        """
        for loader in self.loaders:
            if loader.key == key:
                return loader
        raise UsageError(f"there is no loader {key!r} here", f"use one of {', '.join(self.keys)}")

    def images_per_second(self, key: str) -> float:
        """Of a loader as one uses it.

        Raises:
            UsageError: It was not measured.
        """
        return self.batch_size / self.of(key).whole.median

    def whole_milliseconds(self, key: str) -> float:
        """For a picture, of a loader as one uses it: 1000 divided by images per second.

        Raises:
            UsageError: It was not measured.
        """
        return self.per_picture(self.of(key).whole.median)

    def milliseconds(self, key: str) -> dict[StageName, float]:
        """For a picture, by stage, one after the other. A difference within the noise may be below 0.

        Raises:
            UsageError: It was not measured.
        """
        return {stage.name: self.per_picture(stage.seconds) for stage in self.of(key).stages}

    def slowest_stage(self, key: str) -> StageName:
        """The stage that takes the most time.

        Raises:
            UsageError: The loader was not measured.
        """
        return max(self.of(key).stages, key=lambda stage: stage.seconds).name

    def speedup(self, slow: str, fast: str) -> float:
        """How many times as many images per second ``fast`` gives as ``slow``.

        Raises:
            UsageError: One of them was not measured.
        """
        return ratios.speedup(self.of(slow).whole.median, self.of(fast).whole.median)

    def per_picture(self, seconds: float) -> float:
        """Milliseconds for a picture, from seconds for a batch."""
        return 1000 * seconds / self.batch_size

    def frame(self) -> pd.DataFrame:
        """A row for each loader's whole and each of its stages; ``low`` and ``high`` bound the middle half, in ms."""
        from w251lab.dali.loading import report  # noqa: PLC0415  # it builds on this class

        return report.frame(self)

    def table(self) -> Table:
        """A row for each loader, for a terminal or a notebook."""
        from w251lab.dali.loading import report  # noqa: PLC0415

        return report.table(self)

    def remarks(self) -> list[str]:
        """What belongs under the table: how it was measured, on what, and what cannot be told from 0."""
        from w251lab.dali.loading import report  # noqa: PLC0415

        return report.remarks(self)

    def plot(self, recorded: Loading | None = None) -> Figure:
        """Stacked bars; see :func:`w251lab.dali.loading.plots.plot`."""
        from w251lab.dali.loading import plots  # noqa: PLC0415

        return plots.plot(self, recorded)

    def save(self, path: str | Path) -> Path:
        """Write it as JSON, in one piece: a file that is there before is replaced or stays whole.

        Raises:
            W251Error: The file cannot be written.
        """
        from w251lab.dali.loading import storage  # noqa: PLC0415

        return storage.save(self, path)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read what :meth:`save` wrote. It is ``recorded``: of this machine or another, at the time that it says.

        Raises:
            W251Error: The file cannot be read, is no benchmark of loading, or a later version wrote it.
        """
        from w251lab.dali.loading import storage  # noqa: PLC0415

        return cls(**storage.load(path), recorded=True)


_REMEDY: Final = "give a file that Loading.save wrote, or measure again"
