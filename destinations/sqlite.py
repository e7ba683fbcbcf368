"""Tables in one file of SQLite, where every chunk counts exactly once."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from destinations.batch import load_pages
from destinations.sqlite_atomic import SqliteWaiting
from destinations.sqlite_books import PAGES_AT_ONCE, SqliteBooks
from destinations.sqlite_errors import explained
from destinations.sqlite_last_step import SqliteLastStep
from destinations.sqlite_load import SqliteLoad
from destinations.sqlite_made import table_for
from destinations.sqlite_table import fitting_table, read_table
from destinations.table import field_types, refuse_misfit, untold
from destinations.values import stored_rows, whole_frame
from schemas.chunk import Page
from schemas.definition import Definition
from schemas.destination import StagedChunk
from schemas.field_types import FieldType

_PRAGMAS = (
    "journal_mode = WAL",
    "synchronous = FULL",
    "foreign_keys = ON",
    "temp_store = MEMORY",
    "cache_size = -32000",  # KiB
    "wal_autocheckpoint = 4000",  # pages: fewer, longer writes to the disk
)


class SqliteDestination:
    """The tables of one tenant in one file; a `Destination`, used by one thread at a time.

    Args:
        path: made where it is not there, its folder closed to other users.
        busy_timeout_seconds: how long a write waits for somebody else's.

    Raises:
        DestinationError: the file can't be opened.
        StoreBusyError: it stayed locked.
    """

    def __init__(self, path: Path, busy_timeout_seconds: float) -> None:
        self._path = path
        with explained(f"opening {path}"):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._connection = sqlite3.connect(
                path, timeout=busy_timeout_seconds, isolation_level=None, check_same_thread=False
            )
            try:
                for pragma in _PRAGMAS:
                    self._connection.execute(f"PRAGMA {pragma}")
            except sqlite3.Error:
                self._connection.close()
                raise
        self._books = SqliteBooks(self._connection)

    def columns(self, table: str) -> dict[str, FieldType] | None:
        """Column in lower case → the type of field that it is meant for; None where there is no such table."""
        with explained(f"looking at the table {table!r} in {self._path}"):
            return field_types(read_table(self._connection, table))

    def prepare(self, definition: Definition) -> None:
        """Make what is not there yet: the bookkeeping, the table, columns for new fields in a table of ours.

        Raises:
            DestinationError: the table that is there does not fit; every difference is named.
        """
        name = definition.table.table
        with explained(f"preparing the table {name!r} in {self._path}"), self._transaction():
            refuse_misfit(definition, table_for(self._connection, definition))
            self._books.open()

    def begin(self, job_id: str, epoch: int) -> None:
        """From now on only the holder of this epoch (or a higher one) commits for the job.

        Raises:
            LeaseLostError: a higher epoch was here already, or the job is sealed.
        """
        with explained(f"beginning job {job_id} in {self._path}"), self._transaction():
            self._books.open()
            self._books.begin(job_id, epoch)

    def committed_chunks(self, job_id: str) -> frozenset[int]:
        """The chunks (0-based) whose pages are committed."""
        with explained(f"reading what job {job_id} committed to {self._path}"):
            return self._books.committed(job_id)

    def load(self, job_id: str, epoch: int, definition: Definition, chunks: Sequence[StagedChunk]) -> None:
        """Apply the chunks and write their pages, all in one transaction; committed ones are passed over.

        Args:
            chunks: all with the same columns, but for those of `_keep:`.

        Raises:
            LeaseLostError: a higher epoch was here, or the job is sealed; nothing was committed.
        """
        with explained(f"loading into the table {definition.table.table!r} of {self._path}"):
            if not self._try_load(job_id, epoch, definition, chunks, commit_refused=False):
                self._try_load(job_id, epoch, definition, chunks, commit_refused=True)

    def complete(self, job_id: str, epoch: int, definition: Definition, keys: Iterable[pl.DataFrame]) -> None:
        """Write what `atomic` staged, then delete what a `sync` file lacks; in one transaction, and only once.

        Raises:
            LeaseLostError: a higher epoch was here, or the job is sealed; nothing was committed.
            LastStepError: the table refused rows under `atomic`, or the deletion.
        """
        if not definition.has_last_step:
            return
        with explained(f"completing job {job_id} in {self._path}"):
            step = SqliteLastStep(self._connection, self._transaction, definition)
            step.take(job_id, epoch, keys)

    def deleted(self, job_id: str) -> int:
        """How many records `complete` deleted."""
        with explained(f"reading what job {job_id} deleted from {self._path}"):
            done = self._books.completion(job_id)
        return done.deleted if done is not None else 0

    def seal(self, job_id: str, epoch: int) -> None:
        """No chunk of this job is ever committed after this; harmless when repeated.

        What `atomic` staged and nobody promoted is gone with it.

        Raises:
            LeaseLostError: a higher epoch was here; nothing is sealed.
        """
        with explained(f"sealing job {job_id} in {self._path}"), self._transaction():
            self._books.open()
            self._books.seal(job_id, epoch)
            SqliteWaiting(self._connection, job_id).drop()

    def pages(self, job_id: str, first: int = 0) -> Iterator[Page]:
        """All committed pages in order of chunk, from this one on; no lock is held between them."""
        last, full = first - 1, True
        while full:
            with explained(f"reading the pages of job {job_id} in {self._path}"):
                found = self._books.pages_after(job_id, last)
            yield from found
            full = len(found) == PAGES_AT_ONCE
            last = found[-1].chunk if found else last

    def close(self) -> None:
        """Give back the connection; the destination is not used after this."""
        self._connection.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def _try_load(
        self,
        job_id: str,
        epoch: int,
        definition: Definition,
        chunks: Sequence[StagedChunk],
        *,
        commit_refused: bool,
    ) -> bool:
        """False when only the commit refused it, for a deferred foreign key; then nothing was done."""
        try:
            with self._transaction():
                self._books.check_fence(job_id, epoch)
                committed = self._books.committed(job_id)
                todo = [c for c in chunks if c.chunk not in committed]
                if todo:
                    self._apply(job_id, definition, todo, commit_refused=commit_refused)
        except sqlite3.IntegrityError as error:
            if commit_refused:
                raise untold(definition, str(error)) from error
            return False
        return True

    def _apply(
        self, job_id: str, definition: Definition, chunks: list[StagedChunk], *, commit_refused: bool
    ) -> None:
        table = fitting_table(self._connection, definition)
        rows = stored_rows(definition, whole_frame(chunks))
        if definition.policies.atomic:
            SqliteWaiting(self._connection, job_id).add(definition, table, rows, chunks)
            return
        fields = [f.name for f in definition.fields if f.name in rows.columns]
        work = SqliteLoad(
            self._connection, definition, table, fields, rows.schema, commit_refused=commit_refused
        )
        for page in load_pages(work, definition, rows, chunks):
            self._books.write(job_id, page)
