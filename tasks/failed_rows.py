"""The failed rows of a job as a file that a person can mend and send again."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

from formats import open_format, write_failed_rows
from schemas.errors import NotFoundError
from schemas.headers import UNREADABLE
from schemas.row_error import RowError
from schemas.settings import Settings
from schemas.text_table import TextBlock
from store.database import Transaction
from store.jobs import get_job
from store.pages import list_errors
from store.uploads import get_upload
from tasks.kept_bytes import kept_bytes
from tasks.locating import detected_of

FAILED_ROWS_NAME = "failed-rows.csv"
"""Under this name the report keeps the file."""


def failed_rows(settings: Settings, session: Transaction, job_id: str, out: Path) -> int:
    """Write the rows of the job that have an error, as csv in their original columns; gives how many.

    Raises:
        NotFoundError: the errors or the bytes of the upload are gone, or the file never became a table.
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
    blocks = open_format(source).read(source, detected)
    return write_failed_rows(out, detected, _merged(blocks, list_errors(session, job_id)))


def _merged(
    blocks: Iterator[TextBlock], errors: Iterator[RowError]
) -> Iterator[tuple[Sequence[str | None], str]]:
    """Each row with errors: its cells (the whole text of a malformed one) and its reasons."""
    block: TextBlock | None = None
    shown: dict[int, Sequence[str | None]] = {}
    for ordinal, group in groupby((e for e in errors if e.ordinal is not None), key=lambda e: e.ordinal or 0):
        while block is None or ordinal >= block.first_ordinal + block.cells.height:
            block = next(blocks, None)
            if block is None:
                return
            shown = _shown_rows(block)
        cells = shown.get(ordinal) or block.cells.row(ordinal - block.first_ordinal)
        yield cells, "; ".join(_reason(error) for error in group)


def _shown_rows(block: TextBlock) -> dict[int, Sequence[str | None]]:
    """By ordinal: the text of each malformed row, and the rows with error cells as the sheet shows them."""
    rows: dict[int, list[str | None]] = {}
    for cell in block.error_cells:
        index = cell.ordinal - block.first_ordinal
        if cell.ordinal not in rows:
            rows[cell.ordinal] = list(block.cells.row(index))
        rows[cell.ordinal][cell.column] = cell.text
    return {**rows, **{m.ordinal: (m.text,) for m in block.malformed}}


def _reason(error: RowError) -> str:
    if error.code.startswith("row."):
        return f"{UNREADABLE}{error.message}"
    return f"{error.field}: {error.message}" if error.field else error.message
