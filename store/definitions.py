"""Definitions in the job store: each change is a new version, and the operator's are there for everybody."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import PurePath

from sqlalchemy import CursorResult, func, update
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from schemas.clock import utc_now
from schemas.definition import Definition
from schemas.definition_secrets import are_kept_safely
from schemas.destination_document import FileDestination, TableDestination
from schemas.errors import DestinationError, NotFoundError
from schemas.file_name import TIMESTAMP
from schemas.principal import OPERATOR_TENANT
from store.access_tables import NamedDatabase
from store.backend import alone, is_storable
from store.databases import at_database
from store.tables import DefinitionVersion, Job, Upload


def put_definition(session: Session, tenant: str, definition: Definition) -> DefinitionVersion:
    """The tenant's own version that says just this; a new one where the newest of that name says otherwise.

    Its secrets are sealed by then (`tasks.definition_keeping`).
    """
    if not are_kept_safely(definition):
        raise ValueError("a definition is not stored with a secret that can be read")
    alone(session, "definition", tenant, definition.name)
    newest = own_definition(session, tenant, definition.name)
    if newest is not None and newest.removed_at is None and newest.definition == definition:
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


def own_definition(session: Session, tenant: str, name: str) -> DefinitionVersion | None:
    """The newest version of the tenant's own definition of this name, removed or not; None: there was none."""
    own = DefinitionVersion.tenant == tenant, DefinitionVersion.name == name
    query = select(DefinitionVersion).where(*own).order_by(col(DefinitionVersion.version).desc())
    return session.exec(query.limit(1)).first()


def get_definition(session: Session, tenant: str, name: str, version: int | None = None) -> DefinitionVersion:
    """This version of the definition of this name, the tenant's own or else the operator's.

    Args:
        version: of the one that the tenant sees under this name; None takes the newest.

    Raises:
        NotFoundError: the tenant sees no such definition; names those that it sees.
    """
    newest_first = (_seen_by(tenant).where(DefinitionVersion.name == name)).order_by(
        (col(DefinitionVersion.tenant) == tenant).desc(), col(DefinitionVersion.version).desc()
    )
    found = session.exec(newest_first.limit(1)).first() if is_storable(name) else None
    if found is not None and version not in {None, found.version}:
        whose = DefinitionVersion.tenant == found.tenant, DefinitionVersion.version == version
        found = session.exec(newest_first.where(*whose)).first()
    if found is None:
        known = ", ".join(d.name for d in list_definitions(session, tenant)) or "none yet"
        which = f"{name!r}" if version is None else f"{name!r} with version {version}"
        raise NotFoundError(f"there is no definition named {which}; known: {known}")
    return found


def list_definitions(session: Session, tenant: str) -> Sequence[DefinitionVersion]:
    """The newest version of each name that the tenant sees, in order of name: its own before the operator's."""
    seen = _seen_by(tenant).subquery()
    newest = select(func.max(seen.c.id)).group_by(seen.c.tenant, seen.c.name)
    stored = session.exec(select(DefinitionVersion).where(col(DefinitionVersion.id).in_(newest))).all()
    by_name = {d.name: d for d in sorted(stored, key=lambda d: d.tenant == tenant)}
    return [by_name[name] for name in sorted(by_name)]


def made_at(session: Session, tenant: str) -> dict[tuple[str, str], datetime]:
    """(Tenant, name) of each definition that the tenant sees → when its first version was made."""
    seen = _seen_by(tenant).subquery()
    first = select(func.min(seen.c.id)).group_by(seen.c.tenant, seen.c.name)
    stored = session.exec(select(DefinitionVersion).where(col(DefinitionVersion.id).in_(first))).all()
    return {(version.tenant, version.name): version.created_at for version in stored}


def definitions_in_use(session: Session) -> Sequence[DefinitionVersion]:
    """The newest version of every definition of every tenant, in order of tenant and name."""
    in_use = select(func.max(DefinitionVersion.id)).where(col(DefinitionVersion.removed_at).is_(None))
    newest = in_use.group_by(DefinitionVersion.tenant, DefinitionVersion.name)
    query = select(DefinitionVersion).where(col(DefinitionVersion.id).in_(newest))
    return session.exec(query.order_by(DefinitionVersion.tenant, DefinitionVersion.name)).all()


def remove_definition(session: Session, tenant: str, name: str) -> None:
    """Take the tenant's own definition back; jobs that were accepted with it keep it.

    Raises:
        NotFoundError: the tenant has none of this name, though the operator may.
    """
    own = col(DefinitionVersion.tenant) == tenant, col(DefinitionVersion.name) == name
    there = update(DefinitionVersion).where(*own, col(DefinitionVersion.removed_at).is_(None))
    if is_storable(name):
        alone(session, "definition", tenant, name)
        removed = session.execute(there.values(removed_at=utc_now()))
        if isinstance(removed, CursorResult) and removed.rowcount:
            return
    raise NotFoundError(f"{tenant!r} has no definition named {name!r} of its own")


def definition_of(session: Session, definition_id: int) -> DefinitionVersion:
    """The version with this id, which must be there, removed or not."""
    return session.get_one(DefinitionVersion, definition_id)


def job_definition(session: Session, job: Job) -> Definition:
    """What the job runs: its version of the definition, in its mode, with a name of a database looked up.

    The blanks in the name of a file are filled in.

    Whether the tenant may use that database was decided when the job was accepted.

    Raises:
        DestinationError: the database's name was taken back meanwhile.
    """
    definition = job.as_it_runs(definition_of(session, job.definition_id).definition)
    table = definition.destination
    name = table.database_name if isinstance(table, TableDestination) else None
    database = None if name is None else session.get(NamedDatabase, name)
    if name is not None and database is None:
        raise DestinationError(
            f"the database {name!r} that job {job.id} was accepted for has that name no more; give it back "
            "with `lading databases add`, then `lading resume`"
        )
    if isinstance(definition.destination, FileDestination):
        return definition.model_copy(
            update={"destination": definition.destination.filled(_facts(session, job))}
        )
    return definition if database is None else at_database(definition, database)


def _facts(session: Session, job: Job) -> dict[str, str]:
    """What a file's name may tell of the job, always the same."""
    name = PurePath(session.get_one(Upload, job.upload_id).file_name)
    came = job.received_at.astimezone(UTC)
    return {
        "definition": definition_of(session, job.definition_id).name,
        "job_id": job.id,
        # To the microsecond, for files that were dropped together came within the same second.
        "timestamp": came.strftime(TIMESTAMP),
        "date": came.strftime("%Y-%m-%d"),
        "file_name": (name.with_suffix("") if name.suffix == ".gz" else name).stem,
        "tenant": job.tenant,
        "mode": job.mode.value,
    }


def _seen_by(tenant: str) -> SelectOfScalar[DefinitionVersion]:
    return select(DefinitionVersion).where(
        col(DefinitionVersion.tenant).in_({tenant, OPERATOR_TENANT}),
        col(DefinitionVersion.removed_at).is_(None),
    )
