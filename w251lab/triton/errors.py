"""What can go wrong between a lab and its server, each with its remedy."""

from __future__ import annotations

from w251lab.errors import UsageError, W251Error


class ServerFailedError(W251Error):
    """The server ended by itself or never became ready."""


class PortTakenError(W251Error):
    """Another process listens on the port."""


class ServerUnavailableError(W251Error):
    """Nothing answers at the address, or not as Triton does, or not in time."""


class UnknownModelError(UsageError):
    """The server has no such model, or has not loaded it."""


class InvalidRequestError(UsageError):
    """Inputs that the model does not take: their names, shapes, types or values."""


class InferenceFailedError(W251Error):
    """The server took the request and could not answer it."""
