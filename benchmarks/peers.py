"""What Lading is compared with, a process each: `python -m benchmarks.peers NAME ARGUMENT …`."""

import contextlib
import csv
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path

import polars as pl

from benchmarks.files import COLUMNS_SQL


def read_csv(file: str) -> None:
    """Read the file, types inferred, and keep nothing."""
    pl.read_csv(file)


def polars_adbc(file: str, table: str, uri: str) -> None:
    """Read the file, dates of a csv as dates, and write it into a new table, unchecked."""
    frame = _READERS[Path(file).suffix](file)
    frame.write_database(table, uri, engine="adbc")


def polars_adbc_text(file: str, table: str, uri: str) -> None:
    """Do the same to a csv, its dates left as text."""
    pl.read_csv(file).write_database(table, uri, engine="adbc")


def csv_executemany(file: str, table: str, path: str) -> None:
    """Python's own csv and sqlite3 modules, for machines without the `sqlite3` command."""
    with contextlib.closing(sqlite3.connect(path)) as connection, Path(file).open(newline="") as lines:
        rows = csv.reader(lines)
        width = len(next(rows))
        connection.execute(f"CREATE TABLE {table} ({COLUMNS_SQL})")
        connection.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * width)})", rows)
        connection.commit()


def psycopg_copy(file: str, table: str, url: str) -> None:
    """COPY through psycopg, for machines without the `psql` command."""
    import psycopg  # noqa: PLC0415 - only this peer pays for it

    with psycopg.connect(url) as connection, Path(file).open("rb") as source, connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE {table} ({COLUMNS_SQL})".encode())
        with cursor.copy(f"COPY {table} FROM STDIN WITH (FORMAT csv, HEADER)".encode()) as copy:
            while block := source.read(1024 * 1024):
                copy.write(block)


def _read_typed(file: str) -> pl.DataFrame:
    return pl.read_csv(file, try_parse_dates=True)


_READERS: dict[str, Callable[[str], pl.DataFrame]] = {
    ".csv": _read_typed,
    ".jsonl": pl.read_ndjson,
    ".xlsx": pl.read_excel,
}
_PEERS: dict[str, Callable[..., None]] = {
    "read-csv": read_csv,
    "polars-adbc": polars_adbc,
    "polars-adbc-text": polars_adbc_text,
    "csv-executemany": csv_executemany,
    "psycopg-copy": psycopg_copy,
}

if __name__ == "__main__":
    _PEERS[sys.argv[1]](*sys.argv[2:])
