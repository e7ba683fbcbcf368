"""The job store in a PostgreSQL database: many writers, each waiting only for who holds the same rows."""

from functools import lru_cache
from math import ceil

from sqlalchemy import URL, Connection, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

from schemas.errors import FatalError, LadingError, StoreBusyError
from schemas.settings import Settings
from store.backend import Backend

_DRIVER = "postgresql+psycopg"
_BUSY = ("08", "25006", "25P03", "40", "53", "55P03", "57", "58")
"""Beginnings of SQLSTATEs that decide nothing: connection lost, only reading (after a failover), idle too long,
deadlock, no resources, lock, the server stops, input or output. Destinations have a list of their own that must
not contradict this one."""
_UNUSABLE = ("28", "3D", "3F", "42501")
"""Those that stay until a person changes something: not let in, no such database, no rights."""
_PASSING = (
    *("starting up", "shutting down", "recovery", "accepting connections"),
    *("too many", "connection slots", "out of memory"),
    # what PgBouncer says
    *("query_wait_timeout", "no more connections", "server_login_retry"),
)
"""Why a server or a pooler refuses a connection now and takes it later; before there is one
no SQLSTATE is sent."""
_REFUSED = ("FATAL", "password", "SSL", "certificate")


@lru_cache(maxsize=8)
def postgres_backend(settings: Settings) -> Backend:
    """The store in the database that `store_url` names; always the same one, for the sake of the SQL it made.

    Nobody is asked before it is used.

    Raises:
        FatalError: that is not the URL of a PostgreSQL database.
    """
    url = _url(settings)
    place = url.render_as_string()
    if settings.store_password is not None:
        url = url.set(password=settings.store_password.get_secret_value())
    engine = create_engine(
        url,
        hide_parameters=True,
        pool_pre_ping=True,
        connect_args={"connect_timeout": max(2, ceil(settings.busy_timeout_seconds))},
    )

    # Who waits for a row gives up as on SQLite. A worker whose machine is gone must not hold its rows for
    # the two hours after which a server looks for it by itself.
    @event.listens_for(engine, "connect")
    def configure(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute(
            f"SET lock_timeout = {ceil(settings.busy_timeout_seconds * 1000)}; "
            "SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3"
        )
        cursor.close()
        connection.autocommit = False

    # Nor may one that hangs in the middle of a write hold its job for longer than its lease.
    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if connection.get_execution_options().get("lading_write"):
            limit = ceil(settings.lease_seconds * 1000)
            connection.exec_driver_sql(f"SET LOCAL idle_in_transaction_session_timeout = {limit}")

    return Backend(
        place,
        engine.execution_options(isolation_level="REPEATABLE READ"),
        engine.execution_options(lading_write=True),
        lambda error: _understood(error, place),
    )


def _url(settings: Settings) -> URL:
    try:
        url = make_url(settings.store_url or "")
    except ArgumentError as error:
        raise FatalError("LADING_STORE_URL is no URL of a database; see the README") from error
    if url.drivername not in {"postgresql", _DRIVER}:
        raise FatalError(
            f"LADING_STORE_URL begins with {url.drivername}://, but the job store is kept in PostgreSQL "
            "(postgresql://user@host/database) or, where that is not set, in the SQLite file of the home"
        )
    return url.set(drivername=_DRIVER)


def _understood(error: DBAPIError, place: str) -> LadingError | None:
    state: str | None = getattr(error.orig, "sqlstate", None)
    diagnosis = getattr(error.orig, "diag", None)
    said = " ".join(str(getattr(diagnosis, "message_primary", None) or error.orig).split())
    if state is None:
        return _unconnected(error, place, said)
    if state.startswith(_BUSY):
        return StoreBusyError(f"the job store {place} could not do it now: {said}; try again")
    if state.startswith(_UNUSABLE):
        return FatalError(f"the job store {place} can't be used: {said}")
    return None


def _unconnected(error: DBAPIError, place: str, said: str) -> LadingError:
    """No connection, or none any more. One that the server refuses for good is a matter of settings."""
    passing = any(word in said for word in _PASSING)
    if not isinstance(error, OperationalError) or (not passing and any(word in said for word in _REFUSED)):
        return FatalError(
            f"the job store {place} can't be opened: {said}; LADING_STORE_URL and LADING_STORE_PASSWORD name it"
        )
    return StoreBusyError(f"the job store {place} does not answer: {said}; try again")
