"""Connections to vendors' systems: whose they are, who may use them, and what a name means."""

from collections.abc import Mapping, Sequence

from sqlmodel import Session, col, select

from schemas.connection import ConnectionDocument
from schemas.errors import ConflictError, NotAllowedError, NotFoundError
from schemas.job import RUNNING
from schemas.principal import OPERATOR_TENANT
from store.backend import alone, is_storable
from store.delivery_tables import Connection
from store.tables import DefinitionVersion, Job


def put_connection(
    session: Session, tenant: str, document: ConnectionDocument, secrets: Mapping[str, str]
) -> Connection:
    """Give the vendor's system a name of this tenant; said again, everything is as said last.

    Args:
        secrets: those of the document, sealed or as references (`tasks.connection_keeping`).

    Raises:
        ConflictError: the name means another system, to which jobs under way deliver.
    """
    alone(session, "connection", tenant, document.name)
    known = own_connection(session, tenant, document.name)
    if known is not None and (known.connector, known.url) != (document.connector, document.url):
        _refuse_while_used(session, known)
    connection = known or Connection(
        tenant=tenant, name=document.name, connector="", url="", options={}, secrets={}, tenants=[]
    )
    connection.connector, connection.url = document.connector, document.url
    connection.options, connection.secrets = dict(document.options), dict(secrets)
    connection.tenants = sorted(set(document.tenants))
    session.add(connection)
    session.flush()
    return connection


def own_connection(session: Session, tenant: str, name: str) -> Connection | None:
    """The tenant's own connection of this name; None: it has none."""
    return session.get(Connection, (tenant, name)) if is_storable(name) else None


def list_connections(session: Session, tenant: str | None = None) -> Sequence[Connection]:
    """Those that the tenant may use, in order of name, its own before granted ones; None: all there are."""
    by_name = select(Connection).order_by(Connection.name, Connection.tenant)
    found = session.exec(by_name).all()
    if tenant is None:
        return found
    seen = [connection for connection in found if _may_use(tenant, connection)]
    own = {connection.name for connection in seen if connection.tenant == tenant}
    return [connection for connection in seen if connection.tenant == tenant or connection.name not in own]


def resolved_connection(session: Session, tenant: str, name: str) -> Connection:
    """What the tenant means by this name: its own connection, else one that the operator granted it.

    Raises:
        NotAllowedError: `connection.not_granted`, there is no such name for this tenant; whether there is one
            for others is not told.
    """
    for owner in (tenant, OPERATOR_TENANT):
        connection = own_connection(session, owner, name)
        if connection is not None and _may_use(tenant, connection):
            return connection
    grant = "" if tenant == OPERATOR_TENANT else f" --grant {tenant}"
    raise NotAllowedError(
        "connection.not_granted",
        f"there is no connection named {name!r} that {tenant!r} may use; the operator grants one with "
        f"`lading connections add {name} --connector ... --url ...{grant}`",
    )


def keep_secret(session: Session, connection: Connection, name: str, sealed: str) -> None:
    """Keep a secret that the vendor gave; not where the connection leads elsewhere by now, or is gone."""
    alone(session, "connection", connection.tenant, connection.name)
    known = own_connection(session, connection.tenant, connection.name)
    if known is not None and (known.connector, known.url) == (connection.connector, connection.url):
        known.secrets = {**known.secrets, name: sealed}
        session.add(known)
        session.flush()


def remove_connection(session: Session, tenant: str, name: str) -> None:
    """Take the tenant's own name back.

    Raises:
        NotFoundError: the tenant has none of this name.
        ConflictError: jobs under way deliver to it.
    """
    if is_storable(name):
        alone(session, "connection", tenant, name)
    connection = own_connection(session, tenant, name)
    if connection is None:
        raise no_connection(tenant, name)
    _refuse_while_used(session, connection)
    session.delete(connection)
    session.flush()


def no_connection(tenant: str, name: str) -> NotFoundError:
    """The error for a name that is none of the tenant's own."""
    return NotFoundError(f"{tenant!r} has no connection named {name[:100]!r} of its own")


def _may_use(tenant: str, connection: Connection) -> bool:
    return tenant == connection.tenant or tenant in connection.tenants


def _refuse_while_used(session: Session, connection: Connection) -> None:
    query = select(Job.tenant, Job.definition_id).where(col(Job.state).in_(RUNNING)).distinct()
    using = set()
    for tenant, definition_id in session.exec(query).all():
        version = session.get_one(DefinitionVersion, definition_id)
        is_named = version.document["destination"].get("connection") == connection.name
        if is_named and _is_meant(session, tenant, connection):
            using.add(version.name)
    if using:
        raise ConflictError(
            f"jobs under way deliver to the connection {connection.name!r} (definitions "
            f"{', '.join(sorted(using))}); `lading jobs` lists them, `lading resume` brings them to their end"
        )


def _is_meant(session: Session, tenant: str, connection: Connection) -> bool:
    if tenant == connection.tenant:
        return True
    return connection.tenant == OPERATOR_TENANT and own_connection(session, tenant, connection.name) is None
