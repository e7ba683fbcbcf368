"""Definitions in the job store: each change is a new version."""

from collections.abc import Sequence

from sqlmodel import Session, col, select

from schemas.definition import Definition
from schemas.errors import NotFoundError
from store.backend import alone
from store.tables import DefinitionVersion


def put_definition(session: Session, tenant: str, definition: Definition) -> DefinitionVersion:
    """The stored version that says just this; a new one where the newest of that name says otherwise."""
    alone(session, "definition", tenant, definition.name)
    try:
        newest = get_definition(session, tenant, definition.name)
    except NotFoundError:
        newest = None
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


def get_definition(session: Session, tenant: str, name: str, version: int | None = None) -> DefinitionVersion:
    """This version of the definition of this name; the newest where none is named.

    Raises:
        NotFoundError: the tenant has no such definition; names those that exist.
    """
    query = (
        select(DefinitionVersion)
        .where(DefinitionVersion.tenant == tenant, DefinitionVersion.name == name)
        .order_by(col(DefinitionVersion.version).desc())
        .limit(1)
    )
    if version is not None:
        query = query.where(DefinitionVersion.version == version)
    found = session.exec(query).first()
    if found is None:
        known = ", ".join(d.name for d in list_definitions(session, tenant)) or "none yet"
        which = f"{name!r}" if version is None else f"{name!r} with version {version}"
        raise NotFoundError(f"there is no definition named {which}; known: {known}")
    return found


def list_definitions(session: Session, tenant: str) -> Sequence[DefinitionVersion]:
    """The newest version of each name, in order of name."""
    query = (
        select(DefinitionVersion)
        .where(DefinitionVersion.tenant == tenant)
        .order_by(col(DefinitionVersion.version))
    )
    newest = {stored.name: stored for stored in session.exec(query)}
    return [newest[name] for name in sorted(newest)]


def definition_of(session: Session, definition_id: int) -> DefinitionVersion:
    """The version with this id, which must be there."""
    return session.get_one(DefinitionVersion, definition_id)
