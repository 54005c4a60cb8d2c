"""One description of the three models - preprocessing, classifier, ensemble - for both kinds of server.

=====================  ==================================================  ==========================================
model                  in the embedded server                              in the NGC image
=====================  ==================================================  ==========================================
preprocessing          python backend: ``1/model.py`` runs ``1/dali.py``   DALI backend: ``1/dali.py``
classifier             python backend with onnxruntime                     onnxruntime backend
ensemble               INPUT -> OUTPUT, ERROR                              INPUT -> OUTPUT
a picture that         fails alone; its reason is the request's error,     fails every request of its batch, with DALI's
cannot be decoded      or in ERROR with NaN in OUTPUT                      own words
a JPEG file without    the same, on a CPU and on a GPU                     the same on a CPU; on a GPU what there is of
its end mark                                                               it is decoded
too many pixels        refused by the header                               decoded
=====================  ==================================================  ==========================================

How a failed picture travels through the embedded server's ensemble. Triton knows errors of requests only, and an
ensemble's steps know each other's tensors only. A request of one picture therefore fails in its first step. In a
request of several, the first step gives NaN for the picture's pixels and its reason in ERROR, which is an output of the
ensemble. The classifier knows nothing of pictures: it answers a row of NaN with NaN (``nan_rows``) and computes the
others. So a client that never looks at ERROR still finds no class for that picture.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from w251lab.dali import checks
from w251lab.dali.recipes import Validation
from w251lab.dali.serving import source
from w251lab.errors import UsageError
from w251lab.triton import classifiers, repository
from w251lab.triton.description import DaliModel, DynamicBatching, Ensemble, OnnxModel, PythonModel, Step, Tensor
from w251lab.triton.models import packaged

if TYPE_CHECKING:
    import os

    from w251lab.triton.description import Model
    from w251lab.triton.repository import Flavour

#: Pillow warns of what has more. Both ways to prepare a picture refuse the same sizes by it (runner.Limits), unless a
#: service has limits of its own. Of damaged files each decoder saves what it can, and those differ.
MAX_PIXELS: Final = 89_478_485
PREPROCESSING: Final = "preprocessing"
ENSEMBLE: Final = "efficientnet_ensemble"
INPUT: Final = "INPUT"
OUTPUT: Final = "OUTPUT"
ERROR: Final = "ERROR"
_RUNNER: Final = Path(__file__).with_name("runner.py")


@dataclass(frozen=True, kw_only=True)
class Service:
    """Encoded pictures in, classes out.

    Attributes:
        classifier: One of :func:`w251lab.triton.models.names`; also its name on the server.
        recipe: How a picture becomes its input; None for :func:`w251lab.dali.serving.classifier_recipe`.
        device: Where both models compute: ``cpu`` or ``gpu``.
        max_batch_size: Pictures in one execution at most.
        max_queue_delay_us: Microseconds that a picture waits for others to join it.
        threads: Threads of the preprocessing on the CPU; 0 for as many as there are cores.
        max_pixels: What a picture, and a batch of them together, may unfold to. Each pixel takes 3 bytes, of a
            progressive JPEG 6 more while it is decoded.
        preprocessing: Name of the first model on the server.
        ensemble: Name of the third.

    Raises:
        UsageError: A value that cannot be meant.
    """

    classifier: str = "efficientnet_lite0"
    recipe: Validation | None = None
    device: Literal["cpu", "gpu"] = "cpu"
    max_batch_size: int = 16
    max_queue_delay_us: int = 1000
    threads: int = 0
    max_pixels: int = MAX_PIXELS
    preprocessing: str = PREPROCESSING
    ensemble: str = ENSEMBLE

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        wanted = packaged(self.classifier).input_dims
        checks.one_of(self.device, "device", ("cpu", "gpu"))
        checks.whole(self.max_batch_size, "max_batch_size", most=source.MAX_BATCH)
        checks.whole(self.max_queue_delay_us, "max_queue_delay_us", least=0)
        checks.whole(self.threads, "threads", least=0, most=source.MAX_BATCH)
        checks.whole(self.max_pixels, "max_pixels")
        if self.recipe is not None and not isinstance(self.recipe, Validation):
            raise UsageError(f"recipe is {self.recipe!r}", "give a w251lab.dali.recipes.Validation, or None")
        if (3, self.prepares.crop, self.prepares.crop) != wanted:
            raise UsageError(
                f"the recipe makes pictures of {self.prepares.crop} x {self.prepares.crop} pixels, and "
                f"{self.classifier!r} takes {wanted[1]} x {wanted[2]}",
                f"use a recipe with crop={wanted[1]}",
            )
        if len({self.preprocessing, self.classifier, self.ensemble}) < 3:
            raise UsageError("two of the three models have one name", "give each a name of its own")

    @property
    def prepares(self) -> Validation:
        """The recipe, given or the classifier's own."""
        return self.recipe or source.classifier_recipe(self.classifier)

    def dali_py(self) -> str:
        """The text of the preprocessing's ``dali.py``."""
        return source.text(
            self.prepares, device=self.device, max_batch_size=self.max_batch_size, threads=self.threads or 2
        )

    def models(self, dali_py: str | os.PathLike[str], flavour: Flavour = "embedded") -> list[Model]:
        """The descriptions of the three models, for :func:`w251lab.triton.repository.write`.

        Args:
            dali_py: A file with the text of :meth:`dali_py`, or one's own.
            flavour: For the embedded server or for the NGC image.

        Raises:
            UsageError: Another flavour.
        """
        first = preprocessing(
            dali_py,
            flavour=flavour,
            name=self.preprocessing,
            recipe=self.prepares,
            device=self.device,
            max_batch_size=self.max_batch_size,
            max_queue_delay_us=self.max_queue_delay_us,
            threads=self.threads,
            max_pixels=self.max_pixels,
        )
        second = classifier(
            self.classifier,
            device=self.device,
            max_batch_size=self.max_batch_size,
            max_queue_delay_us=self.max_queue_delay_us,
        )
        return [first, second, ensemble(first, second, name=self.ensemble)]


