"""The photo card: its measures in pixels, whose pictures are where, letters of all kinds, files as they should be."""

from __future__ import annotations

import io
import re
import zlib
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from w251lab.errors import UsageError
from w251lab.faces import card, lettering
from w251lab.faces.card import Person
from w251lab.faces.errors import PictureError

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.figure import Figure

    from w251lab.faces.arguments import Picture

RED, GREEN, BLUE = (200, 0, 0), (0, 160, 0), (0, 0, 220)


def even(colour: tuple[int, int, int], height: int = 60, width: int = 60) -> Picture:
    return np.full((height, width, 3), colour, np.uint8)


def person(height: int = 60, width: int = 60, name: str = "") -> Person:
    return Person(*(even(colour, height, width) for colour in (RED, GREEN, BLUE)), name=name)


def pixels(figure: Figure) -> Picture:
    """The figure as it is saved."""
    assert not plt.get_fignums(), "a figure is left open"
    file = io.BytesIO()
    with lettering.drawing():
        figure.savefig(file)
    return np.asarray(Image.open(file).convert("RGB"))


def place(drawn: Picture, colour: tuple[int, int, int]) -> tuple[int, int, int, int]:
    """Left, top, width and height of what is drawn in a colour."""
    rows, columns = np.nonzero((np.abs(drawn.astype(int) - colour) < 8).all(axis=2))
    return columns.min(), rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1


def test_the_measures_of_the_template() -> None:
    drawn = pixels(card.photo_card(person(name="Ada")))
    assert drawn.shape == (855, 1269, 3)
    for colour, left in ((RED, 20), (GREEN, 440), (BLUE, 860)):
        # A thin frame lies over the outermost pixels.
        assert np.abs(np.subtract(place(drawn, colour), (left, 170, 390, 390))).max() <= 3


@pytest.mark.parametrize("shape", [(10, 40), (40, 30), (90, 20), (1, 1), (500, 800)])
def test_pictures_keep_their_proportions_within_the_panel(shape: tuple[int, int]) -> None:
    drawn = pixels(card.photo_card(person(*shape)))
    left, top, width, height = place(drawn, GREEN)
    assert left >= 438
    assert left + width <= 440 + 390 + 2
    assert abs(top - 170) <= 2
    assert height <= 562
    assert width / height == pytest.approx(shape[1] / shape[0], rel=0.03)
    assert drawn.shape == (855, 1269, 3)


def test_a_row_for_each_person() -> None:
    second = Person(*[even((120, 120, 0))] * 3, name="Second", captions=("one", "two\nlines", ""))
    drawn = pixels(card.photo_card([person(), second]))
    assert drawn.shape[1] == 1269
    assert drawn.shape[0] > 855
    assert np.abs(np.subtract(place(drawn, RED), (20, 170, 390, 390))).max() <= 3
    _, top, _, height = place(drawn, (120, 120, 0))
    assert top > 170 + 390
    assert top + height < drawn.shape[0] - 45


def test_a_gray_picture_is_gray() -> None:
    levels = np.full((30, 30), 100, np.uint8)
    drawn = pixels(card.photo_card(Person(levels, levels, levels)))
    assert drawn[300, 600].tolist() == [100, 100, 100]


@pytest.mark.parametrize(
    "name", ["Zoë Łukasiewicz", "Ada $x_1$ \\frac {", "Ольга Ж", "村上", "a\u0301", "", "😀", "%s <b>&"]
)
def test_any_name(name: str) -> None:
    nameless = pixels(card.photo_card(person()))
    drawn = pixels(card.photo_card(person(name=name)))
    assert np.array_equal(drawn, nameless) is (name == "")


def test_a_font_of_this_machine_is_looked_for() -> None:
    assert lettering.families("Zoë Ж") == ["DejaVu Sans"]
    assert not any(name.startswith("Last Resort") for name in lettering.families("村"))


def test_model_and_settings_stand_at_the_foot() -> None:
    figure = card.photo_card(person(), model="Real-ESRGAN x4plus (baseline)", settings="safe, seed 0")
    assert "Real-ESRGAN x4plus (baseline) · safe, seed 0" in {text.get_text() for text in figure.texts}
    without = pixels(card.photo_card(person()))
    assert not np.array_equal(pixels(figure)[815:], without[815:])
    assert np.array_equal(pixels(figure)[:810], without[:810])


def test_files(tmp_path: Path) -> None:
    figure = card.photo_card(person(name="Zoë"))
    png = card.save(figure, tmp_path / "card.png")
    with Image.open(png) as opened:
        assert opened.size == (1269, 855)
    with Image.open(card.save(figure, str(tmp_path / "large.PNG"), scale=2)) as opened:
        assert opened.size == (2538, 1710)
    pdf = card.save(figure, tmp_path / "card.pdf").read_bytes()
    assert pdf.startswith(b"%PDF")
    streams = re.findall(rb"stream\r?\n(.*?)endstream", pdf, flags=re.DOTALL)
    assert any(b" Tf" in zlib.decompressobj().decompress(s) for s in streams if s[:1] == b"x"), "words are no letters"
    assert pdf == card.save(figure, tmp_path / "again.pdf").read_bytes()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["again.pdf", "card.pdf", "card.png", "large.PNG"]


def test_files_that_cannot_be_written(tmp_path: Path) -> None:
    figure = card.photo_card(person())
    with pytest.raises(UsageError, match=r"png or \.pdf"):
        card.save(figure, tmp_path / "card.doc")
    with pytest.raises(PictureError, match="cannot be written"):
        card.save(figure, tmp_path / "missing" / "card.png")
    (tmp_path / "card.png").mkdir()
    with pytest.raises(PictureError):
        card.save(figure, tmp_path / "card.png")
    assert [file.name for file in tmp_path.iterdir()] == ["card.png"]


def test_what_is_refused() -> None:
    with pytest.raises(UsageError):
        card.photo_card([])
    with pytest.raises(PictureError, match="vintage of Ada"):
        card.photo_card(Person(even(RED), even(GREEN) / 255, even(BLUE), name="Ada"))  # type: ignore[arg-type]


def test_a_contact_sheet_has_the_picture_and_each_preset() -> None:
    picture = np.random.default_rng(3).integers(0, 256, (40, 30, 3), dtype=np.uint8)
    figure = card.contact_sheet(picture, seed=4)
    shown = [axis.images[0].get_array() for axis in figure.axes]
    titles = [axis.get_title().split("\n")[0] for axis in figure.axes]
    assert titles == ["original", "slight", "safe", "adventurous", "lucky"]
    assert np.array_equal(shown[0], picture)
    assert np.array_equal(shown[4], card.vintage.vintage(picture, "lucky", seed=4))
    assert pixels(figure).shape[1] > 900
    with pytest.raises(UsageError):
        card.contact_sheet(picture, [])
