"""What people really give: each ends in the right picture, or in one sentence and what to do."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from w251lab.errors import W251Error
from w251lab.faces.pictures import read_picture, write_picture

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from w251lab.faces.baseline import BaselineRestorer
    from w251lab.faces.restore import Restoration


def close_up(collins: NDArray[np.uint8], edge: int = 160) -> Image.Image:
    """The face of the portrait, in a square of ``edge`` pixels."""
    return Image.fromarray(collins).crop((145, 40, 305, 200)).resize((edge, edge), Image.Resampling.LANCZOS)


def file(picture: Image.Image, kind: str, **options: Any) -> bytes:
    content = io.BytesIO()
    picture.save(content, kind, **options)
    return content.getvalue()


def upright(collins: NDArray[np.uint8]) -> bytes:
    """A photo that was taken with the camera turned: the pixels lie on their side, and EXIF says so."""
    exif = Image.Exif()
    exif[0x0112] = 8
    return file(close_up(collins).transpose(Image.Transpose.ROTATE_270), "JPEG", exif=exif)


def sixteen_bits(collins: NDArray[np.uint8]) -> bytes:
    return file(Image.fromarray(np.asarray(close_up(collins).convert("L")).astype(np.uint16) * 257), "PNG")


def transparent(collins: NDArray[np.uint8]) -> bytes:
    picture = close_up(collins).convert("RGBA")
    picture.putalpha(Image.linear_gradient("L").resize(picture.size).point(lambda level: min(level * 2 + 80, 255)))
    return file(picture, "PNG")


def wide(collins: NDArray[np.uint8]) -> bytes:
    picture = Image.new("RGB", (12_000, 200), (90, 90, 90))
    picture.paste(close_up(collins), (11_000, 20))
    return file(picture, "PNG")


def two_overlapping(collins: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Two heads, cheek to cheek: each one's square reaches over the other's face."""
    cut = np.ascontiguousarray(collins[30:210, 165:285])
    return np.hstack([cut, cut[:, ::-1]])


# For each: what is given, how many faces are found and restored, and the size of the picture as it was read.
GOOD: dict[str, tuple[Callable[[NDArray[np.uint8]], Any], int, tuple[int, int]]] = {
    "12,000 pixels wide": (wide, 1, (200, 12_000)),
    "16 bits a channel": (sixteen_bits, 1, (160, 160)),
    "alpha": (transparent, 1, (160, 160)),
    "CMYK": (lambda collins: file(close_up(collins).convert("CMYK"), "JPEG"), 1, (160, 160)),
    "EXIF rotation": (upright, 1, (160, 160)),
    "gray": (lambda collins: file(close_up(collins).convert("L"), "JPEG"), 1, (160, 160)),
    "palette": (lambda collins: file(close_up(collins).quantize(64), "PNG"), 1, (160, 160)),
    "animated GIF": (
        lambda collins: file(close_up(collins), "GIF", save_all=True, append_images=[Image.new("RGB", (160, 160))]),
        1,
        (160, 160),
    ),
    "floats in 0..1": (lambda collins: np.asarray(close_up(collins)) / 255, 1, (160, 160)),
    "two overlapping faces": (two_overlapping, 2, (180, 240)),
    "a turned face": (lambda collins: close_up(collins).rotate(60, fillcolor=(120, 120, 120)), 1, (160, 160)),
    "a face of 2,000 pixels": (lambda collins: close_up(collins, 2000), 1, (2000, 2000)),
}


@pytest.mark.parametrize("name", GOOD)
def test_an_unusual_picture_is_restored(name: str, collins: NDArray[np.uint8], quick: BaselineRestorer) -> None:
    given, faces, size = GOOD[name]
    picture = read_picture(given(collins))
    assert picture.shape == (*size, 3)
    result = quick.restore(picture, upscale=1)
    assert len(result.faces) == faces
    assert result.picture.shape == picture.shape
    for each in result.faces:
        x, y = np.clip(np.rint(each.face.landmarks[2]).astype(int), 5, None)
        assert (result.picture[y - 5 : y + 5, x - 5 : x + 5] != picture[y - 5 : y + 5, x - 5 : x + 5]).any()
        # It is her face that was cut out, upright: dark eyes in bright skin, where the template has them.
        gray = each.aligned.picture.astype(float).mean(axis=2)
        skin = gray[280:330, 180:220].mean()
        for column in (193, 319):
            assert gray[230:250, column - 12 : column + 12].min() < skin - 40


