"""The one writer to the gradebook: a thread that takes students as their results are complete, and writes them."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from w251lab.course.catalog import Course, Lab
    from w251lab.grading.intake import Submission
    from w251lab.grading.journal import Journal
    from w251lab.grading.layout import Layout
    from w251lab.grading.writer import GradebookWriter


def pages(layout: Layout, lab: Lab, student: str) -> list[Path]:
    """Where the pages for a student are, or are going to be."""
    return [layout.feedback(student, lab.name) / f"{entry.name}.html" for entry in lab.notebooks]


class Recorder:
    """The one writer to the gradebook, in a thread of its own: the next submission does not wait for it.

    nbgrader is imported in that thread too, when there is the first thing to write.
    """

    def __init__(self, course: Course, lab: Lab, journal: Journal, submissions: Mapping[str, Submission]) -> None:
        self._course, self._lab, self._journal, self._submissions = course, lab, journal, submissions
        self._queue: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="gradebook")
        self._error: BaseException | None = None

    def put(self, student: str) -> None:
        """Write a student's submission: all of the lab's notebooks that the journal has and the gradebook has not."""
        self._queue.put(student)

    def check(self) -> None:
        """Raise what went wrong in the thread.

        Raises:
            W251Error: The gradebook cannot be written.
        """
        if self._error is not None:
            raise self._error

    def __enter__(self) -> Self:
        """Start the thread."""
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Wait until all is written that was put; after an interruption, too: it is little, and spares the next run."""
        self._queue.put(None)
        self._thread.join()
        if kind is None:
            self.check()

    def _work(self) -> None:
        try:
            student = self._queue.get()
            if student is None:
                return
            from w251lab.grading.writer import open_writer  # noqa: PLC0415 - nbgrader's database takes seconds

            written = set()
            with open_writer(self._course, self._lab) as writer:
                while student is not None:
                    self._write(writer, student)
                    written.add(student)
                    student = self._queue.get()
            self._tell(written)
        except BaseException as error:  # noqa: BLE001 - raised by `check` in the thread that grades
            self._error = error

    def _write(self, writer: GradebookWriter, student: str) -> None:
        from w251lab.grading.intake import files_beside  # noqa: PLC0415
        from w251lab.grading.layout import Layout  # noqa: PLC0415

        names = [entry.name for entry in self._lab.notebooks]
        entries = [entry for name in names if (entry := self._journal.latest(student, name)) is not None]
        submission = self._submissions[student]
        files, _ = files_beside(self._course, self._lab, submission)
        graded = [self._journal.read(entry) for entry in entries]
        writer.write(student, graded, timestamp=submission.timestamp, files=files)
        # The page is made at the end of the run. An older one is taken away: a run that is killed before would leave
        # it standing, with marks that are no longer true.
        for path in pages(Layout(self._course), self._lab, student):
            path.unlink(missing_ok=True)
        for entry in entries:
            self._journal.mark_written(entry.fingerprint, submission.timestamp)

    def _tell(self, students: set[str]) -> None:
        """Write the students' pages, once the gradebook has everything."""
        from w251lab.grading.feedback import write_feedback  # noqa: PLC0415
        from w251lab.grading.marks import read_marks  # noqa: PLC0415

        marks = read_marks(self._course, self._lab)
        write_feedback(self._course, self._lab, [one for one in marks if one.student in students])
