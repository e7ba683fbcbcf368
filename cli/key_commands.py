"""`lading keys`: who may come in over HTTP."""

from dataclasses import asdict
from typing import Annotated, Any

import typer

from cli.options import Home, Json, settings_for
from cli.output import plain, print_json, say
from schemas.principal import Scope
from store.access_tables import ApiKey
from store.database import Store, Transaction
from store.definitions import list_definitions
from store.keys import add_key, list_keys, revoke_key

KEYS = typer.Typer(name="keys", help="Keys with which tenants come in over HTTP.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    KEYS.command("create")(create_command)
    KEYS.command("list")(list_command)
    KEYS.command("revoke")(revoke_command)
    app.add_typer(KEYS)


def create_command(
    tenant: Annotated[str, typer.Option(help="Whose key it is; a new name is a new tenant.")],
    scope: Annotated[list[Scope] | None, typer.Option(help="What it may be used for; may be repeated.")] = None,
    definition: Annotated[
        list[str] | None,
        typer.Option(help="Name of the only definition it may use; may be repeated. Default: all."),
    ] = None,
    as_json: Json = False,
    home: Home = None,
) -> None:
    """Make a key and tell its secrets, once; by default it may start imports and see what became of them."""
    settings = settings_for(home)
    scopes = scope or [Scope.IMPORTS_CREATE, Scope.IMPORTS_READ]
    with Store.opened(settings) as store, store.write() as session:
        new = add_key(session, tenant, scopes, definition or None)
        unknown = _unknown(session, tenant, definition or [])
    if as_json:
        return print_json(asdict(new))
    say("key", f"{new.key_id} of {tenant} ({', '.join(scopes)})")
    say("token", new.token)
    say("subscription", f"{new.subscription_key} (asked for by clients of some vendors, beside the token)")
    say("note", "the secrets are shown this once; only their hashes are kept")
    for name in unknown:
        say("note", f"there is no definition named {name!r} for {tenant} yet")
    return None


def list_command(as_json: Json = False, home: Home = None) -> None:
    """List the keys of all tenants, revoked ones too; the secrets are not kept."""
    with Store.opened(settings_for(home)) as store, store.read() as session:
        rows = [_row(key) for key in list_keys(session)]
    if as_json:
        return print_json({"keys": rows})
    for row in rows:
        only = "" if row["definitions"] is None else f"  only {', '.join(row['definitions'])}"
        state = "revoked" if row["revoked_at"] else "valid"
        plain(f"{row['key_id']}  {state:<7}  {row['tenant']}  {', '.join(row['scopes'])}{only}")
    return None


def revoke_command(
    key_id: Annotated[str, typer.Argument(metavar="KEY_ID", help="Of the key; `lading keys list` tells it.")],
    as_json: Json = False,
    home: Home = None,
) -> None:
    """Let nobody in with a key from now on."""
    with Store.opened(settings_for(home)) as store, store.write() as session:
        row = _row(revoke_key(session, key_id))
    return print_json(row) if as_json else say("revoked", f"{key_id} of {row['tenant']}")


def _unknown(session: Transaction, tenant: str, names: list[str]) -> list[str]:
    known = {stored.name for stored in list_definitions(session, tenant)}
    return [name for name in names if name not in known]


def _row(key: ApiKey) -> dict[str, Any]:
    return {
        "key_id": key.id,
        "tenant": key.tenant,
        "scopes": key.scopes,
        "definitions": key.definitions,
        "created_at": key.created_at.isoformat(),
        "revoked_at": None if key.revoked_at is None else key.revoked_at.isoformat(),
    }
