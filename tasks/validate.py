"""Stage 2: read the whole file, check every row, stage the records; nothing is written to the destination."""

from collections.abc import Sequence
from dataclasses import asdict
from functools import partial

from schemas.definition import Definition
from schemas.errors import FatalError, FileRefusedError
from schemas.job import JobState
from schemas.row_error import RowError
from schemas.settings import Settings
from store.database import Store
from store.definitions import definition_of
from store.jobs import check_epoch, get_job, note_progress, set_values, transition
from store.pages import clear_errors, put_errors
from store.tables import Upload
from store.uploads import get_upload
from tasks.budget import objection_to
from tasks.ending import refuse_when_ending
from tasks.halting import looking_at
from tasks.kept_bytes import kept_bytes
from tasks.pages import copy_pages, validated_pages
from tasks.reading import ErrorGroups, StageFolder, check
from tasks.stage import stage
from tasks.staging import Stage


def validate_job(settings: Settings, job_id: str, epoch: int) -> JobState:
    """Validate the job's upload from its first row; gives `ready` or `invalid`.

    Run again after an interruption, it begins anew and leaves the same. A job that was importing when its
    staged rows were lost stays `importing`: they are staged once more, and what is committed stays committed.

    Raises:
        CancelRequestedError: somebody asked for the job's end.
        BytesExpiredError: the time of its bytes is over.
        ProcessEndsError: this process is about to end.
        FatalError: the bytes of the upload are gone or were changed.
    """
    with Store.opened(settings) as store:
        with store.write() as session:
            if get_job(session, job_id).state in {JobState.RECEIVED, JobState.VALIDATING}:
                transition(session, job_id, JobState.VALIDATING, epoch=epoch)
            set_values(session, job_id, epoch=epoch, rows_read=0, errors=0)
            clear_errors(session, job_id)
            job = get_job(session, job_id)
            upload = get_upload(session, job.upload_id)
            definition = job.as_it_runs(definition_of(session, job.definition_id).definition)
        try:
            _validate(settings, store, job_id, epoch, upload, definition)
        except FileRefusedError as refusal:
            if job.state is not JobState.VALIDATING:
                raise FatalError(f"the file was read before and is refused now: {refusal}") from refusal
            _refuse(store, job_id, epoch, refusal)
        with store.read() as session:
            return get_job(session, job_id).state


@stage("validate")
def validate(settings: Settings, job_id: str, epoch: int) -> JobState:
    """The task of this stage."""
    return validate_job(settings, job_id, epoch)


def _validate(
    settings: Settings, store: Store, job_id: str, epoch: int, upload: Upload, definition: Definition
) -> None:
    def keep(part: str, errors: Sequence[RowError], rows_read: int) -> None:
        refuse_when_ending()
        with store.write() as session:
            note_progress(session, job_id, epoch=epoch, rows_read=rows_read)
            put_errors(session, job_id, part, errors)

    path = kept_bytes(settings, upload)
    folder = StageFolder(settings.stage_path(job_id, epoch))
    look = looking_at(store, job_id)
    checked = check(settings.limits, path, upload.file_name, definition, folder, keep, look)
    found = {"rows": checked.rows, "detected": asdict(checked.detected), "warnings": checked.warnings}
    staged = Stage(folder.path)
    if objection := objection_to(definition, partial(staged.finished_blocks, checked.rows), checked.rows):
        counts, _ = copy_pages(store, job_id, epoch, validated_pages(staged, checked.rows, definition.mode))
        found |= vars(counts) | {"error_code": objection.code, "error_message": objection.message}
        _leave(store, job_id, epoch, JobState.INVALID, checked.groups, **found)
    else:
        _leave(store, job_id, epoch, JobState.READY, checked.groups, stage_epoch=epoch, **found)


def _refuse(store: Store, job_id: str, epoch: int, refusal: FileRefusedError) -> None:
    """Leave the job `invalid`: the file as a whole is the error, and no row of it counts."""
    with store.write() as session:
        check_epoch(session, job_id, epoch)
        clear_errors(session, job_id)
        put_errors(session, job_id, "validate", [RowError(refusal.code, str(refusal))])
    groups = ErrorGroups({(refusal.code, None): 1})
    reason = {"error_code": refusal.code, "error_message": str(refusal)}
    _leave(store, job_id, epoch, JobState.INVALID, groups, rows=0, **reason)


def _leave(
    store: Store, job_id: str, epoch: int, state: JobState, groups: ErrorGroups, **values: object
) -> None:
    listed = [(code, field, rows) for (code, field), rows in groups.most_common()]
    with store.write() as session:
        values |= {"errors": groups.total(), "error_groups": listed}
        if get_job(session, job_id).state is JobState.VALIDATING:
            transition(session, job_id, state, epoch=epoch, **values)
        else:
            set_values(session, job_id, epoch=epoch, **values)
