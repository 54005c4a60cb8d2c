from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image, ImageOps

from w251lab.dali import bundled, damage, installed, sources, variants
from w251lab.errors import UsageError, W251Error

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture(scope="module")
def moose() -> bytes:
    """640 x 484 pixels in many colours."""
    return (bundled.folder() / "animals" / "moose.jpg").read_bytes()


@pytest.fixture(scope="module")
def every(moose: bytes) -> dict[str, bytes]:
    return variants.every(moose)


def _open(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


def _far(picture: Image.Image, content: bytes) -> float:
    """Mean absolute difference of the pixels from the original's, in gray levels."""
    expected = _open(content).convert(picture.mode)
    return float(np.abs(np.asarray(picture, np.int16) - np.asarray(expected, np.int16)).mean())


def _decode(contents: list[bytes]) -> list[np.ndarray]:
    dali = installed.dali()
    pipeline = dali.Pipeline(batch_size=len(contents), num_threads=2, device_id=None, prefetch_queue_depth=1)
    with pipeline:
        encoded = dali.fn.external_source(name="encoded", dtype=dali.types.UINT8, ndim=1)
        pipeline.set_outputs(dali.fn.decoders.image(encoded, output_type=dali.types.RGB))
    pipeline.build()
    (decoded,) = pipeline.run(encoded=[np.frombuffer(content, np.uint8) for content in contents])
    return [decoded.at(index) for index in range(len(contents))]


def test_dali_decodes_every_form(every: dict[str, bytes]) -> None:
    assert len(every) == 21
    assert not damage.find(sources.encoded(every.values(), names=list(every)))


def test_the_sizes_are_those_of_the_longest_side(every: dict[str, bytes]) -> None:
    for size in variants.SIZES:
        assert max(_open(every[f"{size} px"]).size) == size
    assert (variants.SIZES[0], variants.SIZES[-1]) == (50, 4000)
    assert _open(every["4000 px"]).size == (4000, 3025)


def test_the_formats_and_modes_are_what_their_names_say(every: dict[str, bytes]) -> None:
    expected = {
        "gray JPEG": ("JPEG", "L"), "CMYK JPEG": ("JPEG", "CMYK"), "progressive JPEG": ("JPEG", "RGB"),
        "RGB PNG": ("PNG", "RGB"), "RGBA PNG": ("PNG", "RGBA"), "palette PNG": ("PNG", "P"), "gray PNG": ("PNG", "L"),
    }  # fmt: skip
    assert {name: (_open(every[name]).format, _open(every[name]).mode) for name in expected} == expected
    assert _open(every["progressive JPEG"]).info.get("progressive")
    assert not _open(every["gray JPEG"]).info.get("progressive")
    alpha = np.asarray(_open(every["RGBA PNG"]).getchannel("A"))
    assert (alpha[:, 0].max(), alpha[:, -1].min()) == (0, 255)


def test_every_form_shows_the_same_picture(every: dict[str, bytes], moose: bytes) -> None:
    for name in ("gray JPEG", "progressive JPEG", "RGB PNG", "gray PNG"):
        assert _far(_open(every[name]), moose) < 3, name
    for name in ("CMYK JPEG", "palette PNG", "RGBA PNG"):
        assert _far(_open(every[name]).convert("RGB"), moose) < 8, name


def test_a_reader_that_obeys_the_orientation_sees_the_picture_upright(every: dict[str, bytes], moose: bytes) -> None:
    names = [f"orientation {number}" for number in range(1, 9)]
    for number, name in enumerate(names, start=1):
        stored = _open(every[name])
        assert stored.getexif()[0x0112] == number
        assert (stored.size == (640, 484)) == (number < 5)
        assert _far(ImageOps.exif_transpose(stored), moose) < 3, name
    # Only the first is stored as it is shown: the others are of another shape, or far from the picture.
    assert all(_far(_open(every[name]), moose) > 20 for name in names[1:4])
    for pixels, name in zip(_decode([every[name] for name in names]), names, strict=True):
        assert _far(Image.fromarray(pixels), moose) < 3, name


def test_a_turned_picture_is_read_upright(every: dict[str, bytes], moose: bytes) -> None:
    assert _far(_open(variants.png(every["orientation 6"])), moose) < 3


def test_one_pixel_and_a_thin_picture() -> None:
    thin = variants.png(variants.jpeg(_png(Image.new("RGB", (900, 2)))), size=10)
    assert _open(thin).size == (10, 1)
    assert _open(variants.png(thin, size=1, mode="RGBA")).size == (1, 1)
    assert len(variants.every(_png(Image.new("P", (1, 1))))) == 21


def _png(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize(
    "arguments",
    [{"size": 0}, {"size": 70_000}, {"mode": "RGBA"}, {"orientation": 0}, {"orientation": 9}, {"quality": 0}],
)
def test_arguments_that_cannot_be_meant(arguments: dict[str, object], moose: bytes) -> None:
    with pytest.raises(UsageError):
        variants.jpeg(moose, **arguments)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="mode"):
        variants.png(moose, mode="CMYK")


def test_what_is_no_picture_is_refused(broken: bytes) -> None:
    for make in (variants.jpeg, variants.png, variants.every):
        with pytest.raises(W251Error, match="no picture"):
            make(broken)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "TIFF", "WEBP", "GIF", "JPEG2000", "PPM", "TGA"])
@pytest.mark.filterwarnings("ignore::UserWarning")  # of a tag that a TIFF file has no room for
def test_damage_of_any_kind_is_no_bare_traceback(
    kind: str, encode: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = encode(Image.effect_noise((48, 40), 60).convert("RGB"), kind)
    draw = np.random.default_rng(0)
    causes = []
    for length in np.linspace(0, len(whole), 40, endpoint=False).astype(int):
        noisy = bytearray(whole)
        for place in draw.integers(2, len(whole), 8):
            noisy[place] = int(draw.integers(256))
        for content in (whole[:length], bytes(noisy)):
            try:
                variants.png(content)
            except W251Error as error:
                causes.append(error.__cause__)
    assert causes
    assert all(isinstance(cause, damage.UNREADABLE) for cause in causes)
    # A bomb by Pillow's own, lowered limit: a warning (an error here) up to twice of it, an error above.
    for limit in (48 * 40 - 1, 48 * 40 // 2 - 1):
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
        with pytest.raises(W251Error, match="no picture"):
            variants.png(whole)
