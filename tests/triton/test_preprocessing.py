from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from PIL import Image

from w251lab.errors import UsageError, W251Error
from w251lab.triton.models import packaged
from w251lab.triton.preprocessing import INCEPTION, NONE, VGG, Preprocessing, image_client_preprocessing

RAMP = np.arange(40 * 60 * 3, dtype=np.uint32).reshape(40, 60, 3).astype(np.uint8)

SOME = [
    packaged("efficientnet_lite0").preprocessing,
    NONE,
    INCEPTION,
    VGG,
    Preprocessing(size=(1, 300), color="GRAY", mean=(0.1,), std=(1 / 3,), layout="NHWC", dtype="FP16"),
    Preprocessing(size=(7, 5), color="BGR", fit="crop", crop_fraction=1 / 3, mean=(1e-7, 2.0, 3.0), dtype="UINT8"),
    Preprocessing(size=(3, 3), interpolation="nearest", std=(-1.0,)),
]


@pytest.mark.parametrize("preprocessing", SOME)
def test_parameters_give_the_same_object_back(preprocessing: Preprocessing) -> None:
    parameters = preprocessing.to_parameters()
    assert all(isinstance(item, str) for pair in parameters.items() for item in pair)
    assert Preprocessing.from_parameters(parameters | {"max_queue": "3"}) == preprocessing


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"preprocessing.std": None}, "lacks std"),
        ({"preprocessing.gamma": "2"}, "unknown fields gamma"),
        ({"preprocessing.size": "224x224"}, "preprocessing.size is '224x224'"),
        ({"preprocessing.mean": ""}, "preprocessing.mean is ''"),
        ({"preprocessing.size": "224"}, "size is"),
        ({"preprocessing.size": "224,0"}, "size is"),
        ({"preprocessing.color": "CMYK"}, "color is 'CMYK'"),
        ({"preprocessing.fit": "pad"}, "Use one of crop, stretch"),
        ({"preprocessing.crop_fraction": "0"}, "crop_fraction is 0"),
        ({"preprocessing.crop_fraction": "nan"}, "crop_fraction is nan"),
        ({"preprocessing.mean": "1,2"}, "Give one finite number, or 3"),
        ({"preprocessing.mean": "inf"}, "finite"),
        ({"preprocessing.std": "1,0,1"}, "other than 0"),
    ],
)
def test_parameters_that_cannot_be_meant_are_refused(change: dict[str, str | None], message: str) -> None:
    parameters = {k: v for k, v in (NONE.to_parameters() | change).items() if v is not None}
    with pytest.raises(W251Error, match=message) as caught:
        Preprocessing.from_parameters(parameters)
    assert caught.value.remedy


@pytest.mark.parametrize("preprocessing", SOME)
@pytest.mark.parametrize("size", [(1, 1), (1, 900), (900, 1), (3, 2), (640, 480)])
def test_any_size_gives_the_models_shape(preprocessing: Preprocessing, size: tuple[int, int]) -> None:
    given = preprocessing(Image.new("RGB", size, (255, 128, 0)))
    assert given.shape == preprocessing.dims
    assert given.dtype == {"FP32": np.float32, "FP16": np.float16, "UINT8": np.uint8}[preprocessing.dtype]
    assert given.flags.c_contiguous
    assert np.isfinite(given).all()


def test_image_client_scalings_by_hand() -> None:
    picture = Image.fromarray(RAMP)
    size = (40, 60)
    as_is = RAMP.astype(np.float32).transpose(2, 0, 1)
    np.testing.assert_array_equal(image_client_preprocessing("none", size)(picture), as_is)
    inception = image_client_preprocessing("INCEPTION", size)(picture)
    np.testing.assert_allclose(inception, as_is / 127.5 - 1, atol=1e-6)
    vgg = image_client_preprocessing("VGG", size)(picture)
    np.testing.assert_array_equal(vgg, as_is - np.float32([123, 117, 104])[:, None, None])
    swapped = image_client_preprocessing("VGG", size, color="BGR", layout="NHWC")(picture)
    np.testing.assert_array_equal(swapped, vgg.transpose(1, 2, 0)[:, :, ::-1])
    gray = image_client_preprocessing("VGG", size, color="GRAY")(picture)
    np.testing.assert_array_equal(gray[0], np.asarray(picture.convert("L"), dtype=np.float32) - 128)
    stretched = np.asarray(picture.resize((9, 7), Image.Resampling.BILINEAR), dtype=np.float32)
    np.testing.assert_array_equal(image_client_preprocessing("NONE", (7, 9))(picture), stretched.transpose(2, 0, 1))
    with pytest.raises(UsageError, match="NONE, INCEPTION, VGG"):
        image_client_preprocessing("RESNET", size)


def test_crop_takes_the_middle_and_stretch_takes_all() -> None:
    # Red in the middle, blue at the left and right ends: a crop must not see the ends.
    pixels = np.zeros((100, 300, 3), dtype=np.uint8)
    pixels[:, 100:200, 0] = 255
    pixels[:, :100, 2] = pixels[:, 200:, 2] = 255
    picture = Image.fromarray(pixels)
    cut = Preprocessing(size=(10, 10), fit="crop", interpolation="bicubic")(picture)
    assert (cut[0].min(), cut[2].max()) == (255, 0)
    assert Preprocessing(size=(10, 10), fit="stretch")(picture)[2].max() == 255


def test_crop_is_that_of_the_efficientnet_training_code() -> None:
    lite0 = packaged("efficientnet_lite0").preprocessing
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (301, 452, 3), dtype=np.uint8))
    side = int(224 / (224 + 32) * 301)
    left, upper = (452 - side + 1) // 2, (301 - side + 1) // 2
    cut = picture.crop((left, upper, left + side, upper + side)).resize((224, 224), Image.Resampling.BICUBIC)
    expected = (np.asarray(cut, dtype=np.float32).transpose(2, 0, 1) - 127) / 128
    np.testing.assert_array_equal(lite0(picture), expected)


def test_crop_keeps_the_aspect_ratio_of_the_input() -> None:
    # A circle stays a circle in an input that is twice as wide as high.
    y, x = np.mgrid[:200, :200]
    circle = Image.fromarray(((((x - 99.5) ** 2 + (y - 99.5) ** 2) < 40**2) * 255).astype(np.uint8))
    given = Preprocessing(size=(100, 200), fit="crop", color="GRAY")(circle)[0] > 127
    rows, columns = np.flatnonzero(given.any(axis=1)), np.flatnonzero(given.any(axis=0))
    assert abs(len(rows) - len(columns)) <= 2
    assert abs(len(rows) - 80) <= 2


def test_uint8_rounds_and_clips() -> None:
    given = Preprocessing(size=(1, 1), mean=(-0.6, 250.0, -250.0), dtype="UINT8")(Image.new("RGB", (1, 1), (7, 7, 7)))
    assert given.ravel().tolist() == [8, 0, 255]


def test_it_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        NONE.size = (1, 1)
