"""Imports and connections as documents, in the job store; what was changed in them is never lost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete
from sqlmodel import Session, col, select

from schemas.clock import utc_now
from store.backend import alone, is_storable
from store.resource_tables import ImportResource, IntegratorConnection, ResourceChange

MOST_CHANGES = 1_000


@dataclass(frozen=True)
class ChangeFilter:
    """Which changes are looked for; None: any.

    Attributes:
        since, until: both included.
        event, source, key_id: as they are stored.
    """

    since: datetime | None = None
    until: datetime | None = None
    event: str | None = None
    source: str | None = None
    key_id: str | None = None


def one_at_a_time(session: Session, tenant: str) -> None:
    """Until the end of the `write` nobody else makes or changes an import of this tenant."""
    alone(session, "imports as documents", tenant)


def find_resource(session: Session, tenant: str, resource_id: str) -> ImportResource | None:
    """The tenant's own import with this id, removed or not; None: it was never kept as a document."""
    return session.get(ImportResource, (tenant, resource_id)) if is_storable(resource_id) else None


def list_resources(session: Session, tenant: str) -> Sequence[ImportResource]:
    """The tenant's own imports that are kept as documents, the oldest first."""
    own = select(ImportResource).where(
        ImportResource.tenant == tenant, col(ImportResource.removed_at).is_(None)
    )
    return session.exec(own.order_by(col(ImportResource.created_at), ImportResource.id)).all()


def resource_of_definition(session: Session, tenant: str, definition_name: str) -> ImportResource | None:
    """The document whose definition has this name; None: it was never kept as one."""
    own = select(ImportResource).where(
        ImportResource.tenant == tenant,
        ImportResource.definition_name == definition_name,
        col(ImportResource.removed_at).is_(None),
    )
    return session.exec(own.limit(1)).first()


def keep_resource(session: Session, resource: ImportResource) -> None:
    """Keep the import as it is now."""
    session.add(resource)
    session.flush()


def add_changes(session: Session, changes: Sequence[ResourceChange], kept_since: datetime) -> None:
    """Note what was changed, in this order, and forget what the tenant changed before `kept_since`."""
    for tenant in {change.tenant for change in changes}:
        old = delete(ResourceChange).where(col(ResourceChange.tenant) == tenant)
        session.execute(old.where(col(ResourceChange.at) < kept_since))
    session.add_all(changes)
    session.flush()


def list_changes(
    session: Session, tenant: str, resource_id: str, wanted: ChangeFilter, limit: int = MOST_CHANGES
) -> Sequence[ResourceChange]:
    """What was changed in the import, the newest first."""
    query = select(ResourceChange).where(
        ResourceChange.tenant == tenant, ResourceChange.resource_id == resource_id
    )
    if wanted.since is not None:
        query = query.where(col(ResourceChange.at) >= wanted.since)
    if wanted.until is not None:
        query = query.where(col(ResourceChange.at) <= wanted.until)
    for column, value in (("event", wanted.event), ("source", wanted.source), ("key_id", wanted.key_id)):
        if value is not None:
            query = query.where(getattr(ResourceChange, column) == value)
    return session.exec(query.order_by(col(ResourceChange.id).desc()).limit(limit)).all()


def list_integrator_connections(session: Session, tenant: str) -> Sequence[IntegratorConnection]:
    """The connections that the tenant made as documents, the oldest first."""
    own = select(IntegratorConnection).where(
        IntegratorConnection.tenant == tenant, col(IntegratorConnection.removed_at).is_(None)
    )
    return session.exec(own.order_by(col(IntegratorConnection.created_at), IntegratorConnection.id)).all()


def find_integrator_connection(
    session: Session, tenant: str, connection_id: str
) -> IntegratorConnection | None:
    """The tenant's own connection with this id; None: it has none."""
    found = session.get(IntegratorConnection, (tenant, connection_id)) if is_storable(connection_id) else None
    return None if found is None or found.removed_at is not None else found


def keep_integrator_connection(
    session: Session, tenant: str, connection_id: str, document: Mapping[str, Any], secrets: Mapping[str, str]
) -> IntegratorConnection:
    """The connection, which says this from now on.

    Args:
        secrets: path in the document → the value, sealed.
    """
    kept = find_integrator_connection(session, tenant, connection_id)
    connection = kept or IntegratorConnection(tenant=tenant, id=connection_id, document={}, secrets={})
    connection.document, connection.secrets = dict(document), dict(secrets)
    connection.modified_at = utc_now()
    session.add(connection)
    session.flush()
    return connection


def remove_integrator_connection(session: Session, connection: IntegratorConnection) -> None:
    """Take the connection back; what uses it is looked at by the caller."""
    connection.removed_at = utc_now()
    connection.secrets = {}
    session.add(connection)
    session.flush()
