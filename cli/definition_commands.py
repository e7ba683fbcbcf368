"""`lading apply`, `lading definitions`, `lading template`: keep definitions and make things of them."""

from pathlib import Path
from typing import Annotated, Any

import typer

from cli.file_modes import open_as_usual
from cli.named_definition import named_definition, stored_definition
from cli.options import Home, Json, Tenant, settings_for, writable
from cli.output import plain, print_json, say
from formats import write_template
from schemas.authority import refuse_beyond, refuse_source_beyond
from schemas.definition import Definition
from schemas.definition_secrets import masked
from schemas.document import read_definition, write_definition
from schemas.errors import NotAllowedError
from schemas.json_schema import json_schema
from schemas.principal import OPERATOR_TENANT
from store.database import Store
from store.definitions import list_definitions
from store.tables import DefinitionVersion
from tasks.definition_keeping import keep_definition


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("apply")(apply_command)
    app.command("definitions")(definitions_command)
    app.command("template")(template_command)


def apply_command(
    file: Annotated[Path, typer.Argument(help="A definition, as YAML or JSON.")],
    tenant: Tenant = None,
    as_json: Json = False,
    home: Home = None,
) -> None:
    """Keep a definition under its name; a changed one becomes a new version.

    Every tenant sees it, unless it is made for one.
    """
    settings = settings_for(home, tenant)
    definition = read_definition(file)
    with Store.opened(settings) as store, store.write() as session:
        stored = keep_definition(settings, session, settings.tenant, definition)
    if as_json:
        return print_json({"name": stored.name, "version": stored.version})
    say("definition", f"{stored.name}, version {stored.version}")
    if stored.tenant != OPERATOR_TENANT:
        _note_what_only_the_operator_may(definition)
    return None


def definitions_command(
    name: Annotated[str | None, typer.Argument(help="Show this one whole; default: list all.")] = None,
    schema: Annotated[bool, typer.Option("--json-schema", help="Print the JSON Schema of one record.")] = False,
    tenant: Tenant = None,
    as_json: Json = False,
    home: Home = None,
) -> None:
    """List the stored definitions that a tenant sees, or show one as a document that `lading apply` takes."""
    settings = settings_for(home, tenant)
    if name is not None:
        definition = masked(stored_definition(settings, name).definition)
        if schema or as_json:
            return print_json(json_schema(definition) if schema else definition.model_dump(mode="json"))
        return plain(write_definition(definition).rstrip())
    with Store.opened(settings) as store, store.read() as session:
        stored = list_definitions(session, settings.tenant)
    shown = [_row(d) for d in stored]
    if as_json:
        return print_json({"definitions": shown})
    for row in shown:
        shared = ", shared by the operator" if row["tenant"] != settings.tenant else ""
        say("definition", f"{row['name']}, version {row['version']}, {row['created_at']}{shared}")
    return None


def template_command(
    name: Annotated[str, typer.Argument(help="A stored definition, or a YAML or JSON file of one.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="The workbook to write (.xlsx).")],
    as_json: Json = False,
    home: Home = None,
) -> None:
    """Write a workbook to be filled in: the headers, drop-downs and limits of the definition."""
    settings = settings_for(home)
    definition = named_definition(settings, name)
    write_template(definition, writable(out, settings))
    open_as_usual(out)
    if as_json:
        return print_json({"template": str(out), "definition": definition.name})
    return say("template", f"{out} for the definition {definition.name!r}")


def _row(stored: DefinitionVersion) -> dict[str, Any]:
    return {
        "name": stored.name,
        "version": stored.version,
        "tenant": stored.tenant,
        "created_at": stored.created_at.isoformat(),
    }


def _note_what_only_the_operator_may(definition: Definition) -> None:
    """The command line may use such a definition as the tenant's; a key of the tenant will be refused."""
    try:
        refuse_beyond(False, definition)
        refuse_source_beyond(False, definition.name, definition.source)
    except NotAllowedError as refusal:
        say("note", f"over HTTP it will be refused: {refusal}")
