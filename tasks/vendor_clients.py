"""Clients of vendors, made of connections that are kept: their secrets are in clear here, in memory alone."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache

from pydantic import ValidationError

from connectors.access import Access
from connectors.client import Client
from connectors.vendor_http import Pace, vendor_http
from schemas.connection_secrets import opened_secrets
from schemas.errors import FatalError
from schemas.principal import OPERATOR_TENANT
from schemas.secret_key import Seal, secret_key
from schemas.settings import Settings
from schemas.webhook import SEALED
from store.connections import keep_secret
from store.database import Store
from store.delivery_tables import Connection
from tasks.connection_keeping import drivable_connectors

TRY_PACE = Pace(tries=1, call_seconds=15.0)
"""Whoever tries a connection waits for the answer."""


@contextmanager
def client_of(
    settings: Settings,
    store: Store,
    connection: Connection,
    container: Mapping[str, str | int | bool],
    *,
    pace: Pace | None = None,
    sleep: Callable[[float], None] = time.sleep,
    look: Callable[[], None] = lambda: None,
) -> Iterator[Client]:
    """A client of the connection's vendor, closed at the end of the block.

    Args:
        container: where in the vendor's system records go; empty where none will.
        sleep: waits between calls; may raise what is to end them.
        look: called now and then amid a call; may raise what is to end it, whatever became of it.

    Raises:
        FatalError: its vendor is known no more, or a secret can't be read.
    """
    connector = drivable_connectors().get(connection.connector)
    if connector is None or connector.client is None:
        raise FatalError(f"the connection {connection.name!r} is to {connection.connector!r}, known no more")
    seal = cache(lambda: Seal(secret_key(settings), connection.tenant))
    secrets = opened_secrets(connection.secrets, seal)
    is_guarded = connection.tenant != OPERATOR_TENANT
    url = connection.url.rstrip("/")
    http = vendor_http(url, is_guarded=is_guarded, secrets=secrets.values(), pace=pace, sleep=sleep, look=look)

    def keep(name: str, value: str) -> None:
        http.hide(value)
        with store.write() as session:
            keep_secret(session, connection, name, SEALED + seal().close(value))

    try:
        client = connector.client(Access(url, connection.options, secrets, container, http, keep))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise FatalError(f"the connection {connection.name!r}: {where}: {first['msg']}") from None
    try:
        yield client
    finally:
        client.close()


def try_connection(settings: Settings, store: Store, connection: Connection) -> str:
    """Make the cheapest harmless call that needs the connection's secrets; gives a sentence on what answered.

    Raises:
        LadingError: the vendor did not answer, or not well; the message says what came back.
    """
    with client_of(settings, store, connection, {}, pace=TRY_PACE) as client:
        return client.test()
