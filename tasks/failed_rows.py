"""The failed rows of a job as a file that a person can mend and send again."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from formats import FailedRow, failed_rows_suffix, reopened, write_failed_rows
from schemas.errors import NotFoundError
from schemas.headers import UNREADABLE
from schemas.row_error import RowError
from schemas.settings import Settings
from schemas.text_table import Detected, TextBlock
from store.database import Transaction
from store.jobs import get_job
from store.pages import list_errors
from store.tables import Job
from store.uploads import get_upload
from tasks.kept_bytes import kept_bytes
from tasks.locating import detected_of

FAILED_ROWS_NAME = "failed-rows"
"""Under this name, and the suffix of its kind, the report keeps the file."""


def failed_rows_path(settings: Settings, job: Job) -> Path | None:
    """Where the report leaves the failed rows of the job; None where its file never became a table."""
    if job.detected is None:
        return None
    return settings.report_path(job.id) / f"{FAILED_ROWS_NAME}{failed_rows_suffix(detected_of(job))}"


def failed_rows(settings: Settings, session: Transaction, job_id: str, out: Path) -> int:
    """Write the rows of the job that have an error, in the kind of file that they came in; gives how many.

    Raises:
        NotFoundError: the errors or the bytes of the upload are gone, or the file never became a table.
        FileRefusedError: the bytes can't be read any more.
    """
    job = get_job(session, job_id)
    if job.errors_purged_at is not None:
        raise NotFoundError(
            f"the errors of job {job_id} were removed on {job.errors_purged_at:%Y-%m-%d}, when their time was "
            "over; its counts stay"
        )
    detected = detected_of(job)
    source = kept_bytes(settings, get_upload(session, job.upload_id))
    out.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with reopened(source, detected, settings.limits) as file:
        return write_failed_rows(out, file, _merged(detected, file.blocks(), list_errors(session, job_id)))


def _merged(detected: Detected, blocks: Iterator[TextBlock], errors: Iterator[RowError]) -> Iterator[FailedRow]:
    """Each row with errors, in order."""
    positions = {column.letter: index for index, column in enumerate(detected.columns) if column.letter}
    read: _Read | None = None
    for ordinal, group in groupby((e for e in errors if e.ordinal is not None), key=lambda e: e.ordinal or 0):
        while read is None or ordinal >= read.end:
            block = next(blocks, None)
            if block is None:
                return
            read = _Read(block)
        found = list(group)
        wrong = {positions[e.column]: e.message for e in found if e.column in positions}
        yield read.row(ordinal, "; ".join(map(_reason, found)), wrong)


class _Read:
    """One block, with what stands in its error cells and malformed rows at hand."""

    def __init__(self, block: TextBlock) -> None:
        self.end = block.first_ordinal + block.cells.height
        self._block = block
        self._malformed = {row.ordinal: row.text for row in block.malformed}
        self._shown: dict[int, dict[int, str]] = defaultdict(dict)
        for cell in block.error_cells:
            self._shown[cell.ordinal][cell.column] = cell.text

    def row(self, ordinal: int, reasons: str, wrong: dict[int, str]) -> FailedRow:
        """The row with this ordinal."""
        index = ordinal - self._block.first_ordinal
        number = int(self._block.rows[index])
        if ordinal in self._malformed:
            return FailedRow(number, (self._malformed[ordinal],), reasons, malformed=True)
        shown = self._shown.get(ordinal, {})
        cells = [shown.get(position, text) for position, text in enumerate(self._block.cells.row(index))]
        return FailedRow(number, cells, reasons, wrong, frozenset(shown))


def _reason(error: RowError) -> str:
    if error.code.startswith("row."):
        return f"{UNREADABLE}{error.message}"
    return f"{error.field}: {error.message}" if error.field else error.message
