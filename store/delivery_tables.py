"""The tables of what goes to vendors: connections to them, and what was handed over to whom."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Column, LargeBinary
from sqlmodel import Field, SQLModel

from schemas.clock import utc_now
from store.tables import FreeText, UtcDateTime, stored_word


class Connection(SQLModel, table=True):
    """A vendor's system that somebody gave a name, by which definitions may mean it; (tenant, name) is its id.

    Attributes:
        tenant: whose it is; the operator's may be granted to others.
        connector: name of the vendor.
        options: what is no secret, by the vendor's names.
        secrets: name → `env:NAME`, or the value as it was sealed.
        tenants: who may use it, beside its owner.
    """

    __tablename__ = "connection"

    tenant: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    connector: str
    url: str
    options: dict[str, str] = Field(sa_column=Column(JSON, nullable=False))
    secrets: dict[str, str] = Field(sa_column=Column(JSON, nullable=False))
    tenants: list[str] = Field(sa_column=Column(JSON, nullable=False))
    created_at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)


class DeliveryState(StrEnum):
    """Where a part of a job's records stands on its way to the vendor.

    `sending` is written before the call that hands the part over, and what follows after it: a part that is
    found `sending` may be there or not.
    """

    PENDING = "pending"
    SENDING = "sending"
    ACCEPTED = "accepted"
    DONE = "done"
    LOST = "lost"
    REFUSED = "refused"

    @property
    def is_settled(self) -> bool:
        """True when nothing more is to be done for the part."""
        return self in {DeliveryState.DONE, DeliveryState.LOST, DeliveryState.REFUSED}


TRANSITIONS: Mapping[DeliveryState, frozenset[DeliveryState]] = {
    DeliveryState.PENDING: frozenset({DeliveryState.SENDING, DeliveryState.REFUSED}),
    DeliveryState.SENDING: frozenset(
        {
            DeliveryState.PENDING,
            DeliveryState.SENDING,
            DeliveryState.ACCEPTED,
            DeliveryState.LOST,
            DeliveryState.REFUSED,
        }
    ),
    DeliveryState.ACCEPTED: frozenset({DeliveryState.DONE}),
    DeliveryState.DONE: frozenset(),
    DeliveryState.LOST: frozenset(),
    DeliveryState.REFUSED: frozenset(),
}
"""Every move that exists. SENDING → PENDING: the vendor said that nothing happened."""


class Delivery(SQLModel, table=True):
    """One part of a job's good records: a file that is handed over to the vendor at most once.

    Attributes:
        part: 1-based.
        first_record: 0-based place of its first record among the good rows of the job, in order.
        records: how many it has.
        handle: what the vendor gave us so far, by which it knows the part again.
        result: what the vendor told of it at last, `tasks.vendor_told`; None before that.
        reason: why it is `lost` or `refused`, for people.
        begun_at, accepted_at, settled_at: when somebody first worked on it, when it was accepted, settled.
    """

    __tablename__ = "delivery"

    job_id: str = Field(primary_key=True, foreign_key="job.id")
    part: int = Field(primary_key=True)
    state: DeliveryState = Field(
        default=DeliveryState.PENDING, sa_column=Column(stored_word(DeliveryState), nullable=False)
    )
    first_record: int
    records: int
    handle: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    result: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    reason: str | None = Field(default=None, sa_type=FreeText)
    begun_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    accepted_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    settled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
