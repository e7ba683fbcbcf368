"""Where records go: opens the destination that a definition names; the rest of the room is its own business."""

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from destinations import postgres_address
from destinations.sqlite import SqliteDestination
from destinations.sqlite_errors import explained
from schemas.definition import Definition
from schemas.destination import Destination
from schemas.destination_document import DEFAULT_DATABASE, FILE_KEY, FileDestination, TableDestination
from schemas.errors import DestinationError
from schemas.field_types import FieldType
from schemas.settings import Settings

if TYPE_CHECKING:
    from destinations.postgres import PostgresDestination

__all__ = ["destination_key", "open_destination", "refuse_unknown_database", "table_columns"]


def open_destination(settings: Settings, tenant: str, definition: Definition) -> Destination:
    """The destination of the definition's records; the caller closes it.

    Raises:
        DestinationError: the database is none that Lading knows, or it can't be opened.
        RetriableError: it stayed locked, or its server does not answer.
    """
    if isinstance(definition.destination, FileDestination):
        from destinations.files import FilesDestination

        return FilesDestination(settings, tenant, definition.destination)
    table = definition.table
    return _postgres(settings, table) if _is_postgres(table) else _sqlite(settings, tenant, table)


def table_columns(settings: Settings, tenant: str, table: TableDestination) -> Mapping[str, FieldType] | None:
    """Column, in lower case → the type of field that comes nearest to it; None where there is no such table.

    Columns that can't be written, such as generated ones and all of a view, are left out. Nothing is made.

    Raises:
        DestinationError: the database is none that Lading knows, or it can't be opened.
        RetriableError: it stayed locked, or its server does not answer.
    """
    if _is_postgres(table):
        with closing(_postgres(settings, table)) as postgres:
            return postgres.columns()
    if not (_sqlite_path(table) or settings.table_path(tenant)).exists():
        return None
    with closing(_sqlite(settings, tenant, table)) as sqlite:
        return sqlite.columns(table.table)


def refuse_unknown_database(settings: Settings, url: str, password: str | None) -> None:
    """Nothing, where this is a database that Lading loads into; connects to nothing.

    Raises:
        DestinationError: it is of another kind, or a SQLite file without its whole path or in Lading's home.
    """
    destination = TableDestination(database=url, password=password, table="any")
    path = None if _is_postgres(destination) else _sqlite_path(destination)
    if path is not None and path.is_relative_to(settings.home.resolve()):
        raise DestinationError(
            f"{path} lies in Lading's home, where tenants have their 'default'; name another"
        )


def destination_key(tenant: str, definition: Definition) -> str:
    """The identity of the table or file, however its database's URL and its name are written; a lock's name.

    Connects to nothing. A table of the tenant's own database is `tenant/default/table`.

    Raises:
        DestinationError: the database is none that Lading knows, or the records go to a vendor.
    """
    if isinstance(definition.destination, FileDestination):
        return f"{FILE_KEY}{definition.destination.url}"
    destination = definition.table
    if _is_postgres(destination):
        return postgres_address.identity(destination)
    path, table = _sqlite_path(destination), destination.table.lower()
    return f"{tenant}/{DEFAULT_DATABASE}/{table}" if path is None else f"sqlite://{path}/{table}"


def _is_postgres(destination: TableDestination) -> bool:
    database = destination.database
    return (
        database != DEFAULT_DATABASE
        and postgres_address.parse_url(database).drivername in postgres_address.DRIVERS
    )


def _postgres(settings: Settings, table: TableDestination) -> "PostgresDestination":
    from destinations.postgres import PostgresDestination

    return PostgresDestination(table, settings.books_schema, settings.busy_timeout_seconds)


def _sqlite(settings: Settings, tenant: str, table: TableDestination) -> SqliteDestination:
    path = _sqlite_path(table)
    if path == settings.store_path.resolve():
        raise DestinationError(f"{path} is Lading's own job store; records go into another file")
    if path is None:
        with explained(f"making the folder {settings.home}"):
            settings.make_home()
    return SqliteDestination(path or settings.table_path(tenant), settings.busy_timeout_seconds)


def _sqlite_path(destination: TableDestination) -> Path | None:
    """The SQLite file that the definition names; None for the tenant's own."""
    if "." in destination.table:
        raise DestinationError(
            f"SQLite has no schemas: the table {destination.table!r} can't have a dot in its name"
        )
    if destination.database == DEFAULT_DATABASE:
        return None
    url = postgres_address.parse_url(destination.database)
    if url.drivername not in {"sqlite", "sqlite+pysqlite"}:
        raise DestinationError(
            f"the destination names a database of the kind {url.drivername!r}; Lading loads into "
            "'default' (the SQLite file of its home), sqlite:////folder/file.db and postgresql://user@host/database"
        )
    if url.database is None or not Path(url.database).is_absolute() or destination.password is not None:
        raise DestinationError(
            "a SQLite database is named by a whole path, sqlite:////folder/file.db, and has no password"
        )
    return Path(url.database).resolve()
