"""A job as JSON: one form for the command line and for HTTP, of a bounded size however large the file was."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field
from typing_extensions import TypedDict

from schemas.definition import Mode
from schemas.job import JobKind, JobState
from store.tables import DefinitionVersion, Job, Upload

SHOWN_COLUMNS = 100
SHOWN_GROUPS = 100


Time = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
"""ISO 8601, in UTC."""


class ErrorGroup(TypedDict):
    """How many rows have this error in this field; no field for the row as a whole."""

    code: str
    field: str | None
    rows: int


class _DetectedPart(TypedDict):
    detected: Annotated[
        dict[str, Any] | None,
        Field(description="What the file turned out to be, with its first 100 columns; null until known."),
    ]
    columns_total: Annotated[int | None, Field(description="Columns of the file; null until known.")]
    notes: Annotated[list[str], Field(description="Sentences on the file, such as a name that misleads.")]


class _TimesPart(TypedDict):
    received_at: Time
    validating_at: Time | None
    ready_at: Time | None
    importing_at: Time | None
    ended_at: Annotated[Time | None, Field(description="When it turned terminal.")]
    reported_at: Annotated[Time | None, Field(description="When its file of failed rows was written.")]
    cancel_requested_at: Time | None
    stage_expires_at: Time
    errors_expire_at: Annotated[Time, Field(description="Until then errors and failed rows are kept.")]
    errors_purged_at: Time | None
    expires_at: Annotated[Time, Field(description="Until then what became of each row is kept.")]
    purged_at: Time | None


class JobDocument(_DetectedPart, _TimesPart):
    """A job, as it stands at this moment.

    Until it is terminal, `rows_read` and `rows_loaded` tell how far it is and the counts are zero. Then
    `rows = created + updated + unchanged + ignored + failed + unconfirmed + unprocessed`.
    """

    job_id: str
    state: JobState
    terminal: Annotated[bool, Field(description="True when the job will not change any more.")]
    rows: Annotated[int | None, Field(description="Data rows of the file; null until it is read whole.")]
    created: int
    updated: int
    unchanged: int
    ignored: int
    failed: int
    unconfirmed: int
    unprocessed: int
    deleted: Annotated[int, Field(description="Records that the file lacked, in mode sync; not in the sum.")]
    vendor_counts: Annotated[
        dict[str, int] | None,
        Field(description="What the vendor counted, where records went to one that tells; not in the sum."),
    ]
    vendor_link: Annotated[str | None, Field(description="Where the vendor shows its side of the import.")]
    rows_read: Annotated[int, Field(description="Data rows read and checked so far.")]
    rows_loaded: Annotated[int, Field(description="Data rows that the import has behind it.")]
    warnings: Annotated[list[str], Field(description="Sentences for people.")]
    errors_total: Annotated[int, Field(description="Errors of rows; a row may have several.")]
    error_groups: Annotated[list[ErrorGroup], Field(description="The most frequent first, 100 at most.")]
    error_code: Annotated[str | None, Field(description="Why the job as a whole did not end well.")]
    error_message: str | None
    definition: str
    definition_version: int
    mode: Mode
    kind: JobKind
    file: Annotated[str, Field(description="The file's name, as whoever brought it called it.")]
    size_bytes: int
    sha256: str
    creation_path: Annotated[
        str, Field(description="How the job came: CLI, FLOW, API, UI, DROP, or what a client said.")
    ]
    flow_run_id: Annotated[str | None, Field(description="Prefect's latest run of the job.")]
    upload_expires_at: Annotated[Time, Field(description="Until then the file is sure to be kept.")]
    upload_purged_at: Time | None


def job_document(job: Job, definition: DefinitionVersion, upload: Upload) -> JobDocument:
    """The job as it stands, with the definition that it runs with and its upload."""
    groups = job.error_groups[:SHOWN_GROUPS]
    return {
        "job_id": job.id,
        "state": job.state,
        "terminal": job.state.terminal,
        "rows": job.rows,
        "created": job.created,
        "updated": job.updated,
        "unchanged": job.unchanged,
        "ignored": job.ignored,
        "failed": job.failed,
        "unconfirmed": job.unconfirmed,
        "unprocessed": job.unprocessed,
        "deleted": job.deleted,
        "vendor_counts": job.vendor_counts,
        "vendor_link": job.vendor_link,
        "rows_read": job.rows_read,
        "rows_loaded": job.rows_loaded,
        "warnings": job.warnings,
        "errors_total": job.errors,
        "error_groups": [{"code": code, "field": field, "rows": rows} for code, field, rows in groups],
        "error_code": job.error_code,
        "error_message": job.error_message,
        **_detected(job),
        "definition": definition.name,
        "definition_version": definition.version,
        "mode": job.mode,
        "kind": job.kind,
        "file": upload.file_name,
        "size_bytes": upload.size_bytes,
        "sha256": upload.sha256,
        "creation_path": job.creation_path,
        "flow_run_id": job.flow_run_id,
        **_times(job),
        "upload_expires_at": upload.expires_at.isoformat(),
        "upload_purged_at": _iso(upload.purged_at),
    }


def _detected(job: Job) -> _DetectedPart:
    if job.detected is None:
        return {"detected": None, "columns_total": None, "notes": []}
    columns = job.detected["columns"]
    shown = job.detected | {"columns": columns[:SHOWN_COLUMNS]}
    notes: list[str] = list(job.detected.get("notes", ()))
    return {"detected": shown, "columns_total": len(columns), "notes": notes}


def _times(job: Job) -> _TimesPart:
    return {
        "received_at": job.received_at.isoformat(),
        "validating_at": _iso(job.validating_at),
        "ready_at": _iso(job.ready_at),
        "importing_at": _iso(job.importing_at),
        "ended_at": _iso(getattr(job, f"{job.state.value}_at") if job.state.terminal else None),
        "reported_at": _iso(job.reported_at),
        "cancel_requested_at": _iso(job.cancel_requested_at),
        "stage_expires_at": job.stage_expires_at.isoformat(),
        "errors_expire_at": job.errors_expire_at.isoformat(),
        "errors_purged_at": _iso(job.errors_purged_at),
        "expires_at": job.expires_at.isoformat(),
        "purged_at": _iso(job.purged_at),
    }


def _iso(time: datetime | None) -> str | None:
    return None if time is None else time.isoformat()
