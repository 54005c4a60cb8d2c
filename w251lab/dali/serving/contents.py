"""Pictures as they travel: the bytes of their files, and several of them as one array."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from w251lab.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    Content = bytes | bytearray | memoryview | npt.NDArray[np.uint8]


def padded(contents: Sequence[Content]) -> npt.NDArray[np.uint8]:
    """Pictures of different lengths as one batch: zeros follow each file up to the length of the longest one.

    Triton takes arrays, whose rows have one length. Decoders stop at the end of the picture and never see the zeros.

    Args:
        contents: For each picture the bytes of its file; an empty one is a row of zeros.

    Returns:
        uint8 [pictures, longest].

    Raises:
        UsageError: There are no pictures, or something else than bytes.
    """
    rows = [as_array(content) for content in several(contents)]
    batch = np.zeros((len(rows), max(1, *map(len, rows))), np.uint8)
    for target, row in zip(batch, rows, strict=True):
        target[: len(row)] = row
    return batch


def as_array(content: Content) -> npt.NDArray[np.uint8]:
    """The bytes of a file as uint8 [bytes].

    Raises:
        UsageError: It is neither bytes nor such an array.
    """
    given: object = content
    if isinstance(given, (bytes, bytearray, memoryview)):
        return np.frombuffer(given, np.uint8)
    if isinstance(given, np.ndarray) and given.dtype == np.uint8 and given.ndim == 1:
        return given
    what = f"{given.dtype} {list(given.shape)}" if isinstance(given, np.ndarray) else type(given).__name__
    raise UsageError(
        f"a picture is given as {what}", "give the bytes of its file: np.fromfile(path, np.uint8), or path.read_bytes()"
    )


def several(contents: Sequence[Content]) -> Sequence[Content]:
    """The same, if it is a list of pictures.

    Raises:
        UsageError: It is one picture, or empty.
    """
    one: object = contents
    if isinstance(one, (bytes, bytearray, memoryview, str)):
        raise UsageError("one picture was given", "give a list of pictures: [content]")
    if not len(contents):
        raise UsageError("there are no pictures", "give the bytes of at least one")
    return contents
