"""The photo card: original, vintage and restored side by side, for one person or for several, one row each.

A card for one person has the measures of the course's template: 1269 x 855 pixels, panels 390 wide whose left edges are
at 20, 440 and 860 and whose upper edge is at 170. Pictures keep their proportions. Each further person adds a row.
"""

from __future__ import annotations

import io
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import matplotlib.pyplot as plt

from w251lab.errors import UsageError
from w251lab.faces import arguments, lettering, vintage
from w251lab.faces.errors import PictureError
from w251lab.faces.files import write_whole

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Sequence

    from matplotlib.figure import Figure

    from w251lab.faces.arguments import Picture
    from w251lab.faces.vintage import Preset

WIDTH: Final = 1269  # pixels
HEIGHT: Final = 855  # of a card with one row
PANEL: Final = 390  # width
LEFT: Final = (20, 440, 860)
TOP: Final = 170
TITLES: Final = ("Original", "Vintage", "Restored")

_TALLEST: Final = 560  # pixels of a panel: a taller picture is drawn narrower
_CAPTION: Final = 21  # pixels of a line below a panel
_FOOT: Final = 45  # pixels for what was done, at the card's lower edge
_NAME: Final = 44  # pixels for a person's name above a further row
_DPI: Final = 100  # so that a point of type is 100 / 72 pixels
_INK, _PALE, _PAPER, _FRAME = "#1f2937", "#4b5563", "#fbfaf6", "#d1d5db"


@dataclass(frozen=True)
class Person:
    """One row of the card.

    Attributes:
        original: uint8 (height, width, 3) or (height, width).
        vintage: Likewise, of any size.
        restored: Likewise.
        name: In any letters; may be empty.
        captions: What to write below each of the three; a caption may have several lines.
    """

    original: Picture
    vintage: Picture
    restored: Picture
    name: str = ""
    captions: tuple[str, str, str] = ("", "", "")

    @property
    def pictures(self) -> tuple[Picture, Picture, Picture]:
        """All three, from the left."""
        return (self.original, self.vintage, self.restored)


def photo_card(
    people: Person | Sequence[Person],
    *,
    title: str = "A photograph, aged and restored",
    model: str = "",
    settings: str = "",
) -> Figure:
    """Draw the card.

    Args:
        people: One person, or several.
        title: Above all.
        model: What restored, printed small at the bottom: ``Restorer.model``.
        settings: What was done to the pictures, beside it: for instance ``str(preset)``.

    Returns:
        A figure of 1269 x 855 pixels at 100 dots per inch, higher for several people; :func:`save` writes it.

    Raises:
        UsageError: There is nobody.
        PictureError: A picture is none; it says whose, and which.
    """
    rows = [people] if isinstance(people, Person) else list(people)
    if not rows:
        raise UsageError("there is nobody to put on the card", "give at least one Person")
    for person in rows:
        for what, picture in zip(TITLES, person.pictures, strict=True):
            arguments.pixels(picture, f"{what.lower()} of {person.name or 'a person'}")
    tops, height = _tops(rows)
    figure = plt.figure(figsize=(WIDTH / _DPI, height / _DPI), dpi=_DPI, facecolor=_PAPER)
    _write(figure, 20, 46, title, size=23, weight="bold")
    for left, what in zip(LEFT, TITLES, strict=True):
        _write(figure, left, 142, what, size=15, color=_PALE)
    for person, top in zip(rows, tops, strict=True):
        named = 92 if top == TOP else top - _NAME / 2
        _write(figure, 20, named, person.name, size=16)
        _draw_row(figure, person, top)
    foot = " · ".join(words for words in (model, settings) if words)
    _write(figure, 20, height - _FOOT / 2, textwrap.shorten(foot, 175, placeholder=" ..."), size=9, color=_PALE)
    plt.close(figure)  # otherwise a notebook shows it twice
    return figure


