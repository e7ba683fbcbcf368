"""What a job has for its file so far: its pages, and its records beside them, in a SQLite file of its own."""

import io
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from destinations.promotion import Completion
from destinations.sqlite_books import SqliteBooks

_RECORDS = """CREATE TABLE IF NOT EXISTS main.lading_records (
    job_id TEXT NOT NULL, chunk INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (job_id, chunk))"""
_SENT = "CREATE TABLE IF NOT EXISTS main.lading_sent (job_id TEXT PRIMARY KEY) WITHOUT ROWID"
DELIVERED = Completion(0, 0)


class KeptRecords:
    """The file of one job; every method but `transaction` and `frames` is used inside a transaction.

    Args:
        folder: of the job; made where it is not there.
    """

    def __init__(self, folder: Path, job_id: str, busy_timeout_seconds: float) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._job_id = job_id
        self._connection = sqlite3.connect(
            folder / "records.db", timeout=busy_timeout_seconds, isolation_level=None, check_same_thread=False
        )
        for pragma in ("journal_mode = WAL", "synchronous = FULL"):
            self._connection.execute(f"PRAGMA {pragma}")
        self.books = SqliteBooks(self._connection)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of it, or nothing."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            self.books.open()
            self._connection.execute(_RECORDS)
            self._connection.execute(_SENT)
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def keep(self, chunk: int, records: pl.DataFrame) -> None:
        """Keep the records of a load, which begins with this chunk (0-based)."""
        body = io.BytesIO()
        records.write_ipc(body, compression="lz4")
        sql = "INSERT INTO main.lading_records VALUES (?, ?, ?)"
        self._connection.execute(sql, (self._job_id, chunk, body.getvalue()))

    def frames(self) -> Iterator[pl.DataFrame]:
        """The records in order of their rows, one load at a time in memory."""
        sql = "SELECT body FROM main.lading_records WHERE job_id = ? ORDER BY chunk"
        for (body,) in self._connection.execute(sql, (self._job_id,)):
            yield pl.read_ipc(io.BytesIO(body))

    def note_sent(self) -> bool:
        """From now on the file may be in its place; False where that was noted before."""
        sql = "INSERT OR IGNORE INTO main.lading_sent VALUES (?)"
        return self._connection.execute(sql, (self._job_id,)).rowcount == 1

    def forget_sent(self) -> None:
        """The file is not in its place after all."""
        self._connection.execute("DELETE FROM main.lading_sent WHERE job_id = ?", (self._job_id,))

    def was_sent(self) -> bool:
        """Whether the file may be in its place."""
        sql = "SELECT 1 FROM main.lading_sent WHERE job_id = ?"
        return self._connection.execute(sql, (self._job_id,)).fetchone() is not None

    def is_delivered(self) -> bool:
        """Whether the file is in its place, and this was noted."""
        return self.books.completion(self._job_id) is not None

    def is_sealed(self) -> bool:
        """Whether nothing is kept or written for the job any more."""
        sql = "SELECT sealed FROM main.lading_jobs WHERE job_id = ?"
        found = self._connection.execute(sql, (self._job_id,)).fetchone()
        return found is not None and bool(found[0])

    def close(self) -> None:
        """Give back the connection."""
        self._connection.close()
