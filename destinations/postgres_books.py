"""The bookkeeping beside the tables: who may commit for a job, its chunks' pages, which tables are ours."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import asdict

import polars as pl
from psycopg import Connection, sql

from destinations.postgres_table import PostgresTable
from destinations.promotion import PIECE_CHUNKS, Completion
from schemas.chunk import Page
from schemas.definition import Definition
from schemas.destination import StagedChunk
from schemas.errors import LeaseLostError
from schemas.job import Outcome

_BOOKS = {
    "lading_jobs": """CREATE TABLE {} (
        job_id text PRIMARY KEY, epoch bigint NOT NULL, sealed boolean NOT NULL)""",
    "lading_pages": """CREATE TABLE {} (
        job_id text NOT NULL, chunk integer NOT NULL, created integer NOT NULL, updated integer NOT NULL,
        unchanged integer NOT NULL, ignored integer NOT NULL, failed integer NOT NULL, body bytea NOT NULL,
        PRIMARY KEY (job_id, chunk))""",
    "lading_staged": """CREATE TABLE {} (
        job_id text NOT NULL, chunk integer NOT NULL, body bytea NOT NULL, PRIMARY KEY (job_id, chunk))""",
    "lading_completed": """CREATE TABLE {} (
        job_id text PRIMARY KEY, refused bigint NOT NULL, deleted bigint NOT NULL)""",
    "lading_tables": """CREATE TABLE {} (
        table_schema text NOT NULL, table_name text NOT NULL, table_oid oid NOT NULL, definition text NOT NULL,
        made_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (table_schema, table_name))""",
}
_COUNTED = (Outcome.CREATED, Outcome.UPDATED, Outcome.UNCHANGED, Outcome.IGNORED, Outcome.FAILED)
_LOCKS = 0x4C414449 << 32
"""Advisory locks of ours: this one for the making of tables, and plus its oid one for each table."""
PAGES_AT_ONCE = 100


class PostgresBooks:
    """The tables `lading_…` on a connection; begins and commits nothing itself.

    Args:
        schema: where they are.
    """

    def __init__(self, connection: Connection, schema: str) -> None:
        self._connection = connection
        self._schema = schema
        self._jobs, self._pages, self._staged, self._completed, self._tables = (
            sql.Identifier(schema, name) for name in _BOOKS
        )

    def open(self) -> None:
        """Make them where they are not there; inside the open transaction.

        Nothing is made that is there, so that a user without the right to make tables may load.
        """
        if self._missing():
            self.lock_making()
            for name in self._missing():
                self._connection.execute(sql.SQL(_BOOKS[name]).format(sql.Identifier(self._schema, name)))

    def lock_making(self) -> None:
        """Let nobody else of us make or change tables until the open transaction ends."""
        self._connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCKS,))

    def lock_table(self, table: PostgresTable) -> None:
        """Let no other load into the table, and nobody change it, until the open transaction ends."""
        self._connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCKS + table.oid,))
        self._connection.execute(sql.SQL("LOCK TABLE {} IN ROW EXCLUSIVE MODE").format(table.alone))

    def begin(self, job_id: str, epoch: int) -> None:
        """Raise the job's fence to this epoch.

        Raises:
            LeaseLostError: a higher epoch was here already, or the job is sealed.
        """
        self._connection.execute(
            sql.SQL("INSERT INTO {} VALUES (%s, %s, false) ON CONFLICT DO NOTHING").format(self._jobs),
            (job_id, epoch),
        )
        self.check_fence(job_id, epoch)
        self._connection.execute(
            sql.SQL("UPDATE {} SET epoch = %s WHERE job_id = %s").format(self._jobs), (epoch, job_id)
        )

    def check_fence(self, job_id: str, epoch: int) -> None:
        """Pass the holder of this epoch, and hold all others until the open transaction ends.

        Raises:
            LeaseLostError: a higher epoch was here, the job is sealed, or it was never begun.
        """
        found = self._connection.execute(
            sql.SQL("SELECT epoch, sealed FROM {} WHERE job_id = %s FOR UPDATE").format(self._jobs), (job_id,)
        ).fetchone()
        if found is None:
            raise LeaseLostError(f"the job {job_id} was never begun at this destination")
        held, sealed = found
        if sealed:
            raise LeaseLostError(f"the job {job_id} is sealed; nothing more is written for it")
        if held > epoch:
            raise LeaseLostError(f"another worker owns the job {job_id}: epoch {held} is later than {epoch}")

    def seal(self, job_id: str, epoch: int) -> None:
        """Let nobody commit for the job any more, whether it was begun or not.

        Raises:
            LeaseLostError: a higher epoch was here.
        """
        sealed = self._connection.execute(
            sql.SQL(
                "INSERT INTO {} AS j VALUES (%(job)s, %(epoch)s, true) ON CONFLICT (job_id) DO UPDATE "
                "SET epoch = %(epoch)s, sealed = true WHERE j.epoch <= %(epoch)s"
            ).format(self._jobs),
            {"job": job_id, "epoch": epoch},
        )
        if sealed.rowcount != 1:
            raise LeaseLostError(f"another worker owns the job {job_id}; it is not sealed by epoch {epoch}")

    def committed(self, job_id: str) -> frozenset[int]:
        """The chunks (0-based) that have a page, or are staged until all can be written."""
        if self._missing():
            return frozenset()
        found = self._connection.execute(
            sql.SQL(
                "SELECT chunk FROM {} WHERE job_id = %(job)s "
                "UNION ALL SELECT chunk FROM {} WHERE job_id = %(job)s"
            ).format(self._pages, self._staged),
            {"job": job_id},
        )
        return frozenset(chunk for (chunk,) in found)

    def pages_after(self, job_id: str, chunk: int) -> list[Page]:
        """The next pages in order of chunk, `PAGES_AT_ONCE` at most."""
        if self._missing():
            return []
        found = self._connection.execute(
            sql.SQL(
                "SELECT chunk, body FROM {} WHERE job_id = %s AND chunk > %s ORDER BY chunk LIMIT %s"
            ).format(self._pages),
            (job_id, chunk, PAGES_AT_ONCE),
        )
        return [Page.from_bytes(number, body) for number, body in found]

    def write(self, job_id: str, page: Page) -> None:
        """Add the page, with its counts beside it for whoever looks with SQL."""
        counts = asdict(page.counts)
        values = (job_id, page.chunk, *(counts[outcome] for outcome in _COUNTED), page.to_bytes())
        self._connection.execute(
            sql.SQL("INSERT INTO {} VALUES (%s, %s, %s, %s, %s, %s, %s, %s)").format(self._pages), values
        )

    def stage(self, job_id: str, chunks: Sequence[StagedChunk], rows: pl.DataFrame) -> None:
        """Keep the rows of these chunks, with the fields as they are stored, until all can be written."""
        first = 0
        for chunk in chunks:
            body = io.BytesIO()
            rows[first : first + chunk.frame.height].write_ipc(body, compression="lz4")
            self._connection.execute(
                sql.SQL("INSERT INTO {} VALUES (%s, %s, %s)").format(self._staged),
                (job_id, chunk.chunk, body.getvalue()),
            )
            first += chunk.frame.height

    def waiting(self, job_id: str) -> Iterator[list[StagedChunk]]:
        """The staged chunks in order, `PIECE_CHUNKS` at most at once."""
        last = -1
        while found := self._connection.execute(
            sql.SQL(
                "SELECT chunk, body FROM {} WHERE job_id = %s AND chunk > %s ORDER BY chunk LIMIT %s"
            ).format(self._staged),
            (job_id, last, PIECE_CHUNKS),
        ).fetchall():
            yield [StagedChunk(chunk, pl.read_ipc(io.BytesIO(body))) for chunk, body in found]
            last = found[-1][0]

    def forget_waiting(self, job_id: str) -> None:
        """Drop what is staged of the job."""
        self._connection.execute(sql.SQL("DELETE FROM {} WHERE job_id = %s").format(self._staged), (job_id,))

    def completion(self, job_id: str) -> Completion | None:
        """What the job's last step did; None where it was not taken."""
        if self._missing():
            return None
        found = self._connection.execute(
            sql.SQL("SELECT refused, deleted FROM {} WHERE job_id = %s").format(self._completed), (job_id,)
        ).fetchone()
        return Completion(*found) if found is not None else None

    def complete(self, job_id: str, completion: Completion) -> None:
        """Note that the job's last step is taken."""
        self._connection.execute(
            sql.SQL("INSERT INTO {} VALUES (%s, %s, %s)").format(self._completed),
            (job_id, completion.refused, completion.deleted),
        )

    def note_made(self, table: PostgresTable, definition: Definition) -> None:
        """Write down that the table is ours."""
        self._connection.execute(
            sql.SQL(
                "INSERT INTO {} (table_schema, table_name, table_oid, definition) VALUES (%s, %s, %s, %s) "
                "ON CONFLICT (table_schema, table_name) DO UPDATE SET table_oid = excluded.table_oid, "
                "definition = excluded.definition, made_at = excluded.made_at"
            ).format(self._tables),
            (table.schema, table.name, table.oid, definition.name),
        )

    def is_ours(self, table: PostgresTable) -> bool:
        """True when we made this table, and not only one of the same name that is gone."""
        return bool(
            self._connection.execute(
                sql.SQL("SELECT 1 FROM {} WHERE table_oid = %s").format(self._tables), (table.oid,)
            ).fetchone()
        )

    def _missing(self) -> list[str]:
        found = self._connection.execute(
            "SELECT c.relname FROM pg_catalog.pg_class AS c "
            "JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace "
            "WHERE n.nspname = %s AND c.relname = ANY(%s)",
            (self._schema, list(_BOOKS)),
        )
        there = {name for (name,) in found}
        return [name for name in _BOOKS if name not in there]
