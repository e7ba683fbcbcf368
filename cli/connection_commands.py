"""`lading connections`: vendors' systems by name, to which definitions may deliver, and who may use which."""

import re
from collections.abc import Iterable
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from cli.options import Home, Json, settings_for
from cli.output import plain, print_json, say
from schemas.connection import ConnectionDocument
from schemas.connection_secrets import masked_secrets
from schemas.errors import UnfitConnectionError
from schemas.patterns import REFERENCE_PATTERN
from store.connections import list_connections, no_connection, own_connection, remove_connection
from store.database import Store
from store.delivery_tables import Connection
from tasks.connection_keeping import keep_connection
from tasks.vendor_clients import try_connection

CONNECTIONS = typer.Typer(
    name="connections", help="Vendors' systems that definitions deliver to.", no_args_is_help=True
)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    CONNECTIONS.command("add")(add_command)
    CONNECTIONS.command("list")(list_command)
    CONNECTIONS.command("test")(try_command)
    CONNECTIONS.command("remove")(remove_command)
    app.add_typer(CONNECTIONS)


def add_command(
    name: Annotated[str, typer.Argument(help="What definitions write as `connection` of their destination.")],
    connector: Annotated[str, typer.Option(metavar="VENDOR", help="The vendor, such as teamtracks.")],
    url: Annotated[str, typer.Option(help="Where its API is.")],
    option: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="What the vendor needs to know; may be repeated."),
    ] = None,
    secret: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=env:VARIABLE", help="The environment variable with a secret; may be repeated."
        ),
    ] = None,
    grant: Annotated[
        list[str] | None, typer.Option(metavar="TENANT", help="Who may use it; may be repeated.")
    ] = None,
    as_json: Json = False,
    home: Home = None,
) -> None:
    """Give a vendor's system a name; again, with all that is to hold from now on, to change something."""
    settings = settings_for(home)
    document = _document(
        name=name,
        connector=connector,
        url=url,
        options=_pairs("--option", option or []),
        secrets=_references(_pairs("--secret", secret or [])),
        tenants=tuple(grant or []),
    )
    with Store.opened(settings) as store, store.write() as session:
        row = _row(keep_connection(settings, session, settings.tenant, document))
    return print_json(row) if as_json else say("connection", _line(row))


def list_command(as_json: Json = False, home: Home = None) -> None:
    """List the connections of all tenants, and who may use them; secrets are masked."""
    with Store.opened(settings_for(home)) as store, store.read() as session:
        rows = [_row(connection) for connection in list_connections(session)]
    if as_json:
        return print_json({"connections": rows})
    for row in rows:
        plain(_line(row))
    return None


def try_command(
    name: Annotated[str, typer.Argument(help="Of the connection.")],
    as_json: Json = False,
    home: Home = None,
) -> None:
    """Make the cheapest harmless call that needs the secrets, and say what answered."""
    settings = settings_for(home)
    with Store.opened(settings) as store:
        with store.read() as session:
            connection = own_connection(session, settings.tenant, name)
        if connection is None:
            raise no_connection(settings.tenant, name)
        message = try_connection(settings, store, connection)
    return print_json({"name": name, "message": message}) if as_json else say("well", message)


def remove_command(
    name: Annotated[str, typer.Argument(help="The name to take back; at the vendor nothing changes.")],
    as_json: Json = False,
    home: Home = None,
) -> None:
    """Take a name back, with its secrets; refused while jobs under way deliver to it."""
    settings = settings_for(home)
    with Store.opened(settings) as store, store.write() as session:
        remove_connection(session, settings.tenant, name)
    return print_json({"name": name}) if as_json else say("removed", name)


def _document(**said: Any) -> ConnectionDocument:  # noqa: ANN401 - the model looks at them
    try:
        return ConnectionDocument.model_validate(said)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the connection"
        raise UnfitConnectionError(f"{where}: {first['msg'].removeprefix('Value error, ')}") from None


def _pairs(option: str, said: Iterable[str]) -> dict[str, str]:
    """The values by their keys.

    Raises:
        UnfitConnectionError: one is no pair, or a key is there twice; quotes no value.
    """
    pairs: dict[str, str] = {}
    for text in said:
        key, found, value = text.partition("=")
        if not found:
            raise UnfitConnectionError(f"{option} takes KEY=VALUE; one of them has no =")
        if key in pairs:
            raise UnfitConnectionError(f"{option} names {key!r} twice")
        pairs[key] = value
    return pairs


def _references(secrets: dict[str, str]) -> dict[str, str]:
    for key, secret in secrets.items():
        if not re.fullmatch(REFERENCE_PATTERN, secret):
            # The command line is seen by every process of the machine, and kept by shells.
            raise UnfitConnectionError(
                f"--secret {key!r}: put it into an environment variable and name that: {key}=env:VARIABLE"
            )
    return secrets


def _row(connection: Connection) -> dict[str, Any]:
    return {
        "name": connection.name,
        "tenant": connection.tenant,
        "connector": connection.connector,
        "url": connection.url,
        "options": connection.options,
        "secrets": masked_secrets(connection.secrets),
        "tenants": connection.tenants,
    }


def _line(row: dict[str, Any]) -> str:
    known = ", ".join(f"{key}={value}" for key, value in {**row["options"], **row["secrets"]}.items())
    also = f"; for {', '.join([row['tenant'], *row['tenants']])}"
    return f"{row['name']}: {row['connector']} at {row['url']} ({known}){also}"
