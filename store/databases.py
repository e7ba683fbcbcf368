"""Databases that the operator gave a name: who may use them, and what a name means."""

import re
from collections.abc import Iterable, Sequence

from pydantic import ValidationError
from sqlalchemy import URL, make_url
from sqlmodel import Session, col, select

from schemas.definition import Definition
from schemas.destination_document import DEFAULT_DATABASE, TableDestination
from schemas.errors import ConflictError, DefinitionError, NotAllowedError, NotFoundError
from schemas.job import RUNNING
from schemas.patterns import NAME_PATTERN
from schemas.principal import OPERATOR_TENANT, refuse_no_tenant
from store.access_tables import NamedDatabase
from store.backend import alone, is_postgres
from store.tables import DefinitionVersion, Job


def add_database(
    session: Session, name: str, url: str, password: str | None = None, tenants: Iterable[str] = ()
) -> NamedDatabase:
    """Give the database at this URL a name; said again, the password and who may use it are as said last.

    Args:
        password: `env:NAME`, or None.
        tenants: who may use it, beside the operator.

    Raises:
        DefinitionError: that is no name, no URL, or one with a password in it.
        FatalError: one of the tenants can't be one.
        NotAllowedError: `database.store`, it is the one in which the job store lies.
        ConflictError: the name means another database, which jobs under way use.
    """
    if not re.fullmatch(NAME_PATTERN, name) or name == DEFAULT_DATABASE:
        raise DefinitionError(
            f"{name!r} can't be the name of a database: small letters, digits, - and _, and not 'default'"
        )
    granted = sorted(set(tenants))
    for tenant in granted:
        refuse_no_tenant(tenant)
    _refuse_no_database(session, name, url, password)
    alone(session, "database", name)
    known = session.get(NamedDatabase, name)
    if known is not None and known.url != url:
        _refuse_while_used(session, name)
    database = known or NamedDatabase(name=name, url=url, tenants=[])
    database.url, database.password, database.tenants = url, password, granted
    session.add(database)
    session.flush()
    return database


def list_databases(session: Session) -> Sequence[NamedDatabase]:
    """All that have a name, in order of name."""
    return session.exec(select(NamedDatabase).order_by(NamedDatabase.name)).all()


def remove_database(session: Session, name: str) -> None:
    """Take the name back; the database itself, and claims of its tables, stay.

    Raises:
        NotFoundError: there is no such name.
        ConflictError: jobs under way use it.
    """
    alone(session, "database", name)
    database = session.get(NamedDatabase, name)
    if database is None:
        raise NotFoundError(f"there is no database named {name!r}; `lading databases list` names them")
    _refuse_while_used(session, name)
    session.delete(database)
    session.flush()


def resolved(session: Session, tenant: str, definition: Definition) -> Definition:
    """The definition with its database's name replaced by what the tenant may mean by it.

    Raises:
        NotAllowedError: `database.not_granted`, there is no such name for this tenant; whether there is one
            for others is not told.
    """
    table = definition.destination
    if not isinstance(table, TableDestination) or table.database_name is None:
        return definition
    return definition.model_copy(update={"destination": resolved_table(session, tenant, table)})


def resolved_table(session: Session, tenant: str, table: TableDestination) -> TableDestination:
    """The table with its database's name replaced by what the tenant may mean by it.

    Raises:
        NotAllowedError: `database.not_granted`, as above.
    """
    name = table.database_name
    if name is None:
        return table
    database = session.get(NamedDatabase, name)
    if database is None or (tenant != OPERATOR_TENANT and tenant not in database.tenants):
        grant = "" if tenant == OPERATOR_TENANT else f" --grant {tenant}"
        raise NotAllowedError(
            "database.not_granted",
            f"there is no database named {name!r} that {tenant!r} may use; the operator grants one with "
            f"`lading databases add {name} --url ...{grant}`",
        )
    return _at(table, database)


def at_database(definition: Definition, database: NamedDatabase) -> Definition:
    """The definition with its records going to this database."""
    return definition.model_copy(update={"destination": _at(definition.table, database)})


def _at(table: TableDestination, database: NamedDatabase) -> TableDestination:
    return table.model_copy(update={"database": database.url, "password": database.password})


def _refuse_no_database(session: Session, name: str, url: str, password: str | None) -> None:
    try:
        destination = TableDestination(database=url, password=password, table="any")
    except ValidationError as error:
        said = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise DefinitionError(f"the database {name!r} can't be kept: {said}") from error
    if destination.database_name is not None or destination.database == DEFAULT_DATABASE:
        raise DefinitionError(f"the database {name!r} needs a URL, such as postgresql://user@host/database")
    if is_postgres(session) and _place(make_url(url)) == _place(session.get_bind().engine.url):
        raise NotAllowedError(
            "database.store",
            f"the database {name!r} is the one of Lading's own job store; records go elsewhere",
        )


def _place(url: URL) -> tuple[object, ...]:
    return url.query.get("host", url.host) or "localhost", url.port or 5432, url.database


def _refuse_while_used(session: Session, name: str) -> None:
    query = select(Job.definition_id).where(col(Job.state).in_(RUNNING)).distinct()
    versions = session.exec(select(DefinitionVersion).where(col(DefinitionVersion.id).in_(query))).all()
    using = sorted({v.name for v in versions if v.document["destination"].get("database") == name})
    if using:
        raise ConflictError(
            f"jobs under way use the database {name!r} (definitions {', '.join(using)}); `lading jobs` lists "
            "them, `lading resume` brings them to their end"
        )
