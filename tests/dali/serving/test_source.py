from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import numpy as np
import pytest
from nvidia import dali

from w251lab.dali import pipelines, sources
from w251lab.dali.recipes import Training, Validation
from w251lab.dali.serving import source
from w251lab.errors import UsageError, W251Error
from w251lab.triton.models import packaged
from w251lab.triton.pictures import load_image

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from w251lab.dali.sources import Source


def fed(pipeline: dali.Pipeline, contents: list[bytes]) -> np.ndarray:
    (images,) = pipeline.run(DALI_INPUT=[np.frombuffer(content, np.uint8) for content in contents])
    return np.asarray(images.as_cpu().as_array())


@pytest.mark.parametrize(
    "recipe",
    [
        Validation(),
        Validation(interpolation="bicubic", mean=(127.0,) * 3, std=(128.0,) * 3),
        Validation(resize=97, crop=33, interpolation="lanczos", antialias=False),
    ],
)
def test_it_gives_what_the_validation_pipeline_gives(
    recipe: Validation, photographs: Source, contents: list[bytes]
) -> None:
    validation = pipelines.validation(photographs, recipe, batch_size=len(contents), device="cpu")
    expected = np.asarray(validation.run()[0].as_array())
    found = fed(source.pipeline(recipe, device="cpu"), contents)
    assert found.shape == (len(contents), 3, recipe.crop, recipe.crop)
    np.testing.assert_array_equal(found, expected)


def test_batches_of_any_size_follow_one_another_without_a_batch_ahead(contents: list[bytes]) -> None:
    pipeline = source.pipeline(batch_size=4)
    assert pipeline.prefetch_queue_depth == 1
    alone = [fed(pipeline, [content])[0] for content in contents[:4]]
    for size in (4, 1, 3, 2):
        np.testing.assert_array_equal(fed(pipeline, contents[:size]), alone[:size])


def test_the_classifiers_recipe_takes_the_classifiers_crop(contents: list[bytes], encode: Callable[..., bytes]) -> None:
    said = packaged("efficientnet_lite0").preprocessing
    recipe = source.classifier_recipe()
    assert (recipe.resize, recipe.crop, recipe.interpolation) == (256, 224, "bicubic")
    found = fed(source.pipeline(recipe), contents)
    expected = np.stack([said(load_image(content)) for content in contents])
    # Cut and then resized, or resized and then cut: the same part of the picture to a pixel, in levels of 0..255.
    assert np.abs(found - expected).mean() * 128 < 6


def test_the_file_needs_nothing_but_dali(dali_py: Path) -> None:
    tree = ast.parse(dali_py.read_text())
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in imported} == {"__future__", "typing", "nvidia"}


def test_the_file_gives_the_same_pixels_through_the_backends_serialised_form(
    dali_py: Path, tmp_path: Path, contents: list[bytes]
) -> None:
    built = source.load(dali_py)
    built.serialize(filename=str(tmp_path / "model.dali"))
    restored = dali.Pipeline.deserialize(
        filename=str(tmp_path / "model.dali"), device_id=None, batch_size=16, num_threads=1, prefetch_queue_depth=1
    )
    for one in (built, restored):
        assert one.output_dtype() == [dali.types.FLOAT]
        assert one.output_ndim() == [3]
    np.testing.assert_array_equal(fed(restored, contents[:3]), fed(built, contents[:3]))


def test_settings_take_the_place_of_those_in_the_file(dali_py: Path, contents: list[bytes]) -> None:
    assert source.load(dali_py).max_batch_size == 16
    built = source.load(dali_py, batch_size=2, num_threads=1)
    assert (built.max_batch_size, built.num_threads) == (2, 1)
    assert fed(built, contents[:2]).shape == (2, 3, 224, 224)


def test_a_gpus_file_decodes_there() -> None:
    text = source.text(device="gpu")
    assert "decoder='mixed'" in text
    assert "device_id=0" in text
    assert "decoder='cpu'" in source.text()
    assert "device_id=None" in source.text()


@pytest.mark.gpu
def test_a_gpu_gives_nearly_the_same_pixels(contents: list[bytes]) -> None:
    recipe = Validation(mean=(0.0,) * 3, std=(1.0,) * 3)
    on_gpu, on_cpu = (fed(source.pipeline(recipe, device=device), contents) for device in ("gpu", "cpu"))
    assert np.abs(on_gpu - on_cpu).mean() < 1


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"recipe": Training()}, "Training"),
        ({"device": "tpu"}, "tpu"),
        ({"max_batch_size": 0}, "max_batch_size is 0"),
        ({"max_batch_size": 2.0}, "max_batch_size is 2.0"),
        ({"threads": 0}, "threads is 0"),
    ],
)
def test_what_cannot_be_meant_is_refused(arguments: dict[str, object], word: str) -> None:
    with pytest.raises(UsageError, match=word):
        source.text(**arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (None, "cannot be read"),
        ("def broken(:\n", "SyntaxError"),
        ("import numpy\nnumpy.nothing_of_the_kind\n", "AttributeError"),
        ("x = 1\n", "has no functions with @autoserialize"),
        ("raise RuntimeError('said so')\n", "said so"),
    ],
)
def test_a_file_that_cannot_serve_is_named_with_its_reason(text: str | None, word: str, tmp_path: Path) -> None:
    file = tmp_path / "my dali.py"
    if text is not None:
        file.write_text(text)
    with pytest.raises(W251Error, match=word) as raised:
        source.load(file)
    assert str(file) in raised.value.what
    assert raised.value.remedy


def test_two_pipelines_in_a_file_are_one_too_many(dali_py: Path) -> None:
    text = dali_py.read_text()
    dali_py.write_text(text + text[text.index("\n@autoserialize") :].replace("def preprocessing", "def other"))
    with pytest.raises(W251Error, match="has 2 functions with @autoserialize"):
        source.load(dali_py)


def test_a_mistake_in_the_graph_is_reported(dali_py: Path) -> None:
    dali_py.write_text(
        dali_py.read_text().replace(
            "centre_crop(\n        dali,\n        encoded", "centre_crop(\n        dali,\n        jpegs"
        )
    )
    with pytest.raises(W251Error, match="jpegs"):
        source.load(dali_py)


def test_a_source_in_memory_and_the_request_agree(contents: list[bytes]) -> None:
    built = pipelines.validation(sources.encoded(contents[:2]), batch_size=2, device="cpu")
    np.testing.assert_array_equal(
        np.asarray(built.run()[0].as_array()), fed(source.pipeline(Validation(), device="cpu"), contents[:2])
    )
