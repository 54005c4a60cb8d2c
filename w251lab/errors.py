"""The one base error of the project: what happened, and what to do next."""

from __future__ import annotations


class W251Error(Exception):
    """Something a user can put right.

    The command line prints ``what`` and ``remedy`` and nothing else; a notebook shows both in the
    last lines of the traceback.

    Args:
        what: One or two sentences that say what happened, with the offending values.
        remedy: What to do next: a command, a setting, or the value that was expected. May be empty
            where ``what`` already says it.
    """

    def __init__(self, what: str, remedy: str = "") -> None:
        super().__init__(what, remedy)
        self.what = what
        self.remedy = remedy

    def __str__(self) -> str:
        """Both sentences, the remedy on a line of its own."""
        return f"{self.what}\n  What to do: {self.remedy}" if self.remedy else self.what


class UsageError(W251Error):
    """An argument that cannot be meant: an unknown name, a value out of range."""
