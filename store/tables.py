"""The tables of the job store."""

import json
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Dialect,
    Enum,
    Index,
    Integer,
    LargeBinary,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field, SQLModel

from schemas.clock import utc_now
from schemas.definition import Definition, FileOptions, Mode
from schemas.job import TERMINAL, Counts, JobKind, JobState

OPEN_JOBS = "open_jobs"
"""Name of the index by which workers find what is to be done, however many jobs have come to their end."""
ONE_IMPORT_PER_DESTINATION = "one_import_per_destination"
"""Name of the index that lets one file at a time be imported into a table."""


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC in and out, also where the database drops the zone; a naive time is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Refuse naive times."""
        if value is not None and value.tzinfo is None:
            raise ValueError("a naive time can't be stored")
        return value.astimezone(UTC) if value is not None else None

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Give the zone back."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class FreeText(TypeDecorator[str]):
    """Text that may quote what somebody sent: what PostgreSQL can't store is shown by what stands for it."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, _dialect: Dialect) -> str | None:
        """Make NUL visible, and each lone surrogate, which stands for a byte of a name, its escape."""
        if value is None:
            return None
        return value.replace("\0", "\N{SYMBOL FOR NULL}").encode(errors="backslashreplace").decode()


class DefinitionVersion(SQLModel, table=True):
    """One version of a definition; a change makes the next version, a job keeps the one it ran with.

    Attributes:
        version: 1 for the first of its name.
        document: the definition as plain JSON values.
        removed_at: when its name was taken back; jobs that ran with it keep it. None while it is in use.
    """

    __tablename__ = "definition"
    __table_args__ = (UniqueConstraint("tenant", "name", "version"),)

    id: int = Field(default=None, primary_key=True)
    tenant: str
    name: str
    version: int
    document: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    created_at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)
    removed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)

    @property
    def definition(self) -> Definition:
        """The definition that the document declares."""
        return _parsed(json.dumps(self.document))


@lru_cache(maxsize=256)
def _parsed(document: str) -> Definition:
    """Checking a definition takes milliseconds, and every stage of every job asks for one."""
    return Definition.model_validate_json(document)


class Upload(SQLModel, table=True):
    """Bytes that somebody brought; stored once per content, whatever the name.

    Attributes:
        file_name: as the user called it; shown, never used as a path.
        expires_at: when the bytes may be removed, if no job needs them.
        purged_at: when they were removed; None while they are there.
    """

    __tablename__ = "upload"
    __table_args__ = (UniqueConstraint("tenant", "sha256", "file_name"),)

    id: str = Field(primary_key=True)
    tenant: str
    sha256: str
    size_bytes: int = Field(sa_column=Column(BigInteger().with_variant(Integer, "sqlite"), nullable=False))
    file_name: str = Field(sa_type=FreeText)
    created_at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    purged_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


def stored_word(enum: type[StrEnum]) -> Enum:
    """The type of a column that stores the member's value as text, so that SQL reads like the docs."""
    return Enum(enum, values_callable=lambda e: [m.value for m in e], native_enum=False, length=16)


_IMPORTING = f"state = '{JobState.IMPORTING.value}' AND kind <> '{JobKind.INVOKE.value}'"
"""Records of an invoke go in whenever they come, also while a file is imported into the same table."""

_TERMINAL_SQL = ", ".join(f"'{state.value}'" for state in sorted(TERMINAL))


