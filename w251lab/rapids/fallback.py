"""Where did each step of a zero-code-change run really run?

``cudf.pandas`` and ``cuml.accel`` promise that unchanged pandas and scikit-learn code runs on the GPU, and fall back to
the CPU without a word where they cannot. Both bring a profiler; :func:`profile` runs a script under it and keeps what
it found.

Neither profiler sees everything. What the accelerator does not know at all (of scikit-learn: ``MiniBatchKMeans``) is
not in its table, and runs on the CPU, as does the script's own Python. So a profile also holds the time of the whole
script, and says how much of it is unaccounted for.
"""

from __future__ import annotations

import datetime as dt
import difflib
import json
import math
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, Self, get_args

from w251lab import accelerator
from w251lab.errors import UsageError, W251Error
from w251lab.rapids import fallback_run

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from matplotlib.figure import Figure

#: The accelerator that a script ran under: of pandas, or of scikit-learn.
Kind = Literal["cudf.pandas", "cuml.accel"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

_FORMAT: Final = "w251lab fallback profile"
_VERSION: Final = 1
_REMEDY: Final = "read a file that Profile.save wrote, with this version of w251lab or a later one"


@dataclass(frozen=True)
class Step:
    """One function that the accelerator knows, over the whole script.

    Attributes:
        function: Its name, as the profiler gives it: ``GroupBy.mean``, ``KMeans.fit``.
        gpu_calls: Calls that ran on the GPU.
        gpu_seconds: In these.
        cpu_calls: Calls that ran on the CPU.
        cpu_seconds: In these.
        reasons: Why they did, where the profiler says so (that of ``cuml.accel`` does).
    """

    function: str
    gpu_calls: int
    gpu_seconds: float
    cpu_calls: int
    cpu_seconds: float
    reasons: tuple[str, ...] = ()

    @property
    def seconds(self) -> float:
        """On both devices."""
        return self.gpu_seconds + self.cpu_seconds


@dataclass(frozen=True)
class Profile:
    """What ran where while a script ran.

    Attributes:
        kind: The accelerator.
        script: The script's name, without its folder.
        steps: In the order in which they were first called.
        seconds: Of the whole script, from its first line to its last; the start of the accelerator is not in it.
        unaccounted: Seconds of it that are in no step: functions that the accelerator does not know, the script's own
            Python, input and output. They did not run on the GPU, unless the script itself called a GPU library.
        hardware: The GPU's name.
        processor: The CPU's name, with the cores that the script could use.
        versions: Of Python, the libraries and the driver.
        made: The day of the run, as YYYY-MM-DD.
        output: What the script printed.
        recorded: Whether this was read from a file, and not measured just now.
    """

    kind: Kind
    script: str
    steps: tuple[Step, ...]
    seconds: float
    unaccounted: float
    hardware: str
    processor: str
    versions: dict[str, str]
    made: str
    output: str = ""
    recorded: bool = field(default=False, compare=False)

    @property
    def gpu_seconds(self) -> float:
        """In steps that ran on the GPU."""
        return sum(step.gpu_seconds for step in self.steps)

    @property
    def cpu_seconds(self) -> float:
        """In steps that the accelerator knows and ran on the CPU."""
        return sum(step.cpu_seconds for step in self.steps)

    @property
    def cpu_share(self) -> float:
        """Of the time in steps, the share on the CPU, from 0 to 1; NaN where there was no step."""
        both = self.gpu_seconds + self.cpu_seconds
        return self.cpu_seconds / both if both else math.nan

    @property
    def gpu_share(self) -> float:
        """Of the whole script's time, the share in steps that ran on the GPU; NaN for a script that took no time."""
        return min(self.gpu_seconds / self.seconds, 1.0) if self.seconds else math.nan

    @property
    def fell_back(self) -> tuple[str, ...]:
        """The functions of which at least one call ran on the CPU, the one that cost most first."""
        on_cpu = [step for step in self.steps if step.cpu_calls]
        return tuple(step.function for step in sorted(on_cpu, key=lambda step: -step.cpu_seconds))

    def frame(self) -> pd.DataFrame:
        """One row for each step, the longest first; ``ran_on`` is ``gpu``, ``cpu`` or ``both``."""
        import pandas as pd  # not in the child, and not for those who only save  # noqa: PLC0415

        columns = ["function", "ran_on", "gpu_calls", "gpu_seconds", "cpu_calls", "cpu_seconds", "reasons"]
        rows = [
            asdict(step) | {"ran_on": _ran_on(step), "reasons": "; ".join(step.reasons)}
            for step in sorted(self.steps, key=lambda step: -step.seconds)
        ]
        return pd.DataFrame(rows, columns=pd.Index(columns))

    def __str__(self) -> str:
        """Two lines: where the time went, and what fell back."""
        recorded = f", recorded on {self.made}" if self.recorded else ""
        unaccounted = f"{self.unaccounted:.2f} s in no step that {self.kind} knows"
        return (
            f"{self.script} under {self.kind} on {self.hardware}{recorded}: {self.seconds:.2f} s, of which "
            f"{self.gpu_seconds:.2f} s on the GPU, {self.cpu_seconds:.2f} s on the CPU, {unaccounted}\n"
            f"fell back to the CPU: {', '.join(self.fell_back) or 'nothing that it knows'}"
        )

    def plot(self, most: int = 10) -> Figure:
        """Bars of the steps, the longest above; see :func:`w251lab.rapids.fallback_plot.plot`."""
        from w251lab.rapids.fallback_plot import plot  # matplotlib takes a second to import  # noqa: PLC0415

        return plot(self, most)

    def save(self, path: str | Path) -> Path:
        """Write it as JSON; :meth:`load` reads it.

        Raises:
            W251Error: It cannot be written there.
        """
        values = asdict(self)
        del values["recorded"]
        target = Path(path)
        try:
            target.write_text(
                json.dumps({"format": _FORMAT, "version": _VERSION} | values, indent=1) + "\n", encoding="utf-8"
            )
        except OSError as error:
            raise W251Error(
                f"the profile cannot be written to {target}: {error.strerror}", "name a file in a folder that is there"
            ) from error
        return target

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read what :meth:`save` wrote; it says of itself that it is recorded.

        Raises:
            W251Error: It is not there, or is no such file.
        """
        source = Path(path)
        try:
            values = json.loads(source.read_text(encoding="utf-8"))
        except OSError as error:
            raise W251Error(f"{source} cannot be read: {error.strerror}", _REMEDY) from error
        except ValueError as error:
            raise W251Error(f"{source} is not JSON: {error}", _REMEDY) from error
        return cls.from_dict(values, str(source))

    @classmethod
    def from_dict(cls, values: Any, name: str = "this") -> Self:
        """Read the values of a file; ``name`` is what to call it in messages.

        Raises:
            W251Error: They are no profile.
        """
        if not isinstance(values, dict) or values.get("format") != _FORMAT:
            raise W251Error(f"{name} is no profile of a zero-code-change run", _REMEDY)
        if values.get("version") != _VERSION:
            raise W251Error(f"{name} is a profile of version {values.get('version')!r}; this reads {_VERSION}", _REMEDY)
        own = {each.name for each in fields(cls)} - {"recorded"}
        try:
            steps = _steps(values["steps"])
            made = cls(**({each: values[each] for each in own} | {"steps": steps}), recorded=True)
        except (KeyError, TypeError) as error:
            raise W251Error(f"{name} is damaged: {error!r}", _REMEDY) from error
        if not _can_be(values):
            raise W251Error(f"{name} is damaged: a value in it cannot be", _REMEDY)
        return made


def profile(script: str | Path, kind: str, args: Sequence[str] = (), *, timeout: float = 300.0) -> Profile:
    """Run a script under an accelerator, in a process of its own, and say where each step ran.

    The working directory is this process's; the script's folder is searched for modules, as when Python runs it. What
    it prints is kept in :attr:`Profile.output`; what it writes on its error stream (warnings) is passed on.

    The profiler of ``cudf.pandas`` traces every Python call, so the script's own Python, and a function of it that
    ``apply`` calls for each row, take several times as long as without.

    Args:
        script: A Python file.
        kind: ``cudf.pandas`` or ``cuml.accel``.
        args: What the script finds in ``sys.argv[1:]``.
        timeout: Seconds after which it is ended, with all that it started.

    Raises:
        UsageError: Another kind, no such script, or a time that cannot be meant.
        W251Error: There is no GPU, or what it needs is missing (see :func:`w251lab.accelerator.require`); or the script
            failed (with the end of its traceback) or did not end in time.
    """
    if kind not in KINDS:
        nearest = difflib.get_close_matches(str(kind), KINDS, n=1, cutoff=0.2)
        raise UsageError(
            f"unknown accelerator {kind!r}", f"did you mean {(nearest or KINDS)[0]!r}? use one of {', '.join(KINDS)}"
        )
    file = Path(script)
    if not file.is_file():
        raise UsageError(f"{file} is not a file", "name a Python script")
    if not 0 < timeout < math.inf:
        raise UsageError(f"timeout={timeout!r} is no length of time", "give seconds above 0")
    known: Kind = "cudf.pandas" if kind == "cudf.pandas" else "cuml.accel"
    accelerator.require("gpu", known.partition(".")[0])
    ran = fallback_run.run(file.resolve(), known, [str(each) for each in args], timeout)
    steps = _steps(ran.answer["steps"])
    seconds = float(ran.answer["seconds"])
    return Profile(
        kind=known,
        script=file.name,
        steps=steps,
        seconds=seconds,
        unaccounted=max(0.0, seconds - sum(step.seconds for step in steps)),
        hardware=accelerator.label("gpu"),
        processor=accelerator.label("cpu"),
        versions=ran.answer["versions"] | _driver(),
        made=dt.datetime.now(dt.UTC).date().isoformat(),
        output=ran.output,
    )


def _steps(values: Any) -> tuple[Step, ...]:
    return tuple(Step(**(step | {"reasons": tuple(step["reasons"])})) for step in values)


def _can_be(values: dict[str, Any]) -> bool:
    """Whether the values of a file are of the right types and in their ranges."""
    lengths = [values["seconds"], values["unaccounted"]]
    lengths += [step[name] for step in values["steps"] for name in ("gpu_seconds", "cpu_seconds")]
    counts = [step[name] for step in values["steps"] for name in ("gpu_calls", "cpu_calls")]
    texts = [values[name] for name in ("script", "hardware", "processor", "made", "output")]
    texts += [step["function"] for step in values["steps"]]
    return (
        values["kind"] in KINDS
        and isinstance(values["versions"], dict)
        and all(isinstance(each, int | float) and math.isfinite(each) and each >= 0 for each in lengths)
        and all(isinstance(each, int) and each >= 0 for each in counts)
        and all(isinstance(each, str) for each in texts)
    )


def _ran_on(step: Step) -> str:
    if step.gpu_calls and step.cpu_calls:
        return "both"
    return "gpu" if step.gpu_calls else "cpu"


def _driver() -> dict[str, str]:
    gpus = accelerator.devices()
    return {"driver": gpus[0].driver} if gpus else {}
