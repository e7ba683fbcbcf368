"""Tables in a database of PostgreSQL, where every chunk counts exactly once."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from math import ceil

import polars as pl
import psycopg
from psycopg import IsolationLevel, sql
from psycopg.conninfo import make_conninfo

from destinations.batch import load_pages
from destinations.outcomes import SEQ
from destinations.postgres_address import TableName, connection_parameters, parse_url, shown
from destinations.postgres_books import PAGES_AT_ONCE, PostgresBooks
from destinations.postgres_errors import TRIES, OvertakenError, explained
from destinations.postgres_last_step import PostgresLastStep
from destinations.postgres_load import PostgresLoad
from destinations.postgres_table import PostgresTable, add_columns, create_table, read_table
from destinations.table import field_types, lacking, refuse_misfit, untold
from destinations.values import stored_rows, whole_frame
from schemas.chunk import Page
from schemas.definition import Definition
from schemas.destination import StagedChunk
from schemas.destination_document import TableDestination
from schemas.errors import DestinationError, RetriableError
from schemas.field_types import FieldType

_ALIVE = {"keepalives_idle": "30", "keepalives_interval": "10", "keepalives_count": "3"}
"""Seconds after which a server that went away without a word is noticed."""

_OURS = {"application_name": "lading", "client_encoding": "utf8"}

_SETTINGS: dict[str, str] = {
    # What a text means must not depend on the server's or the user's habits.
    "timezone": "UTC",
    "datestyle": "ISO, YMD",
    "intervalstyle": "postgres",
    "extra_float_digits": "1",
    # The planner knows nothing of a table that was filled a moment ago; through the key is always quick.
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "jit": "off",
}
_SET = sql.SQL("set_config({0}, {1}, true)")
_DURABLE = sql.SQL("CASE WHEN {0} = 'off' THEN 'on' ELSE {0} END").format(
    sql.SQL("current_setting('synchronous_commit')")
)
"""What is told as committed must be so after a power cut, whatever the server's habit is."""