class Job(SQLModel, table=True):
    """One run of one definition over one upload.

    Attributes:
        mode: overrides the definition's.
        creation_path: how the job came: `CLI`, `FLOW`, `API`, `UI` or `DROP`, or what a vendor's client said.
        key_id: of the key with which it was brought over HTTP; None where no key was used.
        is_queued: a worker may begin it at once; one that is not waits for whoever brought it, and is taken
            up by a worker when that process is gone.
        flow_run_id: Prefect's latest run of it; None before there is one.
        cancel_requested_at: when somebody asked for its end; whoever works on it looks.
        source_job_id: the job whose bytes it imports again; None where it brought bytes of its own.
        file_options: what is known of its file, instead of the definition's `file`; None: that.
        mail: whom to tell of its end, `{"success_to", "failure_to"}`; None: nobody.
        has_events: its definition's webhooks are told of every record.
        bytes_expire_at: when its bytes are gone, whatever the job does; one that still runs then fails. None
            where they stay as long as it needs them.
        destination_key: identity of the table; at most one file is imported into it at a time.
        stage_epoch: the epoch under which its records were staged; None before that.
        ending: how it is about to end (`schemas.job.Ending`); set before its destination is sealed.
        rows_read: data rows read so far by validate; first 0.
        rows_loaded: data rows behind it in import; first 0.
        rows: data rows of the file; None until the whole file is read.
        created … deleted: set when the job turns terminal; their sum is `rows` then.
        detected: what the file turned out to be; None until validate looked at it.
        warnings: sentences for people.
        error_groups: `[[code, field, rows], …]`, the most frequent first.
        vendor_counts: what the vendor to whom the records went counted, in words of outcomes, and `total`; None
            where they went to none, or it does not tell.
        vendor_link: where the vendor shows its side of the import.
        errors: how many row errors are stored.
        error_code, error_message: why the job as a whole is `invalid`, `failed` or `cancelled`.
        lease_owner: who works on it, None when nobody does.
        lease_epoch: the fencing token; grows by one each time the lease is taken.
        …_at: when the job entered that state (the last time, for one that was resumed).
        reported_at: when the files for people were written.
        expires_at: when what became of each row may be removed; its counts stay.
        stage_expires_at: when its checked rows may be removed; its report removes them earlier.
        errors_expire_at: when its errors and its report may be removed; not after `expires_at`.
        purged_at, errors_purged_at: when that was done. Nothing is removed before the job is terminal.
    """

    __tablename__ = "job"
    __table_args__ = (
        CheckConstraint(
            # `rows IS NOT NULL` because a CHECK lets NULL pass.
            f"state NOT IN ({_TERMINAL_SQL}) OR (rows IS NOT NULL AND rows = created + updated + unchanged"
            " + ignored + failed + unconfirmed + unprocessed)",
            name="every_row_accounted_for",
        ),
        Index(
            ONE_IMPORT_PER_DESTINATION,
            "destination_key",
            unique=True,
            sqlite_where=text(_IMPORTING),
            postgresql_where=text(_IMPORTING),
        ),
        Index(
            OPEN_JOBS,
            "destination_key",
            "received_at",
            "id",
            sqlite_where=text("reported_at IS NULL"),
            postgresql_where=text("reported_at IS NULL"),
        ),
        Index("job_by_state", "tenant", "state"),
        Index("job_by_time", "tenant", "received_at", "id"),
    )

    id: str = Field(primary_key=True)
    tenant: str
    kind: JobKind = Field(sa_column=Column(stored_word(JobKind), nullable=False))
    state: JobState = Field(default=JobState.RECEIVED, sa_column=Column(stored_word(JobState), nullable=False))
    definition_id: int = Field(foreign_key="definition.id")
    upload_id: str = Field(foreign_key="upload.id")
    mode: Mode = Field(sa_column=Column(stored_word(Mode), nullable=False))
    destination_key: str
    creation_path: str = Field(default="CLI", sa_type=FreeText)
    key_id: str | None = None
    is_queued: bool = False
    flow_run_id: str | None = None
    cancel_requested_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    source_job_id: str | None = None
    file_options: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    mail: dict[str, str | None] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    has_events: bool = False
    bytes_expire_at: datetime | None = Field(default=None, sa_type=UtcDateTime)

    stage_epoch: int | None = None
    ending: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))

    rows_read: int = 0
    rows_loaded: int = 0
    rows: int | None = None
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    ignored: int = 0
    failed: int = 0
    unconfirmed: int = 0
    unprocessed: int = 0
    deleted: int = 0

    vendor_counts: dict[str, int] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    vendor_link: str | None = None

    detected: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON))
    warnings: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    error_groups: list[tuple[str, str | None, int]] = Field(
        default_factory=list, sa_column=Column(JSON, nullable=False)
    )
    errors: int = 0
    error_code: str | None = None
    error_message: str | None = Field(default=None, sa_type=FreeText)

    lease_owner: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    lease_epoch: int = 0
    lease_expires_at: datetime | None = Field(default=None, sa_type=UtcDateTime)

    received_at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)
    validating_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    invalid_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ready_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    importing_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    finished_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    failed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    cancelled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    reported_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    stage_expires_at: datetime = Field(sa_type=UtcDateTime)
    errors_expire_at: datetime = Field(sa_type=UtcDateTime)
    purged_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    errors_purged_at: datetime | None = Field(default=None, sa_type=UtcDateTime)

    def as_it_runs(self, definition: Definition) -> Definition:
        """The definition in this job's mode, and with what this job knows of its file."""
        options = None if self.file_options is None else FileOptions.model_validate(self.file_options)
        return definition.in_mode(self.mode).with_file(options)

    @property
    def counts(self) -> Counts:
        """Rows per outcome; all zero before the job is terminal."""
        return Counts(**{name: getattr(self, name) for name in Counts.__dataclass_fields__})


class PageRow(SQLModel, table=True):
    """The copy of a chunk's page that readers use; `body` is `Page.to_bytes`."""

    __tablename__ = "page"

    job_id: str = Field(primary_key=True, foreign_key="job.id")
    chunk: int = Field(primary_key=True)
    body: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class ErrorPage(SQLModel, table=True):
    """The row errors that one stage found in one chunk.

    Attributes:
        stage: `validate`, `duplicates` or `import`; a stage that runs again replaces its own.
        errors: how many.
        body: compressed JSON, one object an error, in order of ordinal.
    """

    __tablename__ = "error_page"

    job_id: str = Field(primary_key=True, foreign_key="job.id")
    chunk: int = Field(primary_key=True)
    stage: str = Field(primary_key=True)
    errors: int
    body: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class Event(SQLModel, table=True):
    """Something that happened to a job, in order of `id`; only ever added."""

    __tablename__ = "event"

    id: int = Field(default=None, primary_key=True)
    job_id: str = Field(foreign_key="job.id", index=True)
    at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)
    name: str
    detail: str | None = Field(default=None, sa_type=FreeText)
