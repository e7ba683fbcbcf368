"""Loads the records of an invoke in this process: one transaction of the job store before, one after."""

import logging
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from traceback import format_tb
from typing import Any

from connectors.invocation import RecordAnswer
from destinations import open_destination
from schemas.chunk import BLOCK_ROWS, Page
from schemas.clock import utc_now
from schemas.definition import Definition
from schemas.destination import Destination
from schemas.errors import (
    DestinationError,
    LadingError,
    LastStepError,
    OutcomeUnknownError,
    RetriableError,
)
from schemas.job import Counts, Ending, JobState, Outcome
from schemas.row_error import RowError
from schemas.settings import Settings
from store.database import Store
from store.definitions import job_definition
from store.jobs import set_values, transition
from store.leases import new_lease, release_lease, renewed_lease
from store.pages import list_errors, list_pages, put_errors, put_pages
from store.tables import Job
from tasks.accepting import new_job, take_in
from tasks.budget import Objection, objection_to
from tasks.copying import copied
from tasks.invoke_answers import answers
from tasks.invoke_records import CheckedRecords, check_records
from tasks.invoke_submission import Submitted
from tasks.locating import Locator
from tasks.pages import Groups
from tasks.poll import end_job

LOGGER = logging.getLogger("lading.invoke")
_EPOCH = 1
"""Of the lease with which an invoke's job begins."""


@dataclass(frozen=True)
class _Loading:
    """A job whose records this process holds.

    Attributes:
        definition: with its destination looked up.
    """

    settings: Settings
    store: Store
    job: Job
    definition: Definition
    checked: CheckedRecords


def load_at_once(settings: Settings, store: Store, submitted: Submitted) -> list[RecordAnswer]:
    """Check the records, load those that are well, and end their job; what became of each.

    Raises:
        RetriableError: nothing was written, and the same may go well later.
        OutcomeUnknownError: the destination does not say what it has taken.
    """
    invocation = submitted.invocation
    checked = check_records(
        submitted.definition, invocation.records, invocation.settings, settings.file_limit_columns
    )
    loading = _begun(settings, store, submitted, checked)
    with renewed_lease(store, settings, loading.job.id, _EPOCH):
        if objection := _objection(loading):
            return _untouched(loading, Ending(JobState.FAILED, objection.code, objection.message))
        try:
            destination = _opened(loading)
        except Exception as error:
            told = _untouched(loading, _ending(loading.job, error))
            if isinstance(error, RetriableError):
                raise
            return told
        try:
            pages = _load(loading, destination)
        except Exception as error:
            told = _asked(loading, _ending(loading.job, error))
            if isinstance(error, RetriableError) and all(a.outcome is Outcome.UNPROCESSED for a in told):
                raise
            return told
        finally:
            destination.close()
        return _ended(loading, pages)


def _begun(settings: Settings, store: Store, submitted: Submitted, checked: CheckedRecords) -> _Loading:
    """Keep the records and their job, in one transaction of the store."""
    with copied(settings, BytesIO(checked.lines), "the records") as copy, store.write() as session:
        upload = take_in(session, settings, submitted.plan, copy, submitted.invocation.label)
        groups = Groups((error.code, error.field) for error in checked.errors)
        begun: dict[str, Any] = {
            "state": JobState.IMPORTING,
            "importing_at": utc_now(),
            "detected": vars(checked.detected) | {"columns": [vars(c) for c in checked.detected.columns]},
            "rows": checked.frame.height,
            "rows_read": checked.frame.height,
            **_summed(groups),
        }
        lease = new_lease(session, settings.lease_seconds)
        job = new_job(session, settings, submitted.plan, upload, submitted.origin, begun | lease)
        put_errors(session, job.id, "validate", checked.errors)
        return _Loading(settings, store, job, job_definition(session, job), checked)


def _objection(loading: _Loading) -> Objection | None:
    frame = loading.checked.frame
    return objection_to(loading.definition, lambda _: [frame], frame.height)


def _opened(loading: _Loading) -> Destination:
    """The destination, ready for the records; nothing of them is there."""
    destination = open_destination(loading.settings, loading.job.tenant, loading.definition)
    try:
        destination.prepare(loading.definition)
        destination.begin(loading.job.id, _EPOCH)
    except BaseException:
        destination.close()
        raise
    return destination


def _load(loading: _Loading, destination: Destination) -> list[Page]:
    """Bring the records to the destination, in one transaction; gives what it says of them."""
    job_id, definition = loading.job.id, loading.definition
    destination.load(job_id, _EPOCH, definition, list(loading.checked.chunks()))
    if definition.has_last_step:
        destination.complete(job_id, _EPOCH, definition, ())
    return list(destination.pages(job_id))


