"""The tables that vendors' faces need beside jobs and uploads."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, Integer, UniqueConstraint
from sqlmodel import Field, SQLModel

from schemas.clock import utc_now
from store.tables import FreeText, UtcDateTime


class JobNumber(SQLModel, table=True):
    """The number of a job, for clients whose ids are numbers; given once, never again."""

    __tablename__ = "job_number"
    __table_args__ = (UniqueConstraint("job_id"), {"sqlite_autoincrement": True})

    number: int = Field(default=None, primary_key=True)
    job_id: str = Field(foreign_key="job.id")


class ClientFile(SQLModel, table=True):
    """A file that a client brings under an id of its own making, in parts or whole; (tenant, hash) is that id.

    Attributes:
        hash: a UUID that the client made, no hash of anything.
        directory: where the client put it, None for a temporary one.
        size_bytes: as the client announced it.
        received_bytes: how many came so far, all of them in order.
        part_bytes: size of the first part, which every later one but the last has; None before there is one.
        upload_id: the upload that it became; None while parts are missing.
        expires_at: when it is gone; None for one that is kept.
    """

    __tablename__ = "client_file"

    tenant: str = Field(primary_key=True)
    hash: str = Field(primary_key=True)
    file_name: str = Field(sa_type=FreeText)
    directory: str | None = None
    size_bytes: int = Field(sa_column=Column(BigInteger().with_variant(Integer, "sqlite"), nullable=False))
    received_bytes: int = Field(sa_column=Column(BigInteger().with_variant(Integer, "sqlite"), nullable=False))
    part_bytes: int | None = Field(default=None, sa_column=Column(BigInteger().with_variant(Integer, "sqlite")))
    upload_id: str | None = Field(default=None, foreign_key="upload.id")
    created_at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)
    expires_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class EventCursor(SQLModel, table=True):
    """How far the events of a job were delivered to one of its definition's webhooks.

    Attributes:
        webhook: 0-based place in the definition's `webhooks`.
        chunk: 0-based, the first one not delivered whole.
        record: 0-based place in that chunk of the first row whose event was not delivered.
        given_up: events that were not delivered, because the time for it was over.
        state: what the next try needs to know, such as when it may be.
    """

    __tablename__ = "event_cursor"

    job_id: str = Field(primary_key=True, foreign_key="job.id")
    webhook: int = Field(primary_key=True)
    chunk: int = 0
    record: int = 0
    given_up: int = 0
    state: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
