"""Jobs and row errors in the words of Starmind: processes, and entries with a column letter and a row."""

from collections.abc import Mapping
from hashlib import sha256

from connectors.face import JobView
from connectors.starmind.wire import (
    Entity,
    ErrorEntry,
    Process,
    ProcessStatus,
    ProcessType,
    Result,
    stored_name,
)
from schemas.codes import CODES
from schemas.job import JobKind, JobState
from schemas.row_error import RowError

TAG_LENGTH = "Tag length must be between 2 and 255 characters."
"""The one rule that is documented, in the words of the sample."""

_TAG_LENGTH_SAID = frozenset(
    {CODES["required"].says(), CODES["min_length"].says(limit=2), CODES["max_length"].says(limit=255)}
)


def process_of(view: JobView, entity: Entity, number: int, file_number: int) -> Process:
    """The job as a process, without its errors.

    Args:
        number: of the job.
        file_number: of the job that brought the file.
    """
    kind = ProcessType.VALIDATION if view.kind is JobKind.VALIDATE else ProcessType.IMPORT
    return Process(
        start_date=view.received_at,
        result=_result(view, entity, kind, file_number) if view.state.terminal else None,
        end_date=view.ended_at,
        status=status_of(view),
        message=view.error_message if view.state.terminal else None,
        import_id=number,
        type=kind,
    )


def status_of(view: JobView) -> ProcessStatus:
    """Where the job stands; a single row that failed makes the whole process an error."""
    if not view.state.terminal:
        return ProcessStatus.PROCESSING
    is_well = view.state is JobState.FINISHED and not view.counts.failed
    return ProcessStatus.SUCCESS if is_well else ProcessStatus.ERROR


def user_number(key_id: str | None) -> int:
    """The `user_id` of whoever holds this key: above 0, below 2**31, the same always; 0 for nobody."""
    return int.from_bytes(sha256(key_id.encode()).digest()[:4]) % (2**31 - 1) + 1 if key_id else 0


def entry_of(error: RowError, headers: Mapping[str, str]) -> ErrorEntry:
    """The error as Starmind tells it.

    Args:
        headers: letter of the column → text of its header.
    """
    letter = error.column or ""
    return ErrorEntry(
        msg=f"requirement failed: {_said(error)}",
        metadata=letter,
        row=error.row or 0,
        field=headers.get(letter, error.field or ""),
    )


def _said(error: RowError) -> str:
    if error.field == Entity.TAGS.value and error.message in _TAG_LENGTH_SAID:
        return TAG_LENGTH
    # What the check of a record model is called is of no use to whoever reads this.
    told = error.message.partition(": ")[2] if error.code == "record" else error.message
    told = told or error.message
    return f"{told[:1].upper()}{told[1:]}{'' if told.endswith('.') else '.'}"


def _result(view: JobView, entity: Entity, kind: ProcessType, file_number: int) -> Result:
    is_import = kind is ProcessType.IMPORT
    is_list = is_import and view.source_job_id is None
    stored = stored_name(entity, view.received_at, "json" if is_import else "xlsx")
    return Result(
        file_name=view.file_name if is_list else stored,
        created_records=view.counts.created if is_import else 0,
        errors=(),
        updated_records=view.counts.updated + view.counts.unchanged if is_import else 0,
        user_id=user_number(view.key_id),
        import_id=file_number,
    )
