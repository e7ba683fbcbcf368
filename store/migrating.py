"""Brings the tables of the job store to the newest schema, whoever else is just doing the same."""

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, text

from schemas.errors import FatalError
from store.backend import Backend, alone

SCHEMA_VERSION = "0002"
"""The newest migration; a test compares it with `store/migrations/versions`."""


def migrate(backend: Backend) -> None:
    """Make or change the tables where they are not as this version wants them.

    Raises:
        FatalError: a newer Lading, or another program, made them.
    """
    with backend.reader.connect() as connection:
        if _version(connection) == SCHEMA_VERSION:
            return
    with backend.writer.begin() as connection:
        alone(connection, "migration")
        _upgrade(connection)


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", "store:migrations")
    config.attributes["connection"] = connection
    current = _version(connection)
    try:
        if current is not None:
            ScriptDirectory.from_config(config).get_revision(current)
        command.upgrade(config, "head")
    except CommandError as error:
        raise FatalError(
            f"the job store has the schema {current!r}, which this version of Lading does not know; "
            "use the version that made it, or a newer one; a database of another program is none for Lading"
        ) from error


def _version(connection: Connection) -> str | None:
    if not connection.dialect.has_table(connection, "alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
