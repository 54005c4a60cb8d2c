"""The inference pipeline: the validation recipe as the text of a ``dali.py``, and that text made into a pipeline.

There is one text. The NGC image's DALI backend runs it as the file ``1/dali.py`` of a model; the embedded server's
model loads the same file beside it (:mod:`w251lab.dali.serving.runner`); and :func:`pipeline` runs it right here.
"""

from __future__ import annotations

import inspect
import runpy
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from w251lab.dali import checks, installed
from w251lab.dali.centre_crop import centre_crop
from w251lab.dali.operators import FILTERS
from w251lab.dali.recipes import Validation
from w251lab.errors import UsageError, W251Error
from w251lab.triton.models import packaged

if TYPE_CHECKING:
    import os

#: Names of the pipeline's input and output, in DALI's graph and in Triton's configuration.
INPUT: Final = "DALI_INPUT"
OUTPUT: Final = "DALI_OUTPUT"
MAX_BATCH: Final = 1024

_TEXT: Final = '''"""From encoded pictures to a classifier's input: {recipe}.

Written by w251lab.dali.serving for Triton: the DALI backend runs the function with @autoserialize.
"""

from __future__ import annotations

from typing import Any

import nvidia.dali as dali
import nvidia.dali.fn
import nvidia.dali.math
import nvidia.dali.types
from nvidia.dali.plugin.triton import autoserialize


{operators}

@autoserialize
@dali.pipeline_def(
    batch_size={batch_size},
    num_threads={threads},
    device_id={device_id},
    # One batch at a time: a request is answered before the next one is there.
    prefetch_queue_depth=1,
    # What the model configuration says of the output, for the backend's auto-configuration.
    output_dtype=dali.types.FLOAT,
    output_ndim=3,
)
def preprocessing():
    # In place of a reader: the request's input of this name, the bytes of one picture file in each row.
    encoded = dali.fn.external_source(name={input!r}, ndim=1, dtype=dali.types.UINT8)
    return centre_crop(
        dali,
        encoded,
        decoder={decoder!r},
        to_gpu=False,
        resize={resize},
        crop={crop},
        interpolation={interpolation!r},
        antialias={antialias},
        mean={mean},
        std={std},
    )
'''


def classifier_recipe(name: str = "efficientnet_lite0") -> Validation:
    """The validation recipe of a shipped classifier: its crop, its filter, its mean and standard deviation.

    What :class:`w251lab.triton.preprocessing.Preprocessing` says as a share of the picture that is cut out and then
    resized, the recipe says as a picture that is resized and then cut: ``resize`` is the crop divided by the share.

    Args:
        name: One of :func:`w251lab.triton.models.names`.

    Raises:
        UsageError: No such model is shipped, or its preprocessing is no centre crop of RGB.
    """
    said = packaged(name).preprocessing
    height, width = said.size
    if said.fit != "crop" or said.color != "RGB" or height != width or (said.layout, said.dtype) != ("NCHW", "FP32"):
        raise UsageError(f"the preprocessing of {name!r} is no square centre crop of RGB", f"it is {said}")
    mean, std = (values * 3 if len(values) == 1 else values for values in (said.mean, said.std))
    return Validation(
        resize=round(height / said.crop_fraction),
        crop=height,
        interpolation=said.interpolation,
        mean=mean,
        std=std,
    )


