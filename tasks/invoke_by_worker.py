"""The records of an invoke that go to a vendor: a worker brings them there as those of a file, and we wait."""

import time
from io import BytesIO

from connectors.invocation import RecordAnswer
from schemas.errors import DefinitionError
from schemas.job import Ending, Outcome
from schemas.row_error import RowError
from schemas.settings import Settings
from store.database import Store
from store.jobs import get_job
from store.pages import list_errors, list_pages
from store.tables import Job
from tasks.accepting import new_job, take_in
from tasks.copying import copied
from tasks.invoke_answers import answers
from tasks.invoke_submission import Submitted
from tasks.mapped_rows import json_text

LOOK_SECONDS = 0.2
"""How often we look whether the job has ended."""


def load_by_worker(settings: Settings, store: Store, submitted: Submitted) -> list[RecordAnswer]:
    """Leave the records to a worker, and wait for the end of their job; what became of each.

    After `invoke_deadline_seconds` the records are unconfirmed, and the job goes on.

    Raises:
        DefinitionError: settings came with the records; a worker that maps a file has none.
    """
    invocation = submitted.invocation
    if invocation.settings and submitted.definition.mapping is not None:
        raise DefinitionError(
            "settings beside the records can't be had where they go to a vendor; leave them out"
        )
    lines = "".join(f"{json_text(record)}\n" for record in invocation.records)
    kept = BytesIO(lines.encode(errors="backslashreplace"))
    with copied(settings, kept, "the records") as copy, store.write() as session:
        upload = take_in(session, settings, submitted.plan, copy, invocation.label)
        job_id = new_job(session, settings, submitted.plan, upload, submitted.origin).id
    job = _awaited(settings, store, job_id)
    if not job.state.terminal:
        late = f"job {job_id} goes on: it was not done within {settings.invoke_deadline_seconds:g} s"
        error = RowError("vendor.deadline", f"{late}; don't send the record again")
        return [RecordAnswer(Outcome.UNCONFIRMED, (error,)) for _ in invocation.records]
    with store.read() as session:
        pages, errors = list(list_pages(session, job_id)), list(list_errors(session, job_id))
    ending = Ending(job.state, job.error_code, job.error_message)
    return answers(len(invocation.records), pages, errors, ending)


def _awaited(settings: Settings, store: Store, job_id: str) -> Job:
    """The job at its end, or at the end of our patience."""
    ends_at = time.monotonic() + settings.invoke_deadline_seconds
    while True:
        with store.read() as session:
            job = get_job(session, job_id)
        if job.state.terminal or time.monotonic() >= ends_at:
            return job
        time.sleep(LOOK_SECONDS)
