"""Which tables of a SQLite file Lading made, and so may change; begins and commits nothing itself."""

import sqlite3

from destinations.sqlite_table import add_columns, create_table, declaration, read_table
from destinations.table import Table, lacking
from schemas.definition import Definition
from schemas.errors import DestinationError

_MADE = """CREATE TABLE IF NOT EXISTS main.lading_tables (
    name TEXT PRIMARY KEY COLLATE NOCASE, sql TEXT NOT NULL, definition TEXT NOT NULL,
    made_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ'))) WITHOUT ROWID"""


def table_for(connection: sqlite3.Connection, definition: Definition) -> Table:
    """The definition's table: made where there is none, with columns for new fields where it is ours.

    Raises:
        DestinationError: the table can't be made.
    """
    connection.execute(_MADE)
    name = definition.table.table
    table = read_table(connection, name)
    if table is None:
        create_table(connection, definition)
    elif table.columns and lacking(definition, table) and _is_ours(connection, definition, table):
        add_columns(connection, table.name, lacking(definition, table))
    else:
        return table
    connection.execute(
        "INSERT INTO main.lading_tables (name, sql, definition) SELECT name, sql, ? FROM main.sqlite_schema "
        "WHERE type = 'table' AND name = ? COLLATE NOCASE "
        "ON CONFLICT (name) DO UPDATE SET sql = excluded.sql, definition = excluded.definition",
        (definition.name, name),
    )
    made = read_table(connection, name)
    if made is None:
        raise DestinationError(f"the table {name!r} is gone as soon as it is made")
    return made


def _is_ours(connection: sqlite3.Connection, definition: Definition, table: Table) -> bool:
    """True when the table is still as we left it, and no other of the same name.

    One that was made before this was written down is known by its declaration.
    """
    (sql,) = connection.execute(
        "SELECT sql FROM main.sqlite_schema WHERE type = 'table' AND name = ?", (table.name,)
    ).fetchone()
    noted = connection.execute("SELECT sql FROM main.lading_tables WHERE name = ?", (table.name,)).fetchone()
    if noted is not None:
        return bool(noted[0] == sql)
    there = [f for f in definition.fields if f.name.lower() in table.columns]
    return bool(sql == f"CREATE TABLE {declaration(definition, there)}")
