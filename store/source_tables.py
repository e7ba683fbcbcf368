"""The tables of what starts imports by itself, sources and dropped files, and of who was told of their end."""

from datetime import datetime

from sqlalchemy import BigInteger, Column, Integer, UniqueConstraint
from sqlmodel import Field, SQLModel

from schemas.clock import utc_now
from store.tables import FreeText, UtcDateTime


class Fetch(SQLModel, table=True):
    """What was fetched last from one place for one definition, so that the same content is known again.

    Attributes:
        url: of the single file, never a glob.
        etag, last_modified: what the place said of the content, word for word; None where it said nothing.
        job_id: the job that imported it.
    """

    __tablename__ = "fetch"
    __table_args__ = (UniqueConstraint("tenant", "definition", "url"),)

    id: int = Field(default=None, primary_key=True)
    tenant: str
    definition: str
    url: str = Field(sa_type=FreeText)
    sha256: str
    etag: str | None = Field(default=None, sa_type=FreeText)
    last_modified: str | None = Field(default=None, sa_type=FreeText)
    job_id: str = Field(foreign_key="job.id")
    at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)


class Drop(SQLModel, table=True):
    """A file that somebody dropped into a watched folder, from its claim to its end.

    Attributes:
        id: a UUID.
        folder: that is watched, where it was dropped.
        file_name: as it was called there.
        path: where it lies since it was claimed.
        announced_at: when Prefect was last told of it; None before that.
        job_id: that imports it; None before there is one.
        state: what became of it.
    """

    __tablename__ = "drop"

    id: str = Field(primary_key=True)
    tenant: str
    definition: str
    folder: str = Field(sa_type=FreeText)
    file_name: str = Field(sa_type=FreeText)
    path: str = Field(sa_type=FreeText)
    size_bytes: int = Field(sa_column=Column(BigInteger().with_variant(Integer, "sqlite"), nullable=False))
    claimed_at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)
    announced_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    job_id: str | None = Field(default=None, foreign_key="job.id", unique=True)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    state: str


class Notice(SQLModel, table=True):
    """A notice of a job's end that somebody got, so that nobody gets it twice.

    Attributes:
        kind: `mail` or `webhook`.
        address_hash: SHA-256 of the address, hexadecimal.
    """

    __tablename__ = "notice"

    job_id: str = Field(primary_key=True, foreign_key="job.id")
    kind: str = Field(primary_key=True)
    address_hash: str = Field(primary_key=True)
    sent_at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)
