"""Stage 4: ask the destination what became of every row, keep the answer, end the job."""

from collections.abc import Iterator
from dataclasses import asdict, replace

from destinations import open_destination
from schemas.chunk import Page
from schemas.definition import Definition, Mode
from schemas.destination import Destination
from schemas.destination_document import ConnectionDestination
from schemas.errors import DestinationError
from schemas.job import Counts, Ending, JobKind, JobState
from schemas.settings import Settings
from store.database import Store
from store.definitions import job_definition
from store.jobs import check_epoch, get_job, set_values, transition
from store.tables import Job
from tasks.locating import Locator, detected_of
from tasks.pages import Groups, copy_pages, validated_pages
from tasks.stage import stage
from tasks.staging import Stage
from tasks.vendor_pages import Accounted, accounted, remarks_text, vendor_pages


def end_job(settings: Settings, job_id: str, epoch: int, ending: Ending) -> Counts:
    """Account for every row of the job and leave it terminal; gives its counts.

    A table answers at once from its pages, and a vendor has told what it tells (`tasks.await_vendor`); a row
    without a page is `unprocessed`. How the job ends is
    written down before its destination is sealed, and is not changed afterwards; a job that is terminal
    already is left alone.
    """
    with Store.opened(settings) as store:
        with store.write() as session:
            check_epoch(session, job_id, epoch)
            job = get_job(session, job_id)
            if job.state.terminal:
                return job.counts
            if job.ending is None:
                set_values(session, job_id, epoch=epoch, ending=asdict(ending))
            else:
                ending = Ending.from_stored(job.ending)
            definition = job_definition(session, job)
        told = accounted(store, job) if isinstance(definition.destination, ConnectionDestination) else None
        counts, groups = copy_pages(store, job_id, epoch, _pages(settings, job, epoch, definition, told))
        unprocessed = (job.rows or 0) - counts.rows
        # Pages of a file that never got to its place speak of rows that nothing was done with.
        lost = unprocessed + (counts.unprocessed if job.kind is JobKind.INVOKE else 0)
        if ending.state is JobState.FINISHED and lost:
            said = f"{lost:,} rows have no page at the destination; bring them again"
            ending = Ending(JobState.FAILED, "job.failed", said)
        counts += Counts(unprocessed=unprocessed, deleted=_deleted(settings, job, definition, told))
        _finish(store, job, epoch, ending, counts, groups, told)
        return counts


@stage("poll")
def poll(settings: Settings, job_id: str, epoch: int, ending: Ending) -> Counts:
    """The task of this stage."""
    return end_job(settings, job_id, epoch, ending)


def _pages(
    settings: Settings, job: Job, epoch: int, definition: Definition, told: Accounted | None
) -> Iterator[Page]:
    if job.stage_epoch is None and job.kind is not JobKind.INVOKE:
        return
    staged = Stage(settings.stage_path(job.id, job.stage_epoch or 0))
    if job.kind is JobKind.VALIDATE:
        yield from validated_pages(staged, job.rows or 0, job.mode)
    elif job.state is JobState.IMPORTING and told is not None:
        yield from vendor_pages(told, staged, job, Locator(definition, detected_of(job), staged.block))
    elif job.state is JobState.IMPORTING:
        destination = _opened(settings, job, definition)
        try:
            destination.seal(job.id, epoch)
            block = staged.block if staged.is_whole(job.rows or 0) else None
            locator = Locator(definition, detected_of(job), block)
            for page in destination.pages(job.id):
                yield replace(page, errors=tuple(locator.locate(page.errors))) if page.errors else page
        finally:
            destination.close()


def _deleted(settings: Settings, job: Job, definition: Definition, told: Accounted | None) -> int:
    if told is not None:
        return (told.counts or {}).get("deleted", 0)
    if definition.mode is not Mode.SYNC or job.state is not JobState.IMPORTING:
        return 0
    destination = _opened(settings, job, definition)
    try:
        return destination.deleted(job.id)
    finally:
        destination.close()


def _opened(settings: Settings, job: Job, definition: Definition) -> Destination:
    try:
        return open_destination(settings, job.tenant, definition)
    except DestinationError as error:
        raise DestinationError(
            f"{error}; what became of the rows of job {job.id} can't be known before its destination can be "
            "used again: mend it, then `lading resume`"
        ) from error


def _unsaid(job: Job) -> list[str]:
    if job.kind is JobKind.VALIDATE and job.mode is Mode.SYNC:
        return ["nothing was deleted; an import in mode 'sync' deletes the records that the file lacks"]
    return []


def _finish(
    store: Store,
    job: Job,
    epoch: int,
    ending: Ending,
    counts: Counts,
    found: Groups,
    told: Accounted | None,
) -> None:
    groups = found + Groups({(code, field): rows for code, field, rows in job.error_groups})
    with store.write() as session:
        transition(
            session,
            job.id,
            ending.state,
            epoch=epoch,
            rows=job.rows or 0,
            errors=groups.total(),
            error_groups=[(code, field, rows) for (code, field), rows in groups.most_common()],
            error_code=ending.code,
            error_message=ending.message,
            warnings=[*job.warnings, *_unsaid(job), *(remarks_text(told) if told is not None else ())],
            vendor_counts=None if told is None else told.counts,
            **vars(counts),
        )
