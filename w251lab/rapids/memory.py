"""Does it fit? Asked before the work, and answered in words when a library ran out of memory in the midst of it.

The estimates are lower bounds: what the work cannot do without. So a refusal is right, and what is let through may
still fail; :func:`guard` then says so. Sizes are in bytes.
"""

from __future__ import annotations

import contextlib
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from w251lab.errors import W251Error

if TYPE_CHECKING:
    from collections.abc import Iterator

    from w251lab.accelerator import Device

#: Asking the driver for its free memory takes longer than the smallest work takes; below this nobody asks.
NOT_ASKED_BELOW: Final = 1 << 28
#: The operating system can free and a virtual machine can grow memory, so the CPU refuses only what is far beyond.
FAR_BEYOND: Final = 2
_OUT_OF_MEMORY: Final = ("out of memory", "out_of_memory", "bad_alloc", "memoryallocation", "memory allocation")
_PLACE: Final = re.compile(r"^\[[\d:]+\] \S+:\d+: ")  # when and where in its own source XGBoost found the fault
_LESS: Final = "use fewer rows or features, float32 for float64, or delete (del) what is no longer needed"


def available(device: Device) -> int | None:
    """Bytes that work on ``device`` can still take; None where nobody can say."""
    return _on_gpu() if device == "gpu" else _on_cpu()


def require(needed: int, device: Device, what: str) -> None:
    """Refuse work that cannot fit.

    Args:
        needed: Bytes that it takes at the least, beside what is in memory already.
        device: Where it is to run.
        what: The work, as the beginning of a sentence: ``K-means of 10 rows``.

    Raises:
        W251Error: It cannot fit.
    """
    if needed < NOT_ASKED_BELOW:
        return
    free = available(device)
    if free is None or needed <= (free if device == "gpu" else FAR_BEYOND * free):
        return
    where = "the GPU" if device == "gpu" else "this machine"
    raise W251Error(f"{what} needs at least {size(needed)} of memory, and {where} has {size(free)} left", _LESS)


def size(count: int) -> str:
    """Bytes as people read them: ``1.5 GiB``."""
    amount = float(count)
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}" if unit == "bytes" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} TiB"


@contextlib.contextmanager
def guard(device: Device, doing: str) -> Iterator[None]:
    """Turn a library's failure into one that says what to do.

    Args:
        device: Where the work runs.
        doing: The work, in the form that follows "while": ``training the forest``.

    Raises:
        W251Error: Out of memory, a CUDA failure, or a value that the library refuses.
    """
    try:
        yield
    except W251Error:
        raise
    except (MemoryError, RuntimeError, ValueError) as error:
        raise _in_words(error, device, doing) from error


def _in_words(error: Exception, device: Device, doing: str) -> W251Error:
    said = str(error).strip() or type(error).__name__
    first = _PLACE.sub("", said.splitlines()[0])[:300]
    if isinstance(error, MemoryError) or any(word in said.lower() for word in _OUT_OF_MEMORY):
        where = "the GPU" if device == "gpu" else "this machine"
        return W251Error(f"{where} ran out of memory while {doing}: {first}", _LESS)
    if "cuda" in said.lower():
        return W251Error(
            f"CUDA failed while {doing}: {first}",
            "restart the kernel: after such a failure nothing more can run on the GPU in this process. "
            "If it comes again, see what `nvidia-smi` says",
        )
    library = type(error).__module__.partition(".")[0]
    by = "the library" if library == "builtins" else library
    return W251Error(f"{by} refused while {doing}: {first}", "change the argument that it names")


def _on_cpu(meminfo: Path = Path("/proc/meminfo")) -> int | None:
    try:
        lines = meminfo.read_text(encoding="ascii").splitlines()
    except OSError:  # not Linux
        return None
    kibibytes = [int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")]
    return kibibytes[0] * 1024 if kibibytes else None


def _on_gpu() -> int | None:
    """Free memory of the current device, and what CuPy's pool keeps; None where an RMM pool hides it."""
    if (rmm := sys.modules.get("rmm")) is not None:
        resource: Any = rmm.mr.get_current_device_resource()
        # A pool has taken memory that is free for us, and managed memory may be larger than the GPU's.
        if type(resource).__name__ != "CudaMemoryResource":
            return None
    cupy = sys.modules["cupy"]
    free, _total = cupy.cuda.runtime.memGetInfo()
    return int(free) + int(cupy.get_default_memory_pool().free_bytes())
