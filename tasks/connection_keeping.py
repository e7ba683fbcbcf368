"""Keeps a connection that somebody brought: what it says fits its vendor, and its secrets are sealed."""

from functools import cache

from pydantic import ValidationError

from connectors import Connector, known_connectors
from schemas.connection import ConnectionDocument
from schemas.connection_secrets import sealed_secrets
from schemas.errors import UnfitConnectionError
from schemas.secret_key import Seal, secret_key
from schemas.settings import Settings
from store.connections import own_connection, put_connection
from store.database import Transaction
from store.delivery_tables import Connection


def keep_connection(
    settings: Settings, session: Transaction, tenant: str, document: ConnectionDocument
) -> Connection:
    """The tenant's connection as this document says it, its secrets sealed.

    The mask of a secret stands for the one that is kept, as long as vendor and address stay what they were: a
    secret that was told for one address is sent to no other.

    Raises:
        UnfitConnectionError: there is no such vendor, something that it needs is missing, or it knows no such
            option or secret; or a mask stands for none.
        ConflictError: the name means another system, to which jobs under way deliver.
    """
    _refuse_unfit(document)
    known = own_connection(session, tenant, document.name)
    is_same = known is not None and (known.connector, known.url) == (document.connector, document.url)
    earlier = known.secrets if known is not None and is_same else {}
    secrets = sealed_secrets(document.secrets, earlier, cache(lambda: Seal(secret_key(settings), tenant)))
    return put_connection(session, tenant, document, secrets)


def drivable_connectors() -> dict[str, Connector]:
    """The vendors that have a client, by name."""
    return {name: connector for name, connector in known_connectors().items() if connector.client is not None}


def _refuse_unfit(document: ConnectionDocument) -> None:
    connector = drivable_connectors().get(document.connector)
    if connector is None:
        known = ", ".join(drivable_connectors())
        raise UnfitConnectionError(f"connector: there is none named {document.connector!r}; known: {known}")
    for where, said, fits in (
        ("options", document.options, connector.options),
        ("secrets", document.secrets, connector.secrets),
    ):
        if unknown := sorted(said.keys() - fits):
            raise UnfitConnectionError(
                f"{where}: {connector.name} knows no {unknown[0]!r}; known: {', '.join(sorted(fits)) or 'none'}"
            )
    _refuse_incomplete(connector, document.options.keys() | document.secrets.keys())
    _refuse_wrong_options(connector, document)


def _refuse_wrong_options(connector: Connector, document: ConnectionDocument) -> None:
    if connector.option_types is None:
        return
    try:
        connector.option_types.model_validate(document.options)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, ("options", *first["loc"])))
        raise UnfitConnectionError(f"{where}: {first['msg'].removeprefix('Value error, ')}") from error


def _refuse_incomplete(connector: Connector, said: set[str]) -> None:
    if connector.needs and not any(need <= said for need in connector.needs):
        ways = "; or ".join(", ".join(sorted(need)) for need in connector.needs)
        raise UnfitConnectionError(f"{connector.name} needs as options and secrets: {ways}")
