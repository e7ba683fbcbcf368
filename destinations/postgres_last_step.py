"""The last step of a job on PostgreSQL: what `atomic` made wait is written, what `sync` lacks is deleted."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager

import polars as pl
import psycopg
from psycopg import Connection

from destinations.batch import load_pages
from destinations.outcomes import SEQ
from destinations.postgres_books import PostgresBooks
from destinations.postgres_errors import TRIES, OvertakenError
from destinations.postgres_load import PostgresLoad
from destinations.postgres_sync import delete_lacking, note_keys
from destinations.postgres_table import PostgresTable
from destinations.promotion import (
    Completion,
    RowsRefusedError,
    deletion_refused,
    rows_refused,
    untouched,
    withdrawn,
)
from destinations.table import untold
from destinations.values import whole_frame
from schemas.chunk import Page
from schemas.definition import Definition, Mode
from schemas.errors import RetriableError


class PostgresLastStep:
    """Takes the last step of jobs with this definition.

    Args:
        transaction: opens one on the connection, which commits when its block ends well.
        fitting_table: reads the definition's table and holds it until the open transaction ends.
    """

    def __init__(
        self,
        connection: Connection,
        books: PostgresBooks,
        transaction: Callable[[], AbstractContextManager[None]],
        fitting_table: Callable[[Definition], PostgresTable],
        definition: Definition,
    ) -> None:
        self._connection = connection
        self._books = books
        self._transaction = transaction
        self._fitting_table = fitting_table
        self._definition = definition

    def take(self, job_id: str, epoch: int, keys: Iterable[pl.DataFrame]) -> None:
        """Take the step, if it was not taken yet; all in one transaction.

        Raises:
            LeaseLostError: a higher epoch was here, or the job is sealed; nothing was committed.
            LastStepError: the table refused rows under `atomic`, or the deletion.
            RetriableError: other programs write the same records, again and again.
        """
        if self._books.completion(job_id) is None:
            with self._transaction():
                self._books.check_fence(job_id, epoch)
                if self._books.completion(job_id) is None:
                    self._take(job_id, keys)
        done = self._books.completion(job_id)
        if done is not None and done.refused:
            raise rows_refused(self._definition, done.refused)

    def _take(self, job_id: str, keys: Iterable[pl.DataFrame]) -> None:
        """Note the keys once, then try; each try is undone alone, so that the keys stay noted for the next."""
        table = self._fitting_table(self._definition)
        if self._definition.mode is Mode.SYNC:
            note_keys(self._connection, self._definition, table, keys)
        commit_refused = False
        for _ in range(TRIES):
            try:
                if self._try(job_id, table, commit_refused=commit_refused):
                    return
                commit_refused = True
            except OvertakenError:
                continue
        raise RetriableError(
            f"other programs write the same records of {table.name!r} at the same time; try again"
        )

    def _try(self, job_id: str, table: PostgresTable, *, commit_refused: bool) -> bool:
        """False when only the commit would refuse it, for a deferred constraint; then nothing was done."""
        try:
            with self._connection.transaction():
                self._write(job_id, table, commit_refused=commit_refused)
        except RowsRefusedError as error:
            self._withdraw(job_id, error.pages)
        except psycopg.IntegrityError as error:
            if self._definition.policies.atomic and not commit_refused:
                return False
            tell = deletion_refused if self._definition.mode is Mode.SYNC else untold
            raise tell(self._definition, error.diag.message_primary or str(error)) from error
        return True

    def _write(self, job_id: str, table: PostgresTable, *, commit_refused: bool) -> None:
        if self._definition.policies.atomic:
            refused = self._promote(job_id, table, commit_refused=commit_refused)
            if refused:
                raise RowsRefusedError(refused)
        deleted = 0
        if self._definition.mode is Mode.SYNC:
            deleted = delete_lacking(self._connection, self._definition, table)
        self._books.complete(job_id, Completion(deleted=deleted))
        # What the commit would refuse is refused here, while the try can be undone alone.
        self._connection.execute("SET CONSTRAINTS ALL IMMEDIATE")

    def _promote(self, job_id: str, table: PostgresTable, *, commit_refused: bool) -> dict[int, bytes]:
        """Write all that waits, with all pages; gives the withdrawn pages of chunks with refused rows."""
        refused, hopeful = dict[int, bytes](), True
        for chunks in self._books.waiting(job_id):
            rows = whole_frame(chunks).with_row_index(SEQ)
            work = PostgresLoad(
                self._connection,
                self._definition,
                table,
                rows.columns,
                hopeful=hopeful,
                commit_refused=commit_refused,
            )
            for page in load_pages(work, self._definition, rows, chunks):
                self._books.write(job_id, page)
                if page.errors:
                    refused[page.chunk] = withdrawn(page).to_bytes()
            hopeful = hopeful if work.all_new is None else work.all_new
        self._books.forget_waiting(job_id)
        return refused

    def _withdraw(self, job_id: str, pages: dict[int, bytes]) -> None:
        """Write only pages: which rows were refused, and that all others are unprocessed."""
        failed = 0
        for chunk in (each for piece in self._books.waiting(job_id) for each in piece):
            stored = pages.get(chunk.chunk)
            page = untouched(chunk) if stored is None else Page.from_bytes(chunk.chunk, stored)
            self._books.write(job_id, page)
            failed += page.counts.failed
        self._books.forget_waiting(job_id)
        self._books.complete(job_id, Completion(refused=failed))