def _ended(loading: _Loading, pages: Sequence[Page]) -> list[RecordAnswer]:
    """End the job with every record accounted for.

    What is committed at the destination needs no seal: there is nothing more that could be committed.
    """
    checked, frame = loading.checked, loading.checked.frame
    counts = sum((page.counts for page in pages), Counts())
    if lacking := frame.height - counts.rows + counts.unprocessed:
        lost = f"{lacking:,} records have no page at the destination; bring them again"
        return _asked(loading, Ending(JobState.FAILED, "job.failed", lost))
    found = _located(loading, pages)
    try:
        _end(loading, Ending(), counts, pages, found)
    except LadingError as error:
        # The records are where they belong, and a client that is told otherwise brings them again; the
        # destination says so to the worker that ends the job, which may have taken it over by now.
        LOGGER.warning("job %s is to be ended by a worker: %s", loading.job.id, error)
    return answers(frame.height, pages, [*checked.errors, *found], Ending())


def _untouched(loading: _Loading, ending: Ending) -> list[RecordAnswer]:
    """End a job of which nothing can be at the destination."""
    checked = loading.checked
    _end(loading, ending, Counts(unprocessed=checked.frame.height))
    return answers(checked.frame.height, (), checked.errors, ending)


def _asked(loading: _Loading, ending: Ending) -> list[RecordAnswer]:
    """End the job as it was to end; what the destination has of it is asked anew, and sealed.

    Raises:
        OutcomeUnknownError: the destination does not say.
    """
    job, store = loading.job, loading.store
    try:
        end_job(loading.settings, job.id, _EPOCH, ending)
        with store.write() as session:
            set_values(session, job.id, epoch=_EPOCH, **_done())
        with store.read() as session:
            pages, errors = list(list_pages(session, job.id)), list(list_errors(session, job.id))
    except LadingError as error:
        release_lease(store, job.id, _EPOCH)
        raise OutcomeUnknownError(
            f"{ending.message}; what became of the records is not known: job {job.id} will say"
        ) from error
    _clear(loading)
    return answers(loading.checked.frame.height, pages, errors, ending)


def _located(loading: _Loading, pages: Sequence[Page]) -> list[RowError]:
    """What the destination says of records, with their lines and values."""
    checked, frame = loading.checked, loading.checked.frame
    errors = [error for page in pages for error in page.errors]
    if not errors:
        return []
    return Locator(
        loading.definition, checked.detected, lambda block: frame.slice(block * BLOCK_ROWS, BLOCK_ROWS)
    ).locate(errors)


def _end(
    loading: _Loading,
    ending: Ending,
    counts: Counts,
    pages: Sequence[Page] = (),
    found: Sequence[RowError] = (),
) -> None:
    """Leave the job terminal, in one transaction of the store; nobody but the client is told of it."""
    job, checked = loading.job, loading.checked
    groups = Groups((error.code, error.field) for error in (*checked.errors, *found))
    with loading.store.write() as session:
        put_pages(session, job.id, (replace(page, errors=()) if page.errors else page for page in pages))
        put_errors(session, job.id, "import", found)
        values = _summed(groups) | _done() | vars(counts)
        values |= {"error_code": ending.code, "error_message": ending.message}
        values |= {"rows_loaded": counts.rows - counts.unprocessed}
        transition(session, job.id, ending.state, epoch=_EPOCH, **values)
    _clear(loading)


def _summed(groups: Groups) -> dict[str, Any]:
    listed = [(code, field, rows) for (code, field), rows in groups.most_common()]
    return {"errors": groups.total(), "error_groups": listed}


def _done() -> dict[str, Any]:
    """The columns of a job with which nobody has anything more to do."""
    return {"reported_at": utc_now(), "lease_owner": None, "lease_expires_at": None}


def _ending(job: Job, error: Exception) -> Ending:
    """How the job ends after this."""
    if isinstance(error, LadingError):
        code = error.code if isinstance(error, LastStepError) else "job.failed"
        is_misfit = isinstance(error, DestinationError) and not isinstance(error, LastStepError)
        return Ending(JobState.FAILED, "destination.mismatch" if is_misfit else code, str(error))
    # Its message may quote a value.
    LOGGER.error("job %s: %s\n%s", job.id, type(error).__name__, "".join(format_tb(error.__traceback__)))
    return Ending(JobState.FAILED, "job.failed", f"a fault inside Lading: {type(error).__name__}")


def _clear(loading: _Loading) -> None:
    """Remove what a destination of files kept beside the job."""
    shutil.rmtree(loading.settings.stages_path(loading.job.id), ignore_errors=True)
