"""Pictures of every form become uint8 RGB, and go back into files whole or not at all."""

from __future__ import annotations

import hashlib
import io
import os
import re
import resource
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from w251lab.errors import UsageError
from w251lab.faces import pictures
from w251lab.faces.errors import PictureError
from w251lab.faces.files import umask
from w251lab.faces.pictures import read_picture, write_picture

if TYPE_CHECKING:
    from numpy.typing import NDArray


def encoded(picture: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


@pytest.fixture
def small() -> NDArray[np.uint8]:
    """12 x 8 colours, all different."""
    return np.arange(8 * 12 * 3, dtype=np.uint8).reshape(8, 12, 3)


def test_the_same_pixels_come_out_of_every_form(small: NDArray[np.uint8], tmp_path: Path) -> None:
    image = Image.fromarray(small)
    file = tmp_path / "ein Bild ü.png"
    image.save(file)
    forms = [file, str(file), file.read_bytes(), memoryview(file.read_bytes()), image, small, small / 255]
    forms += [small.astype(np.float32) / 255, small.astype(np.uint16) * 257, np.asfortranarray(small)]
    for form in forms:
        read = read_picture(form)
        assert read.dtype == np.uint8
        assert read.flags.c_contiguous
        np.testing.assert_array_equal(read, small)
        assert not np.shares_memory(read, small)
    read[:] = 0
    assert small.any()


def test_exif_orientation_turns_the_picture() -> None:
    left_red = np.zeros((16, 32, 3), np.uint8)
    left_red[:, :16, 0] = 255
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: the first row is the right side
    read = read_picture(encoded(Image.fromarray(left_red), "JPEG", exif=exif, subsampling=0))
    assert read.shape == (32, 16, 3)
    assert read[:14, :, 0].min() > 240
    assert read[18:, :, 0].max() < 15


@pytest.mark.parametrize(
    ("picture", "kind"),
    [
        (Image.fromarray(np.full((4, 5), 40_000, np.uint16)), "PNG"),
        (Image.fromarray(np.full((4, 5), 40_000, np.uint16)), "TIFF"),
        (Image.fromarray(np.full((4, 5), 40_000, np.int32)), "TIFF"),
        (Image.fromarray(np.full((4, 5), 40_000 / 65535, np.float32)), "TIFF"),
    ],
)
def test_more_than_8_bits_are_scaled_not_cut_off(picture: Image.Image, kind: str) -> None:
    assert set(read_picture(encoded(picture, kind)).ravel()) == {156}  # 40,000 / 257 = 155.6


def test_transparency_shows_white() -> None:
    half = Image.new("RGBA", (4, 4), (200, 0, 0, 0))
    half.paste((200, 0, 0, 255), (0, 0, 2, 4))
    palette = half.convert("RGB").quantize(4)
    palette.info["transparency"] = palette.getpixel((3, 0))
    gray = Image.merge("LA", [Image.new("L", (4, 4), 10), Image.new("L", (4, 4), 0)])
    read = read_picture(encoded(half, "PNG"))
    assert read[0, 0].tolist() == [200, 0, 0]
    assert read[0, 3].tolist() == [255, 255, 255]
    assert set(read_picture(encoded(gray, "PNG")).ravel()) == {255}
    assert set(read_picture(encoded(palette, "PNG")).ravel()) == {255}  # one colour, and it is transparent
    np.testing.assert_array_equal(read_picture(np.asarray(half)), read)


def test_gray_palette_and_cmyk_become_rgb() -> None:
    red = Image.new("RGB", (8, 8), (250, 10, 10))
    assert np.abs(read_picture(encoded(red.convert("CMYK"), "JPEG")).astype(int) - (250, 10, 10)).max() < 6
    assert read_picture(encoded(red.quantize(2), "PNG"))[0, 0].tolist() == [250, 10, 10]
    assert read_picture(encoded(Image.new("L", (3, 2), 7), "PNG")).tolist() == [[[7] * 3] * 3] * 2
    assert read_picture(encoded(Image.new("1", (3, 2), 1), "PNG")).min() == 255
    assert read_picture(np.full((2, 3), 7, np.uint8)).tolist() == [[[7] * 3] * 3] * 2


def test_of_an_animation_the_first_frame_is_taken() -> None:
    first, second = Image.new("RGB", (6, 6), "red"), Image.new("RGB", (6, 6), "blue")
    read = read_picture(encoded(first, "GIF", save_all=True, append_images=[second]))
    assert read.shape == (6, 6, 3)
    assert set(map(tuple, read.reshape(-1, 3).tolist())) == {(255, 0, 0)}


def test_larger_pictures_are_shrunk_when_asked(collins: NDArray[np.uint8], tmp_path: Path) -> None:
    file = write_picture(collins, tmp_path / "large.jpg")
    read = read_picture(file, largest=100)
    assert read.shape == (100, 100, 3)
    expected = np.asarray(Image.fromarray(collins).resize((100, 100), Image.Resampling.LANCZOS)).astype(int)
    assert np.abs(read - expected).mean() < 3
    with Image.open(file) as opened:
        assert read_picture(opened, largest=100).shape == (100, 100, 3)
        assert opened.size == (512, 512)  # it is somebody else's
    assert read_picture(collins[:, :10], largest=100).shape == (100, 2, 3)
    for wrong in (0, 2.5, True):
        with pytest.raises(UsageError, match="largest"):
            read_picture(collins, largest=wrong)


def test_a_bomb_is_refused_before_it_is_decoded() -> None:
    content = bytearray(encoded(Image.new("L", (8, 8)), "BMP"))
    for width, height in ((60_000, 60_000), (20_000, 10_000)):
        content[18:26] = width.to_bytes(4, "little") + height.to_bytes(4, "little")
        with pytest.raises(PictureError, match="has too many pixels; 178,956,970 are the limit"):
            read_picture(bytes(content))


@pytest.mark.parametrize("kind", ["png", "jpg", "webp", "bmp", "tif"])
def test_a_written_picture_is_read_again(kind: str, collins: NDArray[np.uint8], tmp_path: Path) -> None:
    path = write_picture(collins, tmp_path / "new folder" / f"größe 1.{kind}", quality=90)
    read = read_picture(path).astype(int)
    assert np.abs(read - collins).mean() < (4 if kind in {"jpg", "webp"} else 0.001)
    assert path.stat().st_mode & 0o777 == 0o666 & ~umask()
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_a_disk_that_is_full_leaves_the_old_file(collins: NDArray[np.uint8], tmp_path: Path) -> None:
    path = write_picture(collins[:8, :8], tmp_path / "old.png")
    before = path.read_bytes()
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limit[1]))
    try:
        with pytest.raises(PictureError, match=r"cannot be written to .*old.png: File too large"):
            write_picture(collins, path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["old.png"]


def test_a_link_stays_a_link(collins: NDArray[np.uint8], tmp_path: Path) -> None:
    (tmp_path / "link.png").symlink_to(tmp_path / "there.png")
    write_picture(collins, tmp_path / "link.png")
    assert (tmp_path / "link.png").is_symlink()
    np.testing.assert_array_equal(read_picture(tmp_path / "there.png"), collins)
    assert os.path.lexists("/dev/full")
    (tmp_path / "full.png").symlink_to("/dev/full")
    with pytest.raises(PictureError, match="No space left on device"):
        write_picture(collins, tmp_path / "full.png")
    assert Path("/dev/full").is_char_device()


def test_a_name_without_a_format_is_refused(collins: NDArray[np.uint8], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"\.jpg, \.jpeg, \.png"):
        write_picture(collins, tmp_path / "picture.txt")
    with pytest.raises(PictureError, match="read_picture"):
        write_picture(collins.astype(float), tmp_path / "picture.png")
    for wrong in (0, 101, "best"):
        with pytest.raises(UsageError, match="quality"):
            write_picture(collins, tmp_path / "picture.jpg", quality=wrong)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("name", "side"), [("wide.webp", 16_400), ("wide.jpg", 65_600)])
def test_a_picture_that_the_format_cannot_hold_is_said(name: str, side: int, tmp_path: Path) -> None:
    with pytest.raises(PictureError, match=f"{side} x 1 pixels cannot be written as") as caught:
        write_picture(np.zeros((1, side, 3), np.uint8), tmp_path / name)
    assert "PNG" in caught.value.remedy
    assert not list(tmp_path.iterdir())


def test_the_portraits_are_those_of_the_provenance() -> None:
    provenance = (pictures.portrait_path().parent / "PROVENANCE.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)\.jpg` .*? (\d+) x (\d+) \| ([\d,]+) \| `(\w{64})`", provenance, re.MULTILINE)
    assert [row[0] for row in rows] == list(pictures.PORTRAITS)
    for name, width, height, size, digest in rows:
        content = pictures.portrait_path(name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == digest
        assert f"{len(content):,}" == size
        assert pictures.portrait(name).shape == (int(height), int(width), 3)
    with pytest.raises(UsageError, match="collins, hopper"):
        pictures.portrait("lovelace")
