"""A JSON file that says of itself what it holds: written whole, read with suspicion."""

from __future__ import annotations

import datetime as dt
import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from w251lab.errors import W251Error


@dataclass(frozen=True)
class Kind:
    """A kind of document.

    Attributes:
        schema: The name that stands in the file.
        version: Of the format that is written; the one that can be read.
        noun: What to call it in an error: "comparison".
        remedy: What to do about a file that is none.
    """

    schema: str
    version: int
    noun: str
    remedy: str

    def save(self, content: dict[str, Any], path: str | Path) -> Path:
        """Write ``content``, in one piece: a file that is there before is replaced or stays whole.

        Raises:
            W251Error: The file cannot be written.
        """
        file = Path(path)
        named = {"schema": self.schema, "version": self.version} | content
        text = json.dumps(named, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
            part = Path(name)
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as stream:
                    stream.write(text)
                part.chmod(0o644)  # made readable for its owner alone
                part.replace(file)
            finally:
                part.unlink(missing_ok=True)
        except OSError as error:
            raise W251Error(
                f"{file} cannot be written: {error.strerror}", "give a file in a folder that you may write to"
            ) from error
        return file

    def load(self, path: str | Path) -> dict[str, Any]:
        """What :meth:`save` wrote.

        Raises:
            W251Error: The file cannot be read, is of another kind, or a later version wrote it.
        """
        file = Path(path)
        try:
            content = json.loads(file.read_text(encoding="utf-8"), parse_constant=_no_constant)
        except OSError as error:
            raise W251Error(f"{file} cannot be read: {error.strerror}", self.remedy) from error
        except (ValueError, RecursionError) as error:  # not JSON, not text
            raise W251Error(f"{file} is no JSON file, or a damaged one: {error}", self.remedy) from error
        if not isinstance(content, dict) or content.get("schema") != self.schema:
            raise W251Error(f"{file} is no {self.noun} of w251lab", self.remedy)
        version = content.get("version")
        if isinstance(version, int) and version > self.version:
            raise W251Error(
                f"{file} was written by a later w251lab: its format is {version}, and this one reads {self.version}",
                "update w251lab",
            )
        if version != self.version:
            raise W251Error(f"{file}: the format's version {version!r} is unknown", self.remedy)
        return content

    def take(self, values: object, name: str, kind: type | tuple[type, ...]) -> Any:
        """The value of a name, if it is of a type.

        Raises:
            W251Error: It is missing, or of another type.
        """
        if not isinstance(values, dict) or name not in values:
            raise W251Error(f"{name!r} is missing", self.remedy)
        if not isinstance(values[name], kind):
            raise W251Error(f"{name} = {values[name]!r} cannot be", self.remedy)
        return values[name]

    def count(self, values: object, name: str) -> int:
        """A whole number from 1.

        Raises:
            W251Error: It is missing, or something else.
        """
        number: int = self.take(values, name, int)
        if isinstance(number, bool) or number < 1:
            raise W251Error(f"{name} = {number!r} cannot be", self.remedy)
        return number

    def day(self, values: object, name: str) -> str:
        """A day as ``YYYY-MM-DD``.

        Raises:
            W251Error: It is missing, or something else.
        """
        said: str = self.take(values, name, str)
        try:
            dt.date.fromisoformat(said)
        except ValueError as error:
            raise W251Error(f"{name} = {said!r} is no day", self.remedy) from error
        return said


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no number")
