"""The bookkeeping beside the tables: who may commit for a job, its pages, and whether its last step is done."""

import sqlite3
from dataclasses import asdict

from destinations.promotion import Completion
from schemas.chunk import Page
from schemas.errors import LeaseLostError
from schemas.job import Outcome

_BOOKS = (
    """CREATE TABLE IF NOT EXISTS main.lading_jobs (
        job_id TEXT PRIMARY KEY, epoch INTEGER NOT NULL, sealed INTEGER NOT NULL) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS main.lading_pages (
        job_id TEXT NOT NULL, chunk INTEGER NOT NULL, created INTEGER NOT NULL, updated INTEGER NOT NULL,
        unchanged INTEGER NOT NULL, ignored INTEGER NOT NULL, failed INTEGER NOT NULL, body BLOB NOT NULL,
        PRIMARY KEY (job_id, chunk))""",
    """CREATE TABLE IF NOT EXISTS main.lading_staged (
        job_id TEXT NOT NULL, chunk INTEGER NOT NULL, head BLOB NOT NULL, PRIMARY KEY (job_id, chunk))""",
    """CREATE TABLE IF NOT EXISTS main.lading_completed (
        job_id TEXT PRIMARY KEY, refused INTEGER NOT NULL, deleted INTEGER NOT NULL) WITHOUT ROWID""",
)
_COUNTED = (Outcome.CREATED, Outcome.UPDATED, Outcome.UNCHANGED, Outcome.IGNORED, Outcome.FAILED)
PAGES_AT_ONCE = 100


class SqliteBooks:
    """The tables `lading_…` that all jobs share, on a connection; begins and commits nothing itself."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def open(self) -> None:
        """Make them where they are not there; inside the open transaction."""
        for statement in _BOOKS:
            self._connection.execute(statement)

    def begin(self, job_id: str, epoch: int) -> None:
        """Raise the job's fence to this epoch.

        Raises:
            LeaseLostError: a higher epoch was here already, or the job is sealed.
        """
        self._connection.execute("INSERT OR IGNORE INTO main.lading_jobs VALUES (?, ?, 0)", (job_id, epoch))
        self.check_fence(job_id, epoch)
        self._connection.execute("UPDATE main.lading_jobs SET epoch = ? WHERE job_id = ?", (epoch, job_id))

    def check_fence(self, job_id: str, epoch: int) -> None:
        """Pass the holder of this epoch; true only until the open transaction ends.

        Raises:
            LeaseLostError: a higher epoch was here, the job is sealed, or it was never begun.
        """
        found = self._connection.execute(
            "SELECT epoch, sealed FROM main.lading_jobs WHERE job_id = ?", (job_id,)
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
            "INSERT INTO main.lading_jobs VALUES (:job, :epoch, 1) ON CONFLICT (job_id) DO UPDATE "
            "SET epoch = :epoch, sealed = 1 WHERE epoch <= :epoch",
            {"job": job_id, "epoch": epoch},
        )
        if sealed.rowcount != 1:
            raise LeaseLostError(f"another worker owns the job {job_id}; it is not sealed by epoch {epoch}")

    def committed(self, job_id: str) -> frozenset[int]:
        """The chunks (0-based) that have a page, or are staged until all can be written."""
        found: set[int] = set()
        for table in ("lading_pages", "lading_staged"):
            if self._is_there(table):
                chunks = self._connection.execute(f"SELECT chunk FROM main.{table} WHERE job_id = ?", (job_id,))
                found.update(chunk for (chunk,) in chunks)
        return frozenset(found)

    def pages_after(self, job_id: str, chunk: int) -> list[Page]:
        """The next pages in order of chunk, `PAGES_AT_ONCE` at most."""
        if not self._is_there("lading_pages"):
            return []
        found = self._connection.execute(
            "SELECT chunk, body FROM main.lading_pages WHERE job_id = ? AND chunk > ? ORDER BY chunk LIMIT ?",
            (job_id, chunk, PAGES_AT_ONCE),
        )
        return [Page.from_bytes(number, body) for number, body in found]

    def write(self, job_id: str, page: Page) -> None:
        """Add the page, with its counts beside it for whoever looks with SQL."""
        counts = asdict(page.counts)
        self._connection.execute(
            "INSERT INTO main.lading_pages VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (job_id, page.chunk, *(counts[outcome] for outcome in _COUNTED), page.to_bytes()),
        )

    def completion(self, job_id: str) -> Completion | None:
        """What the job's last step did; None where it was not taken."""
        if not self._is_there("lading_completed"):
            return None
        found = self._connection.execute(
            "SELECT refused, deleted FROM main.lading_completed WHERE job_id = ?", (job_id,)
        ).fetchone()
        return Completion(*found) if found is not None else None

    def complete(self, job_id: str, completion: Completion) -> None:
        """Note that the job's last step is taken."""
        self._connection.execute(
            "INSERT INTO main.lading_completed VALUES (?, ?, ?)",
            (job_id, completion.refused, completion.deleted),
        )

    def _is_there(self, table: str) -> bool:
        sql = "SELECT 1 FROM main.sqlite_schema WHERE name = ?"
        return self._connection.execute(sql, (table,)).fetchone() is not None
