"""The failed rows of a job as a file that a person can mend and send again."""

from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from formats import failed_rows_suffix
from schemas.errors import NotFoundError
from schemas.job import JobKind
from schemas.settings import Settings
from store.database import Store, Transaction
from store.jobs import get_job
from store.pages import list_errors
from store.tables import Job
from store.uploads import get_upload
from tasks.failed_rows_file import write_errors
from tasks.kept_bytes import kept_bytes
from tasks.locating import detected_of
from tasks.reading import write_failed_rows

FAILED_ROWS_NAME = "failed-rows"
"""Under this name, and the suffix of its kind, the report keeps the file."""


def failed_rows_path(settings: Settings, job: Job) -> Path | None:
    """Where the report leaves the failed rows of the job; None where its file never became a table."""
    if job.detected is None:
        return None
    return settings.report_path(job.id) / f"{FAILED_ROWS_NAME}{failed_rows_suffix(detected_of(job))}"


def kept_failed_rows(settings: Settings, store: Store, job: Job) -> Path | None:
    """Where the failed rows of the ended job lie; None where there are none.

    An invoke writes no report, so that its file is written when somebody first asks for it.

    Raises:
        NotFoundError, FileRefusedError: its records can't be given back any more.
    """
    path = failed_rows_path(settings, job)
    if path is not None and not path.exists() and job.kind is JobKind.INVOKE and job.errors:
        failed_rows(settings, store, job.id, path)
    return path if path is not None and path.exists() else None


def failed_rows(settings: Settings, store: Store, job_id: str, out: Path) -> int:
    """Write the rows of the job that have an error, in the kind of file that they came in; gives how many.

    Raises:
        NotFoundError: the errors or the bytes of the upload are gone, or the file never became a table.
        FileRefusedError: the bytes can't be read any more.
    """
    with ExitStack() as kept:
        # To write the rows may take minutes, through which no transaction of the store stays open.
        with store.read() as session:
            job = _with_errors(session, job_id)
            detected = detected_of(job)
            source = kept_bytes(settings, get_upload(session, job.upload_id))
            out.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            folder = Path(kept.enter_context(TemporaryDirectory(dir=out.parent, prefix=".failed-rows-")))
            draft, errors = folder / out.name, folder / "errors.jsonl"
            write_errors(errors, list_errors(session, job_id))
        written = write_failed_rows(settings.limits, source, detected, draft, errors)
        draft.replace(out)
    return written


def _with_errors(session: Transaction, job_id: str) -> Job:
    job = get_job(session, job_id)
    if job.errors_purged_at is not None:
        raise NotFoundError(
            f"the errors of job {job_id} were removed on {job.errors_purged_at:%Y-%m-%d}, when their time was "
            "over; its counts stay"
        )
    return job
