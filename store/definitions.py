"""Definitions in the job store: each change is a new version."""

from collections.abc import Sequence

from sqlmodel import Session, col, select

from schemas.definition import Definition
from schemas.errors import NotFoundError
from store.tables import DefinitionVersion


def put_definition(session: Session, tenant: str, definition: Definition) -> DefinitionVersion:
    """The stored version that says just this; a new one where the newest of that name says otherwise."""
    newest = _newest(session, tenant, definition.name)
    if newest is not None and newest.definition == definition:
        return newest
    stored = DefinitionVersion(
        tenant=tenant,
        name=definition.name,
        version=newest.version + 1 if newest else 1,
        document=definition.model_dump(mode="json"),
    )
    session.add(stored)
    session.flush()
    return stored


def get_definition(session: Session, tenant: str, name: str) -> DefinitionVersion:
    """The newest version of this name.

    Raises:
        NotFoundError: the tenant has no definition of this name; names those that exist.
    """
    newest = _newest(session, tenant, name)
    if newest is None:
        known = ", ".join(d.name for d in list_definitions(session, tenant)) or "none yet"
        raise NotFoundError(f"there is no definition named {name!r}; known: {known}")
    return newest


def list_definitions(session: Session, tenant: str) -> Sequence[DefinitionVersion]:
    """The newest version of each name, in order of name."""
    query = (
        select(DefinitionVersion)
        .where(DefinitionVersion.tenant == tenant)
        .order_by(DefinitionVersion.name, col(DefinitionVersion.version))
    )
    return list({stored.name: stored for stored in session.exec(query)}.values())


def definition_of(session: Session, definition_id: int) -> DefinitionVersion:
    """The version with this id, which must be there."""
    return session.get_one(DefinitionVersion, definition_id)


def _newest(session: Session, tenant: str, name: str) -> DefinitionVersion | None:
    query = (
        select(DefinitionVersion)
        .where(DefinitionVersion.tenant == tenant, DefinitionVersion.name == name)
        .order_by(col(DefinitionVersion.version).desc())
        .limit(1)
    )
    return session.exec(query).first()
