from __future__ import annotations

import io
import os
import random
import struct
import warnings
import zlib
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from w251lab.errors import W251Error
from w251lab.triton.pictures import load_image, to_eight_bit

if TYPE_CHECKING:
    from pathlib import Path

GRADIENT = np.linspace(0, 255, 16 * 12).reshape(12, 16)


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def pixel(image: Image.Image) -> tuple[int, ...] | float | None:
    return image.getpixel((0, 0))


def test_every_source_gives_the_same_picture(tmp_path: Path) -> None:
    picture = Image.fromarray(np.stack([GRADIENT] * 3, axis=2).astype(np.uint8))
    path = tmp_path / "a picture.png"
    picture.save(path)
    sources = [path, str(path), path.read_bytes(), bytearray(path.read_bytes()), picture, np.asarray(picture)]
    sources += [np.asarray(picture) / 255, (np.asarray(picture) / 255).astype(np.float32)]
    sources += [np.asarray(picture).astype(np.uint16) * 257, np.asarray(picture).astype(np.int64)]
    for source in sources:
        given = load_image(source)
        assert given.mode == "RGB"
        np.testing.assert_array_equal(np.asarray(given), np.asarray(picture))


@pytest.mark.parametrize(
    ("image", "mode", "value"),
    [
        (Image.new("1", (2, 2), 1), "L", 255),
        (Image.new("L", (2, 2), 77), "L", 77),
        (Image.new("LA", (2, 2), (100, 0)), "RGB", (255, 255, 255)),
        (Image.new("LA", (2, 2), (100, 255)), "RGB", (100, 100, 100)),
        (Image.new("RGBA", (2, 2), (0, 0, 255, 0)), "RGB", (255, 255, 255)),
        (Image.new("RGBA", (2, 2), (0, 0, 255, 51)), "RGB", (204, 204, 255)),
        (Image.new("CMYK", (2, 2), (0, 255, 255, 0)), "RGB", (255, 0, 0)),
        (Image.new("HSV", (2, 2), (0, 255, 255)), "RGB", (255, 0, 0)),
        (Image.new("I;16", (2, 2), 32896), "L", 128),
        (Image.new("I;16B", (2, 2), 32896), "L", 128),
        (Image.new("I", (2, 2), 65535), "L", 255),
        (Image.new("F", (2, 2), 0.5), "L", 128),
        (Image.new("F", (2, 2), 200.0), "L", 200),
    ],
    ids=lambda item: item.mode if isinstance(item, Image.Image) else None,
)
def test_every_mode(image: Image.Image, mode: str, value: object) -> None:
    given = load_image(image)
    assert (given.mode, pixel(given)) == (mode, value)


def test_values_beyond_their_range_are_stretched() -> None:
    wide = to_eight_bit(Image.fromarray(np.int32([[-1000, 0], [500, 1000]])))
    np.testing.assert_array_equal(np.asarray(wide), [[0, 128], [191, 255]])
    assert pixel(to_eight_bit(Image.new("I", (2, 2), 100_000))) == 0, "one value everywhere"


def test_palette_and_its_transparency() -> None:
    indexed = Image.new("P", (2, 1))
    indexed.putpalette([255, 0, 0, 0, 255, 0])
    indexed.putpixel((1, 0), 1)
    plain = load_image(encoded(indexed, "PNG"))
    assert [plain.getpixel((x, 0)) for x in (0, 1)] == [(255, 0, 0), (0, 255, 0)]
    clear = load_image(encoded(indexed, "PNG", transparency=0))
    assert [clear.getpixel((x, 0)) for x in (0, 1)] == [(255, 255, 255), (0, 255, 0)]
    keyed = load_image(encoded(Image.new("RGB", (1, 1), (9, 9, 9)), "PNG", transparency=(9, 9, 9)))
    assert pixel(keyed) == (255, 255, 255)


def test_files_of_more_than_eight_bits() -> None:
    deep = Image.fromarray((GRADIENT * 257).astype(np.uint16))
    for kind in ("PNG", "TIFF"):
        np.testing.assert_allclose(np.asarray(load_image(encoded(deep, kind))), GRADIENT, atol=0.51)
    floats = Image.fromarray((GRADIENT / 255).astype(np.float32))
    np.testing.assert_allclose(np.asarray(load_image(encoded(floats, "TIFF"))), GRADIENT, atol=0.51)
    assert load_image(encoded(Image.new("CMYK", (8, 8), (255, 0, 255, 0)), "JPEG")).getpixel((4, 4))[1] > 240


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied_once(orientation: int) -> None:
    upright = np.zeros((24, 16, 3), dtype=np.uint8)
    upright[:8, :8] = 255  # white in the upper left corner, and nowhere else
    inverse = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # Image.Transpose that turns upright into what is stored
    stored = Image.fromarray(upright)
    if orientation > 1:
        stored = stored.transpose(Image.Transpose(inverse[orientation]))
    exif = Image.Exif()
    exif[0x0112] = orientation
    given = load_image(encoded(stored, "PNG", exif=exif))
    np.testing.assert_array_equal(np.asarray(given), upright)
    np.testing.assert_array_equal(np.asarray(load_image(given)), upright)


