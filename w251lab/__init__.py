"""w251lab: the library that the accelerated-computing labs stand on, and the machinery that runs them."""

from importlib.metadata import version

__version__ = version("w251lab")
