"""Brings the tables of the job store to the newest schema, whoever else is just doing the same."""

from threading import Lock

from sqlalchemy import Connection, text

from store.backend import Backend, alone

SCHEMA_VERSION = "0008"
"""The newest migration; a test compares it with `store/migrations/versions`."""

_IN_THIS_PROCESS = Lock()
"""Alembic keeps the connection that it works on in a variable of its module, which threads share."""


def migrate(backend: Backend) -> None:
    """Make or change the tables where they are not as this version wants them.

    Raises:
        FatalError: a newer Lading, or another program, made them.
    """
    with backend.reader.connect() as connection:
        if _version(connection) == SCHEMA_VERSION:
            return
    with _IN_THIS_PROCESS, backend.writer.begin() as connection:
        alone(connection, "migration")
        from store.upgrading import upgrade

        upgrade(connection, _version(connection))


def _version(connection: Connection) -> str | None:
    if not connection.dialect.has_table(connection, "alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
