"""Stage 3: load the staged chunks into the destination, those not committed yet; then take the last step."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack

from destinations import open_destination
from schemas.chunk import CHUNK_ROWS, chunk_total
from schemas.destination import Destination, StagedChunk
from schemas.job import JobState
from schemas.settings import Settings
from store.database import Store
from store.definitions import job_definition
from store.jobs import get_job, note_progress, transition
from store.tables import Job
from tasks.ahead import read_ahead
from tasks.artifacts import import_progress
from tasks.delivering import Telling, telling_of
from tasks.ending import refuse_when_ending
from tasks.stage import stage
from tasks.staging import Stage

OnProgress = Callable[[int, int], None]
"""Called with the data rows behind us and those there are."""


def plan_segments(settings: Settings, rows: int) -> list[tuple[int, int]]:
    """The parts in which a job of `rows` data rows is imported: first and last chunk (0-based) of each."""
    chunks, step = chunk_total(rows), settings.segment_rows // CHUNK_ROWS
    return [(first, min(first + step, chunks) - 1) for first in range(0, chunks, step)]


def import_segment(
    settings: Settings, job_id: str, epoch: int, span: tuple[int, int], on_progress: OnProgress
) -> None:
    """Load the chunks of `span` (first and last, 0-based, both included); what is committed is passed over.

    Raises:
        CancelRequestedError: somebody asked for the job's end.
        BytesExpiredError: the time of its bytes is over.
        ProcessEndsError: this process is about to end.
        DestinationError: the table does not fit, or can't be used.
        RetriableError: another import has the destination, a database is locked, or a webhook that is to be
            told of every record does not take it now.
    """
    with Store.opened(settings) as store:
        with store.read() as session:
            job = get_job(session, job_id)
            definition = job_definition(session, job)
        destination = open_destination(settings, job.tenant, definition)
        try:
            destination.prepare(definition)
            with store.write() as session:
                job = transition(session, job_id, JobState.IMPORTING, epoch=epoch)
            destination.begin(job_id, epoch)
            done = destination.committed_chunks(job_id)
            with telling_of(settings, store, job, epoch) as telling, ExitStack() as stack:
                first, commit_rows = span[0], settings.commit_rows
                if telling.next_chunk is not None:
                    # What was told is behind us; the next chunk is not loaded before this one was told.
                    first, commit_rows = _first_open(span, done, telling.next_chunk), CHUNK_ROWS
                chunks = _staged(settings, job).chunks(first, span[1])
                for batch in stack.enter_context(read_ahead(_batches(chunks, commit_rows))):
                    refuse_when_ending()
                    if waiting := [staged for staged in batch if staged.chunk not in done]:
                        destination.load(job_id, epoch, definition, waiting)
                    rows_loaded = min((batch[-1].chunk + 1) * CHUNK_ROWS, job.rows or 0)
                    with store.write() as session:
                        note_progress(session, job_id, epoch=epoch, rows_loaded=rows_loaded)
                    on_progress(rows_loaded, job.rows or 0)
                    _tell(telling, destination, job_id, batch)
        finally:
            destination.close()


@stage("import", "import {segment}/{segments}")
def import_rows(
    settings: Settings, job_id: str, epoch: int, span: tuple[int, int], segment: int, segments: int
) -> None:
    """The task of this stage, for the 1-based `segment` of `segments`."""
    del segment, segments  # they only name the task run
    import_segment(settings, job_id, epoch, span, import_progress(job_id))


def complete_import(settings: Settings, job_id: str, epoch: int) -> None:
    """Let the destination take the last step, once every chunk was loaded; harmless when repeated.

    Raises:
        LastStepError: it refused; nothing of the step was written.
    """
    with Store.opened(settings) as store, store.read() as session:
        job = get_job(session, job_id)
        definition = job_definition(session, job)
    key = list(definition.key)
    blocks = _staged(settings, job).finished_blocks(job.rows or 0, key)
    destination = open_destination(settings, job.tenant, definition)
    try:
        destination.complete(job_id, epoch, definition, (block.select(key).drop_nulls() for block in blocks))
    finally:
        destination.close()


@stage("import", "import last step")
def import_last_step(settings: Settings, job_id: str, epoch: int) -> None:
    """The task of the stage's end, for jobs that have a last step."""
    complete_import(settings, job_id, epoch)


def _first_open(span: tuple[int, int], done: frozenset[int], next_told: int) -> int:
    """The first chunk of the span that was not loaded, or not told of."""
    return next((c for c in range(span[0], span[1] + 1) if c not in done or c >= next_told), span[1] + 1)


def _tell(telling: Telling, destination: Destination, job_id: str, batch: Sequence[StagedChunk]) -> None:
    """Tell of the records that are written; those that are written only all together have no page yet."""
    for staged in batch:
        if telling.next_chunk is not None and telling.next_chunk <= staged.chunk:
            page = next(destination.pages(job_id, staged.chunk), None)
            if page is not None and page.chunk == staged.chunk:
                telling.tell(page, staged.frame)


def _staged(settings: Settings, job: Job) -> Stage:
    return Stage(settings.stage_path(job.id, job.stage_epoch or 0))


def _batches(chunks: Iterator[StagedChunk], commit_rows: int) -> Iterator[list[StagedChunk]]:
    batch: list[StagedChunk] = []
    for staged in chunks:
        batch.append(staged)
        if (len(batch) + 1) * CHUNK_ROWS > commit_rows:
            yield batch
            batch = []
    if batch:
        yield batch
