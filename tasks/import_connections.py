"""Connections as a face sees them: the tenant's own database, those it was granted, and what it made itself."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

from connectors.resources import ConnectionView
from schemas.connection_secrets import sealed_secrets
from schemas.destination_document import DEFAULT_DATABASE
from schemas.errors import NotAllowedError, NotFoundError
from schemas.principal import OPERATOR_TENANT, Principal
from schemas.secret_key import Seal, secret_key
from schemas.settings import Settings
from schemas.webhook import REFERENCE
from store.database import Transaction
from store.databases import list_databases
from store.resource_tables import IntegratorConnection
from store.resources import (
    find_integrator_connection,
    keep_integrator_connection,
    list_integrator_connections,
    remove_integrator_connection,
)
from tasks.import_keeping import new_id
from tasks.import_views import derived_id

OPERATORS_TYPES = frozenset({"ftp", "filesystem"})
"""They lead to servers and folders that the operator alone may name."""
_ADDRESS_KEYS = ("hostURI", "host", "port", "type", "baseURI", "uri", "username", "region", "bucket")
"""What says where a connection leads, and as whom: with another, a secret that was told is not sent on."""
_ALWAYS = datetime(2020, 1, 1, tzinfo=UTC)


def list_connection_views(session: Transaction, principal: Principal) -> list[ConnectionView]:
    """The tenant's own database, databases that were granted to it, and what it made, in this order."""
    tenant = principal.tenant
    granted = [
        _database_view(tenant, database.name)
        for database in list_databases(session)
        if tenant == OPERATOR_TENANT or tenant in database.tenants
    ]
    made = map(_view, list_integrator_connections(session, tenant))
    return [_database_view(tenant, DEFAULT_DATABASE), *granted, *made]


def find_connection_view(session: Transaction, principal: Principal, connection_id: str) -> ConnectionView:
    """The connection with this id.

    Raises:
        NotFoundError: there is none.
    """
    made = find_integrator_connection(session, principal.tenant, connection_id)
    if made is not None:
        return _view(made)
    found = (view for view in list_connection_views(session, principal) if view.id == connection_id)
    if (view := next(found, None)) is None:
        raise NotFoundError("there is no connection with this id")
    return view


def keep_connection_document(
    settings: Settings,
    session: Transaction,
    principal: Principal,
    connection_id: str | None,
    document: Mapping[str, Any],
    secrets: Mapping[str, str],
) -> ConnectionView:
    """The connection that says this from now on; new, where no id is given.

    Raises:
        NotFoundError: there is none with this id.
        NotAllowedError: it can't be changed here, or the principal may not say what it says.
        UnfitConnectionError: a mask stands for no secret.
    """
    before = None if connection_id is None else find_connection_view(session, principal, connection_id)
    _refuse_fixed(before)
    _refuse_beyond(principal, document, secrets)
    if before is not None:
        _refuse_beyond(principal, before.document, {})
    stays = before is not None and _address(before.document) == _address(document)
    earlier = before.secrets if before is not None and stays else {}
    seal = cache(lambda: Seal(secret_key(settings), principal.tenant))
    kept = keep_integrator_connection(
        session,
        principal.tenant,
        connection_id or new_id(),
        document,
        sealed_secrets(secrets, earlier, seal),
    )
    return _view(kept)


def remove_connection_document(session: Transaction, principal: Principal, connection_id: str) -> None:
    """Remove the connection.

    Raises:
        NotFoundError: there is none.
        NotAllowedError: it can't be removed here.
    """
    view = find_connection_view(session, principal, connection_id)
    _refuse_fixed(view)
    _refuse_beyond(principal, view.document, {})
    made = find_integrator_connection(session, principal.tenant, connection_id)
    if made is not None:
        remove_integrator_connection(session, made)


def _view(made: IntegratorConnection) -> ConnectionView:
    return ConnectionView(
        id=made.id,
        type=str(made.document.get("type", "")),
        document=made.document,
        created_at=made.created_at,
        modified_at=made.modified_at,
        secrets=made.secrets,
    )


def _database_view(tenant: str, database: str) -> ConnectionView:
    is_own = database == DEFAULT_DATABASE
    names = ("connection:" + tenant,) if is_own else ("connection:" + tenant, database)
    document = {"type": "rdbms", "name": "Lading" if is_own else database, "rdbms": {"database": database}}
    return ConnectionView(
        id=derived_id(*names),
        type="rdbms",
        document=document,
        created_at=_ALWAYS,
        modified_at=_ALWAYS,
        database=database,
        is_fixed=True,
    )


def _refuse_fixed(view: ConnectionView | None) -> None:
    if view is not None and view.is_fixed:
        raise NotAllowedError(
            "integrator.fixed", "the connection comes from the operator of Lading, who alone may change it"
        )


def _refuse_beyond(principal: Principal, document: Mapping[str, Any], secrets: Mapping[str, str]) -> None:
    if principal.is_operator:
        return
    if document.get("type") in OPERATORS_TYPES:
        raise NotAllowedError(
            "integrator.operator",
            f"a connection of the type {document['type']} leads to a server or folder of the operator's "
            "network; only a key with the scope admin may make or change one",
        )
    if any(secret.startswith(REFERENCE) for secret in secrets.values()):
        raise NotAllowedError(
            "secret.reference",
            "the connection refers to a secret of the operator; say the secret itself, which is kept sealed",
        )


def _address(document: Mapping[str, Any]) -> list[Any]:
    block = document.get(str(document.get("type")))
    known = block if isinstance(block, Mapping) else {}
    return [document.get("type"), *(known.get(key) for key in _ADDRESS_KEYS)]
