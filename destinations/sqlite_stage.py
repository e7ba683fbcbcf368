"""Gets records from polars into SQLite: into a temporary table beside the target, or straight into a table."""

import sqlite3
from collections.abc import Sequence

import polars as pl

STAGE = 'temp."lading_stage"'
"""Columns `seq`, and `c0`, `c1` … for the fields; one a connection, and gone with it."""


def stage_head(width: int) -> str:
    """The beginning of a statement that puts records with so many fields into the stage."""
    return f"INSERT INTO {STAGE} (seq{''.join(f', c{i}' for i in range(width))})"


_ROWS_A_STATEMENT = 160
"""A longer VALUES is no quicker; measured with ten columns."""

_ROWS_A_BLOCK = 10 * _ROWS_A_STATEMENT
"""Rows that become Python's values at once: a load that clashes at its first row has not paid for all."""


def make_stage(connection: sqlite3.Connection, kinds: Sequence[str], kept: Sequence[int]) -> None:
    """Make the stage anew, empty, its columns of these affinities: they convert as those of the target do.

    Args:
        kept: places of the fields that some record leaves as they are, which its `k0`, `k1` … says.
    """
    columns = "".join(f", c{i} {kind}" for i, kind in enumerate(kinds))
    columns += "".join(f", k{i} INTEGER" for i in kept)
    connection.execute(f"DROP TABLE IF EXISTS {STAGE}")
    connection.execute(f'CREATE TEMP TABLE "lading_stage" (seq INTEGER PRIMARY KEY{columns})')


def insert_values(
    connection: sqlite3.Connection, head: str, records: pl.DataFrame, names: Sequence[str]
) -> None:
    """Run `head` (INSERT INTO …) with the columns `names` of all records.

    Many rows go in one statement, as many as SQLite's limit on variables allows.
    """
    width = len(names)
    limit = connection.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER)
    step = min(_ROWS_A_STATEMENT, max(1, limit // width)) * width
    row = f"({', '.join('?' * width)})"
    for block in records.select(names).iter_slices(_ROWS_A_BLOCK):
        values: list[object] = [None] * (width * block.height)
        for place, column in enumerate(block.iter_columns()):
            values[place::width] = column.to_list()
        for first in range(0, len(values), step):
            part = values[first : first + step]
            connection.execute(f"{head} VALUES {', '.join([row] * (len(part) // width))}", part)
