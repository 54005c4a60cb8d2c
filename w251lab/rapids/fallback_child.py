"""Run a script under an accelerator and its profiler.

The command line is ``python -P -m w251lab.rapids.fallback_child ANSWER KIND SCRIPT [ARG]...``.

The accelerators have to be switched on before pandas or scikit-learn is imported, which only a fresh process can
promise. Nothing that imports one of them may be imported here.

What was found goes into the file ANSWER as JSON, since the output belongs to the script. Exit status: the script's.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import platform
import runpy
import sys
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_LIBRARIES = {
    "numpy": "numpy",
    "pandas": "pandas",
    "sklearn": "scikit-learn",
    "cupy": "cupy",
    "cudf": "cudf",
    "cuml": "cuml",
}


class _Measured:
    """What comes out of a run.

    Attributes:
        steps: Function, calls and seconds on the GPU, calls and seconds on the CPU, reasons.
        seconds: Of the whole script.
    """

    def __init__(self) -> None:
        self.steps: list[dict[str, Any]] = []
        self.seconds = 0.0


@contextlib.contextmanager
def _cudf_pandas() -> Iterator[_Measured]:
    accelerator = importlib.import_module("cudf.pandas")
    accelerator.install()
    measured = _Measured()
    with accelerator.Profiler() as profiler:
        yield measured
    for function, calls in profiler.per_function_stats.items():
        # A defaultdict of lists: asking for the other device would enter it.
        on_gpu, on_cpu = calls.get("gpu", []), calls.get("cpu", [])
        measured.steps.append(_step(function, (len(on_gpu), sum(on_gpu)), (len(on_cpu), sum(on_cpu)), ()))


@contextlib.contextmanager
def _cuml_accel() -> Iterator[_Measured]:
    accelerator = importlib.import_module("cuml.accel")
    accelerator.install()
    measured = _Measured()
    with accelerator.profile(quiet=True) as results:
        yield measured
    for function, stats in results.method_calls.items():
        measured.steps.append(
            _step(
                function,
                (stats.gpu_calls, stats.gpu_time),
                (stats.cpu_calls, stats.cpu_time),
                stats.fallback_reasons,
            )
        )


def _step(function: str, on_gpu: tuple[int, float], on_cpu: tuple[int, float], reasons: Any) -> dict[str, Any]:
    """A step's values; calls and seconds of each device."""
    return {
        "function": function,
        "gpu_calls": on_gpu[0],
        "gpu_seconds": float(on_gpu[1]),
        "cpu_calls": on_cpu[0],
        "cpu_seconds": float(on_cpu[1]),
        "reasons": sorted(reasons),
    }


ACCELERATORS = {"cudf.pandas": _cudf_pandas, "cuml.accel": _cuml_accel}


def main(answer: str, kind: str, script: str, *arguments: str) -> None:
    """Run ``script`` as ``python script`` would, and write down what ran where."""
    with ACCELERATORS[kind]() as measured:
        sys.argv[:] = [script, *arguments]
        sys.path.insert(0, str(Path(script).parent))
        # Timed in this function, which began before the profiler: it does not trace the lines here.
        begin = time.perf_counter()
        try:
            runpy.run_path(script, run_name="__main__")
        except SystemExit as leaving:
            if leaving.code not in {None, 0}:
                raise
        except Exception as error:  # noqa: BLE001  # whatever the script raises is shown as Python shows it
            _show(error, script)
            sys.exit(1)
        measured.seconds = time.perf_counter() - begin
    Path(answer).write_text(
        json.dumps({"steps": measured.steps, "seconds": measured.seconds, "versions": _versions()}), encoding="utf-8"
    )


def _show(error: BaseException, script: str) -> None:
    """The traceback from the script's first line on, without how it was started."""
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename != script:
        frames = frames.tb_next
    traceback.print_exception(error.with_traceback(frames))


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for module, name in _LIBRARIES.items():
        version = getattr(sys.modules.get(module), "__version__", None)
        if version is not None:
            found[name] = str(version)
    return found


if __name__ == "__main__":
    main(*sys.argv[1:])
