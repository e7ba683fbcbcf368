"""What an error of SQLite means to Lading: a row refused, a lock, or a destination that can't be used."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from destinations.poison import RefusedError
from schemas.errors import DestinationError, RetriableError, StoreBusyError

_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_NO_ROOM = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}
"""As with PostgreSQL, a disk that is full or failed decides nothing: the job waits until it is well again."""
_OF_A_ROW = {sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_TOOBIG}
_BLAMED = re.compile(
    r"(?:NOT NULL|UNIQUE) constraint failed: [^,]+\.([^,.]+)|cannot store .* column .*\.([^.]+)"
)


@contextmanager
def explained(attempt: str) -> Iterator[None]:
    """Turn an error of SQLite or of its files into one of Lading; `attempt` says what was being done.

    Raises:
        StoreBusyError: somebody else holds the lock.
        RetriableError: the disk is full, or failed.
        DestinationError: anything else.
    """
    try:
        yield
    except sqlite3.Error as error:
        said = f"{attempt} failed: {error}"
        if primary_code(error) in _BUSY:
            raise StoreBusyError(f"{said}; another program is writing to it, try again") from error
        if primary_code(error) in _NO_ROOM:
            raise RetriableError(f"{said}; the job goes on when the disk is well again") from error
        raise DestinationError(said) from error
    except OSError as error:
        raise DestinationError(f"{attempt} failed: {error}") from error


def primary_code(error: sqlite3.Error) -> int:
    """SQLite's primary result code, 0 where the error is of Python's own making."""
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF


def refusal(error: sqlite3.Error, *, orderly: bool) -> RefusedError | None:
    """The refusal that this error is, None when it does not speak of the row.

    An error of the statement as such (no such table) has the same code as one that a value brings about
    in an expression of the table (malformed JSON); the caller tells them apart.

    Args:
        orderly: a foreign key may be content once other records are there.
    """
    code = primary_code(error)
    if code not in {*_OF_A_ROW, sqlite3.SQLITE_ERROR}:
        return None
    foreign = getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY
    blamed = _BLAMED.fullmatch(str(error)) if code == sqlite3.SQLITE_CONSTRAINT else None
    column = (blamed[1] or blamed[2]) if blamed else None
    return RefusedError(str(error), column, orderly=foreign and orderly)
