"""The job store in one SQLite file: WAL, one writer at a time."""

from functools import lru_cache
from pathlib import Path

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DatabaseError, DBAPIError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

from schemas.errors import FatalError, LadingError, StoreBusyError
from store.backend import Backend

_PASSING = ("locked", "busy", "full", "disk I/O error")
"""What SQLite says of that decides nothing: somebody else writes, the disk is full or failed."""


@lru_cache(maxsize=8)
def sqlite_backend(path: Path, busy_timeout_seconds: float) -> Backend:
    """The store in this file, made when it is first written to; always the same one.

    An engine knows the SQL that it made before, which is half of what a small job costs. Its connections are
    given back whenever a store is closed.
    """
    engine = create_engine(
        f"sqlite:///{path}", connect_args={"timeout": busy_timeout_seconds}, hide_parameters=True
    )

    @event.listens_for(engine, "connect")
    def configure(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    # A transaction that will write asks for the lock at its start: SQLite refuses a later upgrade at once,
    # whatever the timeout, when somebody else wrote in between.
    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        write = connection.get_execution_options().get("lading_write")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    def understand(error: DBAPIError) -> LadingError | None:
        if isinstance(error, OperationalError):
            if any(word in str(error.orig) for word in _PASSING):
                return StoreBusyError(f"the job store {path} could not do it now: {error.orig}; try again")
            return FatalError(f"the job store {path} can't be used: {error.orig}")
        return FatalError(f"{path} is no job store: {error.orig}") if type(error) is DatabaseError else None

    return Backend(str(path), engine, engine.execution_options(lading_write=True), understand)
