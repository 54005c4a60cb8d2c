"""Which of the pictures cannot be decoded.

DALI prepares batches ahead of time and ends a whole pipeline at the first picture that it cannot decode. It names a
damaged file; of what is no picture at all it says a number only, of bytes in memory neither. So the pictures are looked
at one by one, once something has failed.
"""

from __future__ import annotations

import struct
import time
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from PIL import Image

from w251lab.dali import installed
from w251lab.errors import W251Error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from w251lab.dali.sources import Source


#: What Pillow raises on damaged data, on what is no picture, and on a decompression bomb.
UNREADABLE: Final = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    TypeError,  # of a TIFF whose tags are of other types than they should be
    struct.error,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)
_MEMORY: Final = ("memory", "alloc")


class Damaged(NamedTuple):
    """A picture that cannot be decoded.

    Attributes:
        place: Its index in the source.
        name: Its file, or the name that was given.
        reason: What is wrong with it, in a few words.
    """

    place: int
    name: str
    reason: str


def find(source: Source, *, at_most: int | None = None, seconds: float | None = None) -> list[Damaged]:
    """Decode the pictures one by one on the CPU, and give those that cannot be.

    The headers are read first, which is quick; the pixels after that.

    Args:
        source: The pictures.
        at_most: Stop when so many were found; None for all.
        seconds: Stop after so long; None to look at all.

    Returns:
        In the order in which they were found: first what has no header of a picture.

    Raises:
        W251Error: There is no DALI here.
    """
    end = None if seconds is None else time.monotonic() + seconds
    found: dict[int, Damaged] = {}
    for reason, decoder in (("it is no picture that DALI can read", _header), ("it is damaged or cut short", _pixels)):
        left = (index for index in range(len(source)) if index not in found)
        for damaged in _refused(source, left, decoder, reason):
            if damaged is not None:
                found[damaged.place] = damaged
            if (at_most is not None and len(found) >= at_most) or (end is not None and time.monotonic() > end):
                return list(found.values())
    return list(found.values())


def explain(error: Exception, source: Source, *, seconds: float = 30.0) -> W251Error:
    """What to tell a user whose pipeline ended with ``error``.

    Args:
        error: As DALI raised it.
        source: The pictures of the pipeline.
        seconds: For how long to look for the picture that was the cause.
    """
    words = [line.strip() for line in str(error).splitlines() if line.strip()]
    # DALI puts where it happened before this word, and says twice after it that the pipeline is over.
    marked = words.index("encountered:") + 1 if "encountered:" in words else 0
    said = next((line for line in words[marked:] if "no longer valid" not in line), type(error).__name__)
    # DALI's own words name a damaged file, far down in a large data set as well.
    suspects = [index for index, name in enumerate(source.names) if source.contents is None and said.endswith(name)]
    damaged = [item for item in _refused(source, suspects, _pixels, "it is damaged or cut short") if item is not None]
    # A full memory is no picture's fault, though one may be damaged as well.
    search = not damaged and not any(word in said.lower() for word in _MEMORY)
    for item in find(source, at_most=1, seconds=seconds) if search else damaged:
        return W251Error(
            f"{item.name} cannot be decoded: {item.reason}",
            "remove it or save it again, and build the pipeline again; "
            "w251lab.dali.damage.find(source) lists every such picture",
        )
    return W251Error(
        f"DALI could not make a batch: {said}",
        "build the pipeline again with a smaller batch_size or device='cpu'; "
        "w251lab.dali.damage.find(source) looks at every picture",
    )


def _refused(
    source: Source, indices: Iterable[int], decoder: Callable[[Any, Any], Any], reason: str
) -> Iterable[Damaged | None]:
    """For each picture, None or what is wrong with it."""
    pipeline = None
    for index in indices:
        try:
            content = source.read(index)
        except W251Error as error:
            yield Damaged(index, source.names[index], f"its file cannot be read any more ({_cause(error)})")
            continue
        pipeline = pipeline or _single(decoder)
        try:
            pipeline.run(encoded=[np.frombuffer(content, dtype=np.uint8)])
        except RuntimeError:
            pipeline = None  # it is of no more use
            yield Damaged(index, source.names[index], reason)
        else:
            yield None


def _cause(error: W251Error) -> str:
    """The system's words."""
    return str(getattr(error.__cause__, "strerror", None) or error.what)


def _single(decoder: Callable[[Any, Any], Any]) -> Any:
    """A pipeline for one picture at a time."""
    dali = installed.dali()
    pipeline = dali.Pipeline(batch_size=1, num_threads=1, device_id=None, prefetch_queue_depth=1)
    with pipeline:
        encoded = dali.fn.external_source(name="encoded", dtype=dali.types.UINT8, ndim=1)
        pipeline.set_outputs(decoder(dali, encoded))
    pipeline.build()
    return pipeline


def _header(dali: Any, encoded: Any) -> Any:
    return dali.fn.peek_image_shape(encoded)


def _pixels(dali: Any, encoded: Any) -> Any:
    return dali.fn.decoders.image(encoded, output_type=dali.types.RGB)
