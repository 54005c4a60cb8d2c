"""What can go wrong with faces and pictures: each is a `W251Error`, with what happened and what to do."""

from __future__ import annotations

from w251lab.errors import W251Error


class FaceError(W251Error):
    """Work on faces that cannot be done as asked."""


class PictureError(FaceError):
    """A picture that cannot be read, used or written."""


class NoFaceError(FaceError):
    """A picture in which no face was found."""


class WeightsError(FaceError):
    """A network's weights that are not here, or are not the ones that were meant."""
