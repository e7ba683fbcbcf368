"""What the job store wants of a database, whichever it is: engines, a name for messages, errors understood."""

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock

from sqlalchemy import Connection, Engine, func, select
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from schemas.errors import LadingError


class Users:
    """How many use something that is given up when the last one leaves."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._number = 0

    def enter(self) -> None:
        """One more uses it."""
        with self._lock:
            self._number += 1

    def leave(self) -> bool:
        """One fewer uses it; true when that was the last."""
        with self._lock:
            self._number -= 1
            return self._number == 0


@dataclass(frozen=True)
class Backend:
    """One database that can hold the job store.

    Attributes:
        place: how messages name it; never with a password.
        reader: its transactions see one moment of the store.
        writer: of the same pool; its transactions wait for others as long as the settings say.
        users: the open stores over it, which share its connections.
        understand: what an error of the database says to the caller; None where it is about single rows.
    """

    place: str
    reader: Engine
    writer: Engine
    understand: Callable[[DBAPIError], LadingError | None]
    users: Users = field(default_factory=Users)


def is_postgres(session: Session | Connection) -> bool:
    """True where the store is a PostgreSQL database, with many writers; SQLite has one."""
    bind = session.get_bind() if isinstance(session, Session) else session
    return bind.dialect.name == "postgresql"


def is_storable(text: str) -> bool:
    """True when the text can stand in a column at all; what can't is nobody's name or id."""
    return "\0" not in text and text.encode(errors="replace").decode() == text


def alone(session: Session | Connection, *name: str) -> None:
    """Until the end of this transaction nobody else is past the same call with the same name.

    For what a row lock can't guard, because there is no row yet. On SQLite it is enough that the transaction
    has begun: it is the only writer.
    """
    connection = session.connection() if isinstance(session, Session) else session
    if is_postgres(connection):
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended("/".join(name), 0))))
