"""Tables in one file of SQLite, where every chunk counts exactly once."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from destinations.batch import load_batch
from destinations.outcomes import Outcomes
from destinations.sqlite_books import PAGES_AT_ONCE, SqliteBooks
from destinations.sqlite_errors import explained
from destinations.sqlite_load import SqliteLoad
from destinations.sqlite_made import table_for
from destinations.sqlite_table import read_table
from destinations.table import Table, refuse_misfit
from destinations.values import stored_rows
from schemas.chunk import Page
from schemas.definition import Definition
from schemas.destination import StagedChunk
from schemas.errors import DestinationError

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

    def prepare(self, definition: Definition) -> None:
        """Make what is not there yet: the bookkeeping, the table, columns for new fields in a table of ours.

        Raises:
            DestinationError: the table that is there does not fit; every difference is named.
        """
        name = definition.destination.table
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
            chunks: all with the same columns.

        Raises:
            LeaseLostError: a higher epoch was here, or the job is sealed; nothing was committed.
        """
        with explained(f"loading into the table {definition.destination.table!r} of {self._path}"):
            if not self._try_load(job_id, epoch, definition, chunks, commit_refused=False):
                self._try_load(job_id, epoch, definition, chunks, commit_refused=True)

    def seal(self, job_id: str, epoch: int) -> None:
        """No chunk of this job is ever committed after this; harmless when repeated.

        Raises:
            LeaseLostError: a higher epoch was here; nothing is sealed.
        """
        with explained(f"sealing job {job_id} in {self._path}"), self._transaction():
            self._books.open()
            self._books.seal(job_id, epoch)

    def pages(self, job_id: str) -> Iterator[Page]:
        """All committed pages in order of chunk; no lock is held between them."""
        last, full = -1, True
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
                raise DestinationError(
                    f"the table {definition.destination.table!r} refuses the records only when all are there, "
                    f"and does not tell which ({error}); a foreign key that is not DEFERRABLE would"
                ) from error
            return False
        return True

    def _apply(
        self, job_id: str, definition: Definition, chunks: list[StagedChunk], *, commit_refused: bool
    ) -> None:
        table = self._fitting_table(definition)
        rows = stored_rows(definition, pl.concat([c.frame for c in chunks]))
        work = SqliteLoad(self._connection, definition, table, rows, commit_refused=commit_refused)
        outcomes = Outcomes(definition, rows)
        load_batch(work, definition, rows, outcomes)
        for page in outcomes.pages(chunks, keys_are_stored=work.faithful):
            self._books.write(job_id, page)

    def _fitting_table(self, definition: Definition) -> Table:
        """The table as it is at this moment: it may have changed since it was prepared."""
        table = read_table(self._connection, definition.destination.table)
        if table is None:
            raise DestinationError(f"the table {definition.destination.table!r} is not in {self._path}")
        refuse_misfit(definition, table)
        return table
