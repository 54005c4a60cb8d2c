"""nbgrader's gradebook, opened with care: made whole or not at all, never overwritten, changed in whole transactions.

nbgrader's own ``Gradebook`` commits after every step. Here its session is joined into one outer transaction, so that
its own methods are used as they are, and what belongs together is written together: a run that is killed leaves the
gradebook as it was before or after a submission, never in the middle of one.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alembic.config import Config
from alembic.script import ScriptDirectory
from nbgrader import api, dbutil
from sqlalchemy import Column, MetaData, String, Table, Text, create_engine, event, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DatabaseError, SQLAlchemyError

from w251lab.errors import W251Error

if TYPE_CHECKING:
    from collections.abc import Iterator

    from w251lab.grading.layout import Layout

#: Seconds for which a gradebook that another program is writing to is waited for.
WAIT = 60.0
_HEADER = b"SQLite format 3\x00"

#: What the grader knows beyond nbgrader's columns, in the same file, so that marks and reasons cannot fall apart:
#: the typed result of each submitted notebook, and digests of the answers that it was made for. nbgrader leaves tables
#: that it does not know alone.
_METADATA = MetaData()
RESULTS = Table(
    "w251lab_result",
    _METADATA,
    Column("notebook_id", String(32), primary_key=True),  # of nbgrader's submitted_notebook
    Column("fingerprint", String(128), nullable=False),
    Column("graded", Text, nullable=False),
    Column("answers", Text, nullable=False),
)


class GradebookError(W251Error):
    """The gradebook cannot be used as it is: it is damaged, locked, of another version, or something else."""


class Book:
    """An open gradebook.

    Attributes:
        gradebook: nbgrader's own object.
    """

    def __init__(self, layout: Layout, wait: float) -> None:
        url = make_url(layout.db_url)
        self.name = url.database or str(url)
        self.wait = wait
        self._sqlite = url.get_backend_name() == "sqlite"
        if self._sqlite:
            check_file(Path(self.name))
            _create(Path(self.name))
            url = url.update_query_dict({"timeout": f"{wait:g}"})
        with self._errors_named():
            self.gradebook: Any = api.Gradebook(url.render_as_string(hide_password=False), layout.course_id)
            self._check_columns()
        self._use_own_transactions()
        with self.transaction():
            _METADATA.create_all(self.gradebook.db.connection())

    def _check_columns(self) -> None:
        """Hold the tables against those of the installed nbgrader: one of an older version lacks columns."""
        present = inspect(self.gradebook.engine)
        for table in api.Base.metadata.sorted_tables:
            names = {column["name"] for column in present.get_columns(table.name)}
            if lacking := sorted({column.name for column in table.columns} - names):
                raise GradebookError(
                    f"{self.name} was made by an older nbgrader: {table.name} has no column {', '.join(lacking)}.",
                    "Make a copy of it, then run: nbgrader db upgrade",
                )

    def _use_own_transactions(self) -> None:
        """Have SQLAlchemy begin transactions, which sqlite3 otherwise does by itself and too late.

        See "Serializable isolation / Savepoints / Transactional DDL" in SQLAlchemy's chapter on SQLite. A write
        transaction takes the write lock at its begin: waiting later would fail where another program has written since.
        """
        engine = self.gradebook.engine
        engine.dispose()
        if self._sqlite:
            event.listen(engine, "connect", lambda raw, _record: setattr(raw, "isolation_level", None))
            event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        """One transaction: everything within is kept, or nothing where an error leaves it. Yields nbgrader's gradebook.

        Raises:
            GradebookError: Another program has kept the gradebook locked for longer than was waited, or it is damaged.
        """
        with self._errors_named(), self.gradebook.engine.connect() as connection, connection.begin():
            session = self.gradebook.db
            session.remove()
            # nbgrader commits after every step. Nobody else can write before this transaction ends, so what was read is
            # not read again after each.
            session.configure(bind=connection, join_transaction_mode="create_savepoint", expire_on_commit=False)
            try:
                yield self.gradebook
                session.commit()
            finally:
                session.remove()
                session.configure(
                    bind=self.gradebook.engine, join_transaction_mode="conditional_savepoint", expire_on_commit=True
                )

    @contextmanager
    def _errors_named(self) -> Iterator[None]:
        try:
            yield
        except (SQLAlchemyError, api.InvalidEntry) as error:
            raise _named(self.name, self.wait, error) from error

    def close(self) -> None:
        """Let go of the file."""
        self.gradebook.close()


@contextmanager
def open_gradebook(layout: Layout, *, wait: float = WAIT) -> Iterator[Book]:
    """The course's gradebook; made, with nbgrader's own tables, where there is none yet.

    Args:
        layout: Where the course keeps it.
        wait: Seconds for which a locked one is waited for.

    Raises:
        GradebookError: It is no gradebook, is damaged, comes from an older nbgrader, or stays locked. It is then left
            as it is.
    """
    book = Book(layout, wait)
    try:
        yield book
    finally:
        book.close()


def check_file(path: Path) -> None:
    """Refuse a file that is there and is no gradebook, so that nothing is written into it.

    Raises:
        GradebookError: It is damaged, or something else.
    """
    if not path.exists() or (path.is_file() and path.stat().st_size == 0):
        return
    aside = f"Move it away or put a copy of the gradebook back in its place: {path}"
    try:
        with path.open("rb") as file:
            if file.read(len(_HEADER)) != _HEADER:
                raise GradebookError(f"{path} is no gradebook: it is not an SQLite database.", aside)
    except OSError as error:
        raise GradebookError(f"{path} cannot be read: {error.strerror}.", aside) from error
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=WAIT)
    try:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        said = [row[0] for row in connection.execute("PRAGMA quick_check(1)")]
    except sqlite3.DatabaseError as error:
        if "locked" in str(error):
            return  # whoever opens it next waits for it, and says so
        raise GradebookError(f"{path} is damaged: {error}.", aside) from error
    finally:
        connection.close()
    if said != ["ok"]:
        raise GradebookError(f"{path} is damaged: {said[0]}.", aside)
    if tables and "submitted_assignment" not in tables:
        raise GradebookError(f"{path} is an SQLite database, but no gradebook of nbgrader.", aside)


def _create(path: Path) -> None:
    """Make an empty gradebook beside its place and put it there whole: nbgrader makes it in several steps."""
    if path.exists() and path.stat().st_size:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=path.parent, prefix=".gradebook-"))
    try:
        _make_tables(folder / "new.db")
        if path.exists():  # empty, as `touch` leaves it
            path.unlink()
        os.link(folder / "new.db", path)  # unlike a rename this overwrites nothing that has come in the meantime
    except FileExistsError:
        return  # another run was faster
    except (OSError, SQLAlchemyError) as error:
        raise GradebookError(
            f"{path} cannot be made: {error}.", "Give yourself the right to write there, or make room."
        ) from error
    finally:
        shutil.rmtree(folder)


def _make_tables(path: Path) -> None:
    """Make nbgrader's tables, with the version of its schema, as its ``Gradebook`` does.

    It starts the program ``alembic``, found by name, to learn the version; here alembic is asked in this process.
    """
    config = Config()
    config.set_main_option("script_location", dbutil.ALEMBIC_DIR)
    version = ScriptDirectory.from_config(config).get_current_head()
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        api.Base.metadata.create_all(connection)
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
        connection.execute(text("INSERT INTO alembic_version (version_num) VALUES (:version)"), {"version": version})
    engine.dispose()


def _named(name: str, wait: float, error: Exception) -> GradebookError:
    said = " ".join(str(getattr(error, "orig", None) or error).split())
    if "locked" in said or "busy" in said:
        return GradebookError(
            f"{name} is locked: another program has been writing to it for {wait:g} s.",
            "Wait for nbgrader or another 'w251lab grade' to finish, or end it; then run this again. Nothing is lost.",
        )
    if "readonly" in said:
        return GradebookError(f"{name} cannot be written to.", "Give yourself the right to write to it and its folder.")
    if isinstance(error, DatabaseError) and ("malformed" in said or "not a database" in said):
        return GradebookError(f"{name} is damaged: {said}.", "Put a copy of the gradebook back in its place.")
    return GradebookError(f"{name} could not be changed: {said[:500]}", "Run this again; nothing was half written.")
