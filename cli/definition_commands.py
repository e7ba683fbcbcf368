"""`lading apply`, `lading definitions`, `lading template`: keep definitions and make things of them."""

from pathlib import Path
from typing import Annotated

import typer

from cli.definition_choice import named_definition, stored_definition
from cli.file_modes import open_as_usual
from cli.options import Home, Json, settings_for, writable
from cli.output import plain, print_json, say
from formats import write_template
from schemas.document import read_definition, write_definition
from schemas.json_schema import json_schema
from schemas.webhook_secrets import masked
from store.database import Store
from store.definitions import list_definitions
from tasks.definition_keeping import keep_definition


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("apply")(apply_command)
    app.command("definitions")(definitions_command)
    app.command("template")(template_command)


def apply_command(
    file: Annotated[Path, typer.Argument(help="A definition, as YAML or JSON.")],
    as_json: Json = False,
    home: Home = None,
) -> None:
    """Keep a definition under its name; a changed one becomes a new version."""
    settings = settings_for(home)
    definition = read_definition(file)
    with Store.opened(settings) as store, store.write() as session:
        stored = keep_definition(settings, session, settings.tenant, definition)
    if as_json:
        return print_json({"name": stored.name, "version": stored.version})
    return say("definition", f"{stored.name}, version {stored.version}")


def definitions_command(
    name: Annotated[str | None, typer.Argument(help="Show this one whole; default: list all.")] = None,
    schema: Annotated[bool, typer.Option("--json-schema", help="Print the JSON Schema of one record.")] = False,
    as_json: Json = False,
    home: Home = None,
) -> None:
    """List the stored definitions, or show one as a document that `lading apply` takes."""
    settings = settings_for(home)
    if name is not None:
        definition = masked(stored_definition(settings, name).definition)
        if schema or as_json:
            return print_json(json_schema(definition) if schema else definition.model_dump(mode="json"))
        return plain(write_definition(definition).rstrip())
    with Store.opened(settings) as store, store.read() as session:
        stored = list_definitions(session, settings.tenant)
    shown = [{"name": d.name, "version": d.version, "created_at": d.created_at.isoformat()} for d in stored]
    if as_json:
        return print_json({"definitions": shown})
    for row in shown:
        say("definition", f"{row['name']}, version {row['version']}, {row['created_at']}")
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