def preprocessing(
    dali_py: str | os.PathLike[str],
    *,
    flavour: Flavour = "embedded",
    name: str = PREPROCESSING,
    recipe: Validation | None = None,
    device: Literal["cpu", "gpu"] = "cpu",
    max_batch_size: int = 16,
    max_queue_delay_us: int = 1000,
    threads: int = 0,
    max_pixels: int = MAX_PIXELS,
) -> DaliModel | PythonModel:
    """The description of a ``dali.py`` as a model: bytes of a picture in, pixels out.

    Its input ``DALI_INPUT`` is uint8 [-1], ragged: single pictures of different lengths join one batch. Its output
    ``DALI_OUTPUT`` is float32 [3, crop, crop]; in the embedded flavour ``ERROR``, bytes [1], says for each picture why
    it could not be used, ``b""`` where it could.

    Args:
        dali_py: The file: one ``external_source`` named ``DALI_INPUT``, one output.
        flavour: For the embedded server or for the NGC image.
        name: The model's name.
        recipe: What the file does, for the shape of its output and for the limits.
        device: Where it computes.
        max_batch_size: As in :class:`Service`, like those that follow.
        max_queue_delay_us: See there.
        threads: See there.
        max_pixels: See there.

    Raises:
        UsageError: Another flavour.
    """
    checks.one_of(flavour, "flavour", repository.FLAVOURS)
    recipe = recipe or source.classifier_recipe()
    inputs = (Tensor(source.INPUT, (-1,), "UINT8", ragged=True),)
    pixels = Tensor(source.OUTPUT, (3, recipe.crop, recipe.crop))
    batching = DynamicBatching(max_queue_delay_us)
    if flavour == "ngc":
        return DaliModel(
            name=name,
            inputs=inputs,
            outputs=(pixels,),
            max_batch_size=max_batch_size,
            parameters={"num_threads": str(threads)} if threads else {},
            versions={1: Path(dali_py)},
            device=device,
            dynamic_batching=batching,
        )
    return PythonModel(
        name=name,
        inputs=inputs,
        outputs=(pixels, Tensor(ERROR, (1,), "BYTES")),
        max_batch_size=max_batch_size,
        parameters={"threads": str(threads), "max_pixels": str(max_pixels), "resize": str(recipe.resize)},
        versions={1: _RUNNER},
        files={repository.DALI_FILE: Path(dali_py)},
        device=device,
        dynamic_batching=batching,
    )


def classifier(
    name: str = "efficientnet_lite0",
    *,
    device: Literal["cpu", "gpu"] = "cpu",
    max_batch_size: int = 16,
    max_queue_delay_us: int = 1000,
) -> OnnxModel:
    """The description of a shipped classifier, as the step after a preprocessing: NaN rows are answered with NaN.

    Args:
        name: One of :func:`w251lab.triton.models.names`.
        device: As in :class:`Service`, like those that follow.
        max_batch_size: See there.
        max_queue_delay_us: See there.

    Raises:
        W251Error: No such model is shipped, or its file was changed.
    """
    return classifiers.describe(
        name,
        device=device,
        max_batch_size=max_batch_size,
        dynamic_batching=DynamicBatching(max_queue_delay_us),
        nan_rows=True,
    )


def ensemble(first: DaliModel | PythonModel, second: OnnxModel, *, name: str = ENSEMBLE) -> Ensemble:
    """The two wired together: ``INPUT`` uint8 [-1] -> ``OUTPUT`` float32 [classes] with labels, and ``ERROR``.

    Args:
        first: Of :func:`preprocessing`.
        second: Of :func:`classifier`.
        name: The ensemble's name.
    """
    pixels, *errors = first.outputs
    (scores,) = second.outputs
    (taken,) = second.inputs
    return Ensemble(
        name=name,
        inputs=(Tensor(INPUT, (-1,), "UINT8"),),
        outputs=(Tensor(OUTPUT, scores.dims, labels=scores.labels), *(Tensor(e.name, e.dims, e.dtype) for e in errors)),
        max_batch_size=min(first.max_batch_size, second.max_batch_size),
        steps=(
            Step(first.name, {source.INPUT: INPUT}, {pixels.name: "pixels"} | {e.name: e.name for e in errors}),
            Step(second.name, {taken.name: "pixels"}, {scores.name: OUTPUT}),
        ),
    )


def write(folder: str | os.PathLike[str], service: Service | None = None, flavour: Flavour = "embedded") -> Path:
    """Write the three models into a model repository.

    Args:
        folder: The repository; made if absent, and other models in it stay.
        service: What to serve; the usual values by default.
        flavour: For the embedded server or for the NGC image.

    Returns:
        The repository's folder.

    Raises:
        UsageError: Another flavour.
        W251Error: The folder cannot be written, or the classifier's file was changed.
    """
    service = service or Service()
    with tempfile.TemporaryDirectory(prefix="w251lab-dali-") as scratch:
        file = Path(scratch) / repository.DALI_FILE
        file.write_text(service.dali_py(), encoding="utf-8")
        return repository.write(Path(folder), service.models(file, flavour), flavour)
