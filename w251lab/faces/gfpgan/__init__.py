"""GFPGAN itself: its published weights, its network beside today's libraries, and a faster way to compute it."""

from w251lab.faces.gfpgan.restorer import GfpganRestorer

__all__ = ["GfpganRestorer"]
