"""What an error of PostgreSQL means: a row refused, a lock, a connection lost, a wrong destination."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import psycopg
from psycopg import errors

from destinations.poison import RefusedError
from schemas.errors import DestinationError, RetriableError, StoreBusyError

TRIES = 5
"""How often a load or a last step begins anew because other programs write the same records."""

_OF_A_ROW = frozenset({"22", "23", "44", "54", "P0"})
"""Classes of SQLSTATE: data, constraints, views' checks, a row too large, what a trigger's code says."""

_COME_AGAIN = ("08", "25006", "25P03", "40", "53", "57", "58")
"""Beginnings of SQLSTATEs: connection lost, only reading (after a failover), idle too long, deadlock or
serialization, no resources (disk, memory, connections), the server or somebody stopped us, input or output.
The job store has a list of its own; what passes there passes here."""

_SERVER_IS_UP = "FATAL:"
_SERVER_IS_NOT_READY = (
    *("starting up", "shutting down", "recovery", "accepting connections"),
    *("too many", "connection slots", "out of memory"),
    # what PgBouncer says
    *("query_wait_timeout", "no more connections", "server_login_retry"),
)
"""Why a server or a pooler lets nobody in for now; before there is a connection no SQLSTATE is told."""


class OvertakenError(Exception):
    """Another program wrote the same records between our look and our write. Never leaves this room."""


@contextmanager
def explained(attempt: str) -> Iterator[None]:
    """Turn an error of PostgreSQL into one of Lading; `attempt` says what was being done.

    Raises:
        StoreBusyError: somebody else holds the lock.
        RetriableError: the connection was lost, or the server can't do it now.
        DestinationError: anything else.
    """
    try:
        yield
    except (errors.LockNotAvailable, errors.QueryCanceled) as error:
        raise StoreBusyError(
            f"{attempt} failed: {_said(error)}; another program is writing to it, try again"
        ) from error
    except psycopg.Error as error:
        said = f"{attempt} failed: {_said(error)}"
        if _may_pass(error):
            raise RetriableError(f"{said}; try again, what was committed is not done twice") from error
        raise DestinationError(said) from error


def refusal(
    error: psycopg.Error, columns: Mapping[str, str], *, orderly: bool, row_secured: bool
) -> RefusedError | None:
    """The refusal that this error is, None when it does not speak of a row.

    Args:
        columns: the column that alone is to blame, by name of the constraint.
        orderly: a foreign key may be content once other records are there.
        row_secured: the table lets us see and write only some rows.
    """
    state = error.sqlstate or ""
    secured = row_secured and state == "42501"
    if not (state[:2] in _OF_A_ROW or secured or _is_of_a_trigger(state)):
        return None
    column = error.diag.column_name or columns.get(error.diag.constraint_name or "")
    foreign = isinstance(error, errors.ForeignKeyViolation)
    # The server's DETAIL may quote other rows; its first line quotes this one at most.
    return RefusedError(error.diag.message_primary or str(error), column, orderly=foreign and orderly)


def _is_of_a_trigger(state: str) -> bool:
    """True for a code that PostgreSQL does not know: somebody's trigger raised it."""
    try:
        errors.lookup(state)
    except KeyError:
        return bool(state)
    return False


def _may_pass(error: psycopg.Error) -> bool:
    state = error.sqlstate
    if state is not None:
        return state.startswith(_COME_AGAIN)
    if not isinstance(error, psycopg.OperationalError):
        return False
    said = str(error)
    return _SERVER_IS_UP not in said or any(words in said for words in _SERVER_IS_NOT_READY)


def _said(error: psycopg.Error) -> str:
    return error.diag.message_primary or " ".join(str(error).split())
