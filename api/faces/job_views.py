"""What faces may know of jobs, and of the rows of those that have ended."""

from collections.abc import Iterable, Iterator
from uuid import NAMESPACE_URL, UUID, uuid5

from connectors.face import JobView
from schemas.chunk import CHUNK_ROWS, LETTERS, Page
from schemas.job import Outcome
from store.database import Transaction
from store.definitions import definition_of
from store.tables import Job
from store.uploads import get_upload

_CREATED, _FAILED_TO_UPDATE = "C", "G"
assert LETTERS[_CREATED] == (Outcome.CREATED, None)  # noqa: S101 - the letters of stored pages never change
assert LETTERS[_FAILED_TO_UPDATE] == (Outcome.FAILED, "update")  # noqa: S101 - likewise


def job_view(session: Transaction, job: Job) -> JobView:
    """The job as faces see it."""
    return JobView(
        job_id=job.id,
        key_id=job.key_id,
        kind=job.kind,
        state=job.state,
        definition=definition_of(session, job.definition_id).name,
        file_name=get_upload(session, job.upload_id).file_name,
        creation_path=job.creation_path,
        source_job_id=job.source_job_id,
        counts=job.counts,
        rows=job.rows,
        rows_done=job.rows_loaded,
        received_at=job.received_at,
        ended_at=getattr(job, f"{job.state.value}_at") if job.state.terminal else None,
        error_code=job.error_code,
        error_message=job.error_message,
    )


def created_ids(job: Job, pages: Iterable[Page]) -> Iterator[UUID]:
    """The id of each record that the job created, in the order of the file.

    It is made of the table and the record's key there, so that a record has the same id in every job; where
    records have no key, of the job and the row.
    """
    table = uuid5(NAMESPACE_URL, f"lading:{job.destination_key}")
    for page in pages:
        for place, letter in enumerate(page.letters):
            if letter == _CREATED:
                key = page.target_ids[place]
                yield uuid5(table, key if key is not None else f"{job.id}#{page.chunk * CHUNK_ROWS + place}")


def failed_to_update(pages: Iterable[Page]) -> int:
    """How many of the failed rows were to change a record that was there."""
    return sum(page.letters.count(_FAILED_TO_UPDATE) for page in pages)
