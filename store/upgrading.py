"""Runs the migrations that a job store lacks; imported only then, because Alembic takes its time."""

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection

from schemas.errors import FatalError


def upgrade(connection: Connection, current: str | None) -> None:
    """Bring the tables from the version `current` to the newest, inside the open transaction.

    Raises:
        FatalError: a newer Lading, or another program, made them.
    """
    config = Config()
    config.set_main_option("script_location", "store:migrations")
    config.attributes["connection"] = connection
    try:
        if current is not None:
            ScriptDirectory.from_config(config).get_revision(current)
        command.upgrade(config, "head")
    except CommandError as error:
        raise FatalError(
            f"the job store has the schema {current!r}, which this version of Lading does not know; "
            "use the version that made it, or a newer one; a database of another program is none for Lading"
        ) from error