def contact_sheet(
    picture: Picture,
    presets: Iterable[str | Preset] = tuple(vintage.PRESETS),
    *,
    seed: int = 0,
    color: bool = False,
) -> Figure:
    """Draw a picture and what each preset makes of it, in one row.

    Args:
        picture: uint8 (height, width, 3) or (height, width).
        presets: Presets or their names, in the order of the sheet.
        seed: Of the specks: the same for all.
        color: As :func:`w251lab.faces.vintage.vintage` takes it.

    Raises:
        PictureError: It is no picture.
        UsageError: There is no such preset, or none at all.
    """
    chosen = [vintage.preset(settings) for settings in presets]
    if not chosen:
        raise UsageError("there is no preset to show", f"use some of {', '.join(vintage.PRESETS)}")
    shown = [arguments.pixels(picture), *(vintage.vintage(picture, each, seed=seed, color=color) for each in chosen)]
    words = ["original", *(_settings(each) for each in chosen)]
    ratio = min(shown[0].shape[0] / shown[0].shape[1], 2.0)
    across = 10.0 / max(len(shown), 3)
    figure, axes = plt.subplots(
        1, len(shown), figsize=(across * len(shown), across * ratio + 0.75), dpi=_DPI, layout="constrained"
    )
    for axis, each, said in zip(axes, shown, words, strict=True):
        axis.imshow(each, cmap="gray", vmin=0, vmax=255, interpolation="antialiased")
        axis.set_title(said, fontsize=9, fontfamily=lettering.families(said), parse_math=False)
        axis.axis("off")
    plt.close(figure)
    return figure


def save(figure: Figure, file: str | os.PathLike[str], *, scale: float = 1.0) -> Path:
    """Write a card or a sheet as PNG or PDF, by the file's ending; a file that is there stays whole till the end.

    Args:
        figure: As :func:`photo_card` and :func:`contact_sheet` give it.
        file: Ends in ``.png`` or ``.pdf``. In a PDF the words are letters, not pixels.
        scale: Of a PNG: 2 has twice as many pixels on each side.

    Returns:
        Where it is.

    Raises:
        UsageError: The ending is another.
        PictureError: The file cannot be written.
    """
    path = Path(file).expanduser()
    kind = path.suffix.lower().removeprefix(".")
    if kind not in ("png", "pdf"):
        raise UsageError(f"{path.name} does not say what to write", "end its name in .png or .pdf")
    factor = arguments.number(scale, "scale", least=0.1, most=10)
    content = io.BytesIO()
    # Without the time of writing: the same card is the same bytes.
    metadata = {"CreationDate": None} if kind == "pdf" else {"Software": None}
    with lettering.drawing():
        figure.savefig(content, format=kind, dpi=figure.dpi * factor, metadata=metadata)
    try:
        write_whole(path, content.getvalue())
    except OSError as error:
        raise PictureError(
            f"{path} cannot be written: {error.strerror}", "give a file in a folder that you may write to"
        ) from error
    return path


def _tops(rows: Sequence[Person]) -> tuple[list[int], int]:
    """Where the panels of each row begin, and the height of the card."""
    tops, top = [], TOP
    for person in rows:
        tops.append(top)
        tallest = max(_size(picture)[1] for picture in person.pictures)
        lines = max(caption.count("\n") + 1 if caption else 0 for caption in person.captions)
        top += round(tallest) + 14 + lines * _CAPTION + _NAME
    return tops, max(HEIGHT, top - _NAME + _FOOT)


def _size(picture: Picture) -> tuple[float, float]:
    """Width and height in the card's pixels: as wide as a panel, unless that were too tall."""
    height, width = picture.shape[:2]
    factor = min(PANEL / width, _TALLEST / height)
    return max(width * factor, 1), max(height * factor, 1)


def _draw_row(figure: Figure, person: Person, top: int) -> None:
    height = figure.get_size_inches()[1] * _DPI
    sizes = [_size(picture) for picture in person.pictures]
    below = top + max(tall for _, tall in sizes) + 12
    for left, (wide, tall), picture, caption in zip(LEFT, sizes, person.pictures, person.captions, strict=True):
        place = ((left + (PANEL - wide) / 2) / WIDTH, 1 - (top + tall) / height, wide / WIDTH, tall / height)
        axis = figure.add_axes(place)
        axis.imshow(picture, cmap="gray", vmin=0, vmax=255, aspect="auto", interpolation="antialiased")
        axis.set_xticks([])
        axis.set_yticks([])
        axis.spines[:].set_color(_FRAME)
        for number, line in enumerate(caption.splitlines()):
            _write(figure, left, below + (number + 0.5) * _CAPTION, line, size=10.5, color=_INK)


def _write(
    figure: Figure, x: float, y: float, words: str, *, size: float, color: str = _INK, weight: str = "normal"
) -> None:
    """Words from x to the right, centred on y, in the card's pixels from the upper left."""
    height = figure.get_size_inches()[1] * _DPI
    figure.text(
        x / WIDTH, 1 - y / height, words, fontsize=size, color=color, weight=weight, va="center", ha="left",
        fontfamily=lettering.families(words), parse_math=False,
    )  # fmt: skip


def _settings(preset: Preset) -> str:
    return f"{preset.name}\nbrightness {preset.brightness:.3g}, noise {preset.noise:.3g},\nblur {preset.blur}"
