from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from w251lab.dali import parity, serving
from w251lab.dali.recipes import Validation
from w251lab.dali.serving.runner import Limits
from w251lab.errors import UsageError, W251Error
from w251lab.triton.pictures import load_image

if TYPE_CHECKING:
    from collections.abc import Callable

    from w251lab.triton.embedded import EmbeddedServer


def test_it_is_the_reference_normalised(contents: list[bytes]) -> None:
    recipe = Validation()
    found = serving.prepare(contents[:2], recipe)
    assert (found.shape, found.dtype, found.flags.c_contiguous) == ((2, 3, 224, 224), np.float32, True)
    for values, content in zip(found, contents, strict=False):
        pixels = parity.reference(load_image(content), recipe)
        back = values.transpose(1, 2, 0) * recipe.std + recipe.mean
        np.testing.assert_allclose(back, pixels, atol=1e-3)


def test_it_is_near_to_what_the_server_prepares(running: EmbeddedServer, contents: list[bytes]) -> None:
    with running.client() as client:
        said = client.infer("preprocessing", {"DALI_INPUT": serving.padded(contents)}, outputs=["DALI_OUTPUT"])
    # In levels of 0..255; parity's table has the figures.
    assert np.abs(said["DALI_OUTPUT"] - serving.prepare(contents)).mean() * 128 < 0.25


def test_what_pillow_cannot_decode_fails_alone(
    running: EmbeddedServer, contents: list[bytes], undecodable: dict[str, tuple[bytes, str]]
) -> None:
    names = ["nothing", "text", "JPEG, cut in the middle", "JPEG, 30,000 x 30,000", "PNG, wrong checksum of the header"]
    answers = serving.client_side(running, [contents[0], *(undecodable[name][0] for name in names), contents[1]])
    assert [answer.ok for answer in answers] == [True, *[False] * len(names), True]
    assert "too large" in answers[4].error
    for name in names:
        with pytest.raises(W251Error):
            serving.prepare([undecodable[name][0]])


def test_both_ways_refuse_the_same_sizes(running: EmbeddedServer, encode: Callable[..., bytes]) -> None:
    sizes = [(1365, 1), (1, 1366), (65_000, 1)]
    pictures = [encode(Image.new("RGB", size, "red")) for size in sizes]
    on_server = serving.classify(running, pictures[1:])
    on_client = serving.client_side(running, pictures[1:])
    for size, there, here in zip(sizes[1:], on_server, on_client, strict=True):
        said = f"it has {size[0]} x {size[1]} pixels, too long and thin to be resized"
        assert there.error == said
        assert here.error == f"the picture is too large to decode safely: {said}"
    assert not Limits(serving.service.MAX_PIXELS, 256).too_large(*sizes[0])


def test_what_is_no_list_of_pictures_is_refused(running: EmbeddedServer) -> None:
    for given in ([], b"one", ["path"]):
        with pytest.raises(UsageError):
            serving.prepare(given)  # type: ignore[arg-type]
        with pytest.raises(UsageError):
            serving.client_side(running, given)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="resnet"):
        serving.client_side(running, [b"x"], model="resnet")
