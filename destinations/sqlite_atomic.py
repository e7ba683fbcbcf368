"""Policy `atomic` on SQLite: chunks wait in a table of ours, then all go into the target in one transaction."""

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence

import polars as pl

from destinations.batch import load_pages
from destinations.outcomes import SEQ
from destinations.promotion import PIECE_CHUNKS, chunk_of_head, heads, untouched, withdrawn
from destinations.sqlite_books import SqliteBooks
from destinations.sqlite_load import SqliteLoad
from destinations.sqlite_stage import insert_values, stage_head
from destinations.sqlite_table import quoted
from destinations.table import Table
from destinations.values import whole_frame
from schemas.chunk import Page
from schemas.definition import Definition
from schemas.destination import StagedChunk

_ORDINAL = "_ordinal"


class SqliteWaiting:
    """The chunks of one job that wait: values in the table `lading_stage_<job>`, heads in `lading_staged`.

    Works on a connection with an open transaction; begins and commits nothing itself.
    """

    def __init__(self, connection: sqlite3.Connection, job_id: str) -> None:
        self._connection = connection
        self._job_id = job_id
        self.table = f"main.{quoted(f'lading_stage_{job_id}')}"

    def add(
        self, definition: Definition, target: Table, rows: pl.DataFrame, chunks: Sequence[StagedChunk]
    ) -> None:
        """Keep the rows of these chunks, with the fields as they are stored, converted as the target would."""
        fields = [f.name for f in definition.fields if f.name in rows.columns]
        columns = "".join(f", {quoted(name)} {target.column(name).kind}" for name in fields)
        self._connection.execute(
            f"CREATE TABLE IF NOT EXISTS {self.table} ({_ORDINAL} INTEGER PRIMARY KEY{columns})"
        )
        insert_values(self._connection, f"INSERT INTO {self.table}", rows, [_ORDINAL, *fields])
        self._connection.executemany(
            "INSERT INTO main.lading_staged VALUES (?, ?, ?)",
            [(self._job_id, chunk, head) for chunk, head in heads(definition, rows, chunks)],
        )

    def fields(self) -> list[str]:
        """The fields that the file has, in the order of the definition."""
        found = self._connection.execute(f"SELECT * FROM {self.table} LIMIT 0")
        return [name for name, *_ in found.description if name != _ORDINAL]

    def pieces(self) -> Iterator[list[StagedChunk]]:
        """The heads of all chunks in order, `PIECE_CHUNKS` at most at once."""
        last = -1
        while found := self._connection.execute(
            "SELECT chunk, head FROM main.lading_staged WHERE job_id = ? AND chunk > ? ORDER BY chunk LIMIT ?",
            (self._job_id, last, PIECE_CHUNKS),
        ).fetchall():
            yield [chunk_of_head(chunk, head) for chunk, head in found]
            last = found[-1][0]

    def drop(self) -> None:
        """Forget them all."""
        self._connection.execute(f"DROP TABLE IF EXISTS {self.table}")
        self._connection.execute("DELETE FROM main.lading_staged WHERE job_id = ?", (self._job_id,))


class SqlitePromotion(SqliteLoad):
    """The `LoadTable` of one piece of waiting chunks: the values go from table to table, set by set.

    Args:
        ordinals: of the piece's rows; the i-th belongs to the sequence number i.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        definition: Definition,
        target: Table,
        waiting: SqliteWaiting,
        types: Mapping[str, pl.DataType],
        *,
        ordinals: pl.Series,
        commit_refused: bool,
    ) -> None:
        fields = waiting.fields()
        super().__init__(connection, definition, target, fields, types, commit_refused=commit_refused)
        self._ordinals = ordinals
        self._waiting = waiting.table

    def stage(self, records: pl.DataFrame) -> None:
        """Put the records beside the table, instead of those before."""
        self._make_stage()
        pairs = json.dumps(dict(zip(records[SEQ].to_list(), self._picked_ordinals(records), strict=True)))
        every = range(len(self._fields))
        self._connection.execute(
            f"{stage_head(len(self._fields))} SELECT CAST(j.key AS INTEGER), {self._picked(every)}", (pairs,)
        )
        self._note_kept(records)

    def _insert_part(self, records: pl.DataFrame, places: Sequence[int]) -> None:
        picked = json.dumps(self._picked_ordinals(records))
        self._connection.execute(f"{self._insert_head(places)} SELECT {self._picked(places)}", (picked,))

    def _picked(self, places: Sequence[int]) -> str:
        values = ", ".join(f"w.{quoted(self._fields[i])}" for i in places)
        return f"{values} FROM json_each(?) AS j CROSS JOIN {self._waiting} AS w ON w.{_ORDINAL} = j.value"

    def _picked_ordinals(self, records: pl.DataFrame) -> list[int]:
        ordinals: list[int] = self._ordinals.gather(records[SEQ]).to_list()
        return ordinals


def promote(
    connection: sqlite3.Connection,
    books: SqliteBooks,
    job_id: str,
    definition: Definition,
    target: Table,
    *,
    commit_refused: bool,
) -> dict[int, bytes]:
    """Write all that waits, with all pages; gives the withdrawn pages, as stored, of chunks with refused rows.

    Where there is one, the caller has to roll back.
    """
    waiting, refused = SqliteWaiting(connection, job_id), dict[int, bytes]()
    for chunks in waiting.pieces():
        rows = whole_frame(chunks).with_row_index(SEQ)
        work = SqlitePromotion(
            connection,
            definition,
            target,
            waiting,
            rows.schema,
            ordinals=rows[_ORDINAL],
            commit_refused=commit_refused,
        )
        for page in load_pages(work, definition, rows, chunks):
            books.write(job_id, page)
            if page.errors:
                refused[page.chunk] = withdrawn(page).to_bytes()
    waiting.drop()
    return refused


def withdraw(
    connection: sqlite3.Connection, books: SqliteBooks, job_id: str, refused: Mapping[int, bytes]
) -> int:
    """Write only pages: which rows were refused, and that all others are unprocessed; gives how many were."""
    waiting, failed = SqliteWaiting(connection, job_id), 0
    for chunks in waiting.pieces():
        for chunk in chunks:
            stored = refused.get(chunk.chunk)
            page = Page.from_bytes(chunk.chunk, stored) if stored is not None else untouched(chunk)
            books.write(job_id, page)
            failed += page.counts.failed
    waiting.drop()
    return failed
