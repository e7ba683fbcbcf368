"""What the pages show of a job: all that a template needs, and nothing that it must work out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from api.context import Context
from api.pages.counts import Segment, counted, percent_of, segments_of
from api.pages.standing import Standing, standing_of
from api.pages.words import many, number
from schemas.job import JobKind, JobState
from schemas.row_error import RowError
from store.database import Transaction
from store.pages import list_errors
from store.tables import Job, Upload
from store.uploads import get_upload
from tasks.job_document import ErrorGroup, JobDocument, job_document

SHOWN_ERRORS = 20
SHOWN_GROUPS = 10
_DETECTED = ("kind", "packing", "encoding", "delimiter", "sheet", "header_row")
_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar", " ": "blank"}


@dataclass(frozen=True)
class Fact:
    """One thing that is known of a file."""

    name: str
    value: str


@dataclass(frozen=True)
class ShownError:
    """An error and the place where a spreadsheet or an editor shows it."""

    place: str
    field: str | None
    message: str
    code: str
    value: str | None


@dataclass(frozen=True)
class Kept:
    """What expires when; `purged_at` is None while it is there."""

    what: str
    expires_at: datetime
    purged_at: datetime | None


@dataclass(frozen=True)
class JobLine:
    """A job as a line of the list."""

    id: str
    file: str
    definition: str
    mode: str
    is_validate_only: bool
    creation_path: str
    standing: Standing
    segments: Sequence[Segment]
    counted: str
    key_id: str | None
    received_at: datetime


def job_line(service: Context, session: Transaction, job: Job) -> JobLine:
    """The job as a line of the list."""
    return JobLine(
        id=job.id,
        file=get_upload(session, job.upload_id).file_name,
        definition=service.definition(session, job.definition_id).name,
        mode=job.mode.value,
        is_validate_only=job.kind is JobKind.VALIDATE,
        creation_path=job.creation_path,
        standing=standing_of(session, job),
        segments=segments_of(job),
        counted=counted(job),
        key_id=job.key_id,
        received_at=job.received_at,
    )


@dataclass(frozen=True)
class JobView:
    """A job as its page shows it.

    Attributes:
        line: what the list shows too.
        document: what the status API tells.
        percent: how far it is; None where nobody can know.
        columns: headers of the file's first columns.
        error_groups: the most frequent.
    """

    line: JobLine
    job: Job
    document: JobDocument
    sentence: str
    percent: int | None
    is_over: bool
    is_file_gone: bool
    detected: Sequence[Fact]
    columns: Sequence[str]
    error_groups: Sequence[ErrorGroup]
    first_errors: Sequence[ShownError]
    kept: Sequence[Kept]


def job_view(service: Context, session: Transaction, job: Job) -> JobView:
    """The job as its page shows it."""
    upload = get_upload(session, job.upload_id)
    line = job_line(service, session, job)
    document = job_document(job, service.definition(session, job.definition_id), upload)
    detected = document["detected"] or {}
    return JobView(
        line=line,
        job=job,
        document=document,
        sentence=sentence(job, line.standing),
        percent=percent_of(job),
        is_over=is_over(job),
        is_file_gone=upload.purged_at is not None,
        detected=_facts(detected),
        columns=[column["header"] for column in detected.get("columns", [])],
        error_groups=document["error_groups"][:SHOWN_GROUPS],
        first_errors=[_shown(error) for error in islice(list_errors(session, job.id), SHOWN_ERRORS)],
        kept=_kept(job, upload),
    )


def is_over(job: Job) -> bool:
    """True when nothing of the job's page will change by itself: it ended, and its files are written."""
    return job.state.terminal and (job.reported_at is not None or not job.errors)


def sentence(job: Job, standing: Standing) -> str:
    """Where the job stands, for who reads or hears one sentence."""
    if not job.state.terminal:
        stands = f"{standing.name.capitalize()} {standing.note}".strip()
        return f"{stands}." if job.state is JobState.RECEIVED else f"{stands}: {counted(job)}."
    rows = many(job.rows or 0, "row")
    if job.state is JobState.FINISHED and job.kind is JobKind.VALIDATE:
        return f"Checked: {number(job.failed)} of {rows} failed. Nothing was written."
    gone = f" {many(job.deleted, 'record')} deleted that the file lacks." if job.deleted else ""
    return f"{standing.name.capitalize()}: {rows}, {counted(job)}.{gone}"


def _facts(detected: dict[str, Any]) -> Sequence[Fact]:
    known = {name: detected.get(name) for name in _DETECTED}
    if known["delimiter"] is not None:
        known["delimiter"] = _DELIMITERS.get(known["delimiter"], known["delimiter"])
    return [Fact(n.replace("_", " "), str(value)) for n, value in known.items() if value is not None]


def _shown(error: RowError) -> ShownError:
    return ShownError(_place(error), error.field, error.message, error.code, error.value)


def _place(error: RowError) -> str:
    parts = [f"sheet {error.sheet}"] if error.sheet else []
    parts += [f"row {error.row}"] if error.row else []
    parts += [f"line {error.line}"] if error.line and error.line != error.row else []
    parts += [f"column {error.column}"] if error.column else []
    return ", ".join(parts) or "the file as a whole"


def _kept(job: Job, upload: Upload) -> Sequence[Kept]:
    return [
        Kept("the file", upload.expires_at, upload.purged_at),
        Kept("errors", job.errors_expire_at, job.errors_purged_at),
        Kept("outcomes of rows", job.expires_at, job.purged_at),
    ]
