"""Mode `sync` on PostgreSQL: deletes the records whose key is not in the file."""

from collections.abc import Iterable

import polars as pl
import psycopg
from psycopg import Connection, sql

from destinations.outcomes import SEQ
from destinations.postgres_errors import refusal
from destinations.postgres_stage import STAGE, PostgresStage, kept
from destinations.postgres_table import PostgresTable
from destinations.promotion import deletion_refused
from destinations.table import UniqueKey
from destinations.values import stored
from destinations.written import Written
from schemas.definition import Definition
from schemas.errors import DestinationError

_KEYS = sql.Identifier("pg_temp", "lading_keys")
_COMMA, _AND = sql.SQL(", "), sql.SQL(" AND ")


def note_keys(
    connection: Connection, definition: Definition, table: PostgresTable, keys: Iterable[pl.DataFrame]
) -> None:
    """Put the keys, as the table would keep them, into a temporary table of the open transaction.

    It is gone when the transaction ends: behind a pooler the next one may be in a session that holds the keys
    of another job, and this session goes on to somebody else.

    One that no column could keep is no record's, and left out. One that would be changed is noted as changed: a
    record that might be meant is not deleted.
    """
    fields = [definition.field(name) for name in definition.key]
    parts = [
        sql.SQL("{} AS {}").format(sql.Identifier("t", column), kept(i))
        for i, column in enumerate(_guard(definition, table).columns)
    ]
    connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(_KEYS))
    connection.execute(
        sql.SQL("CREATE TEMP TABLE lading_keys ON COMMIT DROP AS SELECT {} FROM {} AS t WITH NO DATA").format(
            _COMMA.join(parts), table.alone
        )
    )
    stage = PostgresStage(
        connection, table, fields, range(len(fields)), Written(definition, definition.key, definition.key)
    )
    columns = _COMMA.join(kept(i) for i in range(len(fields)))
    there = _AND.join(sql.SQL("{} IS NOT NULL").format(kept(i)) for i in range(len(fields)))
    for frame in keys:
        values = frame.select(stored(name, frame.schema[name]) for name in definition.key)
        stage.fill(values.with_row_index(SEQ))
        connection.execute(
            sql.SQL("INSERT INTO {} SELECT {} FROM {} WHERE {}").format(_KEYS, columns, STAGE, there)
        )
    connection.execute(sql.SQL("ANALYZE {}").format(_KEYS))


def delete_lacking(connection: Connection, definition: Definition, table: PostgresTable) -> int:
    """Delete the records whose key was not noted; gives how many; inside the transaction that noted them.

    Raises:
        LastStepError: the table refuses it.
    """
    guard = _guard(definition, table)
    same = _AND.join(
        sql.SQL("k.{} = t.{}{}").format(
            kept(i), sql.Identifier(column), sql.SQL(f" COLLATE {collation}" if collation else "")
        )
        for i, (column, collation) in enumerate(zip(guard.columns, guard.collations, strict=True))
    )
    # All records against all keys: here the planner's own ways are the quick ones.
    connection.execute("SET LOCAL enable_hashjoin = on")
    connection.execute("SET LOCAL enable_mergejoin = on")
    delete = sql.SQL("DELETE FROM {} AS t WHERE NOT EXISTS (SELECT 1 FROM {} AS k WHERE {})")
    try:
        return connection.execute(delete.format(table.alone, _KEYS, same)).rowcount
    except psycopg.Error as error:
        refused = refusal(error, {}, orderly=False, row_secured=table.row_secured)
        if refused is None:
            raise
        raise deletion_refused(definition, refused.detail) from error


def _guard(definition: Definition, table: PostgresTable) -> UniqueKey:
    guard = table.unique_key(definition.key)
    if guard is None:
        raise DestinationError(f"mode 'sync' needs a key, which {definition.name!r} does not have")
    return guard
