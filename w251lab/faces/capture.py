"""A photo for the lab: from the camera or a file of the machine that the browser runs on, else the bundled portrait.

The camera belongs to the student's machine and the kernel may run elsewhere, on a JupyterHub: so the browser takes the
photo, shrinks it, and sends it to the kernel as a JPEG. Browsers give the camera only to pages from https or from
localhost. Where nothing was taken (no camera, refused, a run without a browser) the lab goes on with the portrait.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from w251lab.errors import W251Error
from w251lab.faces import arguments, pictures

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: The longer side, in pixels, that a photo is shrunk to before it is sent.
LARGEST: Final = 1024
_SCRIPT: Final = Path(__file__).with_name("booth.js")


class Photo(NamedTuple):
    """A picture, and where it is from.

    Attributes:
        picture: uint8 (height, width, 3).
        source: In words.
    """

    picture: NDArray[np.uint8]
    source: str


def booth(*, largest: int = LARGEST) -> Any:
    """A widget with a camera and a button for files; show it as the value of a cell.

    Its trait ``photo`` has the bytes of a JPEG once one was taken, ``source`` where it is from, and ``said`` the last
    thing it said to the student.

    Args:
        largest: The longer side, in pixels, that a photo is shrunk to in the browser.

    Raises:
        UsageError: ``largest`` is no whole number from 16 to 4096.
        W251Error: The package anywidget is not here.
    """
    side = arguments.whole(largest, "largest", least=16, most=4096)
    try:
        import anywidget  # noqa: PLC0415 - for the notebook only
    except ImportError as error:
        raise W251Error(
            "the photo booth needs the package anywidget, which is not installed", "set up again: make env"
        ) from error
    import traitlets  # noqa: PLC0415

    class Booth(anywidget.AnyWidget):
        """The booth; `booth.js` is its other half."""

        _esm = _SCRIPT
        largest = traitlets.Int(side).tag(sync=True)
        photo = traitlets.CBytes(b"").tag(sync=True)  # it arrives as a memoryview, which CBytes takes
        source = traitlets.Unicode("").tag(sync=True)
        said = traitlets.Unicode("").tag(sync=True)

    return Booth()


def photo(booth: Any = None, *, file: str | Path = "", largest: int = LARGEST) -> Photo:
    """The student's picture: a file that is named, else what the booth has, else the bundled portrait.

    Args:
        booth: As :func:`booth` gives it, or None.
        file: A picture file on the machine where the kernel runs; empty for none.
        largest: A file's picture is shrunk so that its longer side has no more pixels.

    Raises:
        PictureError: The file is missing or no picture; it is not silently replaced by the portrait.
    """
    if str(file):
        return Photo(pictures.read_picture(file, largest=largest), f"the file {Path(file).name}")
    taken = b"" if booth is None else bytes(booth.photo)
    if taken:
        return Photo(pictures.read_picture(taken, largest=largest), f"your photo, {booth.source}")
    refused = f" ({booth.said.partition(': ')[0].rstrip('.')})" if booth is not None and booth.said else ""
    return Photo(pictures.portrait(), f"the bundled portrait: no photo was taken{refused}")