def test_forty_faces_are_restored(collins: NDArray[np.uint8], quick: BaselineRestorer) -> None:
    cell = np.asarray(Image.fromarray(collins).crop((135, 30, 315, 210)).resize((64, 64), Image.Resampling.LANCZOS))
    result = quick.restore(np.tile(cell, (5, 8, 1)), upscale=1)
    assert len(result.faces) == 40
    places = {tuple((each.face.centre // 64).astype(int)) for each in result.faces}
    assert len(places) == 40
    areas = [each.face.area for each in result.faces]
    assert areas == sorted(areas, reverse=True)


def test_eyes_less_than_five_pixels_apart_are_left_alone(collins: NDArray[np.uint8], quick: BaselineRestorer) -> None:
    scene = np.full((160, 400, 3), 110, np.uint8)
    scene[:, :160] = np.asarray(close_up(collins))
    scene[50:66, 300:316] = np.asarray(close_up(collins, 16))
    tiny = quick.restore(scene, upscale=1, faces=_with_a_tiny_one(scene, quick))
    assert len(tiny.faces) == 1
    assert "1 of 2 faces left as it is: the eyes are less than 5 pixels apart" in tiny.notes
    np.testing.assert_array_equal(tiny.picture[40:80, 290:330], scene[40:80, 290:330])


def _with_a_tiny_one(scene: NDArray[np.uint8], quick: BaselineRestorer) -> list[Any]:
    """The large face as it is found, and the one of 16 pixels, which the detector is not sure of."""
    found = [each.face for each in quick.restore(scene, upscale=1, paste=False).faces]
    large = found[0]
    small = type(large)((300.0, 50.0, 316.0, 66.0), 0.5, large.landmarks / 10 + np.array([300.0, 50.0]))
    return [large, small]


def _cut_short(collins: NDArray[np.uint8]) -> bytes:
    content = file(close_up(collins), "JPEG")
    return content[: len(content) // 2]


def _hole(collins: NDArray[np.uint8], number: float) -> NDArray[np.float64]:
    picture = np.asarray(close_up(collins)) / 255
    picture[3, 4] = number
    return picture


# For each: what is given, what is said, and a word of the remedy.
BAD: dict[str, tuple[Callable[[NDArray[np.uint8]], Any], str, str]] = {
    "no face": (lambda _: np.full((80, 80, 3), 120, np.uint8), "no face was found", "camera"),
    "one pixel": (lambda _: np.zeros((1, 1, 3), np.uint8), "no face was found", "camera"),
    "no pixel": (lambda _: np.zeros((0, 5, 3), np.uint8), "has no pixels", "at least one pixel"),
    "a text file": (lambda _: b"name,age\nEileen,68\n", "is no picture", "JPEG, PNG"),
    "cut short": (_cut_short, "damaged or cut short", "get the file again"),
    "empty": (lambda _: b"", "is empty", "JPEG, PNG"),
    "NaN": (lambda collins: _hole(collins, np.nan), "3 of the array's 76,800 numbers are NaN", "nan_to_num"),
    "infinite": (lambda collins: _hole(collins, np.inf), "are NaN or infinite", "nan_to_num"),
    "levels as floats": (lambda collins: collins.astype(float), "reach from 0 to 255", "divide levels by 255"),
    "negative": (lambda collins: _hole(collins, -0.1), "reach from -0.1", "0..1"),
    "wrong type": (lambda collins: collins.astype(np.int64), "array of int64 is no picture", "uint8"),
    "complex": (lambda collins: collins.astype(complex), "complex128 is no picture", "uint8"),
    "channels first": (lambda collins: collins.transpose(2, 0, 1), r"shape \(3, 512, 512\) is no picture", "transpose"),
    "a batch": (lambda collins: collins[None], r"shape \(1, 512, 512, 3\) is no picture", "channels"),
    "no file": (lambda _: "holiday/nobody.jpg", "cannot be read: No such file", "path of a picture"),
    "a folder": (lambda _: os.sep, "cannot be read: Is a directory", "path of a picture"),
    "not a path": (lambda _: "a\0b.jpg", "cannot be read: embedded null", "path of a picture"),
    "nothing": (lambda _: None, "cannot be made of a NoneType", "NumPy array"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_restored_is_one_sentence_and_a_remedy(
    name: str, collins: NDArray[np.uint8], quick: BaselineRestorer
) -> None:
    given, what, remedy = BAD[name]
    with pytest.raises(W251Error, match=what) as caught:
        quick.restore(read_picture(given(collins)))
    assert remedy in caught.value.remedy
    assert "\n" not in caught.value.what


@pytest.fixture
def restored(collins: NDArray[np.uint8], quick: BaselineRestorer) -> Restoration:
    return quick.restore(read_picture(close_up(collins)), upscale=1)


def test_a_path_with_spaces_and_umlauts_is_a_path(
    collins: NDArray[np.uint8], quick: BaselineRestorer, tmp_path: Path
) -> None:
    path = tmp_path / "Ferien 2019, Köln 写真" / "me & you.jpg"
    path.parent.mkdir()
    path.write_bytes(file(close_up(collins), "JPEG"))
    result = quick.restore(read_picture(str(path)), upscale=1)
    written = write_picture(result.picture, path.with_name("restored.png"))
    np.testing.assert_array_equal(read_picture(written), result.picture)


def test_a_folder_that_cannot_be_written_is_said(restored: Restoration, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    for path in (tmp_path / "file" / "out.png", tmp_path / ("n" * 300 + ".png")):
        with pytest.raises(W251Error, match="cannot be written to") as caught:
            write_picture(restored.picture, path)
        assert "folder that you may write to" in caught.value.remedy
    (tmp_path / "out.png").mkdir()
    with pytest.raises(W251Error, match="Is a directory"):
        write_picture(restored.picture, tmp_path / "out.png")


def test_a_full_disk_is_said(restored: Restoration, tmp_path: Path) -> None:
    (tmp_path / "out.png").symlink_to("/dev/full")
    with pytest.raises(W251Error, match="No space left on device") as caught:
        write_picture(restored.picture, tmp_path / "out.png")
    assert "enough space" in caught.value.remedy
