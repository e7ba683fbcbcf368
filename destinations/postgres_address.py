"""Which server, database, schema and table of PostgreSQL a definition means; connects to none."""

import os
from dataclasses import dataclass

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from schemas.destination_document import TableDestination
from schemas.errors import DestinationError

DRIVERS = frozenset({"postgresql", "postgresql+psycopg"})
DEFAULT_SCHEMA = "public"
_DEFAULT_PORT = 5432


@dataclass(frozen=True)
class TableName:
    """A table as a definition names it; spelled as the database has it, or in another case."""

    schema: str
    table: str

    @classmethod
    def of(cls, destination: TableDestination) -> "TableName":
        """The table of this destination; in `public` where no schema is named."""
        schema, _, table = destination.table.rpartition(".")
        return cls(schema or DEFAULT_SCHEMA, table)

    def __str__(self) -> str:
        return f"{self.schema}.{self.table}"


def parse_url(database: str) -> URL:
    """The URL.

    Raises:
        DestinationError: it is none.
    """
    try:
        return make_url(database)
    except (ArgumentError, ValueError) as error:
        raise DestinationError(
            "the destination's database is neither 'default' nor a URL such as postgresql://user@host/database"
        ) from error


def connection_parameters(url: URL, password: str | None) -> dict[str, str]:
    """What libpq needs to connect.

    Args:
        password: `env:NAME`; None where libpq finds one by itself or needs none.

    Raises:
        DestinationError: there is no such environment variable.
    """
    parts = {"user": url.username, "host": url.host, "port": url.port, "dbname": url.database}
    parameters = {key: str(value) for key, value in parts.items() if value}
    parameters |= {
        key: value if isinstance(value, str) else ",".join(value) for key, value in url.query.items()
    }
    if password is not None:
        parameters["password"] = _secret(password)
    return parameters


def identity(destination: TableDestination) -> str:
    """One name for one table, whoever connects and however the URL is written; a lock's name."""
    url = parse_url(destination.database)
    where = connection_parameters(url, None)
    host, port, database = (
        where.get("hostaddr", where.get("host", "localhost")).lower(),
        where.get("port", str(_DEFAULT_PORT)),
        where.get("dbname", where.get("user", "")),
    )
    return f"postgresql://{host}:{port}/{database}/{str(TableName.of(destination)).lower()}"


def shown(url: URL) -> str:
    """The database as messages name it: without the user and without options."""
    where = connection_parameters(url, None)
    return f"{where.get('dbname', where.get('user', ''))} on {where.get('host', 'localhost')}"


def _secret(reference: str) -> str:
    name = reference.removeprefix("env:")
    value = os.environ.get(name)
    if value is None:
        raise DestinationError(
            f"the destination's password is to be found in the environment variable {name}, which is not set"
        )
    return value
