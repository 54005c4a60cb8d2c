"""The runner without a server: it needs nothing that the lab's environment has not."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from w251lab.dali import bundled, variants
from w251lab.dali.serving import runner, source

if TYPE_CHECKING:
    from collections.abc import Callable

DIMS = (3, 224, 224)


def rows(contents: list[bytes]) -> list[np.ndarray]:
    return [np.frombuffer(content, np.uint8) for content in contents]


def prepared_by(dali_py: Path, *, pixels: int = 89_478_485, batch_size: int = 16) -> runner.Preparer:
    return runner.Preparer(
        dali_py, batch_size=batch_size, threads=1, gpu=None, dims=DIMS, limits=runner.Limits(pixels, 256)
    )


@pytest.fixture
def preparer(dali_py: Path) -> runner.Preparer:
    return prepared_by(dali_py)


@pytest.fixture(scope="session")
def expected(contents: list[bytes]) -> np.ndarray:
    (images,) = source.pipeline(device="cpu").run(DALI_INPUT=rows(contents))
    return np.asarray(images.as_array()).copy()


def test_it_gives_what_the_pipeline_gives(
    preparer: runner.Preparer, contents: list[bytes], expected: np.ndarray
) -> None:
    pixels, reasons = preparer(rows(contents))
    assert reasons == [""] * len(contents)
    np.testing.assert_array_equal(pixels, expected)
    assert preparer.rebuilt == 0


def test_each_broken_picture_fails_alone_and_with_its_reason(
    preparer: runner.Preparer,
    undecodable: dict[str, tuple[bytes, str]],
    contents: list[bytes],
    expected: np.ndarray,
) -> None:
    for name, (content, reason) in undecodable.items():
        pixels, reasons = preparer(rows([contents[0], content, contents[1]]))
        assert reason in reasons[1], name
        assert (reasons[0], reasons[2]) == ("", ""), name
        assert np.isnan(pixels[1]).all(), name
        np.testing.assert_array_equal(pixels[[0, 2]], expected[:2], err_msg=name)


def test_zeros_after_a_file_change_nothing(
    preparer: runner.Preparer,
    padded_undecodable: dict[str, tuple[bytes, str]],
    contents: list[bytes],
    expected: np.ndarray,
) -> None:
    pixels, reasons = preparer(rows([content + bytes(30_000) for content in contents]))
    assert reasons == [""] * len(contents)
    np.testing.assert_array_equal(pixels, expected)
    for name, (content, reason) in padded_undecodable.items():
        assert reason in preparer(rows([content + bytes(30_000)]))[1][0], name


def test_many_broken_pictures_in_one_batch(
    preparer: runner.Preparer, undecodable: dict[str, tuple[bytes, str]], contents: list[bytes], expected: np.ndarray
) -> None:
    mixed = [
        item for (content, _), good in zip(undecodable.values(), contents * 3, strict=False) for item in (content, good)
    ]
    pixels, reasons = preparer(rows(mixed))
    assert all(reasons[::2])
    assert not any(reasons[1::2])
    np.testing.assert_array_equal(pixels[1::2], np.concatenate([expected] * 3)[: len(undecodable)])
    assert preparer(rows(contents))[1] == [""] * len(contents)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "TIFF", "WEBP", "JPEG2000", "PPM"])
def test_every_format_that_the_message_names_is_read(
    kind: str, preparer: runner.Preparer, encode: Callable[..., bytes]
) -> None:
    assert preparer(rows([encode(Image.new("RGB", (60, 40), "red"), kind)]))[1] == [""]


def test_damage_that_decoders_take_for_a_picture(preparer: runner.Preparer, contents: list[bytes]) -> None:
    """As browsers do: what can be made out of the rest is shown."""
    jpeg = contents[1]
    scan = jpeg.index(b"\xff\xda") + 200
    noise = np.random.default_rng(0).integers(0, 255, 3000, np.uint8).tobytes()  # 255 would begin a marker
    corrupted = jpeg[:scan] + noise + jpeg[scan + 3000 :]
    pixels, reasons = preparer(rows([corrupted]))
    assert reasons == [""]
    assert np.isfinite(pixels).all()


def test_pixels_are_bounded_for_each_picture_and_for_a_batch(
    dali_py: Path, encode: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    bounded = prepared_by(dali_py, pixels=250_000, batch_size=4)
    sizes = {"small": (300, 400), "large": (500, 501), "tiny": (20, 20), "thin": (3, 1), "thinner": (4, 1)}
    pictures = {name: encode(Image.new("RGB", size, "red")) for name, size in sizes.items()}
    batches = []
    run = bounded._run
    monkeypatch.setattr(bounded, "_run", lambda contents: batches.append(len(contents)) or run(contents))

    def told(*names: str) -> list[str]:
        batches.clear()
        return bounded(rows([pictures[name] for name in names]))[1]

    assert told(*["small"] * 5, "large", "small") == [
        *[""] * 5,
        "it has 500 x 501 pixels, more than the 250000 that are decoded",
        "",
    ]
    assert batches == [2, 2, 2]  # of 120,000 pixels each
    # Counted as what they become: 256 x 256 pixels, and 768 x 256.
    assert told(*["tiny"] * 5) == [""] * 5
    assert batches == [3, 2]
    assert told("thin", "thin", "tiny", "thin") == [""] * 4
    assert batches == [1, 1, 1, 1]
    assert told("thinner") == ["it has 4 x 1 pixels, too long and thin to be resized"]
    assert batches == []


def test_a_failure_that_is_no_pictures_fault_is_reported_and_survived(
    preparer: runner.Preparer, contents: list[bytes], expected: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full:
        def run(self, DALI_INPUT: object) -> None:  # noqa: N803 - the pipeline's input
            del DALI_INPUT
            raise RuntimeError("Critical error in pipeline:\nencountered:\n\nCUDA allocation failed\nNo longer valid.")

    define = preparer._define
    left = [Full(), Full()]

    class Broken(Full):
        def build(self) -> None:
            pass

    preparer._pipeline = Full()
    monkeypatch.setattr(preparer, "_define", lambda **how: Broken() if left.pop() and left else define(**how))
    pixels, reasons = preparer(rows(contents[:2]))
    # The batch fails, then both together again; alone, each is answered.
    assert reasons == ["", ""]
    np.testing.assert_array_equal(pixels, expected[:2])
    monkeypatch.setattr(preparer, "_define", lambda **_how: Broken())
    preparer._pipeline = None
    assert preparer(rows(contents[:2]))[1] == ["DALI cannot prepare it: CUDA allocation failed"] * 2
    monkeypatch.setattr(preparer, "_define", define)
    assert preparer(rows(contents[:2]))[1] == ["", ""]


def _with_thumbnail(jpeg: bytes, small: bytes) -> bytes:
    """A whole JPEG file in a segment of another one."""
    segment = b"JFXX\0\x10" + small
    return jpeg[:2] + b"\xff\xe0" + (len(segment) + 2).to_bytes(2, "big") + segment + jpeg[2:]


def test_a_jpeg_that_was_cut_short_is_told_by_its_end(
    preparer: runner.Preparer, contents: list[bytes], encode: Callable[..., bytes]
) -> None:
    picture = Image.effect_noise((90, 70), 60).convert("RGB")
    whole = {
        "baseline": encode(picture, "JPEG"),
        "progressive": encode(picture, "JPEG", progressive=True, optimize=True),
        "restarts": encode(picture, "JPEG", restart_marker_blocks=2, quality=100),
        "CMYK": encode(picture.convert("CMYK"), "JPEG"),
        "gray": encode(picture.convert("L"), "JPEG"),
        "thumbnail": _with_thumbnail(encode(picture, "JPEG"), encode(picture.resize((9, 7)), "JPEG")),
    }
    whole["fill bytes"] = whole["baseline"][:-2] + b"\xff\xff\xff\xd9"
    # A film, or another picture cut short, behind the picture.
    whole["more behind it"] = whole["baseline"] + b"film" + whole["progressive"][:-400]
    assert preparer(rows(list(whole.values())))[1] == [""] * len(whole)
    assert preparer(rows([content + bytes(100) for content in whole.values()]))[1] == [""] * len(whole)
    whole.pop("more behind it")
    for name, content in whole.items():
        for length in range(2, len(content) - 1, 7):
            assert runner.cut_short(np.frombuffer(content[:length], np.uint8)), (name, length)
        lasts = rows([content[:-2], content[: len(content) * 3 // 4] + bytes(50)])
        assert preparer(lasts)[1] == ["it is a JPEG file that is damaged or cut short"] * 2, name
    for content in contents:
        for form in variants.every(content).values() if content is contents[0] else [content]:
            assert not runner.cut_short(np.frombuffer(form, np.uint8))


def test_no_shipped_photograph_counts_as_cut_short() -> None:
    shipped = bundled.source()
    read = [np.frombuffer(shipped.read(index), np.uint8) for index in range(len(shipped))]
    assert len(read) >= 50
    assert not any(map(runner.cut_short, read))


@pytest.mark.parametrize(
    ("head", "said"),
    [
        (b"two lines\nof text\r\n\tand a tab", "it is text"),
        (b"\xef\xbb\xbfwith a byte order mark", "it is text"),
        (b"\n\n  <html>", "it is HTML or XML"),
        (b"\xef\xbb\xbf<?xml", "it is HTML or XML"),
        (b"text\x07", "it is binary data"),
        ("Grüße".encode(), "it is binary data"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "it is a WebP file that is damaged"),
        (b"RIFF\x10\0\0\0WAVEfmt ", "it is binary data"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "it is a JPEG 2000 file that is damaged"),
        (b"\xff\x4f\xff\x51\0\x2f", "it is a JPEG 2000 file that is damaged"),
        (b"P6\nx", "it is a PNM file that is damaged"),
        (b"P5 x", "it is a PNM file that is damaged"),
        (b"P60 is text", "it is text"),
    ],
)
def test_what_is_no_picture_is_called_by_its_name(head: bytes, said: str) -> None:
    for content in (head, head + bytes(20)):
        assert runner.what_is(content).startswith(said)


def test_it_needs_only_what_the_servers_environment_has() -> None:
    tree = ast.parse(Path(runner.__file__).read_text())
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert not {name for name in imported if name.startswith("w251lab")}


@pytest.mark.gpu
def test_a_gpu_survives_broken_pictures_too(
    tmp_path: Path, undecodable: dict[str, tuple[bytes, str]], contents: list[bytes]
) -> None:
    file = tmp_path / "dali.py"
    file.write_text(source.text(device="gpu"))
    on_gpu = runner.Preparer(file, batch_size=16, threads=2, gpu=0, dims=DIMS, limits=runner.Limits(89_478_485, 256))
    whole, _ = on_gpu(rows(contents))
    for name, (content, _) in undecodable.items():
        pixels, reasons = on_gpu(rows([contents[0], content, contents[1]]))
        # Their header and their end are as they should be, and the GPU's decoders may make something of the rest.
        assert reasons[1] or name in {"JPEG, impossible Huffman table", "JPEG 2000, cut"}, name
        assert (reasons[0], reasons[2]) == ("", ""), name
        np.testing.assert_allclose(pixels[[0, 2]], whole[:2], atol=0.1, err_msg=name)
