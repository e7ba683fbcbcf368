"""Mode `sync` on SQLite: deletes the records whose key is not in the file."""

import sqlite3
from collections.abc import Iterable

import polars as pl

from destinations.promotion import deletion_refused
from destinations.sqlite_stage import insert_values
from destinations.sqlite_table import quoted
from destinations.table import Table, UniqueKey
from destinations.values import stored
from schemas.definition import Definition
from schemas.errors import DestinationError

_KEYS = 'temp."lading_keys"'


def note_keys(
    connection: sqlite3.Connection, definition: Definition, table: Table, keys: Iterable[pl.DataFrame]
) -> None:
    """Put the keys into a temporary table that compares as the target does; no transaction may be open.

    The table lies in a file, so that memory does not grow with it, and waits for no lock of the database's.
    """
    guard = _guard(definition, table)
    parts = zip(guard.columns, guard.collations, strict=True)
    columns = [f"c{i} {table.column(c).kind} COLLATE {quoted(x)}" for i, (c, x) in enumerate(parts)]
    names = ", ".join(f"c{i}" for i in range(len(columns)))
    connection.execute("PRAGMA temp_store = FILE")  # drops what is in memory
    connection.execute("PRAGMA temp.cache_size = -32000")  # KiB
    connection.execute("BEGIN")
    try:
        connection.execute(f"DROP TABLE IF EXISTS {_KEYS}")
        connection.execute(
            f'CREATE TEMP TABLE "lading_keys" ({", ".join(columns)}, PRIMARY KEY ({names})) WITHOUT ROWID'
        )
        for frame in keys:
            values = frame.select(stored(name, frame.schema[name]) for name in definition.key)
            insert_values(connection, f"INSERT OR IGNORE INTO {_KEYS}", values, definition.key)
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def delete_lacking(connection: sqlite3.Connection, definition: Definition, table: Table) -> int:
    """Delete the records whose key was not noted; gives how many; inside the open transaction.

    Raises:
        LastStepError: the table refuses it.
    """
    guard = _guard(definition, table)
    parts = enumerate(zip(guard.columns, guard.collations, strict=True))
    same = " AND ".join(f"k.c{i} = t.{quoted(c)} COLLATE {quoted(x)}" for i, (c, x) in parts)
    try:
        return connection.execute(
            f"DELETE FROM main.{quoted(table.name)} AS t "
            f"WHERE NOT EXISTS (SELECT 1 FROM {_KEYS} AS k WHERE {same})"
        ).rowcount
    except sqlite3.IntegrityError as error:
        raise deletion_refused(definition, str(error)) from error


def _guard(definition: Definition, table: Table) -> UniqueKey:
    guard = table.unique_key(definition.key)
    if guard is None:
        raise DestinationError(f"mode 'sync' needs a key, which {definition.name!r} does not have")
    return guard
