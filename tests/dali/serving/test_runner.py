"""The runner without a server: it needs nothing that the lab's environment has not."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

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
    bounded = prepared_by(dali_py, pixels=100_000, batch_size=4)
    small, large = (encode(Image.new("RGB", size, "red")) for size in ((200, 200), (400, 251)))
    batches = []
    run = bounded._run
    monkeypatch.setattr(bounded, "_run", lambda contents: batches.append(len(contents)) or run(contents))
    _, reasons = bounded(rows([small] * 5 + [large] + [small]))
    assert batches == [2, 2, 2]  # of 40,000 pixels each
    assert [index for index, reason in enumerate(reasons) if reason] == [5]
    assert reasons[5] == "it has 400 x 251 pixels, more than the 100000 that are decoded"


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
        # The GPU's decoder may show what there is of a JPEG that was cut short.
        assert reasons[1] or "JPEG" in name, name
        assert (reasons[0], reasons[2]) == ("", ""), name
        np.testing.assert_allclose(pixels[[0, 2]], whole[:2], atol=0.1, err_msg=name)
