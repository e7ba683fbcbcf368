"""Where records go: opens the destination that a definition names; the rest of the room is its own business."""

from destinations.sqlite import SqliteDestination
from destinations.sqlite_errors import explained
from schemas.definition import Definition
from schemas.destination import Destination
from schemas.errors import DestinationError
from schemas.settings import Settings

__all__ = ["destination_key", "open_destination"]


def open_destination(settings: Settings, tenant: str, definition: Definition) -> Destination:
    """The destination of the definition's records; the caller closes it.

    Raises:
        DestinationError: the database is none that this version knows, or its file can't be opened.
        StoreBusyError: it stayed locked.
    """
    _refuse_other_databases(definition)
    with explained(f"making the folder {settings.home}"):
        settings.make_home()
    return SqliteDestination(settings.table_path(tenant), settings.busy_timeout_seconds)


def destination_key(tenant: str, definition: Definition) -> str:
    """The identity of the table whatever the case of its name: `tenant/database/table`; a lock's name.

    Raises:
        DestinationError: the database is none that this version knows.
    """
    _refuse_other_databases(definition)
    return f"{tenant}/{definition.destination.database}/{definition.destination.table.lower()}"


def _refuse_other_databases(definition: Definition) -> None:
    database = definition.destination.database
    if database != "default":
        raise DestinationError(
            f"the destination names the database {database!r}, but this version supports only 'default', "
            "the tenant's own SQLite file; remove 'database' from the definition"
        )