def text(
    recipe: Validation | None = None,
    *,
    device: Literal["cpu", "gpu"] = "cpu",
    max_batch_size: int = 16,
    threads: int = 2,
) -> str:
    """The text of a ``dali.py`` that needs nothing but DALI (1.35 or later).

    Args:
        recipe: What is done to each picture; :func:`classifier_recipe` by default.
        device: Where: on the ``gpu`` pictures are decoded there as well (DALI's "mixed").
        max_batch_size: Pictures in a batch at most.
        threads: Threads of the CPU.

    Raises:
        UsageError: Another device, a recipe of another kind, or a count out of range.
    """
    recipe = classifier_recipe() if recipe is None else recipe
    if not isinstance(recipe, Validation):
        raise UsageError(
            f"{recipe!r} is no recipe to serve: what is random, or is a look at the pictures, gives no model its input",
            "give a w251lab.dali.recipes.Validation",
        )
    checks.one_of(device, "device", ("cpu", "gpu"))
    return _TEXT.format(
        recipe=f"shorter side to {recipe.resize}, centre {recipe.crop} x {recipe.crop}, normalised",
        operators=inspect.getsource(centre_crop),
        batch_size=checks.whole(max_batch_size, "max_batch_size", most=MAX_BATCH),
        threads=checks.whole(threads, "threads", most=MAX_BATCH),
        device_id=0 if device == "gpu" else None,
        input=INPUT,
        decoder="mixed" if device == "gpu" else "cpu",
        resize=recipe.resize,
        crop=recipe.crop,
        interpolation=FILTERS[recipe.interpolation],
        antialias=recipe.antialias,
        mean=[float(value) for value in recipe.mean],
        std=[float(value) for value in recipe.std],
    )


def load(file: str | os.PathLike[str], **settings: Any) -> Any:
    """The pipeline of a ``dali.py``, found as the DALI backend finds it, and built.

    Args:
        file: A Python file with one ``@pipeline_def`` that has ``@autoserialize``. It is run.
        settings: In place of what its ``@pipeline_def`` says: ``batch_size``, ``num_threads``, ``device_id``, ...

    Returns:
        The ``nvidia.dali.Pipeline``. ``pipeline.run(DALI_INPUT=[...])`` takes uint8 [bytes] arrays.

    Raises:
        W251Error: There is no DALI, no such file, it cannot be run, or has no or several such functions.
    """
    installed.dali()
    path = Path(file)
    try:
        names = runpy.run_path(str(path))
    except OSError as error:
        raise W251Error(f"{path} cannot be read: {error.strerror}", "give the path of a dali.py") from error
    except Exception as error:
        raise W251Error(f"{path} cannot be run: {type(error).__name__}: {error}", "mend that line") from error
    marked = {id(value): value for value in names.values() if getattr(value, "_is_autoserialize", False)}
    if len(marked) != 1:
        raise W251Error(
            f"{path} has {len(marked) or 'no'} functions with @autoserialize; the DALI backend takes exactly one",
            "put @autoserialize above the @pipeline_def of the pipeline to serve, and above no other",
        )
    (define,) = marked.values()
    try:
        built = define(**settings)
        built.build()
    except Exception as error:
        words = [line.strip() for line in str(error).splitlines() if line.strip()]
        raise W251Error(
            f"the pipeline of {path} cannot be built: {type(error).__name__}: {' '.join(words[:6])}",
            "mend what the message names",
        ) from error
    return built


def pipeline(recipe: Validation | None = None, *, device: str = "cpu", batch_size: int = 16, threads: int = 2) -> Any:
    """The inference pipeline, here and now.

    Args:
        recipe: What is done to each picture; :func:`classifier_recipe` by default.
        device: ``cpu``, ``gpu``, or ``auto`` for the GPU where there is one.
        batch_size: Pictures in a batch at most.
        threads: Threads of the CPU.

    Returns:
        A built ``nvidia.dali.Pipeline``: ``(images,) = pipeline.run(DALI_INPUT=[...])`` takes uint8 [bytes] arrays, as
        ``np.fromfile`` gives them, and returns DALI's list of float32 [3, crop, crop].

    Raises:
        UsageError: As :func:`text`.
        W251Error: There is no DALI here, or no such device.
    """
    chosen = installed.require(device)
    written = text(recipe, device=chosen, max_batch_size=batch_size, threads=threads)
    with tempfile.TemporaryDirectory(prefix="w251lab-dali-") as folder:
        file = Path(folder) / "dali.py"
        file.write_text(written, encoding="utf-8")
        return load(file)