def test_of_several_frames_the_first() -> None:
    frames = [Image.new("RGB", (4, 4), color) for color in ("red", "blue")]
    for kind in ("GIF", "TIFF"):
        given = load_image(encoded(frames[0], kind, save_all=True, append_images=frames[1:]))
        assert pixel(given) == (255, 0, 0)


def test_a_path_that_is_no_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.new("L", (4, 4)).save(tmp_path / "coffee.jpg")
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "text.jpg").write_text("no picture at all")
    os.mkfifo(tmp_path / "pipe.jpg")
    monkeypatch.chdir(tmp_path)
    for name, message in {
        "cofee.jpg": r"no file cofee.jpg(?s:.)*mean coffee.jpg",
        "none/coffee.jpg": r"no folder none either",
        "qqqqq": r"Look with: ls",
        ".": r"is a directory",
        "empty.jpg": r"0 bytes",
        "text.jpg": r"no picture that can be read",
        "pipe.jpg": r"not a regular file",
        "nul\0.jpg": r"nul",
    }.items():
        with pytest.raises(W251Error, match=message) as caught:
            load_image(name)
        assert caught.value.remedy


def test_bytes_that_are_no_picture() -> None:
    jpeg = encoded(Image.fromarray(GRADIENT.astype(np.uint8)).resize((300, 300)), "JPEG")
    for content, message in {
        b"": r"0 bytes",
        b"\x00" * 99: r"given 99 bytes there is no picture",
        jpeg[: len(jpeg) // 2]: r"damaged or cut short: .*truncated",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n": r"no picture",
    }.items():
        with pytest.raises(W251Error, match=message):
            load_image(content)


def png_of(width: int, height: int) -> bytes:
    """The head of a PNG file that claims a size, and no pixels."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [10_000, 30_000])
@pytest.mark.parametrize("action", ["error", "ignore"])  # Pillow only warns of the smaller one
def test_a_picture_too_large_to_decode(side: int, action: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter(action, Image.DecompressionBombWarning)
        with pytest.raises(W251Error, match=r"too large to decode safely(?s:.)*Scale it down"):
            load_image(png_of(side, side))


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.full((4, 4), np.nan), r"16 of 16 values"),
        (np.full((4, 4, 3), np.inf), r"NaN or infinite"),
        (np.full((4, 4, 3), 255.0), r"from 255 to 255(?s:.)*divide by 255"),
        (np.full((4, 4, 3), -0.1), r"from -0.1"),
        (np.full((4, 4, 3), 256), r"0\.\.255"),
        (np.zeros((3, 8, 8), np.uint8), r"transpose\(1, 2, 0\)"),
        (np.zeros((8, 8, 2), np.uint8), r"\(8, 8, 2\) is no picture"),
        (np.zeros((1, 8, 8, 3), np.uint8), r"\(1, 8, 8, 3\)"),
        (np.zeros((0, 8, 3), np.uint8), r"not empty"),
        (np.array(5), r"shape \(\)"),
        (np.zeros((4, 4), complex), r"complex128"),
        (np.array([["a"]]), r"is no picture"),
    ],
    ids=str,
)
def test_an_array_that_is_no_picture(array: np.ndarray, message: str) -> None:
    with pytest.raises(W251Error, match=message):
        load_image(array)


def test_arrays_of_other_shapes_and_types() -> None:
    assert load_image(np.ones((2, 3), bool)).getpixel((2, 1)) == 255
    assert load_image(np.zeros((2, 3, 1), np.uint8)).mode == "L"
    assert pixel(load_image(np.zeros((2, 3, 4), np.uint8))) == (255, 255, 255)
    assert pixel(load_image(np.full((2, 2), 0.5, np.float16))) == 128
    every_second = np.asfortranarray(GRADIENT.astype(np.uint8))[::2, ::-1]
    np.testing.assert_array_equal(np.asarray(load_image(every_second)), every_second)


def test_nan_in_a_tiff_is_refused() -> None:
    with pytest.raises(W251Error, match="NaN"):
        load_image(encoded(Image.fromarray(np.full((2, 2), np.nan, np.float32)), "TIFF"))


def test_an_open_picture_whose_pixels_are_cut_short_is_refused() -> None:
    content = encoded(Image.effect_noise((300, 300), 50), "JPEG")
    with (
        Image.open(io.BytesIO(content[: len(content) // 2])) as lazy,
        pytest.raises(W251Error, match=r"L, 300 x 300.*truncated"),
    ):
        load_image(lazy)


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow warns of damage before it gives up, or repairs it
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "BMP", "PPM"])
def test_damaged_files_give_a_picture_or_our_error(kind: str) -> None:
    rng = random.Random(kind)
    whole = encoded(Image.fromarray(GRADIENT.astype(np.uint8)).convert("RGB"), kind)
    remedies = []
    for _ in range(200):
        content = bytearray(whole)
        for _ in range(rng.choice([1, 3, 20])):
            content[rng.randrange(len(content))] = rng.randrange(256)
        if rng.random() < 0.3:
            del content[rng.randrange(len(content)) :]
        try:
            assert load_image(bytes(content)).mode in {"L", "RGB"}
        except W251Error as error:
            remedies.append(error.remedy)
    assert len(remedies) > 10
    assert all(remedies)
