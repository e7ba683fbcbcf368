"""The last step of a job on SQLite: what `atomic` made wait is written, what a `sync` file lacks is deleted."""

import sqlite3
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager

import polars as pl

from destinations.promotion import Completion, RowsRefusedError, deletion_refused, rows_refused
from destinations.sqlite_atomic import promote, withdraw
from destinations.sqlite_books import SqliteBooks
from destinations.sqlite_sync import delete_lacking, note_keys
from destinations.sqlite_table import fitting_table
from destinations.table import Table, untold
from schemas.definition import Definition, Mode
from schemas.errors import RetriableError


class SqliteLastStep:
    """Takes the last step of jobs with this definition.

    Args:
        transaction: opens one on the connection, which commits when its block ends well.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        transaction: Callable[[], AbstractContextManager[None]],
        definition: Definition,
    ) -> None:
        self._connection = connection
        self._transaction = transaction
        self._definition = definition
        self._books = SqliteBooks(connection)

    def take(self, job_id: str, epoch: int, keys: Iterable[pl.DataFrame]) -> None:
        """Take the step, if it was not taken yet.

        Raises:
            LeaseLostError: a higher epoch was here, or the job is sealed; nothing was committed.
            LastStepError: the table refused rows under `atomic`, or the deletion.
        """
        done = self._books.completion(job_id)
        if done is None:
            table = fitting_table(self._connection, self._definition)
            if self._definition.mode is Mode.SYNC:
                note_keys(self._connection, self._definition, table, keys)
            if not self._try(job_id, epoch, table, commit_refused=False):
                self._try(job_id, epoch, table, commit_refused=True)
            done = self._books.completion(job_id)
        if done is not None and done.refused:
            raise rows_refused(self._definition, done.refused)

    def _try(self, job_id: str, epoch: int, table: Table, *, commit_refused: bool) -> bool:
        """False when only the commit refused it, for a deferred foreign key; then nothing was done."""
        try:
            with self._transaction():
                self._books.check_fence(job_id, epoch)
                if self._books.completion(job_id) is None:
                    self._write(job_id, table, commit_refused=commit_refused)
        except RowsRefusedError as error:
            self._withdraw(job_id, epoch, error.pages)
        except sqlite3.IntegrityError as error:
            if self._definition.policies.atomic and not commit_refused:
                return False
            if self._definition.mode is Mode.SYNC:
                raise deletion_refused(self._definition, str(error)) from error
            raise untold(self._definition, str(error)) from error
        return True

    def _write(self, job_id: str, table: Table, *, commit_refused: bool) -> None:
        if fitting_table(self._connection, self._definition) != table:
            raise RetriableError(f"the table {table.name!r} was changed a moment ago; try again")
        if self._definition.policies.atomic:
            pages = promote(
                self._connection, self._books, job_id, self._definition, table, commit_refused=commit_refused
            )
            if pages:
                raise RowsRefusedError(pages)
        sync = self._definition.mode is Mode.SYNC
        deleted = delete_lacking(self._connection, self._definition, table) if sync else 0
        self._books.complete(job_id, Completion(deleted=deleted))

    def _withdraw(self, job_id: str, epoch: int, pages: dict[int, bytes]) -> None:
        with self._transaction():
            self._books.check_fence(job_id, epoch)
            if self._books.completion(job_id) is None:
                failed = withdraw(self._connection, self._books, job_id, pages)
                self._books.complete(job_id, Completion(refused=failed))
