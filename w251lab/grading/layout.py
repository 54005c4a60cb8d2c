"""Where a course keeps what is handed in, graded and told: nbgrader's own folders, under the course's configuration."""

from __future__ import annotations

import os
import re
import tempfile
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from nbgrader.coursedir import CourseDirectory

from w251lab.course.release import nbgrader_config

if TYPE_CHECKING:
    from traitlets.config import Config

    from w251lab.course.catalog import Course

TIMESTAMP = "timestamp.txt"
_MODE = 0o644


class Layout:
    """The folders and the gradebook of a course, as nbgrader itself finds them."""

    def __init__(self, course: Course) -> None:
        self.course = course

    @cached_property
    def config(self) -> Config:
        """The course's nbgrader configuration."""
        return nbgrader_config(self.course.root)

    @cached_property
    def _directory(self) -> CourseDirectory:
        return CourseDirectory(config=self.config, root=str(self.course.root))

    @property
    def db_url(self) -> str:
        """The gradebook's address, as SQLAlchemy writes it."""
        url: str = self._directory.db_url
        return url

    def has_gradebook(self) -> bool:
        """Whether there is a gradebook already; a database that is no file is taken to be there."""
        file = self.db_url.removeprefix("sqlite:///")
        return file == self.db_url or Path(file).exists()

    @property
    def course_id(self) -> str:
        """The course's id in the gradebook, empty where the course has none: as nbgrader's own programs have it."""
        name: str = self._directory.course_id
        return name

    @property
    def ignored(self) -> list[str]:
        """Patterns of names that nbgrader never copies."""
        names: list[str] = self._directory.ignore
        return names

    def submitted(self, student: str, lab: str) -> Path:
        """Where a student's submission lies."""
        return self._path(self._directory.submitted_directory, student, lab)

    def autograded(self, student: str, lab: str) -> Path:
        """Where the notebooks lie as they ran, for formgrader."""
        return self._path(self._directory.autograded_directory, student, lab)

    def feedback(self, student: str, lab: str) -> Path:
        """Where the pages for the student lie."""
        return self._path(self._directory.feedback_directory, student, lab)

    def students(self, lab: str) -> dict[str, Path]:
        """Who handed in something for a lab: student -> folder, sorted by student."""
        step = self._directory.submitted_directory
        pattern = re.compile(self._directory.format_path(step, "(?P<student>[^/]+)", re.escape(lab), escape=True))
        whole = Path(self._directory.format_path(step, "*", lab))
        found = {}
        for path in whole.parent.parent.glob("/".join(whole.parts[-2:])):
            if (match := pattern.fullmatch(str(path))) and not match["student"].startswith("."):
                found[match["student"]] = path
        return dict(sorted(found.items()))

    def _path(self, step: str, student: str, lab: str) -> Path:
        return Path(self._directory.format_path(step, student, lab))


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that at any moment there is the old one or the new one, never half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(_MODE)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
