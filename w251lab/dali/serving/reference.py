"""The same without DALI and without the ensemble: the client prepares the picture, and the server only classifies it.

It is what server-side preprocessing is held against: the classes, the time, and the bytes on the wire.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from w251lab.dali import parity
from w251lab.dali.damage import UNREADABLE
from w251lab.dali.serving import source
from w251lab.dali.serving.ask import Answer, Clients
from w251lab.dali.serving.contents import as_array, several
from w251lab.dali.serving.runner import Limits
from w251lab.dali.serving.service import MAX_PIXELS
from w251lab.errors import W251Error
from w251lab.triton.models import packaged

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from w251lab.dali.recipes import Validation
    from w251lab.dali.serving.contents import Content
    from w251lab.triton.client import Protocol
    from w251lab.triton.endpoints import Server


def prepare(contents: Sequence[Content], recipe: Validation | None = None) -> npt.NDArray[np.float32]:
    """Pictures as a classifier's input, by Pillow and with torchvision's arithmetic.

    It is :func:`w251lab.dali.parity.reference`, normalised.

    Args:
        contents: For each picture the bytes of its file.
        recipe: What is done to it; :func:`w251lab.dali.serving.classifier_recipe` by default.

    Returns:
        float32 [pictures, 3, crop, crop].

    Raises:
        UsageError: There are no pictures, or something else than bytes.
        W251Error: Pillow cannot decode one, or it has more pixels than the server takes by default, decoded
            or resized.
    """
    recipe = recipe or source.classifier_recipe()
    mean, std = np.asarray(recipe.mean, np.float32), np.asarray(recipe.std, np.float32)
    pixels = np.stack([_pixels(content, recipe) for content in several(contents)])
    return np.ascontiguousarray(((pixels - mean) / std).transpose(0, 3, 1, 2), np.float32)


class PreparingClients(Clients):
    """Clients that prepare the pictures themselves and ask the classifier alone; arguments as in :class:`Clients`.

    Args:
        server: Where.
        model: Which classifier to ask, one of :func:`w251lab.triton.models.names`.
        recipe: What is done to a picture; the classifier's own by default.
        more: Arguments of :class:`Clients`.
    """

    def __init__(
        self, server: Server, *, model: str = "efficientnet_lite0", recipe: Validation | None = None, **more: Any
    ) -> None:
        self._input = packaged(model).input_name
        self._recipe = recipe or source.classifier_recipe(model)
        super().__init__(server, model=model, **more)

    def classify(self, contents: Sequence[Content]) -> list[Answer]:
        """The classes of encoded pictures, each in a request of its own.

        Args:
            contents: For each picture the bytes of its file.

        Returns:
            In the order of ``contents``; a picture that Pillow cannot decode has its reason.

        Raises:
            UsageError: There are no pictures, or something else than bytes.
            W251Error: A request fails; see :meth:`w251lab.triton.client.TritonClient.infer`.
        """
        return self._each(self._one, [as_array(content) for content in several(contents)])

    def _one(self, content: npt.NDArray[np.uint8]) -> list[Answer]:
        try:
            prepared = prepare([content], self._recipe)
        except W251Error as error:
            return [Answer((), error.what)]
        return self._infer(self._input, prepared)


def client_side(
    server: Server,
    contents: Sequence[Content],
    *,
    model: str = "efficientnet_lite0",
    recipe: Validation | None = None,
    protocol: Protocol = "http",
    top_k: int = 1,
    concurrency: int = 8,
) -> list[Answer]:
    """Ask once, with clients that end afterwards; arguments, result and errors as in :class:`PreparingClients`."""
    with PreparingClients(
        server, model=model, recipe=recipe, protocol=protocol, top_k=top_k, concurrency=concurrency
    ) as clients:
        return clients.classify(contents)


def _pixels(content: Content, recipe: Validation) -> npt.NDArray[np.uint8]:
    """The centre crop of one picture."""
    data = as_array(content).tobytes()
    try:
        with Image.open(io.BytesIO(data)) as picture:
            reason = Limits(MAX_PIXELS, recipe.resize).too_large(*picture.size)
            if not reason:
                return parity.reference(picture, recipe)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        reason = str(error)
    except UNREADABLE as error:
        raise W251Error(f"Pillow cannot decode the picture: {error}", "save it again as JPEG or PNG") from error
    raise W251Error(f"the picture is too large to decode safely: {reason}", "scale it down first")
