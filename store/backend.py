"""What the job store wants of a database, whichever it is: engines, a name for messages, errors understood."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, func, select
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from schemas.errors import LadingError


@dataclass(frozen=True)
class Backend:
    """One database that can hold the job store.

    Attributes:
        place: how messages name it; never with a password.
        reader: its transactions see one moment of the store.
        writer: of the same pool; its transactions wait for others as long as the settings say.
        understand: what an error of the database says to the caller; None where it is about single rows.
    """

    place: str
    reader: Engine
    writer: Engine
    understand: Callable[[DBAPIError], LadingError | None]


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
