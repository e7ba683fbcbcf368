"""The tables of what starts imports by itself: fetched sources and dropped files."""

from datetime import datetime

from sqlalchemy import BigInteger, Column, Index, Integer, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from schemas.clock import utc_now
from schemas.drop import DropState
from store.tables import FreeText, UtcDateTime, stored_word


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
        size_bytes: when it was claimed, or announced last.
        announced_at: when Prefect was last told of it; None before that.
        announcements: how often Prefect was told.
        job_id: that imports it; set once, in the transaction that makes the job.
        reason: why no job can be made of it; None where one can.
        ended_at: when the file was moved to where it stays.
    """

    __tablename__ = "drop"
    __table_args__ = (
        Index(
            "open_drops",
            "claimed_at",
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    id: str = Field(primary_key=True)
    tenant: str
    definition: str
    folder: str = Field(sa_type=FreeText)
    file_name: str = Field(sa_type=FreeText)
    path: str = Field(sa_type=FreeText)
    size_bytes: int = Field(sa_column=Column(BigInteger().with_variant(Integer, "sqlite"), nullable=False))
    claimed_at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)
    announced_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    announcements: int = 0
    job_id: str | None = Field(default=None, foreign_key="job.id", unique=True)
    reason: str | None = Field(default=None, sa_type=FreeText)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    state: DropState = Field(
        default=DropState.WAITING, sa_column=Column(stored_word(DropState), nullable=False)
    )
