"""The tables that say who may come in over HTTP, what belongs to whom, and who is at work."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column
from sqlmodel import Field, SQLModel

from schemas.clock import utc_now
from store.tables import UtcDateTime


class ApiKey(SQLModel, table=True):
    """A key with which somebody comes in over HTTP; the secrets themselves are told once and not kept.

    Attributes:
        id: shown, no secret.
        token_hash, subscription_hash: SHA-256 of the secrets, hexadecimal.
        scopes: values of `schemas.principal.Scope`.
        definitions: names of the only ones it may use; None: all that its tenant sees.
        revoked_at: from then on it is no key any more; None while it is one.
    """

    __tablename__ = "api_key"

    id: str = Field(primary_key=True)
    tenant: str = Field(index=True)
    token_hash: str
    subscription_hash: str
    scopes: list[str] = Field(sa_column=Column(JSON, nullable=False))
    definitions: list[str] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    created_at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)
    revoked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class NamedDatabase(SQLModel, table=True):
    """A database that the operator gave a name, by which definitions may mean it.

    Attributes:
        url: SQLAlchemy URL without a password.
        password: `env:NAME`, or None.
        tenants: who may use it, beside the operator.
    """

    __tablename__ = "named_database"

    name: str = Field(primary_key=True)
    url: str
    password: str | None = None
    tenants: list[str] = Field(sa_column=Column(JSON, nullable=False))
    created_at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)


class TableClaim(SQLModel, table=True):
    """Whose a table is: the tenant's that first imported into it. `destination_key` is the identity."""

    __tablename__ = "table_claim"

    destination_key: str = Field(primary_key=True)
    tenant: str
    claimed_at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)


class IdempotencyKey(SQLModel, table=True):
    """What a client asked for under a name of its own; (tenant, name) is the idempotency key.

    Attributes:
        name: the header `Idempotency-Key` as the client sent it.
        fingerprint: SHA-256, hexadecimal, of all that was asked for, the bytes of the file included.
        expires_at: from then on the name may be used anew.
    """

    __tablename__ = "idempotency_key"

    tenant: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    fingerprint: str
    job_id: str = Field(foreign_key="job.id")
    created_at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)


class Worker(SQLModel, table=True):
    """A process that claims jobs and brings them to their end.

    Attributes:
        process: `store.leases.this_process` of it.
        seen_at: renewed by it every few seconds while it can work; by the clock of leases.
    """

    __tablename__ = "worker"

    id: str = Field(primary_key=True)
    process: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    started_at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)
    seen_at: datetime = Field(sa_type=UtcDateTime)