class PostgresDestination:
    """The tables of one database; a `Destination`, used by one thread at a time.

    Args:
        destination: its URL, the reference of its password, and the table.
        books_schema: where Lading keeps its own tables; None for the schema of the table.
        busy_timeout_seconds: how long a write waits for somebody else's lock, and connecting for an answer.

    Raises:
        DestinationError: the database does not let us in, or the password is not where it should be.
        RetriableError: the server does not answer.
    """

    def __init__(
        self, destination: TableDestination, books_schema: str | None, busy_timeout_seconds: float
    ) -> None:
        url = parse_url(destination.database)
        self._where = shown(url)
        self._table = TableName.of(destination)
        self._configure = _configuring(busy_timeout_seconds)
        parameters = _ALIVE | {"connect_timeout": str(max(2, ceil(busy_timeout_seconds)))}
        parameters |= connection_parameters(url, destination.password) | _OURS
        with explained(f"connecting to the database {self._where}"):
            self._connection = psycopg.connect(
                make_conninfo("", **parameters),
                autocommit=True,
                prepare_threshold=None,  # a pooler may give each transaction another session
            )
        self._connection.isolation_level = IsolationLevel.READ_COMMITTED
        self._books = PostgresBooks(self._connection, books_schema or self._table.schema)
        self._hopeful = True

    def columns(self) -> dict[str, FieldType] | None:
        """Column in lower case → the type of field that it is meant for; None where there is no table."""
        with explained(f"looking at the table {self._table} in {self._where}"), self._transaction():
            return field_types(read_table(self._connection, self._table))

    def prepare(self, definition: Definition) -> None:
        """Make what is not there yet: the bookkeeping, the table, columns for new fields in a table of ours.

        Raises:
            DestinationError: the table that is there does not fit; every difference is named.
        """
        with explained(f"preparing the table {self._table} in {self._where}"), self._transaction():
            self._books.open()
            table = read_table(self._connection, self._table)
            if table is None or lacking(definition, table):
                self._books.lock_making()
                table = self._made(definition)
            refuse_misfit(definition, table)

    def begin(self, job_id: str, epoch: int) -> None:
        """From now on only the holder of this epoch (or a higher one) commits for the job.

        Raises:
            LeaseLostError: a higher epoch was here already, or the job is sealed.
        """
        with explained(f"beginning job {job_id} in {self._where}"), self._transaction():
            self._books.open()
            self._books.begin(job_id, epoch)

    def committed_chunks(self, job_id: str) -> frozenset[int]:
        """The chunks (0-based) whose pages are committed."""
        with explained(f"reading what job {job_id} committed to {self._where}"):
            return self._books.committed(job_id)

    def load(self, job_id: str, epoch: int, definition: Definition, chunks: Sequence[StagedChunk]) -> None:
        """Apply the chunks and write their pages, all in one transaction; committed ones are passed over.

        Args:
            chunks: all with the same columns, but for those of `_keep:`.

        Raises:
            LeaseLostError: a higher epoch was here, or the job is sealed; nothing was committed.
            RetriableError: other programs write the same records, again and again.
        """
        commit_refused = False
        with explained(f"loading into the table {self._table} of {self._where}"):
            for _ in range(TRIES):
                try:
                    if self._try_load(job_id, epoch, definition, chunks, commit_refused=commit_refused):
                        return
                    commit_refused = True
                except OvertakenError:
                    self._hopeful = False
        raise RetriableError(
            f"loading into the table {self._table} of {self._where} failed {TRIES} times: other programs "
            "write the same records at the same time; try again"
        )

    def complete(self, job_id: str, epoch: int, definition: Definition, keys: Iterable[pl.DataFrame]) -> None:
        """Write what `atomic` staged, then delete what a `sync` file lacks; in one transaction, and only once.

        Raises:
            LeaseLostError: a higher epoch was here, or the job is sealed; nothing was committed.
            LastStepError: the table refused rows under `atomic`, or the deletion.
            RetriableError: other programs write the same records, again and again.
        """
        if not definition.has_last_step:
            return
        with explained(f"completing job {job_id} in {self._where}"):
            step = PostgresLastStep(
                self._connection, self._books, self._transaction, self._fitting_table, definition
            )
            step.take(job_id, epoch, keys)

    def deleted(self, job_id: str) -> int:
        """How many records `complete` deleted."""
        with explained(f"reading what job {job_id} deleted from {self._where}"):
            done = self._books.completion(job_id)
        return done.deleted if done is not None else 0

    def seal(self, job_id: str, epoch: int) -> None:
        """No chunk of this job is ever committed after this; harmless when repeated.

        What `atomic` staged and nobody promoted is gone with it.

        Raises:
            LeaseLostError: a higher epoch was here; nothing is sealed.
        """
        with explained(f"sealing job {job_id} in {self._where}"), self._transaction():
            self._books.open()
            self._books.seal(job_id, epoch)
            self._books.forget_waiting(job_id)

    def pages(self, job_id: str, first: int = 0) -> Iterator[Page]:
        """All committed pages in order of chunk, from this one on; no lock is held between them."""
        last, full = first - 1, True
        while full:
            with explained(f"reading the pages of job {job_id} in {self._where}"):
                found = self._books.pages_after(job_id, last)
            yield from found
            full = len(found) == PAGES_AT_ONCE
            last = found[-1].chunk if found else last

    def close(self) -> None:
        """Give back the connection; the destination is not used after this."""
        self._connection.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._connection.transaction():
            self._connection.execute(self._configure)
            yield

    def _made(self, definition: Definition) -> PostgresTable:
        """The table with all columns that it lacks, if it is ours to change; nobody else changes it now."""
        table = read_table(self._connection, self._table)
        if table is None:
            create_table(self._connection, definition, self._table)
        elif table.columns and self._books.is_ours(table):
            add_columns(self._connection, table, lacking(definition, table))
        made = read_table(self._connection, self._table)
        if made is None:
            raise DestinationError(f"the table {self._table} in {self._where} is gone as soon as it is made")
        if table is None:
            self._books.note_made(made, definition)
        return made

    def _try_load(
        self,
        job_id: str,
        epoch: int,
        definition: Definition,
        chunks: Sequence[StagedChunk],
        *,
        commit_refused: bool,
    ) -> bool:
        """False when only the commit refused it, for a deferred constraint; then nothing was done."""
        try:
            with self._transaction():
                self._books.check_fence(job_id, epoch)
                committed = self._books.committed(job_id)
                todo = [c for c in chunks if c.chunk not in committed]
                if todo:
                    self._apply(job_id, definition, todo, commit_refused=commit_refused)
        except psycopg.IntegrityError as error:
            if commit_refused:
                raise untold(definition, error.diag.message_primary or str(error)) from error
            return False
        return True

    def _apply(
        self, job_id: str, definition: Definition, chunks: list[StagedChunk], *, commit_refused: bool
    ) -> None:
        table = self._fitting_table(definition)
        rows = stored_rows(definition, whole_frame(chunks))
        if definition.policies.atomic:
            self._books.stage(job_id, chunks, rows.drop(SEQ))
            return
        work = PostgresLoad(
            self._connection,
            definition,
            table,
            rows.columns,
            hopeful=self._hopeful,
            commit_refused=commit_refused,
        )
        for page in load_pages(work, definition, rows, chunks):
            self._books.write(job_id, page)
        if work.all_new is not None:
            self._hopeful = work.all_new

    def _fitting_table(self, definition: Definition) -> PostgresTable:
        """The table as it is at this moment, and as it stays until the open transaction ends."""
        table = read_table(self._connection, self._table)
        if table is not None and table.oid:
            self._books.lock_table(table)
            table = read_table(self._connection, self._table)
        if table is None:
            raise DestinationError(f"the table {self._table} is not in {self._where}")
        refuse_misfit(definition, table)
        return table


def _configuring(lock_timeout_seconds: float) -> sql.Composed:
    """The statement that makes a transaction independent of how server and user are set up."""
    wanted = _SETTINGS | {"lock_timeout": f"{ceil(lock_timeout_seconds * 1_000)}ms"}
    settings = [_SET.format(sql.Literal(name), sql.Literal(value)) for name, value in wanted.items()]
    settings.append(_SET.format(sql.Literal("synchronous_commit"), _DURABLE))
    return sql.SQL("SELECT {}").format(sql.SQL(", ").join(settings))
