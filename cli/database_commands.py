"""`lading databases`: names for databases, by which definitions mean them, and who may use which."""

from typing import Annotated, Any

import typer

from cli.options import Home, Json, settings_for
from cli.output import plain, print_json, say
from destinations import refuse_unknown_database
from store.access_tables import NamedDatabase
from store.claims import list_claims, release_table
from store.database import Store
from store.databases import add_database, list_databases, remove_database

DATABASES = typer.Typer(
    name="databases", help="Databases that definitions mean by a name.", no_args_is_help=True
)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    DATABASES.command("add")(add_command)
    DATABASES.command("list")(list_command)
    DATABASES.command("remove")(remove_command)
    DATABASES.command("release")(release_command)
    app.add_typer(DATABASES)


def add_command(
    name: Annotated[str, typer.Argument(help="What definitions write as `database` of their destination.")],
    url: Annotated[
        str, typer.Option(help="SQLAlchemy URL without a password: postgresql://user@host/database.")
    ],
    password: Annotated[
        str | None, typer.Option(metavar="env:VARIABLE", help="The environment variable with the password.")
    ] = None,
    grant: Annotated[
        list[str] | None, typer.Option(metavar="TENANT", help="Who may use it; may be repeated.")
    ] = None,
    as_json: Json = False,
    home: Home = None,
) -> None:
    """Give a database a name; again, with all that is to hold from now on, to change password or grants."""
    settings = settings_for(home)
    with Store.opened(settings) as store, store.write() as session:
        row = _row(add_database(session, name, url, password, grant or []))
        refuse_unknown_database(settings, url, password)
    return print_json(row) if as_json else say("database", _line(row))


def list_command(as_json: Json = False, home: Home = None) -> None:
    """List the databases that have a name, who may use them, and the tables that belong to somebody."""
    with Store.opened(settings_for(home)) as store, store.read() as session:
        rows = [_row(database) for database in list_databases(session)]
        tables = [{"table": claim.destination_key, "tenant": claim.tenant} for claim in list_claims(session)]
    if as_json:
        return print_json({"databases": rows, "tables": tables})
    for row in rows:
        plain(_line(row))
    for table in tables:
        plain(f"table {table['table']} of {table['tenant']}")
    return None


def remove_command(
    name: Annotated[str, typer.Argument(help="The name to take back; the database itself stays.")],
    as_json: Json = False,
    home: Home = None,
) -> None:
    """Take a name back; refused while jobs under way use it."""
    with Store.opened(settings_for(home)) as store, store.write() as session:
        remove_database(session, name)
    return print_json({"name": name}) if as_json else say("removed", name)


def release_command(
    table: Annotated[str, typer.Argument(help="The table, as `lading databases list` shows it.")],
    as_json: Json = False,
    home: Home = None,
) -> None:
    """Make a table nobody's, so that it belongs to the tenant whose import into it is accepted next."""
    with Store.opened(settings_for(home)) as store, store.write() as session:
        tenant = release_table(session, table).tenant
    return (
        print_json({"table": table, "tenant": tenant}) if as_json else say("released", f"{table}, of {tenant}")
    )


def _row(database: NamedDatabase) -> dict[str, Any]:
    return {
        "name": database.name,
        "url": database.url,
        "password": database.password,
        "tenants": database.tenants,
    }


def _line(row: dict[str, Any]) -> str:
    password = "" if row["password"] is None else f", password {row['password']}"
    return f"{row['name']}: {row['url']}{password}; for {', '.join(['the operator', *row['tenants']])}"
